/* SPDX-License-Identifier: GPL-2.0-only */
/* The width of a text on a terminal, and shortening it to fit. */
#ifndef E3DEFRAG_COLUMNS_H
#define E3DEFRAG_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

/* True if the user's locale uses UTF-8. */
bool columns_utf8(void);

/* The width of @text in columns. It must be text from printable(): UTF-8, no control characters. */
size_t columns_of(const char *text);

/*
 * Return @text in at most @width columns: if it is too wide, "..." replaces its start. Without
 * @utf8 each character that is not ASCII is shown as "?". The caller frees the result.
 */
char *columns_tail(const char *text, size_t width, bool utf8);

/*
 * Return @text, which must be from printable(), in at most @most bytes, 8 at least: if longer,
 * "..." replaces its start, and *@cut is the number of bytes that are missing, else 0. No character
 * and no \ooo is cut in two. Columns are no bound for what is printed: there are characters of
 * width 0. The caller frees the result.
 */
char *columns_tail_bytes(const char *text, size_t most, size_t *cut);

#endif
