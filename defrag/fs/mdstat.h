/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /proc/mdstat, as far as it names the files that arrays have their write-intent bitmaps in. Pure
 * functions of the bytes.
 */
#ifndef E3DEFRAG_MDSTAT_H
#define E3DEFRAG_MDSTAT_H

#include <stdbool.h>
#include <stddef.h>

/* Parts of the text. */
struct mdstat_file {
	const char *array; /* "md0"; of no length where no array was named before */
	size_t array_length;
	const char *path; /* as it stands there */
	size_t path_length;
};

/*
 * The next file from *@text on, which is moved behind its line; @file also carries what is known
 * from one call to the next, and is all 0 before the first. False when there is none.
 */
bool mdstat_next(const char **text, const char *end, struct mdstat_file *file);

/*
 * The path of @file, malloc'd: with the blanks that md writes as \040, \011 and \012, or @raw. md
 * doesn't mark the backslashes of the path itself, so that one of the two is right. NULL: it can't
 * be a path.
 */
char *mdstat_path(const struct mdstat_file *file, bool raw);

#endif
