// SPDX-License-Identifier: GPL-2.0-only
#include "plan/freemap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

void freemap_init(struct freemap *map)
{
	memset(map, 0, sizeof(*map));
}

void freemap_free(struct freemap *map)
{
	free(map->run);
	if (map->by_length)
		by_length_free(map->by_length);
	free(map->by_length);
	free(map->greatest);
	free(map->first);
	freemap_init(map);
}

void freemap_clear(struct freemap *map)
{
	map->runs = 0;
	map->total = 0;
	map->beyond = 0;
}

int freemap_add(struct freemap *map, uint64_t start, uint64_t length)
{
	const uint64_t end = (uint64_t)UINT32_MAX + 1;
	struct free_run *last;

	if (!length || start + length < start)
		return -EPROTO;
	if (map->runs) {
		last = &map->run[map->runs - 1];
		if (start < (uint64_t)last->start + last->length)
			return -EPROTO;
	}
	if (start >= end) {
		map->beyond += length;
		return 0;
	}
	if (start + length > end) {
		map->beyond += start + length - end;
		length = end - start;
	}
	/* A run of 2^32 blocks would not fit into its field; block 0 is never free, so none is. */
	if (length > UINT32_MAX)
		return -EPROTO;
	map->total += length;
	if (map->runs) {
		last = &map->run[map->runs - 1];
		if (start == (uint64_t)last->start + last->length &&
		    last->length + length <= UINT32_MAX) {
			last->length += (uint32_t)length;
			return 0;
		}
	}
	vec_more(map->run, map->runs, map->room);
	map->run[map->runs++] = (struct free_run){ (uint32_t)start, (uint32_t)length };
	return 0;
}

/* Find the length of the longest run of a lot again. */
static void update_greatest(struct freemap *map, size_t lot)
{
	size_t i = lot * FREEMAP_LOT, end = i + FREEMAP_LOT;
	uint32_t greatest = 0;

	if (end > map->runs)
		end = map->runs;
	for (; i < end; i++)
		if (map->run[i].length > greatest)
			greatest = map->run[i].length;
	map->greatest[lot] = greatest;
}

/*
 * Index the runs by place: divide the disk into stretches of 2^shift blocks, so that about 16 runs
 * start in each.
 */
static void index_places(struct freemap *map)
{
	size_t stretch = 0, i;
	uint64_t end = 0;

	if (map->runs) {
		const struct free_run *last = &map->run[map->runs - 1];

		end = (uint64_t)last->start + last->length;
	}
	map->shift = 0;
	while (end >> map->shift > map->runs / 16)
		map->shift++;
	map->stretches = (end >> map->shift) + 1;
	map->first = xreallocarray(map->first, map->stretches + 1, sizeof(*map->first));
	for (i = 0; i < map->runs; i++)
		while (stretch <= (uint64_t)map->run[i].start >> map->shift)
			map->first[stretch++] = (uint32_t)i;
	while (stretch <= map->stretches)
		map->first[stretch++] = (uint32_t)map->runs;
}

void freemap_index(struct freemap *map)
{
	size_t lots = (map->runs + FREEMAP_LOT - 1) / FREEMAP_LOT, i;

	if (!map->by_length) {
		map->by_length = xreallocarray(NULL, 1, sizeof(*map->by_length));
		memset(map->by_length, 0, sizeof(*map->by_length));
	}
	by_length_build(map->by_length, map->run, (uint32_t)map->runs);
	map->greatest = xreallocarray(map->greatest, lots, sizeof(*map->greatest));
	for (i = 0; i < lots; i++)
		update_greatest(map, i);
	index_places(map);
}

/* The number of the first run that starts at @block or after it. */
static size_t run_from(const struct freemap *map, uint64_t block)
{
	size_t stretch, low, high;

	if (block >> map->shift >= map->stretches)
		return map->runs;
	stretch = block >> map->shift;
	low = map->first[stretch];
	high = map->first[stretch + 1];
	/* Claims may have moved the start of the run before into this stretch, but of no other. */
	if (low)
		low--;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (map->run[middle].start < block)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Convert the number of a run from bylength.h to that of freemap.h, where FREEMAP_NONE is none. */
static size_t run_or_none(uint32_t run)
{
	return run == BY_LENGTH_NONE ? FREEMAP_NONE : run;
}

size_t freemap_fit(const struct freemap *map, uint32_t need, uint32_t near)
{
	return run_or_none(
		by_length_fit(map->by_length, need, near, (uint32_t)run_from(map, near)));
}

size_t freemap_fit_within(const struct freemap *map, uint64_t from, uint64_t to, uint32_t need,
			  uint64_t limit)
{
	size_t i = run_from(map, from), best = FREEMAP_NONE;
	uint32_t tries = FREEMAP_TRIES;

	while (i < map->runs && map->run[i].start < to) {
		uint32_t length = map->run[i].length;

		if (i % FREEMAP_LOT == 0 && map->greatest[i / FREEMAP_LOT] < need) {
			i += FREEMAP_LOT;
			continue;
		}
		if (length >= need) {
			if (length <= limit) {
				best = i;
				limit = length - 1;
				if (limit < need)
					break;
			}
			if (!--tries)
				break;
		}
		i++;
	}
	return best;
}

size_t freemap_longest(const struct freemap *map)
{
	return run_or_none(by_length_longest(map->by_length));
}

size_t freemap_next_shorter(const struct freemap *map, size_t run)
{
	return run_or_none(by_length_next(map->by_length, (uint32_t)run));
}

void freemap_claim_end(struct freemap *map, size_t run, uint32_t length)
{
	uint32_t before = map->run[run].length;

	by_length_remove(map->by_length, (uint32_t)run);
	map->run[run].length -= length;
	map->total -= length;
	if (map->run[run].length)
		by_length_insert(map->by_length, (uint32_t)run);
	if (map->greatest[run / FREEMAP_LOT] == before)
		update_greatest(map, run / FREEMAP_LOT);
}

void freemap_claim(struct freemap *map, size_t run, uint32_t length)
{
	freemap_claim_end(map, run, length);
	map->run[run].start += length;
}

uint32_t freemap_pieces(const struct freemap *map, uint64_t need, uint32_t most)
{
	return need > map->total ? 0 : by_length_pieces(map->by_length, need, most);
}

void freemap_classes(const struct freemap *map, struct freemap_class class[32])
{
	size_t i;

	memset(class, 0, 32 * sizeof(*class));
	for (i = 0; i < map->runs; i++) {
		uint32_t length = map->run[i].length;

		if (length) {
			struct freemap_class *c = &class[31 - __builtin_clz(length)];

			c->runs++;
			c->blocks += length;
		}
	}
}
