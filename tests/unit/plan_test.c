// SPDX-License-Identifier: GPL-2.0-only
/*
 * The plan, once with literal cases, and with random files and maps against an independent check:
 * every rule looked at run by run, and the requests carried out by a small allocator.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan/plan.h"
#include "tap.h"

static const struct geometry geo = { .blocksize = 1024,
				     .blocks = 4000000,
				     .first_block = 1,
				     .blocks_per_group = 8192,
				     .inodes_per_group = 2048 };

/* Data of a file of @blocks contiguous blocks from @physical, in pieces of @piece with a gap. */
static void chopped(struct layout *l, uint32_t blocks, uint32_t physical, uint32_t piece)
{
	uint32_t i;

	for (i = 0; i < blocks; i++) {
		if (i == 12)
			layout_add_indirect(l, 1, 12, physical++);
		if (i && i % piece == 0)
			physical++;
		layout_add_extent(l, i, physical++, 1);
	}
}

static void literal(void)
{
	struct plan_requests requests = { 0 };
	struct layout l;
	struct sequence seq;
	struct freemap map;
	struct plan plan;

	layout_init(&l);
	sequence_init(&seq);
	freemap_init(&map);
	plan_init(&plan);
	freemap_add(&map, 100, 300);
	freemap_add(&map, 9000, 150);
	freemap_add(&map, 20000, 105);
	freemap_index(&map);

	sequence_build(&seq, &l, &geo);
	is(plan_file(&plan, &seq, &map, &geo, 0), REASON_EMPTY, "no blocks: nothing to plan");
	layout_add_extent(&l, 0, 50000, 10);
	sequence_build(&seq, &l, &geo);
	is(plan_file(&plan, &seq, &map, &geo, 0), REASON_PERFECT, "one fragment: nothing to plan");
	is(plan.pieces, 0, "and no pieces");

	layout_clear(&l);
	chopped(&l, 99, 50000, 10);
	sequence_build(&seq, &l, &geo);
	is(seq.blocks, 100, "a file of 99 blocks needs 100");
	is(seq.fragments, 10, "and lies in 10 fragments");
	is(plan_file(&plan, &seq, &map, &geo, 5), REASON_NONE, "it can be placed");
	is(plan.pieces, 1, "in one piece");
	is(plan.piece[0].goal, 20000, "best fit far from its group");
	plan_file(&plan, &seq, &map, &geo, 1);
	is(plan.piece[0].goal, 9000, "but its group is preferred up to twice the need");
	plan_file(&plan, &seq, &map, &geo, 0);
	is(plan.piece[0].goal, 20000, "and not beyond");

	plan_requests(&requests, &plan, &seq);
	is(requests.requests, 2, "a goal and one request, the indirect block comes by itself");
	ok(requests.request[1].kind == ASK_DATA && requests.request[1].logical == 0 &&
		   requests.request[1].value == 99,
	   "for all 99 blocks");
	plan_claim(&plan, &map);
	is(map.total, 455, "claimed from the map");
	is(map.run[2].start, 20100, "at the front of the run");

	/* A group's run of twice the blocks is taken, but none that is longer. */
	freemap_clear(&map);
	freemap_add(&map, 9000, 200);
	freemap_add(&map, 17000, 201);
	freemap_add(&map, 50000, 100);
	freemap_index(&map);
	plan_file(&plan, &seq, &map, &geo, 1);
	is(plan.piece[0].goal, 9000, "twice the need is not beyond");
	plan_file(&plan, &seq, &map, &geo, 2);
	is(plan.piece[0].goal, 50000, "a block more is");

	freemap_clear(&map);
	freemap_add(&map, 100, 300);
	freemap_add(&map, 9000, 150);
	freemap_add(&map, 20100, 5);
	freemap_index(&map);
	/* 400 blocks: the longest run whole (300), the shortest that takes the other 101 (150). */
	layout_clear(&l);
	chopped(&l, 268, 60000, 20);
	layout_add_indirect(&l, 2, 268, 70000);
	layout_add_indirect(&l, 1, 268, 70001);
	layout_add_extent(&l, 268, 70002, 129);
	sequence_build(&seq, &l, &geo);
	is(seq.blocks, 400, "a file that needs 400 blocks");
	is(plan_file(&plan, &seq, &map, &geo, 0), REASON_NONE, "can be placed, too");
	is(plan.pieces, 2, "in two pieces");
	ok(plan.piece[0].goal == 100 && plan.piece[0].at == 0 && plan.piece[0].length == 300,
	   "the first fills the longest run");
	ok(plan.piece[1].goal == 9000 && plan.piece[1].at == 300 && plan.piece[1].length == 100,
	   "the second takes the rest");
	plan_requests(&requests, &plan, &seq);
	is(requests.requests, 4, "a goal and a request for each");
	/* 300 of the sequence are 297 data blocks and three indirect ones. */
	ok(requests.request[1].value == 297 && requests.request[3].logical == 297 &&
		   requests.request[3].value == 100,
	   "cut where the piece ends");

	/* A run of 270 would cut behind DIND (269) or its child (270): it is cut before both. */
	freemap_clear(&map);
	freemap_add(&map, 100, 270);
	freemap_add(&map, 500, 200);
	freemap_index(&map);
	plan_file(&plan, &seq, &map, &geo, 0);
	is(plan.pieces, 2, "two pieces again");
	is(plan.piece[0].length, 269, "no cut behind an indirect block");
	is(plan.piece[1].at, 269, "it goes with what is below it");

	/* The same with no block to spare for that: a piece more. */
	freemap_clear(&map);
	freemap_add(&map, 100, 270);
	freemap_add(&map, 500, 130);
	freemap_add(&map, 700, 3);
	freemap_index(&map);
	is(plan_file(&plan, &seq, &map, &geo, 0), REASON_NONE, "a tight case is placed");
	is(plan.pieces, 3, "in a piece more");

	freemap_clear(&map);
	freemap_add(&map, 100, 270);
	freemap_add(&map, 500, 129);
	freemap_index(&map);
	is(plan_file(&plan, &seq, &map, &geo, 0), REASON_NO_ROOM, "a block too few is no room");

	layout_clear(&l);
	layout_add_extent(&l, 0, 60000, 5);
	layout_add_extent(&l, 5, 60010, 5);
	sequence_build(&seq, &l, &geo);
	freemap_clear(&map);
	freemap_add(&map, 100, 6);
	freemap_add(&map, 200, 6);
	freemap_index(&map);
	is(plan_file(&plan, &seq, &map, &geo, 0), REASON_NO_BETTER,
	   "as many pieces as now are no better");
	is(plan.pieces, 0, "and no plan");

	/* An IND without data, then DIND with an empty child before one with data. */
	layout_clear(&l);
	layout_add_extent(&l, 0, 60000, 5);
	layout_add_indirect(&l, 1, 12, 60100);
	layout_add_indirect(&l, 2, 268, 60200);
	layout_add_indirect(&l, 1, 268, 60300);
	layout_add_indirect(&l, 1, 524, 60400);
	layout_add_extent(&l, 600, 60401, 2);
	sequence_build(&seq, &l, &geo);
	freemap_clear(&map);
	freemap_add(&map, 100, 60);
	freemap_index(&map);
	plan_file(&plan, &seq, &map, &geo, 0);
	plan_requests(&requests, &plan, &seq);
	is(requests.requests, 6, "barren indirect blocks are asked for by name");
	ok(requests.request[2].kind == ASK_INDIRECT && requests.request[2].logical == 12 &&
		   requests.request[2].value == 1,
	   "the empty IND");
	ok(requests.request[3].kind == ASK_INDIRECT && requests.request[3].logical == 268 &&
		   requests.request[3].value == 2,
	   "the parent of the empty child");
	ok(requests.request[4].kind == ASK_INDIRECT && requests.request[4].logical == 268 &&
		   requests.request[4].value == 1,
	   "the empty child");
	ok(requests.request[5].kind == ASK_DATA && requests.request[5].logical == 600,
	   "the other one comes with its data");

	plan_requests_free(&requests);
	plan_free(&plan);
	freemap_free(&map);
	sequence_free(&seq);
	layout_free(&l);
}

/* --- random files ------------------------------------------------------------------------ */

#define FILE_MOST 70000U  /* logical blocks; triple indirection starts at 65804 */
#define FREE_MOST 120000U /* free runs lie below this block, files above */

/* A file or donor: what each logical block and each indirect block has. 0 is nothing. */
struct tree {
	uint32_t data[FILE_MOST];
	uint32_t ind[4][FILE_MOST]; /* by level and the first logical block below */
};

/* The first block below the indirect block of @level above @logical; false if it has none. */
static bool above(uint32_t logical, uint32_t level, uint32_t *first)
{
	uint32_t depth = logical < 12 ? 0 : logical < 268 ? 1 : logical < 65804 ? 2 : 3;
	uint32_t base = depth == 1 ? 12 : depth == 2 ? 268 : 65804;
	uint32_t span = level == 1 ? 256 : level == 2 ? 65536 : 16777216;

	if (level > depth)
		return false;
	*first = base + (logical - base) / span * span;
	return true;
}

static void tree_layout(const struct tree *t, struct layout *l)
{
	uint32_t i, level;

	layout_clear(l);
	for (i = 0; i < FILE_MOST; i++) {
		for (level = 3; level; level--)
			if (t->ind[level][i])
				layout_add_indirect(l, level, i, t->ind[level][i]);
		if (t->data[i])
			layout_add_extent(l, i, t->data[i], 1);
	}
}

static void random_file(struct tree *t)
{
	static const uint32_t bases[] = { 0, 0, 0, 5, 250, 300, 65700 };
	uint32_t runs = 1 + random_below(6), gap = 1 + random_below(60), barren, level, i;
	uint32_t at = bases[random_below(7)], next = FREE_MOST + 1000, first;

	memset(t, 0, sizeof(*t));
	while (runs--) {
		uint32_t length = 1 + random_below(random_below(2) ? 20 : 600);

		for (; length && at < FILE_MOST; length--)
			t->data[at++] = 1;
		at += random_below(2) ? random_below(20) : random_below(2000);
	}
	for (i = 0; i < FILE_MOST; i++)
		for (level = 1; t->data[i] && level <= 3 && above(i, level, &first); level++)
			t->ind[level][first] = 1;
	for (barren = random_below(4) ? 0 : 1 + random_below(3); barren; barren--) {
		uint32_t lowest = 1 + random_below(3);

		i = random_below(FILE_MOST);
		for (level = 3; level >= lowest; level--)
			if (above(i, level, &first))
				t->ind[level][first] = 1;
	}
	/* Give them places, with breaks. */
	for (i = 0; i < FILE_MOST; i++) {
		for (level = 3; level; level--)
			if (t->ind[level][i]) {
				next += !random_below(gap);
				t->ind[level][i] = next++;
			}
		if (t->data[i]) {
			next += !random_below(gap);
			t->data[i] = next++;
		}
	}
}

static void random_map(struct freemap *map, char *is_free)
{
	uint32_t runs = 1 + random_below(random_below(2) ? 8 : 200), at = 1;
	uint32_t long_ones = 10 + random_below(random_below(4) ? 1500 : 6000), i;
	/* Sometimes no run is longer than one of which there are many. */
	uint32_t longest = random_below(3) ? UINT32_MAX : 1 + random_below(100);

	freemap_clear(map);
	memset(is_free, 0, FREE_MOST);
	while (runs--) {
		uint32_t length = 1 + random_below(random_below(4) ? 30 : long_ones);

		if (length > longest)
			length = longest;
		at += 1 + random_below(1000);
		if (at + length >= FREE_MOST)
			break;
		freemap_add(map, at, length);
		for (i = 0; i < length; i++)
			is_free[at++] = 1;
	}
	freemap_index(map);
}

static int down(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x > y ? -1 : x < y;
}

/* The fewest runs that hold @need, from a sorted copy. 0: all of them don't. */
static uint32_t fewest(const struct freemap *map, uint32_t need)
{
	uint32_t *lengths = malloc((map->runs + 1) * sizeof(*lengths)), count = 0;
	uint64_t have = 0;
	size_t i;

	for (i = 0; i < map->runs; i++)
		lengths[i] = map->run[i].length;
	qsort(lengths, map->runs, sizeof(*lengths), down);
	while (have < need && count < map->runs)
		have += lengths[count++];
	free(lengths);
	return have < need ? 0 : count;
}

/*
 * So many runs do, wherever a cut may be made: with blocks to spare for a chain of indirect blocks
 * at the end of each, which goes to the next run with what follows it. @most: as many, or more.
 */
static uint32_t surely(const struct freemap *map, uint32_t need, uint32_t most)
{
	uint32_t runs, count;

	for (runs = 1; runs < most; runs++) {
		count = fewest(map, need + 3 * runs);
		if (count && count <= runs)
			return runs;
	}
	return most;
}

/* Where one piece should go, by the rules in plan.h and freemap.h; no run was claimed before. */
static uint32_t one_run_goal(const struct freemap *map, uint32_t need, uint32_t group)
{
	uint32_t shortest = UINT32_MAX, in_group = UINT32_MAX, goal = 0, nearest = UINT32_MAX;
	uint32_t from = 1 + group * 8192, equals = 0, i;

	for (i = 0; i < map->runs; i++) {
		const struct free_run *r = &map->run[i];

		if (r->length < need)
			continue;
		if (r->length < shortest)
			shortest = r->length;
		if (r->start >= from && r->start < from + 8192 && r->length <= 2 * need &&
		    r->length < in_group) {
			in_group = r->length;
			goal = r->start;
		}
	}
	if (in_group != UINT32_MAX)
		return goal;
	for (i = 0; i < map->runs; i++) {
		const struct free_run *r = &map->run[i];
		uint32_t d = r->start > from ? r->start - from : from - r->start;

		if (r->length != shortest ||
		    (shortest < BY_LENGTH_SHORT && equals++ >= BY_LENGTH_FEW) || d >= nearest)
			continue;
		nearest = d;
		goal = r->start;
	}
	return goal;
}

static uint32_t take(char *is_free, uint32_t *goal)
{
	uint32_t block = *goal, i;

	for (i = 0; i < FREE_MOST && !is_free[block % FREE_MOST]; i++)
		block++;
	block %= FREE_MOST;
	is_free[block] = 0;
	*goal = block + 1;
	return block;
}

/* Carry the requests out as ext3meta would. False when one of them makes no sense. */
static bool carry_out(const struct plan_requests *requests, char *is_free, struct tree *donor)
{
	uint32_t goal = 0, level, first, i;
	size_t r;

	memset(donor, 0, sizeof(*donor));
	for (r = 0; r < requests->requests; r++) {
		const struct plan_request *q = &requests->request[r];

		if (q->kind == ASK_GOAL) {
			goal = q->value;
		} else if (q->kind == ASK_INDIRECT) {
			if (!above(q->logical, q->value, &first) || first != q->logical ||
			    donor->ind[q->value][first])
				return false;
			/* EXISTS its parent? */
			if (above(q->logical, q->value + 1, &first) && q->value < 3 &&
			    !donor->ind[q->value + 1][first])
				return false;
			donor->ind[q->value][q->logical] = take(is_free, &goal);
		} else {
			for (i = q->logical; i < q->logical + q->value; i++) {
				if (donor->data[i])
					return false;
				for (level = 3; level; level--)
					if (above(i, level, &first) && !donor->ind[level][first])
						donor->ind[level][first] = take(is_free, &goal);
				donor->data[i] = take(is_free, &goal);
			}
		}
	}
	return true;
}

/* Has the donor exactly what the file has? */
static bool same_shape(const struct tree *a, const struct tree *b)
{
	uint32_t i, level;

	for (i = 0; i < FILE_MOST; i++) {
		if (!a->data[i] != !b->data[i])
			return false;
		for (level = 1; level <= 3; level++)
			if (!a->ind[level][i] != !b->ind[level][i])
				return false;
	}
	return true;
}

/* The pieces cover the sequence and lie at the front of different free runs. */
static bool pieces_right(const struct plan *plan, const struct freemap *map,
			 const struct sequence *seq)
{
	uint32_t at = 0, item;
	size_t i, r;

	for (i = 0; i < plan->pieces; i++) {
		const struct plan_piece *p = &plan->piece[i];

		for (r = 0; r < map->runs && map->run[r].start != p->goal; r++)
			;
		if (p->at != at || !p->length || r == map->runs || r != p->run ||
		    p->length > map->run[r].length || (i && p->goal <= plan->piece[i - 1].goal))
			return false;
		/* No cut behind an indirect block. */
		item = 0;
		while (item + 1 < seq->items && seq->item[item + 1].at <= at)
			item++;
		if (at && seq->item[item].at == at && seq->item[item - 1].level)
			return false;
		at += p->length;
	}
	return at == seq->blocks;
}

static void random_plans(void)
{
	int round, wrong_reason = 0, wrong_pieces = 0, wrong_number = 0, wrong_run = 0;
	int wrong_request = 0, wrong_shape = 0, wrong_outcome = 0, wrong_claim = 0;
	int planned = 0, split = 0, more = 0;
	struct tree *file = malloc(sizeof(*file)), *donor = malloc(sizeof(*donor));
	char *is_free = malloc(FREE_MOST);
	struct plan_requests requests = { 0 };
	struct sequence seq, after;
	struct freemap map;
	struct layout l;
	struct plan plan;

	layout_init(&l);
	sequence_init(&seq);
	sequence_init(&after);
	freemap_init(&map);
	plan_init(&plan);
	for (round = 0; round < 1500; round++) {
		uint32_t group = random_below(15), best, enough;
		enum reason reason;
		uint64_t total;

		random_file(file);
		tree_layout(file, &l);
		sequence_build(&seq, &l, &geo);
		random_map(&map, is_free);
		total = map.total;
		best = fewest(&map, seq.blocks);
		enough = surely(&map, seq.blocks, seq.fragments);
		reason = plan_file(&plan, &seq, &map, &geo, group);

		if (seq.fragments == 1)
			wrong_reason += reason != REASON_PERFECT;
		else if (!best)
			wrong_reason += reason != REASON_NO_ROOM;
		else if (best >= seq.fragments)
			wrong_reason += reason != REASON_NO_BETTER;
		else if (reason) /* three pieces more than blocks want are tried */
			wrong_reason += reason != REASON_NO_BETTER ||
					(enough < seq.fragments && enough <= best + 3);
		if (reason) {
			wrong_pieces += plan.pieces != 0;
			continue;
		}
		planned++;
		split += plan.pieces > 1;
		more += plan.pieces > best;
		wrong_number += plan.pieces < best || plan.pieces > enough ||
				(best == 1 && plan.pieces > 1) || plan.pieces >= seq.fragments;
		wrong_pieces += !pieces_right(&plan, &map, &seq);
		if (plan.pieces == 1)
			wrong_run += plan.piece[0].goal != one_run_goal(&map, seq.blocks, group);
		plan_requests(&requests, &plan, &seq);
		if (!carry_out(&requests, is_free, donor)) {
			wrong_request++;
			continue;
		}
		wrong_shape += !same_shape(file, donor);
		tree_layout(donor, &l);
		sequence_build(&after, &l, &geo);
		wrong_outcome += after.fragments != plan.pieces;
		plan_claim(&plan, &map);
		wrong_claim += map.total != total - seq.blocks;
	}
	ok(planned > 300, "of 1500 random files many can be planned (%d)", planned);
	ok(split > 30, "some of them in pieces (%d)", split);
	ok(more < split / 4 + 5, "few of these need a piece more than blocks would (%d)", more);
	is(wrong_reason, 0, "reasons, as counted from all runs");
	is(wrong_number, 0, "number of pieces, as counted from all runs");
	is(wrong_pieces, 0, "pieces cover the file and lie in different free runs");
	is(wrong_run, 0, "the run for one piece, by looking at all of them");
	is(wrong_request, 0, "requests that can be carried out");
	is(wrong_shape, 0, "and give the file's shape");
	is(wrong_outcome, 0, "in as many fragments as planned");
	is(wrong_claim, 0, "claimed from the map to the block");
	plan_requests_free(&requests);
	plan_free(&plan);
	freemap_free(&map);
	sequence_free(&seq);
	sequence_free(&after);
	layout_free(&l);
	free(file);
	free(donor);
	free(is_free);
}

void test_plan(void)
{
	literal();
	random_plans();
}
