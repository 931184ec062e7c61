// SPDX-License-Identifier: GPL-2.0-only
/* A line of a script as words: quotes, escapes, and what was kept by a name. */
#define _GNU_SOURCE
#include "steps.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static void append(struct word *w, const char *text, size_t length)
{
	w->text = realloc(w->text, w->length + length + 1);
	memcpy(w->text + w->length, text, length);
	w->length += length;
	w->text[w->length] = '\0';
}

static const char *expand(struct word *w, const char *at)
{
	char name[64];
	size_t length = 0;
	struct named *n;
	bool brace = *at == '{';

	if (*at == '%') {
		append(w, "%", 1);
		return at + 1;
	}
	at += brace;
	while (length < sizeof(name) - 1 && (isalnum((unsigned char)*at) || *at == '_'))
		name[length++] = *at++;
	name[length] = '\0';
	at += brace && *at == '}';
	n = find(name);
	if (!n || !n->text)
		die("nothing kept as '%s'", name);
	append(w, n->text, n->text_length);
	return at;
}

static const char *unescape(struct word *w, const char *at)
{
	char c = *at;

	if (c == 'n')
		c = '\n';
	else if (c == 't')
		c = '\t';
	else if (c == '0')
		c = '\0';
	append(w, &c, 1);
	return at + 1;
}

int split(const char *at, struct word *words)
{
	int count = 0;

	for (;;) {
		struct word *w = &words[count];
		bool quoted = false;

		at += strspn(at, " \t\n");
		if (!*at || *at == '#')
			return count;
		if (count == MAX_WORDS)
			die("too many words");
		w->text = NULL;
		w->length = 0;
		append(w, "", 0);
		while (*at && (quoted || !isspace((unsigned char)*at))) {
			if (*at == '"') {
				quoted = !quoted;
				at++;
			} else if (*at == '%') {
				at = expand(w, at + 1);
			} else if (*at == '\\' && at[1]) {
				at = unescape(w, at + 1);
			} else {
				append(w, at++, 1);
			}
		}
		count++;
	}
}
