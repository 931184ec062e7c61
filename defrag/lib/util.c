// SPDX-License-Identifier: GPL-2.0-only
#include "lib/util.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "status.h"

void (*before_message)(void);

static void make_way(void)
{
	if (before_message)
		before_message();
}

static void *have(void *memory)
{
	if (!memory) {
		make_way();
		fputs("e3defrag: out of memory\n", stderr);
		exit(STATUS_FAILED);
	}
	return memory;
}

void *xreallocarray(void *old, size_t count, size_t size)
{
	return have(reallocarray(old, count ? count : 1, size));
}

char *xstrdup(const char *text)
{
	return have(strdup(text));
}

char *xasprintf(const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	return have(text);
}

void complain(const char *subject, int error, const char *what, ...)
{
	va_list args;

	fflush(stdout);
	make_way();
	fputs("e3defrag: ", stderr);
	if (subject)
		fprintf(stderr, "%s: ", subject);
	va_start(args, what);
	vfprintf(stderr, what, args);
	va_end(args);
	if (error)
		fprintf(stderr, ": %s", strerror(error));
	fputc('\n', stderr);
}

FILE *xmemstream(char **text, size_t *size)
{
	return have(open_memstream(text, size));
}

/*
 * U+2028 and U+2029 end a line for some programs, U+202A to U+202E and U+2066 to U+2069 write the
 * text behind them in another direction: with them a name can look like another one.
 */
static bool rearranges(const unsigned char *text)
{
	return text[0] == 0xe2 && ((text[1] == 0x80 && text[2] >= 0xa8 && text[2] <= 0xae) ||
				   (text[1] == 0x81 && text[2] >= 0xa6 && text[2] <= 0xa9));
}

/* Bytes of the UTF-8 character at @text that may be shown as it is; 0 if there is none. */
static size_t shown_as_is(const unsigned char *text)
{
	/* The range of the second byte depends on the first: no overlong form, no surrogate. */
	const unsigned char first = text[0], second = first ? text[1] : 0;
	unsigned char least = 0x80, most = 0xbf;
	size_t length, i;

	if (first < 0x80)
		return first >= 0x20 && first != 0x7f && first != '\\';
	length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
	if (first == 0xc2 || first == 0xe0)
		least = 0xa0; /* 0xc2: U+0080 to U+009F are control characters of terminals */
	else if (first == 0xed)
		most = 0x9f;
	else if (first == 0xf0)
		least = 0x90;
	else if (first == 0xf4)
		most = 0x8f;
	if ((length && (second < least || second > most)) || rearranges(text))
		return 0;
	for (i = 2; i < length; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	return length;
}

char *printable(const char *text)
{
	char *to = xreallocarray(NULL, strlen(text) + 1, 4);
	char *at = to;

	while (*text) {
		size_t length = shown_as_is((const unsigned char *)text);

		if (!length) {
			at += sprintf(at, "\\%03o", (unsigned char)*text++);
			continue;
		}
		memcpy(at, text, length);
		at += length;
		text += length;
	}
	*at = 0;
	return to;
}

char *human(uint64_t bytes, char to[HUMAN_SIZE])
{
	static const char *const unit[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double value = (double)bytes / 1024;
	size_t i = 0;

	if (bytes < 1024) {
		snprintf(to, HUMAN_SIZE, "%u B", (unsigned int)bytes);
		return to;
	}
	while (value >= 1023.95 && i + 1 < sizeof(unit) / sizeof(*unit)) {
		value /= 1024;
		i++;
	}
	snprintf(to, HUMAN_SIZE, "%.1f %s", value, unit[i]);
	return to;
}

/* Decimal digits, one at least, up to @most; *@text is moved behind them. */
static bool parse_digits(const char **text, uint64_t most, uint64_t *value)
{
	const char *at = *text;

	if (*at < '0' || *at > '9')
		return false;
	for (*value = 0; *at >= '0' && *at <= '9'; at++) {
		*value = 10 * *value + (uint64_t)(*at - '0');
		if (*value > most)
			return false;
	}
	*text = at;
	return true;
}

bool parse_size(const char *text, uint64_t *bytes)
{
	static const char units[] = "KMG";
	const uint64_t most = 1ULL << 40;
	const char *unit;
	uint64_t value;

	if (!parse_digits(&text, most, &value))
		return false;
	unit = *text ? strchr(units, *text) : NULL;
	if (unit) {
		const int shift = 10 * (int)(unit - units + 1);

		if (value > most >> shift)
			return false;
		value <<= shift;
		text++;
	}
	if (*text)
		return false;
	*bytes = value;
	return true;
}

bool parse_time(const char *text, uint64_t *seconds)
{
	static const char units[] = "smhd";
	static const uint64_t times[] = { 1, 60, 3600, 86400 };
	const uint64_t most = 10000 * 86400;
	const char *unit;
	uint64_t value;

	if (!parse_digits(&text, most, &value))
		return false;
	unit = *text ? strchr(units, *text) : NULL;
	if (unit) {
		value *= times[unit - units];
		text++;
	}
	if (*text || value > most)
		return false;
	*seconds = value;
	return true;
}

int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}
