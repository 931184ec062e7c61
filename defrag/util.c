// SPDX-License-Identifier: GPL-2.0-only
#include "util.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "e3defrag.h"

static void *have(void *memory)
{
	if (!memory) {
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

char *printable(const char *text)
{
	char *to = xreallocarray(NULL, strlen(text) + 1, 4);
	char *at = to;

	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x20 || c == 0x7f || c == '\\')
			at += sprintf(at, "\\%03o", c);
		else
			*at++ = (char)c;
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

bool parse_size(const char *text, uint64_t *bytes)
{
	static const char units[] = "KMG";
	const uint64_t most = 1ULL << 40;
	const char *unit;
	uint64_t value = 0;

	if (*text < '0' || *text > '9')
		return false;
	for (; *text >= '0' && *text <= '9'; text++) {
		value = 10 * value + (uint64_t)(*text - '0');
		if (value > most)
			return false;
	}
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
