/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The part of the choice that wants the names of files: those that --exclude means, and how long
 * ago the others changed. It goes along with the walk that looks for names.
 */
#ifndef E3DEFRAG_FILTER_NAMES_H
#define E3DEFRAG_FILTER_NAMES_H

#include "survey/filter.h"
#include "survey/names.h"
#include "survey/survey.h"

struct choice {
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
struct names_watch *choice_begin(struct choice *choice, struct survey *survey, dev_t dev);

/* A walk of the directory @path begins. */
void choice_start(struct choice *choice, const char *path);

/* A file that was named, not found; @fd is open on it. */
void choice_file(struct choice *choice, const char *path, int fd, uint32_t ino);

/* After the last walk. */
void choice_end(struct choice *choice);

#endif
