// SPDX-License-Identifier: GPL-2.0-only
#include "plan/fragments.h"

#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

void fragments_init(struct fragments *fragments)
{
	memset(fragments, 0, sizeof(*fragments));
}

void fragments_free(struct fragments *fragments)
{
	free(fragments->fragment);
	free(fragments->place);
	fragments_init(fragments);
}

void fragments_add(struct fragments *fragments, uint32_t file, const struct sequence *seq)
{
	struct fragment *last = NULL;
	size_t i;

	for (i = 0; i < seq->items; i++) {
		const struct seq_item *item = &seq->item[i];

		if (last && last->start + last->length == item->physical) {
			last->length += item->length;
			continue;
		}
		vec_more(fragments->fragment, fragments->count, fragments->room);
		last = &fragments->fragment[fragments->count++];
		*last = (struct fragment){ item->physical, item->length, file & 0x7fffffff, 0 };
	}
}

size_t fragments_of_file(const struct fragments *fragments, size_t first)
{
	size_t end = first;

	while (end < fragments->count &&
	       fragments->fragment[end].file == fragments->fragment[first].file)
		end++;
	return end - first;
}

void fragments_renew(struct fragments *fragments, size_t first, size_t count,
		     const struct sequence *seq)
{
	struct fragment *fragment = &fragments->fragment[first];
	size_t used = 0, i;

	for (i = 0; seq && i < seq->items && used <= count; i++) {
		const struct seq_item *item = &seq->item[i];

		if (used &&
		    fragment[used - 1].start + fragment[used - 1].length == item->physical) {
			fragment[used - 1].length += item->length;
			continue;
		}
		if (used < count) {
			fragment[used].start = item->physical;
			fragment[used].length = item->length;
		}
		used++;
	}
	if (used > count)
		used = 0;
	while (used < count)
		fragment[used++].length = 0;
}

static int by_start(const void *a, const void *b, void *arg)
{
	const struct fragment *fragment = arg;
	uint32_t x = fragment[*(const uint32_t *)a].start, y = fragment[*(const uint32_t *)b].start;

	return x < y ? -1 : x > y;
}

void fragments_index(struct fragments *fragments)
{
	size_t kept = 0, i;

	for (i = 0; i < fragments->count; i++) {
		if (!fragments->fragment[i].length)
			continue;
		fragments->fragment[kept] = fragments->fragment[i];
		fragments->fragment[kept++].held = 0;
	}
	fragments->count = kept;
	if (fragments->place_room < kept) {
		fragments->place = xreallocarray(fragments->place, kept, sizeof(*fragments->place));
		fragments->place_room = kept;
	}
	for (i = 0; i < kept; i++)
		fragments->place[i] = (uint32_t)i;
	if (kept)
		qsort_r(fragments->place, kept, sizeof(*fragments->place), by_start,
			fragments->fragment);
}
