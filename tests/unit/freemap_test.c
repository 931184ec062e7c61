// SPDX-License-Identifier: GPL-2.0-only
/*
 * The free map, once with literal cases, and with random maps against a model that answers each
 * question by the rule in freemap.h, looking at every run.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plan/freemap.h"
#include "tap.h"

static void literal(void)
{
	struct freemap_class class[32];
	struct freemap map;
	size_t run;

	freemap_init(&map);
	freemap_index(&map);
	is(freemap_longest(&map), FREEMAP_NONE, "an empty map has no longest run");
	is(freemap_fit(&map, 1, 0), FREEMAP_NONE, "and none that fits");
	is(freemap_pieces(&map, 1, 10), 0, "and no pieces");

	freemap_clear(&map);
	is(freemap_add(&map, 100, 10), 0, "a run is added");
	is(freemap_add(&map, 105, 10), -EPROTO, "an overlapping one isn't");
	is(freemap_add(&map, 90, 5), -EPROTO, "nor one that goes back");
	is(freemap_add(&map, 110, 5), 0, "one that touches is");
	is(map.runs, 1, "and merged");
	is(map.run[0].length, 15, "to 15 blocks");
	freemap_add(&map, 200, 40);
	freemap_add(&map, 300, 15);
	freemap_add(&map, 400, 1);
	freemap_add(&map, 500, 15);
	is(freemap_add(&map, 4294967290, 10), 0, "a run across 2^32 is added");
	is(map.beyond, 4, "its end is beyond");
	is(map.run[5].length, 6, "its start is not");
	freemap_add(&map, 5000000000, 7);
	is(map.beyond, 11, "what lies wholly beyond is counted there");
	is(map.total, 92, "and not in the total");
	freemap_index(&map);

	is(map.run[freemap_longest(&map)].start, 200, "the longest run");
	run = freemap_next_shorter(&map, freemap_longest(&map));
	is(map.run[run].length, 15, "the next one");
	is(map.run[freemap_next_shorter(&map, run)].length, 15, "one that is as long");
	is(map.run[freemap_fit(&map, 1, 0)].start, 400, "best fit for 1");
	is(map.run[freemap_fit(&map, 2, 0)].start, 4294967290, "best fit for 2");
	is(map.run[freemap_fit(&map, 7, 0)].start, 100, "best fit for 7, near 0");
	is(map.run[freemap_fit(&map, 7, 290)].start, 300, "best fit for 7, near 290");
	is(map.run[freemap_fit(&map, 7, 499)].start, 500, "best fit for 7, near 499");
	is(map.run[freemap_fit(&map, 15, UINT32_MAX)].start, 500, "best fit for 15, far up");
	is(map.run[freemap_fit(&map, 16, 0)].start, 200, "best fit for 16");
	is(freemap_fit(&map, 41, 0), FREEMAP_NONE, "best fit for 41");
	is(map.run[freemap_fit_within(&map, 150, 450, 10, 100)].start, 300, "the shortest within");
	is(map.run[freemap_fit_within(&map, 150, 300, 10, 100)].start, 200, "its end excluded");
	is(freemap_fit_within(&map, 150, 300, 10, 39), FREEMAP_NONE, "not above the limit");
	is(freemap_fit_within(&map, 201, 300, 10, 100), FREEMAP_NONE, "its start must be within");
	is(freemap_pieces(&map, 40, 10), 1, "one piece for 40");
	is(freemap_pieces(&map, 41, 10), 2, "two for 41");
	is(freemap_pieces(&map, 92, 10), 6, "six for all");
	is(freemap_pieces(&map, 92, 4), 4, "four when more don't matter");
	is(freemap_pieces(&map, 93, 10), 0, "none for more than all");

	freemap_classes(&map, class);
	ok(class[0].runs == 1 && class[0].blocks == 1, "class of 1");
	ok(class[2].runs == 1 && class[2].blocks == 6, "class of 4 to 7");
	ok(class[3].runs == 3 && class[3].blocks == 45, "class of 8 to 15");
	ok(class[5].runs == 1 && class[5].blocks == 40, "class of 32 to 63");

	freemap_claim(&map, freemap_longest(&map), 30);
	is(map.total, 62, "a claim lowers the total");
	is(map.run[freemap_fit(&map, 10, 0)].start, 230, "what is left of the run is offered");
	freemap_claim(&map, 1, 10);
	is(freemap_fit(&map, 16, 0), FREEMAP_NONE, "all of it claimed, it is gone");
	is(freemap_fit_within(&map, 200, 260, 1, 100), FREEMAP_NONE, "within a range, too");
	freemap_free(&map);
}

/* --- a model that looks at every run for each question ------------------------------------ */

#define MODEL_MOST 4000

static struct model {
	struct free_run run[MODEL_MOST];
	uint32_t claimed[MODEL_MOST]; /* the last claim's number, from 1; 0: never */
	uint32_t runs, claims;
	uint64_t total;
} model;

static uint32_t distance(uint32_t a, uint32_t b)
{
	return a > b ? a - b : b - a;
}

/* Does run @a come before run @b of its length? */
static bool is_earlier(uint32_t a, uint32_t b)
{
	return model.claimed[a] != model.claimed[b] ? model.claimed[a] > model.claimed[b] : a < b;
}

/* How many of its length come before a run. */
static uint32_t rank(uint32_t run)
{
	uint32_t i, count = 0;

	for (i = 0; i < model.runs; i++)
		count += model.run[i].length == model.run[run].length && is_earlier(i, run);
	return count;
}

static size_t model_fit(uint32_t need, uint32_t near)
{
	uint32_t shortest = UINT32_MAX, i, best = UINT32_MAX;

	for (i = 0; i < model.runs; i++)
		if (model.run[i].length >= need && model.run[i].length < shortest)
			shortest = model.run[i].length;
	for (i = 0; i < model.runs; i++) {
		uint32_t d = distance(model.run[i].start, near), least;

		if (model.run[i].length != shortest ||
		    (shortest < BY_LENGTH_SHORT && rank(i) >= BY_LENGTH_FEW))
			continue;
		least = best == UINT32_MAX ? UINT32_MAX : distance(model.run[best].start, near);
		/* Two can be equally near. */
		if (best == UINT32_MAX || d < least ||
		    (d == least && shortest < BY_LENGTH_SHORT && is_earlier(i, best)))
			best = i;
	}
	return best == UINT32_MAX ? FREEMAP_NONE : best;
}

static size_t model_fit_within(uint64_t from, uint64_t to, uint32_t need, uint64_t limit)
{
	size_t best = FREEMAP_NONE;
	uint32_t i, tries = 0;

	for (i = 0; i < model.runs; i++) {
		const struct free_run *r = &model.run[i];

		if (r->start < from || r->start >= to || r->length < need ||
		    tries++ >= FREEMAP_TRIES || r->length > limit)
			continue;
		if (best == FREEMAP_NONE || r->length < model.run[best].length)
			best = i;
	}
	return best;
}

static int down(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x > y ? -1 : x < y;
}

static uint32_t model_pieces(uint64_t need, uint32_t most)
{
	static uint32_t length[MODEL_MOST];
	uint64_t have = 0;
	uint32_t count = 0, i;

	for (i = 0; i < model.runs; i++)
		length[i] = model.run[i].length;
	qsort(length, model.runs, sizeof(*length), down);
	while (have < need && count < model.runs)
		have += length[count++];
	return have < need ? 0 : count < most ? count : most;
}

static void model_claim(uint32_t run, uint32_t length)
{
	model.run[run].start += length;
	model.run[run].length -= length;
	model.claimed[run] = ++model.claims;
	model.total -= length;
}

/* Lengths as many filesystems have them, and many equal ones on both sides of what is short. */
static uint32_t random_length(uint32_t kind)
{
	switch (kind) {
	case 0:
		return 1 + random_below(random_below(5) ? 12 : 500);
	case 1:
		return BY_LENGTH_SHORT - 4 + random_below(8);
	case 2:
		return 1 + random_below(3 * BY_LENGTH_SHORT);
	case 3:
		return 1 + 64 * random_below(80);
	default:
		return random_length(random_below(4));
	}
}

static void random_map(struct freemap *map, uint32_t kind, uint32_t most)
{
	uint32_t gap = 1U << random_below(12);
	uint64_t at = random_below(1000);

	model.runs = 0;
	model.claims = 0;
	model.total = 0;
	memset(model.claimed, 0, sizeof(model.claimed));
	freemap_clear(map);
	while (model.runs < most) {
		struct free_run *r = &model.run[model.runs++];

		r->length = random_length(kind);
		at += 1 + random_below(gap);
		r->start = (uint32_t)at;
		freemap_add(map, r->start, r->length);
		at += r->length;
		model.total += r->length;
	}
	freemap_index(map);
}

/* From the longest down: never a longer one, each that there is, each once. */
static bool order_right(const struct freemap *map)
{
	static uint8_t seen[MODEL_MOST];
	uint32_t last = UINT32_MAX, i;
	size_t walk;

	memset(seen, 0, sizeof(seen));
	for (walk = freemap_longest(map); walk != FREEMAP_NONE;
	     walk = freemap_next_shorter(map, walk)) {
		if (walk >= model.runs || seen[walk]++ || model.run[walk].length > last)
			return false;
		last = model.run[walk].length;
	}
	for (i = 0; i < model.runs; i++)
		if (seen[i] != (model.run[i].length > 0))
			return false;
	return true;
}

static bool runs_right(const struct freemap *map)
{
	return map->runs == model.runs && map->total == model.total &&
	       !memcmp(map->run, model.run, model.runs * sizeof(*model.run));
}

static bool classes_right(const struct freemap *map)
{
	struct freemap_class class[32], wanted[32] = { { 0, 0 } };
	uint32_t i, bits;

	for (i = 0; i < model.runs; i++) {
		for (bits = 0; model.run[i].length >> bits > 1; bits++)
			;
		wanted[bits].runs += model.run[i].length > 0;
		wanted[bits].blocks += model.run[i].length;
	}
	freemap_classes(map, class);
	return !memcmp(class, wanted, sizeof(wanted));
}

/* A block in the map, or around its ends. */
static uint64_t random_block(void)
{
	const struct free_run *last = &model.run[model.runs - 1];

	if (!random_below(10))
		return (uint64_t)last->start + last->length + random_below(3);
	if (random_below(2))
		return model.run[random_below(model.runs)].start + random_below(3);
	return random_below(last->start + last->length + 1000);
}

static void against_the_model(void)
{
	int wrong_fit = 0, wrong_within = 0, wrong_order = 0, wrong_pieces = 0, wrong_runs = 0;
	int wrong_classes = 0, round, step, fits = 0, withins = 0;
	struct freemap map;

	freemap_init(&map);
	for (round = 0; round < 100; round++) {
		uint32_t kind = random_below(5), last = 0;

		random_map(&map, kind, 1 + random_below(random_below(8) ? 300 : MODEL_MOST));
		for (step = 0; step < 150 && model.total; step++) {
			uint32_t need = random_length(random_below(3) ? kind : 4), run;
			uint32_t most = 1 + random_below(random_below(2) ? 5 : 1000);
			uint64_t from = random_below(4) ? random_block() : model.run[last].start;
			uint64_t limit, sum;
			uint64_t to = random_below(2) ? random_block() : from + 10000;
			size_t got = freemap_fit(&map, need, (uint32_t)from);

			wrong_fit += got != model_fit(need, (uint32_t)from);
			fits += got != FREEMAP_NONE;

			limit = random_below(2) ? 2ULL * need : need + random_below(30);
			got = freemap_fit_within(&map, from, to, need, limit);
			wrong_within += got != model_fit_within(from, to, need, limit);
			withins += got != FREEMAP_NONE;

			sum = random_below(4) ? need : model.total + 1 - random_below(3);
			wrong_pieces += freemap_pieces(&map, sum, most) != model_pieces(sum, most);
			if (step % 16 == 0) {
				wrong_order += !order_right(&map);
				wrong_runs += !runs_right(&map);
				wrong_classes += !classes_right(&map);
			}

			/* What a plan would claim, or any run, wholly or in part. */
			got = freemap_fit(&map, need, (uint32_t)from);
			run = random_below(4) && got != FREEMAP_NONE ? (uint32_t)got :
								       random_below(model.runs);
			if (model.run[run].length) {
				uint32_t length = random_below(4) ?
							  1 + random_below(model.run[run].length) :
							  model.run[run].length;

				freemap_claim(&map, run, length);
				model_claim(run, length);
				last = run;
			}
		}
	}
	freemap_free(&map);
	ok(fits > 3000 && withins > 1000, "random questions have answers (%d, %d)", fits, withins);
	is(wrong_fit, 0, "best fit, as found by looking at every run");
	is(wrong_within, 0, "best fit within a range");
	is(wrong_order, 0, "all runs from the longest down");
	is(wrong_pieces, 0, "number of pieces");
	is(wrong_runs, 0, "the runs that are left");
	is(wrong_classes, 0, "runs by size");
}

/* Short runs are looked at up to a number, long ones all. */
static void limits(void)
{
	struct freemap map;
	uint32_t i;

	freemap_init(&map);
	for (i = 0; i < FREEMAP_TRIES + 1; i++)
		freemap_add(&map, 100 + 10 * i, i < FREEMAP_TRIES ? 8 : 5);
	freemap_index(&map);
	is(freemap_fit_within(&map, 0, 100000, 5, 7), FREEMAP_NONE, "no more than so many tries");
	is(freemap_fit_within(&map, 101, 100000, 5, 7), FREEMAP_TRIES, "but as many");
	is(freemap_fit_within(&map, 0, 100000, 5, 8), 0, "the first of equals within");

	is(map.run[freemap_fit(&map, 6, 50000)].start, 100 + 10 * (BY_LENGTH_FEW - 1),
	   "of equals the first few, the nearest of them");
	freemap_claim(&map, FREEMAP_TRIES / 4, 2);
	freemap_claim(&map, FREEMAP_TRIES / 2, 2);
	is(freemap_fit(&map, 6, 0), FREEMAP_TRIES / 4,
	   "of two that are left of others the nearer one");
	freemap_claim(&map, FREEMAP_TRIES / 4, 6);
	is(freemap_fit(&map, 6, 0), FREEMAP_TRIES / 2, "then the other");

	freemap_clear(&map);
	for (i = 0; i < 100; i++)
		freemap_add(&map, 10000 * i, BY_LENGTH_SHORT - 1 + i % 2);
	freemap_index(&map);
	is(map.run[freemap_fit(&map, BY_LENGTH_SHORT, 896000)].start, 890000,
	   "of equal long runs the nearest of all");
	is(map.run[freemap_fit(&map, BY_LENGTH_SHORT - 1, 896000)].start, 300000,
	   "of those a block shorter not");

	/* The starts 0 and 20000 are both 10000 away. */
	is(map.run[freemap_fit(&map, BY_LENGTH_SHORT - 1, 10000)].start, 0,
	   "of two that are equally near the first, of short ones");
	is(map.run[freemap_fit(&map, BY_LENGTH_SHORT, 20000)].start, 10000, "and of long ones");
	freemap_claim(&map, 2, BY_LENGTH_SHORT - 2);
	freemap_claim(&map, 0, BY_LENGTH_SHORT - 2);
	freemap_claim(&map, 4, BY_LENGTH_SHORT - 2);
	/* They begin where their last block is: 4094, 24094 and 44094. */
	is(freemap_fit(&map, 1, 34094), 4, "of short ones the first is what was claimed last");

	/* A claim that reaches far into where other runs lie, as the index has it. */
	freemap_clear(&map);
	freemap_add(&map, 0, 400000);
	for (i = 0; i < 100; i++)
		freemap_add(&map, 400001 + 10 * i, 9);
	freemap_index(&map);
	freemap_claim(&map, 0, 300000);
	is(freemap_fit_within(&map, 299990, 300001, 1, UINT32_MAX), 0,
	   "a run is found where it begins after a claim");
	is(freemap_fit_within(&map, 300001, 400000, 1, UINT32_MAX), FREEMAP_NONE, "not behind");
	is(freemap_fit_within(&map, 0, 300000, 1, UINT32_MAX), FREEMAP_NONE, "nor before");
	freemap_free(&map);
}

void test_freemap(void)
{
	literal();
	limits();
	against_the_model();
}
