// SPDX-License-Identifier: GPL-2.0-only
/* The picture of the disk, once with literal cases and with random files against single blocks. */
#include <stdlib.h>
#include <string.h>

#include "progress/usage.h"
#include "tap.h"

static void cells(void)
{
	struct usage p, small;

	usage_init(&p, 1000, 10);
	is(p.cells, 10, "as many cells as asked for");
	is(p.each, 100, "which share the blocks");
	usage_add(&p, USAGE_WHOLE, 150, 200);
	is(p.cell[1].count[USAGE_WHOLE], 50, "a run is counted in its first cell");
	is(p.cell[2].count[USAGE_WHOLE], 100, "in those that it fills");
	is(p.cell[3].count[USAGE_WHOLE], 50, "and in its last one");
	is(p.cell[4].count[USAGE_WHOLE] + p.cell[0].count[USAGE_WHOLE], 0, "nowhere else");
	is(usage_other(&p, 1), 50, "what nobody has seen is other");
	usage_move(&p, USAGE_WHOLE, 199, USAGE_PIECES, 900, 2);
	is(p.cell[1].count[USAGE_WHOLE], 49, "what moves is no more where it was");
	is(p.cell[2].count[USAGE_AWAY], 1, "it went away from there");
	is(p.cell[9].count[USAGE_PIECES], 2, "it is where it went");
	is(p.cell[9].count[USAGE_IN], 2, "and moved there");
	is(usage_other(&p, 9), 98, "which isn't counted twice");
	usage_take(&p, USAGE_WHOLE, 100, 100);
	is(p.cell[1].count[USAGE_WHOLE], 0, "no count falls below 0");
	usage_add(&p, USAGE_FREE, 100, 100);
	usage_add(&p, USAGE_INDIRECT, 100, 1);
	is(usage_other(&p, 1), 0, "nor does what is other, if more is seen than there is");
	usage_add(&p, USAGE_DIRECTORY, 990, 20);
	usage_add(&p, USAGE_DIRECTORY, 1000, 5);
	is(usage_sum(&p, USAGE_DIRECTORY), 10, "what lies past the end is not counted");
	usage_shrink(&small, &p, 3);
	is(small.cells, 3, "a smaller picture has fewer cells");
	is(small.each, 400, "of several cells each");
	is(small.cell[0].count[USAGE_WHOLE], 149, "which add up");
	is(usage_start(&small, 2), 800, "the last one begins where it should");
	is(usage_size(&small, 2), 200, "and may be smaller");
	usage_free(&small);
	usage_shrink(&small, &p, 6);
	is(small.cells, 5, "cells are not cut: it may have fewer than it could");
	usage_free(&small);
	usage_free(&p);

	usage_init(&p, 7, 4096);
	is(p.cells, 7, "no more cells than there are blocks");
	usage_free(&p);
	usage_init(&p, UINT64_MAX / 2, USAGE_CELLS);
	is(p.cells, USAGE_CELLS, "the largest disk has no more cells");
	is(p.each, 1 << 20, "for what 32-bit pointers reach");
	usage_add(&p, USAGE_WHOLE, UINT32_MAX, 1);
	is(p.cell[USAGE_CELLS - 1].count[USAGE_WHOLE], 1, "up to its last block");
	usage_free(&p);

	memset(&p, 0, sizeof(p));
	usage_add(&p, USAGE_WHOLE, 5, 5);
	usage_shrink(&small, &p, 10);
	is(small.cells, 0, "where no picture is wanted there is none");
}

static void map(void)
{
	struct freemap map;
	struct usage p;

	freemap_init(&map);
	freemap_add(&map, 10, 30);
	freemap_add(&map, 60, 1);
	usage_init(&p, 100, 4);
	usage_add(&p, USAGE_FREE, 0, 100);
	usage_freemap(&p, &map);
	is(p.cell[0].count[USAGE_FREE], 15, "what the map has is free");
	is(usage_sum(&p, USAGE_FREE), 31, "and nothing else any more");
	usage_free(&p);
	freemap_free(&map);
}

static void moves(void)
{
	struct layout old, now;
	struct usage p;

	layout_init(&old);
	layout_init(&now);
	layout_add_extent(&old, 0, 10, 12);
	layout_add_extent(&old, 20, 40, 10);
	layout_add_indirect(&old, 1, 12, 90);
	/* 5 blocks stay where they are; it grew, and so has another indirect block. */
	layout_add_extent(&now, 0, 50, 10);
	layout_add_extent(&now, 10, 20, 2);
	layout_add_extent(&now, 20, 62, 7);
	layout_add_extent(&now, 27, 47, 4);
	layout_add_indirect(&now, 1, 12, 91);
	layout_add_indirect(&now, 2, 1036, 92);
	usage_init(&p, 100, 100);
	usage_layout(&p, USAGE_PIECES, &old);
	is(usage_sum(&p, USAGE_PIECES), 22, "the data of a file in pieces");
	is(p.cell[90].count[USAGE_INDIRECT], 1, "and its indirect block");
	usage_relayout(&p, &old, 5, &now, 1);
	is(usage_sum(&p, USAGE_PIECES), 0, "it is in pieces no more");
	is(usage_sum(&p, USAGE_WHOLE), 23, "but whole, and has grown");
	is(usage_sum(&p, USAGE_INDIRECT), 2, "with its indirect blocks");
	is(usage_sum(&p, USAGE_AWAY), 18, "what stayed or is new has not moved away");
	is(usage_sum(&p, USAGE_IN), 18, "as much has moved in");
	ok(!p.cell[20].count[USAGE_AWAY] && !p.cell[20].count[USAGE_IN] &&
		   !p.cell[50 - 1].count[USAGE_IN] && !p.cell[92].count[USAGE_IN],
	   "not where it stayed");
	ok(p.cell[10].count[USAGE_AWAY] && p.cell[46].count[USAGE_AWAY] &&
		   p.cell[90].count[USAGE_AWAY] && p.cell[91].count[USAGE_IN] &&
		   p.cell[68].count[USAGE_IN],
	   "each where it was and where it is");
	layout_clear(&old);
	layout_clear(&now);
	layout_add_indirect(&old, 2, 1036, 80);
	layout_add_indirect(&old, 1, 1036, 81);
	layout_add_indirect(&now, 1, 1036, 83);
	usage_relayout(&p, &old, 2, &now, 2);
	ok(!p.cell[80].count[USAGE_AWAY] && p.cell[81].count[USAGE_AWAY] &&
		   p.cell[83].count[USAGE_IN],
	   "of the indirect blocks that begin at one place each is compared with its own");
	usage_free(&p);
	layout_free(&old);
	layout_free(&now);
}

#define BLOCKS 5000U

static void random_layout(struct layout *l, const uint32_t *shuffled, uint32_t count)
{
	uint32_t i;

	layout_clear(l);
	for (i = 0; i < count; i++)
		if (shuffled[i] % 5)
			layout_add_extent(l, i, shuffled[i], 1);
		else
			layout_add_indirect(l, 1, i, shuffled[i]);
}

static void shuffle(uint32_t *list, uint32_t count)
{
	while (count > 1) {
		uint32_t other = random_below(count--), kept = list[count];

		list[count] = list[other];
		list[other] = kept;
	}
}

/* A file that moves about: each cell has what single blocks say, whatever their number. */
static void random_moves(void)
{
	static uint32_t place[BLOCKS], before[BLOCKS];
	uint32_t i, round, step, wrong = 0;

	for (round = 0; round < 20; round++) {
		uint32_t count = 1 + random_below(300), fragments = 2;
		uint64_t away[BLOCKS] = { 0 }, in[BLOCKS] = { 0 };
		struct layout old = { 0 }, now = { 0 };
		struct usage p;

		usage_init(&p, BLOCKS, 1 + random_below(200));
		for (i = 0; i < BLOCKS; i++)
			place[i] = i;
		shuffle(place, BLOCKS);
		random_layout(&old, place, count);
		usage_layout(&p, USAGE_PIECES, &old);
		for (step = 0; step < 5; step++) {
			memcpy(before, place, sizeof(before));
			/* Some stay, and data stays data. */
			for (i = 0; i < count; i++) {
				uint32_t to = random_below(BLOCKS - count) + count;

				if (random_below(2) && !(place[i] % 5) == !(place[to] % 5)) {
					place[i] = place[to];
					place[to] = before[i];
					away[before[i] / p.each]++;
					in[place[i] / p.each]++;
				}
				before[to] = place[to];
			}
			random_layout(&now, place, count);
			usage_relayout(&p, &old, fragments, &now, 1 + step % 2);
			fragments = 1 + step % 2;
			random_layout(&old, place, count);
		}
		for (i = 0; i < p.cells; i++) {
			uint64_t data = 0, indirect = 0;

			for (step = 0; step < count; step++) {
				data += place[step] / p.each == i && place[step] % 5;
				indirect += place[step] / p.each == i && !(place[step] % 5);
			}
			wrong += p.cell[i].count[usage_file_kind(fragments)] != data ||
				 p.cell[i].count[USAGE_INDIRECT] != indirect ||
				 p.cell[i].count[USAGE_AWAY] != away[i] ||
				 p.cell[i].count[USAGE_IN] != in[i] ||
				 usage_other(&p, i) != usage_size(&p, i) - data - indirect;
		}
		layout_free(&old);
		layout_free(&now);
		usage_free(&p);
	}
	is(wrong, 0, "files that move about are counted as their single blocks are");
}

void test_picture(void)
{
	cells();
	map();
	moves();
	random_moves();
}
