/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The options by which the user leaves files alone. This parses them and applies those that need
 * only the record of a file; filter_names.c applies those that need its names.
 */
#ifndef E3DEFRAG_FILTER_H
#define E3DEFRAG_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plan/reason.h"
#include "survey/exclude.h"

/* All zero: no file is left alone. */
struct filter {
	uint32_t min_fragments;
	uint32_t min_score;
	uint64_t min_size, max_size; /* bytes; max_size 0: no limit */
	uint64_t older_than;	     /* seconds */
	struct exclude exclude;
};

/* The texts of the options as given, NULL for an option that wasn't. */
struct filter_options {
	char *min_fragments, *min_score, *min_size, *max_size, *older_than;
	struct option_list {
		char **text;
		size_t count, room;
	} exclude, exclude_from;
};

/* Add the text of an option that may be given several times. @list takes over @text, malloc'd. */
void filter_option_add(struct option_list *list, char *text);

/* Parse the options into @filter. Returns false after a message about what is wrong. */
bool filter_parse(struct filter *filter, const struct filter_options *options);
void filter_options_free(struct filter_options *options);
void filter_free(struct filter *filter);

/*
 * Apply the filter to a fragmented file with @size in bytes: REASON_NONE, or why it is left alone.
 */
enum reason filter_look(const struct filter *filter, uint32_t fragments, uint32_t score,
			uint64_t size);

#endif
