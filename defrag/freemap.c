// SPDX-License-Identifier: GPL-2.0-only
#include "freemap.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

#define NIL UINT32_MAX

/* Node i is run i. Smaller keys to the left, smaller weights nearer to the root. */
struct freemap_node {
	uint32_t left, right;
	uint32_t weight;
};

void freemap_init(struct freemap *map)
{
	memset(map, 0, sizeof(*map));
	map->root = NIL;
}

void freemap_free(struct freemap *map)
{
	free(map->run);
	free(map->node);
	free(map->greatest);
	freemap_init(map);
}

void freemap_clear(struct freemap *map)
{
	map->runs = 0;
	map->total = 0;
	map->beyond = 0;
	map->root = NIL;
	map->leaves = 0;
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
	/* A run of 2^32 blocks would not fit its field; block 0 is never free, so there is none. */
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

/* The key of the treap: by length, then by start, which is the order of the run numbers. */
static bool before(const struct freemap *map, uint32_t a, uint32_t length, uint32_t b)
{
	/* cppcheck-suppress arrayIndexThenCheck ; b is a key, and no limit of a */
	return map->run[a].length < length || (map->run[a].length == length && a < b);
}

/* Cut the tree @at into the nodes before (@length, run @b) and the rest. */
static void split(struct freemap *map, uint32_t at, uint32_t length, uint32_t b, uint32_t *low,
		  uint32_t *high)
{
	if (at == NIL) {
		*low = *high = NIL;
	} else if (before(map, at, length, b)) {
		split(map, map->node[at].right, length, b, &map->node[at].right, high);
		*low = at;
	} else {
		split(map, map->node[at].left, length, b, low, &map->node[at].left);
		*high = at;
	}
}

static uint32_t join(struct freemap *map, uint32_t low, uint32_t high)
{
	if (low == NIL || high == NIL)
		return low == NIL ? high : low;
	if (map->node[low].weight < map->node[high].weight) {
		map->node[low].right = join(map, map->node[low].right, high);
		return low;
	}
	map->node[high].left = join(map, low, map->node[high].left);
	return high;
}

static void tree_insert(struct freemap *map, uint32_t run)
{
	uint32_t *at = &map->root;
	uint32_t length = map->run[run].length;

	while (*at != NIL && map->node[*at].weight <= map->node[run].weight)
		at = before(map, *at, length, run) ? &map->node[*at].right : &map->node[*at].left;
	split(map, *at, length, run, &map->node[run].left, &map->node[run].right);
	*at = run;
}

static void tree_remove(struct freemap *map, uint32_t run)
{
	uint32_t *at = &map->root;
	uint32_t length = map->run[run].length;

	while (*at != run)
		at = before(map, *at, length, run) ? &map->node[*at].right : &map->node[*at].left;
	*at = join(map, map->node[run].left, map->node[run].right);
}

/* The first node not before (@length, run @b), NIL if all are. */
static uint32_t tree_from(const struct freemap *map, uint32_t length, uint32_t b)
{
	uint32_t at = map->root, found = NIL;

	while (at != NIL) {
		if (before(map, at, length, b)) {
			at = map->node[at].right;
		} else {
			found = at;
			at = map->node[at].left;
		}
	}
	return found;
}

/* The last node before (@length, run @b), NIL if none is. */
static uint32_t tree_before(const struct freemap *map, uint32_t length, uint32_t b)
{
	uint32_t at = map->root, found = NIL;

	while (at != NIL) {
		if (before(map, at, length, b)) {
			found = at;
			at = map->node[at].right;
		} else {
			at = map->node[at].left;
		}
	}
	return found;
}

/* A permutation of 32-bit numbers that looks random: the treap's shape, the same in every run. */
static uint32_t scramble(uint32_t x)
{
	x = (x ^ (x >> 16)) * 0x7feb352dU;
	x = (x ^ (x >> 15)) * 0x846ca68bU;
	return x ^ (x >> 16);
}

static void greatest_set(struct freemap *map, size_t run, uint32_t length)
{
	size_t i = map->leaves + run;

	map->greatest[i] = length;
	while (i /= 2) {
		uint32_t a = map->greatest[2 * i], b = map->greatest[2 * i + 1];

		map->greatest[i] = a > b ? a : b;
	}
}

void freemap_index(struct freemap *map)
{
	size_t i;

	map->node = xreallocarray(map->node, map->runs, sizeof(*map->node));
	map->root = NIL;
	for (i = 0; i < map->runs; i++) {
		map->node[i] = (struct freemap_node){ NIL, NIL, scramble((uint32_t)i) };
		tree_insert(map, (uint32_t)i);
	}

	for (map->leaves = 1; map->leaves < map->runs; map->leaves *= 2)
		;
	map->greatest = xreallocarray(map->greatest, 2 * map->leaves, sizeof(*map->greatest));
	for (i = 0; i < map->leaves; i++)
		map->greatest[map->leaves + i] = i < map->runs ? map->run[i].length : 0;
	for (i = map->leaves - 1; i > 0; i--) {
		uint32_t a = map->greatest[2 * i], b = map->greatest[2 * i + 1];

		map->greatest[i] = a > b ? a : b;
	}
}

/* The number of the first run that starts at @block or after it. */
static size_t run_from(const struct freemap *map, uint64_t block)
{
	size_t low = 0, high = map->runs;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (map->run[middle].start < block)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

size_t freemap_fit(const struct freemap *map, uint32_t need, uint32_t near)
{
	uint32_t found, split_at, after, ahead, length;

	found = tree_from(map, need, 0);
	if (found == NIL)
		return FREEMAP_NONE;
	length = map->run[found].length;
	split_at = (uint32_t)run_from(map, near);
	after = tree_from(map, length, split_at);
	ahead = tree_before(map, length, split_at);
	if (after != NIL && map->run[after].length != length)
		after = NIL;
	if (ahead != NIL && map->run[ahead].length != length)
		ahead = NIL;
	if (after == NIL)
		return ahead;
	if (ahead == NIL)
		return after;
	return map->run[after].start - near < near - map->run[ahead].start ? after : ahead;
}

/* The first run in [@first, @end) of at least @need blocks; @i covers runs [low, low + width). */
static size_t first_of(const struct freemap *map, size_t i, size_t low, size_t width, size_t first,
		       size_t end, uint32_t need)
{
	size_t found;

	if (low >= end || low + width <= first || map->greatest[i] < need)
		return FREEMAP_NONE;
	if (width == 1)
		return low;
	width /= 2;
	found = first_of(map, 2 * i, low, width, first, end, need);
	if (found == FREEMAP_NONE)
		found = first_of(map, 2 * i + 1, low + width, width, first, end, need);
	return found;
}

size_t freemap_fit_within(const struct freemap *map, uint64_t from, uint64_t to, uint32_t need,
			  uint64_t limit)
{
	size_t first = run_from(map, from), end = run_from(map, to), best = FREEMAP_NONE, run;
	int tries;

	for (tries = 0; tries < 16 && first < end; tries++) {
		run = first_of(map, 1, 0, map->leaves, first, end, need);
		if (run == FREEMAP_NONE)
			break;
		if (map->run[run].length <= limit) {
			best = run;
			limit = map->run[run].length - 1;
			if (limit < need)
				break;
		}
		first = run + 1;
	}
	return best;
}

size_t freemap_longest(const struct freemap *map)
{
	uint32_t at = map->root;

	if (at == NIL)
		return FREEMAP_NONE;
	while (map->node[at].right != NIL)
		at = map->node[at].right;
	return at;
}

size_t freemap_next_shorter(const struct freemap *map, size_t run)
{
	uint32_t found = tree_before(map, map->run[run].length, (uint32_t)run);

	return found == NIL ? FREEMAP_NONE : found;
}

void freemap_claim(struct freemap *map, size_t run, uint32_t length)
{
	tree_remove(map, (uint32_t)run);
	map->run[run].start += length;
	map->run[run].length -= length;
	map->total -= length;
	if (map->run[run].length) {
		map->node[run].left = map->node[run].right = NIL;
		tree_insert(map, (uint32_t)run);
	}
	greatest_set(map, run, map->run[run].length);
}

uint32_t freemap_pieces(const struct freemap *map, uint64_t need, uint32_t most)
{
	uint64_t have = 0;
	uint32_t count = 0;
	size_t run;

	if (need > map->total)
		return 0;
	for (run = freemap_longest(map); run != FREEMAP_NONE && have < need && count < most;
	     run = freemap_next_shorter(map, run)) {
		have += map->run[run].length;
		count++;
	}
	return count;
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
