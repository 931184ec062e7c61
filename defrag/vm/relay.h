/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Passing on text of the guest. The tool in the guest escapes the names that it prints, but a guest
 * that was taken over by the filesystem that it mounted may send anything.
 */
#ifndef E3DEFRAG_RELAY_H
#define E3DEFRAG_RELAY_H

#include <stddef.h>
#include <stdint.h>

struct relay {
	char held[4]; /* the beginning of a character whose other bytes have not arrived */
	size_t held_count;
};

enum relayed {
	RELAYED,
	RELAY_BROKEN, /* can't be written, see errno */
	RELAY_FULL    /* more than *@left bytes */
};

/*
 * Write @text to @to, with control characters other than newlines, and what is not UTF-8, as \ooo.
 * The bytes that are written are taken off *@left. At the end of the text call it with a @size of
 * 0.
 */
enum relayed relay_text(struct relay *relay, int to, const char *text, size_t size, uint64_t *left);

#endif
