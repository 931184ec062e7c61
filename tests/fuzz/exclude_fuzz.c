// SPDX-License-Identifier: GPL-2.0-only
/*
 * A list of excludes as anyone may write one, and a path to hold against it: what is taken is
 * within its bounds, and a walk along the path says the same as a plain search for a part of it
 * that one of the patterns matches. The first byte is how long the path is.
 */
#include <fnmatch.h>
#include <string.h>

#include "fuzz.h"
#include "survey/exclude.h"

/* As it stands in the head of exclude.h, tried out in every way. */
static int whole(const struct pattern *p, size_t at, const char *const *part, size_t parts)
{
	size_t i;

	if (at == p->parts)
		return !parts;
	if (strcmp(p->part[at], "**"))
		return parts && fnmatch(p->part[at], part[0], 0) != FNM_NOMATCH &&
		       whole(p, at + 1, part + 1, parts - 1);
	for (i = at + 1 == p->parts; i <= parts; i++)
		if (whole(p, at + 1, part + i, parts - i))
			return 1;
	return 0;
}

static int plainly_excluded(const struct exclude *exclude, const char *const *part, size_t parts)
{
	size_t i, from, to;

	for (i = 0; i < exclude->count; i++) {
		const struct pattern *p = &exclude->pattern[i];

		for (to = 1; to <= parts - p->directory; to++)
			for (from = 0; from < to && !(p->anchored && from); from++)
				if (whole(p, 0, part + from, to - from))
					return 1;
	}
	return 0;
}

/* Search in every way takes long: for short ones. */
static int is_simple(const struct exclude *exclude, size_t parts)
{
	size_t i, k, any;

	for (i = 0; i < exclude->count; i++) {
		for (k = any = 0; k < exclude->pattern[i].parts; k++)
			any += !strcmp(exclude->pattern[i].part[k], "**");
		if (any > 3)
			return 0;
	}
	return parts <= 8 && exclude->count <= 16;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct exclude exclude = { 0 };
	struct trail trail = { 0 };
	char *path, *list;
	const char *wrong, *last;
	size_t length, line, i;
	int excluded;

	if (!size)
		return 0;
	length = data[0] < size - 1 ? data[0] : size - 1;
	path = malloc(length + 1);
	list = malloc(size - 1 - length + !(size - 1 - length));
	MUST(path && list);
	memcpy(path, data + 1, length);
	path[length] = 0;
	memcpy(list, data + 1 + length, size - 1 - length);

	wrong = exclude_parse(&exclude, list, size - 1 - length, &line);
	MUST(!wrong || line);
	MUST(exclude.count <= EXCLUDE_MOST);
	for (i = 0; i < exclude.count; i++) {
		MUST(exclude.pattern[i].parts);
		MUST(strlen(exclude.pattern[i].text) <= EXCLUDE_LENGTH);
		MUST(!strpbrk(exclude.pattern[i].text, "\n"));
	}
	last = trail_start(&trail, &exclude, path);
	if (last) {
		excluded = trail_excludes(&trail, &exclude, last);
		MUST(excluded == trail_excludes(&trail, &exclude, last));
		MUST(!trail.excluded || (excluded && trail.excluded <= trail.parts));
		trail_push(&trail, &exclude, last);
		/* What excludes a file excludes a directory, and what is below that. */
		MUST(!excluded || trail.excluded);
		MUST(!trail.excluded || trail_excludes(&trail, &exclude, "x"));
		if (is_simple(&exclude, trail.parts))
			MUST(excluded == plainly_excluded(&exclude, trail.part, trail.parts));
	}
	while (trail.parts)
		trail_pop(&trail);
	MUST(!trail.excluded);
	trail_free(&trail);
	exclude_free(&exclude);
	free(path);
	free(list);
	return 0;
}
