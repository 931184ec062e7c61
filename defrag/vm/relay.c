// SPDX-License-Identifier: GPL-2.0-only
#include "vm/relay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/descriptors.h"
#include "lib/util.h"

/* How many bytes of @text are left without a character at its end that isn't complete. */
static size_t complete_part(const char *text, size_t size)
{
	size_t back, length;

	for (back = 1; back < 4 && back <= size; back++) {
		const unsigned char c = (unsigned char)text[size - back];

		if ((c & 0xc0) == 0x80)
			continue;
		length = c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
		return length > back ? size - back : size;
	}
	return size;
}

/*
 * Write @text escaped. Backslashes stay as they are, unlike in printable(): the tool in the guest
 * has already escaped what it took from the filesystem.
 */
static void put_escaped(FILE *stream, char *text, size_t size)
{
	while (size) {
		char *end = text;
		char *shown, delimiter;

		while (end < text + size && *end && *end != '\n' && *end != '\\')
			end++;
		delimiter = end < text + size ? *end : 0;
		size -= (size_t)(end - text);
		*end = 0;
		shown = printable(text);
		fputs(shown, stream);
		free(shown);
		text = end;
		if (!size)
			break;
		if (delimiter)
			fputc(delimiter, stream);
		else
			fputs("\\000", stream);
		text++;
		size--;
	}
}

enum relayed relay_text(struct relay *relay, int to, const char *text, size_t size, uint64_t *left)
{
	const size_t total = relay->held_count + size;
	char *raw = xreallocarray(NULL, total + 1, 1), *escaped = NULL;
	enum relayed result = RELAYED;
	size_t part, length = 0;
	FILE *stream = xmemstream(&escaped, &length);

	memcpy(raw, relay->held, relay->held_count);
	memcpy(raw + relay->held_count, text, size);
	part = size ? complete_part(raw, total) : total;
	relay->held_count = total - part;
	memcpy(relay->held, raw + part, relay->held_count);
	put_escaped(stream, raw, part);
	fclose(stream);
	if (length > *left) {
		length = (size_t)*left;
		result = RELAY_FULL;
	}
	*left -= length;
	if (!write_all(to, escaped, length))
		result = RELAY_BROKEN;
	free(escaped);
	free(raw);
	return result;
}
