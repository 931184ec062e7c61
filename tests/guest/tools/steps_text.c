// SPDX-License-Identifier: GPL-2.0-only
/* Reckoning, and picking words and lines out of texts. */
#define _GNU_SOURCE
#include "steps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void do_let(struct word *w, int count)
{
	long long value = number(&w[1]);
	char text[32];
	int i;

	for (i = 2; i + 1 < count; i += 2) {
		long long other = number(&w[i + 1]);

		switch (w[i].text[0]) {
		case '+':
			value += other;
			break;
		case '-':
			value -= other;
			break;
		case '*':
			value *= other;
			break;
		case '/':
			value /= other;
			break;
		default:
			die("unknown operator '%s'", w[i].text);
		}
	}
	snprintf(text, sizeof(text), "%lld", value);
	keep(w[0].text, text, strlen(text));
	string_result(text);
}

void do_less(struct word *w, int count)
{
	(void)count;
	string_result(number(&w[0]) < number(&w[1]) ? "yes" : "no");
}

void do_is(struct word *w, int count)
{
	(void)count;
	text_result(w[0].text, w[0].length);
}

/* Word WORD of line LINE of TEXT, both counted from 1, -1 is the last line. */
void do_field(struct word *w, int count)
{
	long long line = number(&w[1]), word = number(&w[2]);
	char *copy = strdup(w[0].text), *save, *at;

	(void)count;
	if (line < 0) {
		size_t length = strlen(copy);

		if (length && copy[length - 1] == '\n')
			copy[length - 1] = '\0';
		at = strrchr(copy, '\n');
		at = at ? at + 1 : copy;
	} else {
		for (at = copy; at && --line; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL)
			;
	}
	if (at)
		at[strcspn(at, "\n")] = '\0';
	for (at = at ? strtok_r(at, " ", &save) : NULL; at && --word;)
		at = strtok_r(NULL, " ", &save);
	string_result(at ? at : "");
	free(copy);
}

/* The value of the "KEY VALUE" line of TEXT. */
void do_key(struct word *w, int count)
{
	size_t length = strlen(w[1].text);
	char *at = w[0].text;

	(void)count;
	while (at && !(!strncmp(at, w[1].text, length) && at[length] == ' '))
		at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL;
	if (at)
		text_result(at + length + 1, strcspn(at + length + 1, "\n"));
	else
		string_result("");
}

void do_lines(struct word *w, int count)
{
	long long n = 0;
	size_t i;

	(void)count;
	for (i = 0; i < w[0].length; i++)
		n += w[0].text[i] == '\n';
	call_result(n);
}

/* The longest "START LENGTH" line of TEXT. */
void do_longest(struct word *w, int count)
{
	unsigned long long start, length, best = 0;
	const char *at = w[0].text;

	(void)count;
	string_result("");
	while (at && sscanf(at, "%llu %llu", &start, &length) == 2) {
		if (length > best)
			format_result("%llu %llu", start, best = length);
		at = strchr(at, '\n');
		at = at ? at + 1 : NULL;
	}
}

/* The sum of word WORD over the lines of TEXT. */
void do_total(struct word *w, int count)
{
	unsigned long long sum = 0;
	const char *at = w[0].text;

	(void)count;
	while (at && *at) {
		unsigned long long value[3] = { 0 };

		sscanf(at, "%llu %llu %llu", &value[0], &value[1], &value[2]);
		sum += value[number(&w[1]) - 1];
		at = strchr(at, '\n');
		at = at ? at + 1 : NULL;
	}
	format_result("%llu", sum);
}
