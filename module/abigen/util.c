// SPDX-License-Identifier: GPL-2.0-only
/* Messages, memory, numbers. Every failure of this program ends it. */
#include <stdarg.h>
#include <stdlib.h>

#include "abigen.h"

static void message(const char *what, const char *why, va_list args)
{
	fprintf(stderr, "abigen: %s: ", what);
	vfprintf(stderr, why, args);
	fputc('\n', stderr);
}

void die(const char *what, const char *why, ...)
{
	va_list args;

	va_start(args, why);
	message(what, why, args);
	va_end(args);
	exit(1);
}

void warn(const char *what, const char *why, ...)
{
	va_list args;

	va_start(args, why);
	message(what, why, args);
	va_end(args);
}

char *xasprintf(const char *format, ...)
{
	va_list args;
	char *s;

	va_start(args, format);
	if (vasprintf(&s, format, args) < 0)
		die("memory", "exhausted");
	va_end(args);
	return s;
}

void *xrealloc(void *p, size_t size)
{
	p = realloc(p, size ? size : 1);
	if (!p)
		die("memory", "exhausted");
	return p;
}

uint32_t get_le32(const unsigned char *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}
