// SPDX-License-Identifier: GPL-2.0-only
#include "progress/usage.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

static void make_cells(struct usage *usage, uint64_t blocks, uint64_t each)
{
	memset(usage, 0, sizeof(*usage));
	if (!blocks)
		return;
	usage->blocks = blocks;
	usage->each = each;
	usage->cells = (size_t)((blocks + each - 1) / each);
	usage->cell = xreallocarray(NULL, usage->cells, sizeof(*usage->cell));
	memset(usage->cell, 0, usage->cells * sizeof(*usage->cell));
}

void usage_init(struct usage *usage, uint64_t blocks, size_t cells)
{
	if (blocks > (uint64_t)UINT32_MAX + 1)
		blocks = (uint64_t)UINT32_MAX + 1;
	make_cells(usage, blocks, (blocks + cells - 1) / cells);
}

void usage_free(struct usage *usage)
{
	free(usage->cell);
	memset(usage, 0, sizeof(*usage));
}

void usage_shrink(struct usage *to, const struct usage *from, size_t cells)
{
	size_t several = (from->cells + cells - 1) / cells, i;
	int k;

	make_cells(to, from->blocks, from->each * several);
	for (i = 0; i < from->cells; i++)
		for (k = 0; k < USAGE_COUNTS; k++)
			to->cell[i / several].count[k] += from->cell[i].count[k];
}

static void tally(struct usage *usage, enum usage_kind kind, uint64_t start, uint64_t length,
		  bool take)
{
	uint64_t end = start + length;
	size_t i;

	if (!usage->cells || start >= usage->blocks)
		return;
	if (end > usage->blocks)
		end = usage->blocks;
	for (i = (size_t)(start / usage->each); start < end; i++) {
		uint64_t *count = &usage->cell[i].count[kind];
		uint64_t next = (i + 1) * usage->each, here = (next < end ? next : end) - start;

		if (!take)
			*count += here;
		else
			*count -= here < *count ? here : *count;
		start += here;
	}
}

void usage_add(struct usage *usage, enum usage_kind kind, uint64_t start, uint64_t length)
{
	tally(usage, kind, start, length, false);
}

void usage_take(struct usage *usage, enum usage_kind kind, uint64_t start, uint64_t length)
{
	tally(usage, kind, start, length, true);
}

void usage_move(struct usage *usage, enum usage_kind was, uint64_t from, enum usage_kind is,
		uint64_t to, uint64_t length)
{
	usage_take(usage, was, from, length);
	usage_add(usage, USAGE_AWAY, from, length);
	usage_add(usage, is, to, length);
	usage_add(usage, USAGE_IN, to, length);
}

void usage_freemap(struct usage *usage, const struct freemap *map)
{
	size_t i;

	for (i = 0; i < usage->cells; i++)
		usage->cell[i].count[USAGE_FREE] = 0;
	for (i = 0; usage->cells && i < map->runs; i++)
		usage_add(usage, USAGE_FREE, map->run[i].start, map->run[i].length);
}

enum usage_kind usage_file_kind(uint32_t fragments)
{
	return fragments > 1 ? USAGE_PIECES : USAGE_WHOLE;
}

static void tally_layout(struct usage *usage, enum usage_kind kind, const struct layout *layout,
			 bool take)
{
	size_t i;

	if (!usage->cells)
		return;
	for (i = 0; i < layout->extents; i++)
		tally(usage, kind, layout->extent[i].physical, layout->extent[i].length, take);
	for (i = 0; i < layout->indirects; i++)
		tally(usage, USAGE_INDIRECT, layout->indirect[i].physical, 1, take);
}

void usage_layout(struct usage *usage, enum usage_kind kind, const struct layout *layout)
{
	tally_layout(usage, kind, layout, false);
}

/* Count under @mark, at its place in @a, the data that @a and @b have in different places. */
static void mark_data(struct usage *usage, enum usage_kind mark, const struct layout *a,
		      const struct layout *b)
{
	size_t i = 0, k = 0;

	while (i < a->extents && k < b->extents) {
		const struct extent *x = &a->extent[i], *y = &b->extent[k];
		uint32_t x_end = x->logical + x->length, y_end = y->logical + y->length;
		uint32_t from = x->logical > y->logical ? x->logical : y->logical;
		uint32_t to = x_end < y_end ? x_end : y_end;

		if (from < to && x->physical - x->logical != y->physical - y->logical)
			usage_add(usage, mark, x->physical + (from - x->logical), to - from);
		if (x_end <= y_end)
			i++;
		else
			k++;
	}
}

/* True if @x is before @y in the order of the tree. */
static bool is_before(const struct indirect *x, const struct indirect *y)
{
	return x->logical < y->logical || (x->logical == y->logical && x->level > y->level);
}

static void mark_indirect(struct usage *usage, enum usage_kind mark, const struct layout *a,
			  const struct layout *b)
{
	size_t i = 0, k = 0;

	while (i < a->indirects && k < b->indirects) {
		const struct indirect *x = &a->indirect[i], *y = &b->indirect[k];

		if (is_before(x, y)) {
			i++;
		} else if (is_before(y, x)) {
			k++;
		} else {
			if (x->physical != y->physical)
				usage_add(usage, mark, x->physical, 1);
			i++;
			k++;
		}
	}
}

void usage_relayout(struct usage *usage, const struct layout *old, uint32_t was,
		    const struct layout *now, uint32_t is)
{
	if (!usage->cells)
		return;
	tally_layout(usage, usage_file_kind(was), old, true);
	tally_layout(usage, usage_file_kind(is), now, false);
	mark_data(usage, USAGE_AWAY, old, now);
	mark_data(usage, USAGE_IN, now, old);
	mark_indirect(usage, USAGE_AWAY, old, now);
	mark_indirect(usage, USAGE_IN, now, old);
}

uint64_t usage_start(const struct usage *usage, size_t cell)
{
	return cell * usage->each;
}

uint64_t usage_size(const struct usage *usage, size_t cell)
{
	uint64_t left = usage->blocks - usage_start(usage, cell);

	return left < usage->each ? left : usage->each;
}

uint64_t usage_other(const struct usage *usage, size_t cell)
{
	uint64_t left = usage_size(usage, cell);
	int k;

	for (k = 0; k < USAGE_KINDS; k++) {
		uint64_t count = usage->cell[cell].count[k];

		left -= count < left ? count : left;
	}
	return left;
}

uint64_t usage_sum(const struct usage *usage, enum usage_kind kind)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < usage->cells; i++)
		sum += usage->cell[i].count[kind];
	return sum;
}
