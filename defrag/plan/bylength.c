// SPDX-License-Identifier: GPL-2.0-only
#include "plan/bylength.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

#define NIL BY_LENGTH_NONE

static uint32_t length_of(const struct by_length *by, uint32_t run)
{
	return by->run[run].length;
}

static bool is_short(const struct by_length *by, uint32_t run)
{
	return length_of(by, run) < BY_LENGTH_SHORT;
}

static uint32_t distance(const struct by_length *by, uint32_t run, uint32_t near)
{
	uint32_t start = by->run[run].start;

	return start > near ? start - near : near - start;
}

/* --- short runs: lists -------------------------------------------------------------------- */

static void list_insert(struct by_length *by, uint32_t run)
{
	uint32_t length = length_of(by, run), first = by->head[length];

	by->node[run] = (struct by_length_node){ NIL, first };
	if (first != NIL)
		by->node[first].left = run;
	by->head[length] = run;
	by->count[length]++;
	by->used[length / 64] |= 1ULL << length % 64;
	by->used_words |= 1ULL << length / 64;
}

static void list_remove(struct by_length *by, uint32_t run)
{
	uint32_t length = length_of(by, run);
	struct by_length_node n = by->node[run];

	if (n.right != NIL)
		by->node[n.right].left = n.left;
	if (n.left != NIL)
		by->node[n.left].right = n.right;
	else
		by->head[length] = n.right;
	if (--by->count[length])
		return;
	by->used[length / 64] &= ~(1ULL << length % 64);
	if (!by->used[length / 64])
		by->used_words &= ~(1ULL << length / 64);
}

/* The next length from @length up that there are short runs of, 0 if none. */
static uint32_t list_up(const struct by_length *by, uint32_t length)
{
	uint64_t bits;

	if (length >= BY_LENGTH_SHORT)
		return 0;
	bits = by->used[length / 64] >> length % 64;
	if (bits)
		return length + (uint32_t)__builtin_ctzll(bits);
	/* Two shifts, since a shift by 64 is undefined. */
	bits = by->used_words >> length / 64 >> 1;
	if (!bits)
		return 0;
	length = (length / 64 + 1 + (uint32_t)__builtin_ctzll(bits)) * 64;
	return length + (uint32_t)__builtin_ctzll(by->used[length / 64]);
}

/* The next length below @length that there are short runs of, 0 if none. */
static uint32_t list_down(const struct by_length *by, uint32_t length)
{
	uint64_t bits = 0;
	uint32_t word;

	if (length < BY_LENGTH_SHORT)
		bits = by->used[length / 64] & ((1ULL << length % 64) - 1);
	word = length / 64;
	if (!bits) {
		bits = by->used_words;
		if (length < BY_LENGTH_SHORT)
			bits &= (1ULL << word) - 1;
		if (!bits)
			return 0;
		word = 63 - (uint32_t)__builtin_clzll(bits);
		bits = by->used[word];
	}
	return word * 64 + 63 - (uint32_t)__builtin_clzll(bits);
}

static uint32_t list_nearest(const struct by_length *by, uint32_t length, uint32_t near)
{
	uint32_t best = by->head[length], run = best, i;

	for (i = 1; i < BY_LENGTH_FEW; i++) {
		run = by->node[run].right;
		if (run == NIL)
			break;
		if (distance(by, run, near) < distance(by, best, near))
			best = run;
	}
	return best;
}

/* --- long runs: a treap, by length, then by start ----------------------------------------- */

/*
 * The priority of a node: the node with the lower weight is nearer to the root. It is a permutation
 * of the 32-bit numbers that looks random, so it takes no memory, and the tree has the same shape
 * in every run of the tool.
 */
static uint32_t weight(uint32_t x)
{
	x = (x ^ (x >> 16)) * 0x7feb352dU;
	x = (x ^ (x >> 15)) * 0x846ca68bU;
	return x ^ (x >> 16);
}

/*
 * True if run @a comes before a run with the number @b and @length in the order of the tree. Runs
 * of one length are ordered by number, which is the order of their starts.
 */
static bool before(const struct by_length *by, uint32_t a, uint32_t length, uint32_t b)
{
	uint32_t own = length_of(by, a);

	return own < length || (own == length && a < b);
}

static void tree_insert(struct by_length *by, uint32_t run)
{
	uint32_t length = length_of(by, run), own = weight(run), at;
	uint32_t *link = &by->root, *low, *high;

	while (*link != NIL && weight(*link) < own)
		link = before(by, *link, length, run) ? &by->node[*link].right :
							&by->node[*link].left;
	at = *link;
	*link = run;
	/* Split the subtree that was here into the two subtrees of the new node. */
	low = &by->node[run].left;
	high = &by->node[run].right;
	while (at != NIL) {
		if (before(by, at, length, run)) {
			*low = at;
			low = &by->node[at].right;
			at = *low;
		} else {
			*high = at;
			high = &by->node[at].left;
			at = *high;
		}
	}
	*low = *high = NIL;
}

static void tree_remove(struct by_length *by, uint32_t run)
{
	uint32_t length = length_of(by, run), low = by->node[run].left;
	uint32_t high = by->node[run].right, *link = &by->root;

	while (*link != run)
		link = before(by, *link, length, run) ? &by->node[*link].right :
							&by->node[*link].left;
	while (low != NIL && high != NIL) {
		if (weight(low) < weight(high)) {
			*link = low;
			link = &by->node[low].right;
			low = *link;
		} else {
			*link = high;
			link = &by->node[high].left;
			high = *link;
		}
	}
	*link = low == NIL ? high : low;
}

/* The first node not before (@length, run @b); NIL if all are before it. */
static uint32_t tree_from(const struct by_length *by, uint32_t length, uint32_t b)
{
	uint32_t at = by->root, found = NIL;

	while (at != NIL) {
		if (before(by, at, length, b)) {
			at = by->node[at].right;
		} else {
			found = at;
			at = by->node[at].left;
		}
	}
	return found;
}

/* The last node before (@length, run @b); NIL if none is. */
static uint32_t tree_before(const struct by_length *by, uint32_t length, uint32_t b)
{
	uint32_t at = by->root, found = NIL;

	while (at != NIL) {
		if (before(by, at, length, b)) {
			found = at;
			at = by->node[at].right;
		} else {
			at = by->node[at].left;
		}
	}
	return found;
}

static uint32_t tree_nearest(const struct by_length *by, uint32_t length, uint32_t near,
			     uint32_t middle)
{
	uint32_t after = tree_from(by, length, middle), ahead = tree_before(by, length, middle);

	if (after == NIL || length_of(by, after) != length)
		return ahead;
	if (ahead == NIL || length_of(by, ahead) != length)
		return after;
	return distance(by, after, near) < distance(by, ahead, near) ? after : ahead;
}

/* --- both --------------------------------------------------------------------------------- */

void by_length_insert(struct by_length *by, uint32_t run)
{
	if (is_short(by, run))
		list_insert(by, run);
	else
		tree_insert(by, run);
}

void by_length_remove(struct by_length *by, uint32_t run)
{
	if (is_short(by, run))
		list_remove(by, run);
	else
		tree_remove(by, run);
}

void by_length_build(struct by_length *by, const struct free_run *run, uint32_t runs)
{
	by->run = run;
	by->node = xreallocarray(by->node, runs, sizeof(*by->node));
	by->root = NIL;
	memset(by->head, 0xff, sizeof(by->head));
	memset(by->count, 0, sizeof(by->count));
	memset(by->used, 0, sizeof(by->used));
	by->used_words = 0;
	/* Backwards, because a list grows at its front. */
	while (runs-- > 0)
		if (run[runs].length)
			by_length_insert(by, runs);
}

void by_length_free(struct by_length *by)
{
	free(by->node);
	by->node = NULL;
}

uint32_t by_length_fit(const struct by_length *by, uint32_t need, uint32_t near, uint32_t middle)
{
	uint32_t length = list_up(by, need), found;

	if (length)
		return list_nearest(by, length, near);
	found = tree_from(by, need, 0);
	return found == NIL ? NIL : tree_nearest(by, length_of(by, found), near, middle);
}

uint32_t by_length_longest(const struct by_length *by)
{
	uint32_t at = by->root;

	if (at == NIL)
		return by->head[list_down(by, BY_LENGTH_SHORT)];
	while (by->node[at].right != NIL)
		at = by->node[at].right;
	return at;
}

uint32_t by_length_next(const struct by_length *by, uint32_t run)
{
	uint32_t next;

	if (is_short(by, run)) {
		next = by->node[run].right;
		return next != NIL ? next : by->head[list_down(by, length_of(by, run))];
	}
	next = tree_before(by, length_of(by, run), run);
	return next != NIL ? next : by->head[list_down(by, BY_LENGTH_SHORT)];
}

uint32_t by_length_pieces(const struct by_length *by, uint64_t need, uint32_t most)
{
	uint32_t length = BY_LENGTH_SHORT, pieces = 0, run;

	if (!need || !most)
		return 0;
	if (by->root != NIL) {
		for (run = by_length_longest(by); run != NIL;
		     run = tree_before(by, length_of(by, run), run)) {
			pieces++;
			if (need <= length_of(by, run) || pieces == most)
				return pieces;
			need -= length_of(by, run);
		}
	}
	/* Runs of equal length are taken at once, since it is known how many there are. */
	while ((length = list_down(by, length))) {
		uint64_t wanted = (need + length - 1) / length;
		uint32_t some = wanted < by->count[length] ? (uint32_t)wanted : by->count[length];

		if (some >= most - pieces)
			return most;
		pieces += some;
		if (some == wanted)
			break;
		need -= (uint64_t)some * length;
	}
	return pieces;
}
