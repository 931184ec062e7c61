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

/* The words of a set of positions in a pattern. */
static size_t pattern_words(const struct pattern *p)
{
	return p->parts / 64 + 1;
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
	if (p.any) {
		p.word = exclude->words;
		exclude->words += pattern_words(&p);
	}
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
 * A pattern with ** is matched one component of the path after the other, so that the path, whose
 * depth users choose, is not gone through again at each level. For each level of the trail there
 * is a set of positions in the pattern: bit N is set if the components so far match the first N
 * parts of it, so that part N is to match what comes next.
 */
#define BITS 64

static bool has(const uint64_t *set, size_t at)
{
	return set[at / BITS] >> at % BITS & 1;
}

static void add(uint64_t *set, size_t at)
{
	set[at / BITS] |= 1ULL << at % BITS;
}

static bool is_any(const struct pattern *p, size_t at)
{
	return !strcmp(p->part[at], "**");
}

/* A ** may match no component at all, but a final one matches what is below, not itself. */
static void skip_any(const struct pattern *p, uint64_t *set)
{
	size_t at;

	for (at = 0; at + 1 < p->parts; at++)
		if (has(set, at) && is_any(p, at))
			add(set, at + 1);
}

static void first_set(const struct pattern *p, uint64_t *set)
{
	memset(set, 0, pattern_words(p) * sizeof(*set));
	add(set, 0);
	skip_any(p, set);
}

/* The positions after one more component, @name. */
static void next_set(const struct pattern *p, const uint64_t *set, const char *name, uint64_t *next)
{
	size_t at;

	memset(next, 0, pattern_words(p) * sizeof(*next));
	/* A pattern that may begin at any component behaves as if ** preceded it. */
	if (!p->anchored)
		add(next, 0);
	for (at = 0; at < p->parts; at++) {
		if (!has(set, at))
			continue;
		if (is_any(p, at))
			add(next, at);
		else if (at + 1 < p->parts && same(p->part[at], name))
			add(next, at + 1);
	}
	skip_any(p, next);
}

/* True if the whole pattern matches when @name comes after what led to @set. */
static bool set_matches(const struct pattern *p, const uint64_t *set, const char *name)
{
	const size_t last = p->parts - 1;

	return has(set, last) && (is_any(p, last) || same(p->part[last], name));
}

/* A pattern without ** against the path of the trail and @name. */
static bool matches(const struct pattern *p, const struct trail *trail, const char *name)
{
	const size_t parts = trail->parts + 1;
	size_t i;

	if (parts < p->parts || (p->anchored && parts != p->parts))
		return false;
	/* From the end, because last components differ most. */
	if (!same(p->part[p->parts - 1], name))
		return false;
	for (i = 2; i <= p->parts; i++)
		if (!same(p->part[p->parts - i], trail->part[parts - i]))
			return false;
	return true;
}

/* The sets of all patterns with ** at level @level of the trail. */
static uint64_t *sets_at(const struct trail *trail, const struct exclude *exclude, size_t level)
{
	return trail->set + level * exclude->words;
}

/* Make room for one more level, and the first one. */
static void begin_level(struct trail *trail, const struct exclude *exclude)
{
	size_t i;

	if (!exclude->words)
		return;
	while (trail->levels < trail->parts + 2) {
		trail->levels = trail->levels ? 2 * trail->levels : 16;
		trail->set = xreallocarray(trail->set, trail->levels * exclude->words,
					   sizeof(*trail->set));
	}
	for (i = 0; !trail->parts && i < exclude->count; i++)
		if (exclude->pattern[i].any)
			first_set(&exclude->pattern[i], trail->set + exclude->pattern[i].word);
}

/* True if a pattern matches the path of the trail with @name at its end. */
static bool is_excluded(const struct trail *trail, const struct exclude *exclude, const char *name,
			bool directory)
{
	const uint64_t *sets = exclude->words ? sets_at(trail, exclude, trail->parts) : NULL;
	size_t i;

	for (i = 0; i < exclude->count; i++) {
		const struct pattern *p = &exclude->pattern[i];

		if (p->directory && !directory)
			continue;
		/* Patterns with ** have words, so there are sets; no analyzer can see that. */
		if (p->any ? sets && set_matches(p, sets + p->word, name) : matches(p, trail, name))
			return true;
	}
	return false;
}

static void add_level(struct trail *trail, const struct exclude *exclude, const char *name)
{
	const size_t level = trail->parts;
	size_t i;

	for (i = 0; exclude->words && i < exclude->count; i++) {
		const struct pattern *p = &exclude->pattern[i];

		if (p->any)
			next_set(p, sets_at(trail, exclude, level) + p->word, name,
				 sets_at(trail, exclude, level + 1) + p->word);
	}
}

void trail_push(struct trail *trail, const struct exclude *exclude, const char *name)
{
	/* Below an excluded directory everything is, so that nothing is matched there. */
	if (!trail->excluded) {
		begin_level(trail, exclude);
		if (is_excluded(trail, exclude, name, true))
			trail->excluded = trail->parts + 1;
		else
			add_level(trail, exclude, name);
	}
	vec_more(trail->part, trail->parts, trail->room);
	trail->part[trail->parts++] = name;
}

void trail_pop(struct trail *trail)
{
	if (trail->excluded == trail->parts)
		trail->excluded = 0;
	trail->parts--;
}

bool trail_excludes(struct trail *trail, const struct exclude *exclude, const char *name)
{
	if (trail->excluded)
		return true;
	begin_level(trail, exclude);
	return is_excluded(trail, exclude, name, false);
}

void trail_free(struct trail *trail)
{
	free(trail->part);
	free(trail->set);
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
