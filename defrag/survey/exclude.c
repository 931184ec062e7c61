// SPDX-License-Identifier: GPL-2.0-only
#include "survey/exclude.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

/*
 * Cut the next component off @path, in place. Empty components and "." are skipped, since they
 * don't lead to another directory. NULL at the end.
 */
static char *next_component(char **path)
{
	char *name;

	while ((name = strsep(path, "/")))
		if (*name && strcmp(name, "."))
			return name;
	return NULL;
}

/* True if @word ends in a backslash that escapes nothing: fnmatch() would never match it. */
static bool ends_in_escape(const char *word)
{
	for (; *word; word++)
		if (*word == '\\' && !*++word)
			return true;
	return false;
}

static void pattern_free(struct pattern *p)
{
	free(p->text);
	free(p->words);
	free(p->part);
}

static const char *set_up(struct pattern *p)
{
	const size_t length = strlen(p->text);
	char *rest, *word;

	p->anchored = *p->text == '/';
	p->directory = p->text[length - 1] == '/';
	rest = p->words = xstrdup(p->text);
	while ((word = next_component(&rest))) {
		if (ends_in_escape(word))
			return "has a backslash with nothing after it";
		p->any |= !strcmp(word, "**");
		vec_more(p->part, p->parts, p->room);
		p->part[p->parts++] = word;
	}
	return p->parts ? NULL : "names nothing";
}

const char *exclude_add(struct exclude *exclude, const char *text)
{
	struct pattern p = { 0 };
	const char *wrong;

	if (!*text)
		return "is empty";
	if (strlen(text) > EXCLUDE_LENGTH)
		return "is longer than 4095 bytes";
	if (exclude->count == EXCLUDE_MOST)
		return "is one more than the 4096 that are allowed";
	p.text = xstrdup(text);
	wrong = set_up(&p);
	if (wrong) {
		pattern_free(&p);
		return wrong;
	}
	vec_more(exclude->pattern, exclude->count, exclude->room);
	exclude->pattern[exclude->count++] = p;
	return NULL;
}

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

const char *exclude_parse(struct exclude *exclude, const char *text, size_t size, size_t *line)
{
	const char *end = text + size, *wrong = NULL, *next;

	*line = 0;
	if (size > EXCLUDE_FILE_BYTES)
		return "is larger than 1 MiB";
	for (; text < end && !wrong; text = next) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t length = (size_t)((newline ? newline : end) - text);
		char *copy;

		next = newline ? newline + 1 : end;
		++*line;
		if (!length || *text == '#')
			continue;
		if (memchr(text, 0, length))
			return "has a zero byte";
		if (is_blank(text[0]) || is_blank(text[length - 1]))
			return "begins or ends with a blank; if that is meant, write [ ]";
		copy = xasprintf("%.*s", (int)length, text);
		wrong = exclude_add(exclude, copy);
		free(copy);
	}
	return wrong;
}

void exclude_free(struct exclude *exclude)
{
	size_t i;

	for (i = 0; i < exclude->count; i++)
		pattern_free(&exclude->pattern[i]);
	free(exclude->pattern);
	memset(exclude, 0, sizeof(*exclude));
}

/* An error of fnmatch() counts as a match, so that the file is left alone. */
static bool same(const char *pattern, const char *name)
{
	return fnmatch(pattern, name, 0) != FNM_NOMATCH;
}

/*
 * Match a pattern with ** among its components. If two ** could both match a component, it never
 * hurts to let the first match as few as possible. So the search only ever goes back to the last
 * **, and takes no more steps than the number of the pattern's components times that of the path's.
 */
static bool matches_any(const struct pattern *p, const char *const *part, size_t parts)
{
	/* A pattern that may begin at any component behaves as if ** preceded it. */
	size_t at = 0, i = 0, back_at = 0, back_i = 0;
	bool back = !p->anchored;

	while (i < parts) {
		if (at < p->parts && !strcmp(p->part[at], "**")) {
			/* A final ** matches what is below the directory, not itself. */
			if (++at == p->parts)
				return true;
			back = true;
			back_at = at;
			back_i = i;
		} else if (at < p->parts && same(p->part[at], part[i])) {
			at++;
			i++;
		} else if (back) {
			at = back_at;
			i = ++back_i;
		} else {
			return false;
		}
	}
	return at == p->parts;
}

static bool matches(const struct pattern *p, const char *const *part, size_t parts)
{
	size_t i;

	if (p->any)
		return matches_any(p, part, parts);
	if (parts < p->parts || (p->anchored && parts != p->parts))
		return false;
	/* From the end, because last components differ most. */
	for (i = 1; i <= p->parts; i++)
		if (!same(p->part[p->parts - i], part[parts - i]))
			return false;
	return true;
}

static bool last_matches(const struct trail *trail, const struct exclude *exclude, bool directory)
{
	size_t i;

	for (i = 0; i < exclude->count; i++)
		if ((directory || !exclude->pattern[i].directory) &&
		    matches(&exclude->pattern[i], trail->part, trail->parts))
			return true;
	return false;
}

static void push(struct trail *trail, const char *name)
{
	vec_more(trail->part, trail->parts, trail->room);
	trail->part[trail->parts++] = name;
}

void trail_push(struct trail *trail, const struct exclude *exclude, const char *name)
{
	push(trail, name);
	if (!trail->excluded && last_matches(trail, exclude, true))
		trail->excluded = trail->parts;
}

void trail_pop(struct trail *trail)
{
	if (trail->excluded == trail->parts)
		trail->excluded = 0;
	trail->parts--;
}

bool trail_excludes(struct trail *trail, const struct exclude *exclude, const char *name)
{
	bool excluded = trail->excluded;

	if (!excluded) {
		push(trail, name);
		excluded = last_matches(trail, exclude, false);
		trail->parts--;
	}
	return excluded;
}

void trail_free(struct trail *trail)
{
	free(trail->part);
	memset(trail, 0, sizeof(*trail));
}

const char *trail_start(struct trail *trail, const struct exclude *exclude, char *path)
{
	const char *name, *last = NULL;

	trail->parts = trail->excluded = 0;
	while ((name = next_component(&path))) {
		if (last)
			trail_push(trail, exclude, last);
		last = name;
	}
	return last;
}
