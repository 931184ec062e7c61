/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The filters that need the names of files: those that --exclude means, and how long
 * ago the others changed. It goes along with the walk that looks for names.
 */
#ifndef E3DEFRAG_FILTER_NAMES_H
#define E3DEFRAG_FILTER_NAMES_H

#include "survey/filter.h"
#include "survey/names.h"
#include "survey/files.h"

struct filter_names {
	struct names_watch watch;
	struct survey *survey;
	const struct filter *filter;
	dev_t dev;
	bool watched;  /* the filter asks for names */
	int64_t since; /* what changed later is left alone */
	struct trail trail;
	char *path; /* what it began with */
};

/*
 * All candidates are there by now. Returns what the walks that follow have to be watched by; NULL:
 * the filter asks for nothing that needs names.
 */
struct names_watch *filter_names_begin(struct filter_names *names, struct survey *survey,
				       dev_t dev);

/* A walk of the directory @path begins. */
void filter_names_start(struct filter_names *names, const char *path);

/* A file that was named, not found; @fd is open on it. */
void filter_names_file(struct filter_names *names, const char *path, int fd, uint32_t ino);

/* After the last walk. */
void filter_names_end(struct filter_names *names);

#endif
