/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Parsing /proc/mdstat for the files that hold the write-intent bitmaps of arrays. No I/O, so that
 * tests and fuzzing can call it with any text.
 */
#ifndef E3DEFRAG_MDSTAT_H
#define E3DEFRAG_MDSTAT_H

#include <stdbool.h>
#include <stddef.h>

/* One bitmap file; the pointers are into the text. */
struct mdstat_file {
	const char *array; /* "md0"; its length is 0 if no line before it names an array */
	size_t array_length;
	const char *path; /* with md's escapes */
	size_t path_length;
};

/*
 * Find the next bitmap file in the text from *@text to @end, fill in @file, and move *@text after
 * its line. Zero @file before the first call and keep it for the next ones: it also holds the
 * current array. Returns false if there is no further file.
 */
bool mdstat_next(const char **text, const char *end, struct mdstat_file *file);

/*
 * Return the path of @file, malloc'd: with md's escapes \040, \011 and \012 replaced by the blanks
 * they stand for, or unchanged if @raw. md doesn't escape backslashes of the path itself, so that
 * the text is ambiguous: try both. NULL if it can't be an absolute path.
 */
char *mdstat_path(const struct mdstat_file *file, bool raw);

#endif
