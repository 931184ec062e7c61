// SPDX-License-Identifier: GPL-2.0-only
/* What a script keeps by its names, and what a step gave. */
#define _GNU_SOURCE
#include "steps.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct named *everything;
char *result;
size_t result_length;
bool failed;
unsigned int line_number;
unsigned char *chunk;

void die(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "steps: line %u: ", line_number);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	_exit(2);
}

struct named *find(const char *name)
{
	struct named *n;

	for (n = everything; n; n = n->next)
		if (!strcmp(n->name, name))
			return n;
	return NULL;
}

struct named *find_or_add(const char *name)
{
	struct named *n = find(name);

	if (n)
		return n;
	n = calloc(1, sizeof(*n));
	if (!n)
		die("out of memory");
	n->name = strdup(name);
	n->fd = -1;
	n->next = everything;
	everything = n;
	return n;
}

void keep(const char *name, const char *text, size_t length)
{
	struct named *n = find_or_add(name);

	free(n->text);
	n->text = malloc(length + 1);
	memcpy(n->text, text, length);
	n->text[length] = '\0';
	n->text_length = length;
}

void text_result(const char *text, size_t length)
{
	free(result);
	result = malloc(length + 1);
	memcpy(result, text, length);
	result[length] = '\0';
	result_length = length;
	failed = false;
}

void string_result(const char *text)
{
	text_result(text, strlen(text));
}

void format_result(const char *format, ...)
{
	char *text;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		die("out of memory");
	va_end(args);
	string_result(text);
	free(text);
}

void call_result(long long value)
{
	if (value < 0) {
		string_result(strerrorname_np(errno));
		failed = true;
	} else {
		format_result("%lld", value);
	}
}

long long number(const struct word *w)
{
	char *end;
	long long value;

	errno = 0;
	value = strtoll(w->text, &end, 0);
	if (*end || end == w->text || errno)
		die("'%s' is not a number", w->text);
	return value;
}

int fd_of(const struct word *w)
{
	struct named *n = find(w->text);

	if (!n || n->fd < 0)
		die("no open file '%s'", w->text);
	return n->fd;
}

struct named *map_of(const struct word *w)
{
	struct named *n = find(w->text);

	if (!n || !n->map)
		die("no mapping '%s'", w->text);
	return n;
}
