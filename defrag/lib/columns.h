/* SPDX-License-Identifier: GPL-2.0-only */
/* How wide a text is on a terminal, and how it is made to fit. */
#ifndef E3DEFRAG_COLUMNS_H
#define E3DEFRAG_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

/* Does the user's locale have UTF-8? */
bool columns_utf8(void);

/* Columns of @text, which is printable() text: UTF-8 without control characters. */
size_t columns_of(const char *text);

/*
 * @text in @width columns at most, its start cut off and "..." in its place where it is too wide.
 * Without @utf8 each character that is not ASCII is shown as "?". malloc'd.
 */
char *columns_tail(const char *text, size_t width, bool utf8);

#endif
