/* SPDX-License-Identifier: GPL-2.0-only */
/* Allocation that ends the program on failure, messages, and converting values to and from text. */
#ifndef E3DEFRAG_UTIL_H
#define E3DEFRAG_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * Like reallocarray(3), strdup(3), asprintf(3) and open_memstream(3), but if there is no memory the
 * program ends with STATUS_FAILED. A count of 0 allocates one element. The caller frees the result.
 */
void *xreallocarray(void *old, size_t count, size_t size);
char *xstrdup(const char *text);
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));
FILE *xmemstream(char **text, size_t *size);

/* Make room for one more element in a vector with @count of @allocated elements in use. */
#define vec_more(vec, count, allocated)                                            \
	do {                                                                       \
		if ((count) == (allocated)) {                                      \
			(allocated) = (allocated) ? 2 * (allocated) : 16;          \
			(vec) = xreallocarray((vec), (allocated), sizeof(*(vec))); \
		}                                                                  \
	} while (0)

/*
 * Called before each message, if not NULL. The progress display sets it to clear its lines from the
 * terminal that the message goes to.
 */
extern void (*before_message)(void);

/*
 * Print "e3defrag: SUBJECT: WHAT: WHY" on stderr. @subject must be printable; NULL leaves it out.
 * WHY is the text of @error, a positive errno; 0 leaves it out.
 */
void complain(const char *subject, int error, const char *what, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Return @text with backslashes, bytes that are not UTF-8, and characters that control a terminal,
 * end a line or change the direction of text written as \ooo, so that a file name can't forge
 * lines of a report or hold invalid UTF-8 in JSON. The caller frees the result.
 */
char *printable(const char *text);

/* Write @bytes to @to like "16.0 MiB": at most 10 characters and the 0. Returns @to. */
#define HUMAN_SIZE 16
char *human(uint64_t bytes, char to[HUMAN_SIZE]);

/*
 * Parse @text, digits with an optional K, M or G (powers of 1024), into bytes, at most 2^40.
 * Returns false for anything else.
 */
bool parse_size(const char *text, uint64_t *bytes);

/*
 * Parse @text, digits with an optional s, m, h or d, into seconds, at most 10000 days. Returns
 * false for anything else.
 */
bool parse_time(const char *text, uint64_t *seconds);

/* Compare two uint32_t for qsort(3) and bsearch(3), ascending. */
int by_number(const void *a, const void *b);

#endif
