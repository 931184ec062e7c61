/* SPDX-License-Identifier: GPL-2.0-only */
/* Which files the user wants to be left alone. What needs their names is in filter_names.c. */
#ifndef E3DEFRAG_FILTER_H
#define E3DEFRAG_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plan/reason.h"
#include "survey/exclude.h"

/* All zero: no file. */
struct filter {
	uint32_t min_fragments;
	uint32_t min_score;
	uint64_t min_size, max_size; /* bytes; a max_size of 0 is none */
	uint64_t older_than;	     /* seconds */
	struct exclude exclude;
};

/* The options as they were given, NULL where one wasn't. */
struct filter_options {
	char *min_fragments, *min_score, *min_size, *max_size, *older_than;
	struct option_list {
		char **text;
		size_t count, room;
	} exclude, exclude_from;
};

/* One that may be given several times; @text is malloc'd. */
void filter_option_add(struct option_list *list, char *text);

/* Read them. False after a message about what is wrong. */
bool filter_parse(struct filter *filter, const struct filter_options *options);
void filter_options_free(struct filter_options *options);
void filter_free(struct filter *filter);

/* A file in pieces, as it was found: REASON_NONE, or why it is left alone. */
enum reason filter_look(const struct filter *filter, uint32_t fragments, uint32_t score,
			uint64_t size);

#endif
