// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests for parts of files: carried out by a small allocator, for random files and random parts,
 * against what the plan says.
 */
#include <stdlib.h>
#include <string.h>

#include "plan/fragments.h"
#include "plan/part.h"
#include "tap.h"

static const struct geometry geo = { .blocksize = 1024,
				     .blocks = 4000000,
				     .first_block = 1,
				     .blocks_per_group = 8192,
				     .inodes_per_group = 2048 };

#define LOGICAL_MOST 70000U /* triple indirection starts at 65804 */
#define DISK 200000U
#define WINDOWS_MOST 40

/* Who has a block of the disk: 0 nobody, else a file or its donor. */
static char disk[DISK];

/* The indirect block of @level above @logical: the first block below it. False if it has none. */
static bool above(uint32_t logical, uint32_t level, uint32_t *first)
{
	uint32_t depth = logical < 12 ? 0 : logical < 268 ? 1 : logical < 65804 ? 2 : 3;
	uint32_t base = depth == 1 ? 12 : depth == 2 ? 268 : 65804;
	uint32_t span = level == 1 ? 256 : level == 2 ? 65536 : 16777216;

	if (!depth || level > depth)
		return false;
	*first = base + (logical - base) / span * span;
	return true;
}

static bool has_indirect(const struct layout *l, uint32_t logical, uint32_t level)
{
	size_t i;

	for (i = 0; i < l->indirects; i++)
		if (l->indirect[i].logical == logical && l->indirect[i].level == level)
			return true;
	return false;
}

static bool has_data(const struct layout *l, uint32_t logical)
{
	size_t i;

	for (i = 0; i < l->extents; i++)
		if (logical - l->extent[i].logical < l->extent[i].length)
			return true;
	return false;
}

/* A file of random runs of data with its indirect blocks, now and then one without data. */
static void random_file(struct layout *l)
{
	static const uint32_t bases[] = { 0, 0, 5, 250, 300, 65700 };
	uint32_t at = bases[random_below(6)], runs = 1 + random_below(8),
		 gap = 1 + random_below(30);
	uint32_t next = 1000, level, first;

	layout_clear(l);
	for (; runs; runs--) {
		uint32_t length = 1 + random_below(random_below(2) ? 20 : 500);

		for (; length && at < LOGICAL_MOST; length--, at++) {
			for (level = 3; level; level--)
				if (above(at, level, &first) && !has_indirect(l, first, level)) {
					next += random_below(gap) ? 0 : 1 + random_below(3);
					layout_add_indirect(l, level, first, next++);
				}
			next += random_below(gap) ? 0 : 1 + random_below(3);
			layout_add_extent(l, at, next++, 1);
		}
		if (!random_below(4) && at > 12 && at < 60000) {
			/* one that is barren */
			at = 12 + (at - 12) / 256 * 256 + 256;
			if (above(at, 2, &first) && !has_indirect(l, first, 2))
				layout_add_indirect(l, 2, first, next++);
			layout_add_indirect(l, 1, at, next++);
			at += 256;
		}
		at += random_below(2) ? random_below(20) : random_below(2000);
	}
}

static uint32_t take(uint32_t *goal)
{
	uint32_t block = *goal;

	while (disk[block])
		block = (block + 1) % DISK;
	disk[block] = 1;
	*goal = block + 1;
	return block;
}

static int by_logical(const void *a, const void *b)
{
	const struct extent *x = a, *y = b;

	return x->logical < y->logical ? -1 : x->logical > y->logical;
}

static int in_tree(const void *a, const void *b)
{
	const struct indirect *x = a, *y = b;

	if (x->logical != y->logical)
		return x->logical < y->logical ? -1 : 1;
	return x->level > y->level ? -1 : x->level < y->level;
}

/* Carry the requests out as ext3meta would. False when one of them makes no sense. */
static bool carry_out(const struct plan_requests *requests, struct layout *donor)
{
	static struct extent extent[LOGICAL_MOST];
	static struct indirect indirect[LOGICAL_MOST];
	uint32_t goal = 0, first, level, at;
	struct layout raw = { .extent = extent, .indirect = indirect };
	size_t i;

	for (i = 0; i < requests->requests; i++) {
		const struct plan_request *r = &requests->request[i];

		if (r->kind == ASK_GOAL) {
			goal = r->value;
			continue;
		}
		if (r->kind == ASK_INDIRECT) {
			if (!above(r->logical, r->value, &first) || first != r->logical ||
			    has_indirect(&raw, first, r->value) ||
			    (above(r->logical, r->value + 1, &first) && r->value < 3 &&
			     !has_indirect(&raw, first, r->value + 1)))
				return false;
			indirect[raw.indirects++] =
				(struct indirect){ r->logical, take(&goal), r->value };
			continue;
		}
		for (at = r->logical; at < r->logical + r->value; at++) {
			if (has_data(&raw, at))
				return false;
			for (level = 3; level; level--)
				if (above(at, level, &first) && !has_indirect(&raw, first, level))
					return false;
			extent[raw.extents++] = (struct extent){ at, take(&goal), 1 };
		}
	}
	qsort(extent, raw.extents, sizeof(*extent), by_logical);
	qsort(indirect, raw.indirects, sizeof(*indirect), in_tree);
	layout_clear(donor);
	for (i = 0; i < raw.extents; i++)
		layout_add_extent(donor, extent[i].logical, extent[i].physical, 1);
	for (i = 0; i < raw.indirects; i++)
		layout_add_indirect(donor, indirect[i].level, indirect[i].logical,
				    indirect[i].physical);
	return true;
}

/* Some of the fragments, to places of which none touches another. */
static size_t random_windows(const struct sequence *seq, struct part *parts)
{
	uint32_t goal = 100000, often = 1 + random_below(6), at = 0;
	size_t count = 0, i;
	struct fragments fragments;

	fragments_init(&fragments);
	fragments_add(&fragments, 0, seq);
	for (i = 0; i < fragments.count && count < WINDOWS_MOST; i++) {
		uint32_t length = fragments.fragment[i].length;

		if (!random_below(often)) {
			while (i + 1 < fragments.count && random_below(2))
				length += fragments.fragment[++i].length;
			parts[count++] = (struct part){ at, length, goal };
			goal += length + 1 + random_below(10);
		}
		at += length;
	}
	fragments_free(&fragments);
	return count;
}

/* Does each window lie where it should, and all else where it was? */
static bool lies_right(const struct sequence *before, const struct sequence *after,
		       const struct part *parts, size_t count)
{
	size_t a = 0, b = 0, w = 0;
	uint32_t at;

	if (before->blocks != after->blocks)
		return false;
	for (at = 0; at < before->blocks; at++) {
		const struct seq_item *x, *y;
		uint32_t wanted;

		while (before->item[a].at + before->item[a].length <= at)
			a++;
		while (after->item[b].at + after->item[b].length <= at)
			b++;
		while (w < count && parts[w].at + parts[w].length <= at)
			w++;
		x = &before->item[a];
		y = &after->item[b];
		wanted = x->physical + at - x->at;
		if (w < count && at >= parts[w].at)
			wanted = parts[w].goal + at - parts[w].at;
		if (y->physical + at - y->at != wanted || x->level != y->level)
			return false;
	}
	return true;
}

void test_window(void)
{
	int round, wrong_request = 0, wrong_place = 0, wrong_plan = 0, wrong_part = 0,
		   with_more = 0;
	struct part parts[WINDOWS_MOST];
	struct plan_requests requests = { 0 };
	struct layout file, moving, donor, planned, after;
	struct sequence seq, then;
	struct freemap map;

	layout_init(&file);
	layout_init(&moving);
	layout_init(&donor);
	layout_init(&planned);
	layout_init(&after);
	sequence_init(&seq);
	sequence_init(&then);
	freemap_init(&map);
	for (round = 0; round < 400; round++) {
		uint32_t more, blocks = 0;
		uint64_t total;
		size_t count, i;

		random_file(&file);
		sequence_build(&seq, &file, &geo);
		count = random_windows(&seq, parts);
		for (i = 0; i < count; i++)
			blocks += parts[i].length;
		freemap_clear(&map);
		for (i = 0; i < 200; i++)
			freemap_add(&map, 180000 + 10 * i, 1 + random_below(3));
		freemap_index(&map);
		total = map.total;
		more = part_requests(&requests, &moving, &seq, &geo, parts, count, &map);
		with_more += more > 0;
		wrong_part += moving.data + moving.indirects != blocks || total - map.total != more;
		memset(disk, 0, sizeof(disk));
		if (!carry_out(&requests, &donor)) {
			wrong_request++;
			continue;
		}
		wrong_part += donor.data != moving.data ||
			      donor.indirects != moving.indirects + more;
		part_outcome(&after, &file, &moving, &donor);
		sequence_build(&then, &after, &geo);
		wrong_place += !lies_right(&seq, &then, parts, count);
		part_planned(&planned, &seq, parts, count);
		part_outcome(&after, &file, &moving, &planned);
		sequence_build(&then, &after, &geo);
		wrong_plan += !lies_right(&seq, &then, parts, count);
	}
	ok(with_more > 100, "windows of 400 files: many need indirect blocks besides (%d)",
	   with_more);
	is(wrong_request, 0, "requests that can be carried out");
	is(wrong_part, 0, "for the parts, and as many blocks besides as claimed");
	is(wrong_place, 0, "after the move each part lies at its goal, and the rest where it was");
	is(wrong_plan, 0, "as was to be expected");

	freemap_clear(&map);
	freemap_index(&map);
	layout_clear(&file);
	layout_add_indirect(&file, 1, 12, 500);
	layout_add_extent(&file, 12, 600, 3);
	sequence_build(&seq, &file, &geo);
	parts[0] = (struct part){ 1, 3, 700 };
	ok(part_requests(&requests, &moving, &seq, &geo, parts, 1, &map) == UINT32_MAX,
	   "no room for an indirect block that is needed besides");
	parts[0] = (struct part){ 0, 4, 700 };
	is(part_requests(&requests, &moving, &seq, &geo, parts, 1, &map), 0,
	   "none is needed that moves itself");

	plan_requests_free(&requests);
	freemap_free(&map);
	sequence_free(&seq);
	sequence_free(&then);
	layout_free(&file);
	layout_free(&moving);
	layout_free(&donor);
	layout_free(&planned);
	layout_free(&after);
}
