// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>

#include "freemap.h"
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
	is(map.run[run].start, 500, "the next one, of equals the last");
	run = freemap_next_shorter(&map, run);
	is(map.run[run].start, 300, "the one before it");
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

/* Each question answered again by looking at every run. */
static void against_brute_force(void)
{
	int round, wrong_fit = 0, wrong_within = 0, wrong_order = 0, wrong_pieces = 0, step;

	for (round = 0; round < 60; round++) {
		uint32_t runs = 1 + random_below(300), i;
		uint64_t at = 10;
		struct freemap map;

		freemap_init(&map);
		for (i = 0; i < runs; i++) {
			uint32_t length = 1 + random_below(random_below(5) ? 12 : 500);

			at += 1 + random_below(50);
			freemap_add(&map, at, length);
			at += length;
		}
		freemap_index(&map);
		for (step = 0; step < 200 && map.total; step++) {
			uint32_t need = 1 + random_below(random_below(2) ? 14 : 400);
			uint32_t near = random_below((uint32_t)at), best = UINT32_MAX;
			uint32_t distance = UINT32_MAX;
			uint64_t have = 0, seen = 0;
			size_t got = freemap_fit(&map, need, near), walk, previous, count = 0;

			for (i = 0; i < map.runs; i++)
				if (map.run[i].length >= need && map.run[i].length < best)
					best = map.run[i].length;
			for (i = 0; i < map.runs; i++) {
				uint32_t start = map.run[i].start;
				uint32_t d = start > near ? start - near : near - start;

				if (map.run[i].length == best && d < distance)
					distance = d;
			}
			if (best == UINT32_MAX) {
				wrong_fit += got != FREEMAP_NONE;
			} else if (got == FREEMAP_NONE || map.run[got].length != best) {
				wrong_fit++;
			} else {
				uint32_t start = map.run[got].start;

				wrong_fit += (start > near ? start - near : near - start) !=
					     distance;
			}

			/* Few runs in the range, so that all of them are looked at. */
			got = freemap_fit_within(&map, near, near + 100, need, 2 * need);
			best = UINT32_MAX;
			for (i = 0; i < map.runs; i++)
				if (map.run[i].start >= near && map.run[i].start < near + 100 &&
				    map.run[i].length >= need && map.run[i].length <= 2 * need &&
				    map.run[i].length < best)
					best = map.run[i].length;
			if (best == UINT32_MAX)
				wrong_within += got != FREEMAP_NONE;
			else
				wrong_within += got == FREEMAP_NONE || map.run[got].length < best ||
						map.run[got].length > 2 * need ||
						map.run[got].start < near ||
						map.run[got].start >= near + 100;

			previous = FREEMAP_NONE;
			for (walk = freemap_longest(&map); walk != FREEMAP_NONE;
			     walk = freemap_next_shorter(&map, walk)) {
				if (previous != FREEMAP_NONE &&
				    map.run[walk].length > map.run[previous].length)
					wrong_order++;
				if (have < need)
					count++;
				have += map.run[walk].length;
				seen++;
				previous = walk;
			}
			wrong_order += have != map.total;
			if (map.total >= need)
				wrong_pieces += freemap_pieces(&map, need, 1000) != count;
			(void)seen;

			got = freemap_fit(&map, 1 + random_below(10), near);
			if (got != FREEMAP_NONE)
				freemap_claim(&map, got, 1 + random_below(map.run[got].length));
		}
		freemap_free(&map);
	}
	is(wrong_fit, 0, "best fit, as found by looking at every run");
	is(wrong_within, 0, "best fit within a range");
	is(wrong_order, 0, "all runs from the longest down");
	is(wrong_pieces, 0, "number of pieces");
}

void test_freemap(void)
{
	literal();
	against_brute_force();
}
