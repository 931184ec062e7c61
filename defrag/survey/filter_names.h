/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The filters that need the names of files: --exclude and --older-than. They watch the walk that
 * finds names for reports.
 */
#ifndef E3DEFRAG_FILTER_NAMES_H
#define E3DEFRAG_FILTER_NAMES_H

#include "survey/filter.h"
#include "survey/files.h"
#include "survey/walk.h"

struct filter_names {
	struct names_watch watch;
	struct survey *survey;
	const struct filter *filter;
	dev_t dev;
	bool watched;  /* the filter needs names */
	int64_t since; /* files changed after this are left alone; seconds since 1970 */
	struct trail trail;
	char *path; /* the path that the walk began with, cut into components for the trail */
};

/*
 * Call this when the survey has all its candidates. Returns the watch to pass to the walks that
 * follow, a part of @names; NULL if no filter needs names.
 */
struct names_watch *filter_names_begin(struct filter_names *names, struct survey *survey,
				       dev_t dev);

/* A walk of the directory @path is about to begin. */
void filter_names_start(struct filter_names *names, const char *path);

/* Filter a file that the user named, which no walk finds; @fd is open on it. */
void filter_names_file(struct filter_names *names, const char *path, int fd, uint32_t ino);

/* After the last walk: decide about files without a name, and free what @names has. */
void filter_names_end(struct filter_names *names);

#endif
