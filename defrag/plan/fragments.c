// SPDX-License-Identifier: GPL-2.0-only
#include "plan/fragments.h"

#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

void pieces_init(struct pieces *pieces)
{
	memset(pieces, 0, sizeof(*pieces));
}

void pieces_free(struct pieces *pieces)
{
	free(pieces->piece);
	free(pieces->place);
	pieces_init(pieces);
}

void pieces_add(struct pieces *pieces, uint32_t file, const struct sequence *seq)
{
	struct piece *last = NULL;
	size_t i;

	for (i = 0; i < seq->items; i++) {
		const struct seq_item *item = &seq->item[i];

		if (last && last->start + last->length == item->physical) {
			last->length += item->length;
			continue;
		}
		vec_more(pieces->piece, pieces->count, pieces->room);
		last = &pieces->piece[pieces->count++];
		*last = (struct piece){ item->physical, item->length, file & 0x7fffffff, 0 };
	}
}

size_t pieces_of_file(const struct pieces *pieces, size_t first)
{
	size_t end = first;

	while (end < pieces->count && pieces->piece[end].file == pieces->piece[first].file)
		end++;
	return end - first;
}

void pieces_renew(struct pieces *pieces, size_t first, size_t count, const struct sequence *seq)
{
	struct piece *piece = &pieces->piece[first];
	size_t used = 0, i;

	for (i = 0; seq && i < seq->items && used <= count; i++) {
		const struct seq_item *item = &seq->item[i];

		if (used && piece[used - 1].start + piece[used - 1].length == item->physical) {
			piece[used - 1].length += item->length;
			continue;
		}
		if (used < count) {
			piece[used].start = item->physical;
			piece[used].length = item->length;
		}
		used++;
	}
	if (used > count)
		used = 0;
	while (used < count)
		piece[used++].length = 0;
}

static int by_start(const void *a, const void *b, void *arg)
{
	const struct piece *piece = arg;
	uint32_t x = piece[*(const uint32_t *)a].start, y = piece[*(const uint32_t *)b].start;

	return x < y ? -1 : x > y;
}

void pieces_index(struct pieces *pieces)
{
	size_t kept = 0, i;

	for (i = 0; i < pieces->count; i++) {
		if (!pieces->piece[i].length)
			continue;
		pieces->piece[kept] = pieces->piece[i];
		pieces->piece[kept++].held = 0;
	}
	pieces->count = kept;
	if (pieces->place_room < kept) {
		pieces->place = xreallocarray(pieces->place, kept, sizeof(*pieces->place));
		pieces->place_room = kept;
	}
	for (i = 0; i < kept; i++)
		pieces->place[i] = (uint32_t)i;
	if (kept)
		qsort_r(pieces->place, kept, sizeof(*pieces->place), by_start, pieces->piece);
}
