/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory that never fails, messages, and text for people. */
#ifndef E3DEFRAG_UTIL_H
#define E3DEFRAG_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* realloc of count * size bytes; no memory ends the program with STATUS_FAILED. */
void *xreallocarray(void *old, size_t count, size_t size);
char *xstrdup(const char *text);
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* open_memstream() */
FILE *xmemstream(char **text, size_t *size);

/* Make room for one more element in a vector of *allocated elements, *count of them used. */
#define vec_more(vec, count, allocated)                                            \
	do {                                                                       \
		if ((count) == (allocated)) {                                      \
			(allocated) = (allocated) ? 2 * (allocated) : 16;          \
			(vec) = xreallocarray((vec), (allocated), sizeof(*(vec))); \
		}                                                                  \
	} while (0)

/* Called before each message, by what is written to the same terminal; NULL: nothing is. */
extern void (*before_message)(void);

/* "e3defrag: SUBJECT: WHAT: WHY" on stderr. @error is an errno, 0 for none; @subject printable. */
void complain(const char *subject, int error, const char *what, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * @text with control characters, backslashes and bytes that are not UTF-8 as \ooo, so that a
 * file name can't forge lines of a report, and is a string of JSON. The answer is malloc'd.
 */
char *printable(const char *text);

/* @bytes as "16.0 MiB" into @to, at most 10 characters and the 0. Returns @to. */
#define HUMAN_SIZE 16
char *human(uint64_t bytes, char to[HUMAN_SIZE]);

/* @text, digits and perhaps K, M or G, as bytes up to 2^40. False for anything else. */
bool parse_size(const char *text, uint64_t *bytes);

/* @text, digits and perhaps s, m, h or d, as seconds up to 10000 days. False for anything else. */
bool parse_time(const char *text, uint64_t *seconds);

/* For qsort(3) and bsearch(3): uint32_t, ascending. */
int by_number(const void *a, const void *b);

#endif
