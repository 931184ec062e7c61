// SPDX-License-Identifier: GPL-2.0-only
#include "progress/usage.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

static void make_cells(struct picture *picture, uint64_t blocks, uint64_t each)
{
	memset(picture, 0, sizeof(*picture));
	if (!blocks)
		return;
	picture->blocks = blocks;
	picture->each = each;
	picture->cells = (size_t)((blocks + each - 1) / each);
	picture->cell = xreallocarray(NULL, picture->cells, sizeof(*picture->cell));
	memset(picture->cell, 0, picture->cells * sizeof(*picture->cell));
}

void picture_init(struct picture *picture, uint64_t blocks, size_t cells)
{
	if (blocks > (uint64_t)UINT32_MAX + 1)
		blocks = (uint64_t)UINT32_MAX + 1;
	make_cells(picture, blocks, (blocks + cells - 1) / cells);
}

void picture_free(struct picture *picture)
{
	free(picture->cell);
	memset(picture, 0, sizeof(*picture));
}

void picture_shrink(struct picture *to, const struct picture *from, size_t cells)
{
	size_t several = (from->cells + cells - 1) / cells, i;
	int k;

	make_cells(to, from->blocks, from->each * several);
	for (i = 0; i < from->cells; i++)
		for (k = 0; k < PICTURE_COUNTS; k++)
			to->cell[i / several].count[k] += from->cell[i].count[k];
}

static void tally(struct picture *picture, enum picture_kind kind, uint64_t start, uint64_t length,
		  bool take)
{
	uint64_t end = start + length;
	size_t i;

	if (!picture->cells || start >= picture->blocks)
		return;
	if (end > picture->blocks)
		end = picture->blocks;
	for (i = (size_t)(start / picture->each); start < end; i++) {
		uint64_t *count = &picture->cell[i].count[kind];
		uint64_t next = (i + 1) * picture->each, here = (next < end ? next : end) - start;

		if (!take)
			*count += here;
		else
			*count -= here < *count ? here : *count;
		start += here;
	}
}

void picture_add(struct picture *picture, enum picture_kind kind, uint64_t start, uint64_t length)
{
	tally(picture, kind, start, length, false);
}

void picture_take(struct picture *picture, enum picture_kind kind, uint64_t start, uint64_t length)
{
	tally(picture, kind, start, length, true);
}

void picture_move(struct picture *picture, enum picture_kind was, uint64_t from,
		  enum picture_kind is, uint64_t to, uint64_t length)
{
	picture_take(picture, was, from, length);
	picture_add(picture, PICTURE_AWAY, from, length);
	picture_add(picture, is, to, length);
	picture_add(picture, PICTURE_IN, to, length);
}

void picture_freemap(struct picture *picture, const struct freemap *map)
{
	size_t i;

	for (i = 0; i < picture->cells; i++)
		picture->cell[i].count[PICTURE_FREE] = 0;
	for (i = 0; picture->cells && i < map->runs; i++)
		picture_add(picture, PICTURE_FREE, map->run[i].start, map->run[i].length);
}

enum picture_kind picture_file_kind(uint32_t fragments)
{
	return fragments > 1 ? PICTURE_PIECES : PICTURE_WHOLE;
}

static void tally_layout(struct picture *picture, enum picture_kind kind,
			 const struct layout *layout, bool take)
{
	size_t i;

	if (!picture->cells)
		return;
	for (i = 0; i < layout->extents; i++)
		tally(picture, kind, layout->extent[i].physical, layout->extent[i].length, take);
	for (i = 0; i < layout->indirects; i++)
		tally(picture, PICTURE_INDIRECT, layout->indirect[i].physical, 1, take);
}

void picture_layout(struct picture *picture, enum picture_kind kind, const struct layout *layout)
{
	tally_layout(picture, kind, layout, false);
}

/* Data that both have, but that lies elsewhere in @b than in @a, is counted where @a has it. */
static void mark_data(struct picture *picture, enum picture_kind mark, const struct layout *a,
		      const struct layout *b)
{
	size_t i = 0, k = 0;

	while (i < a->extents && k < b->extents) {
		const struct extent *x = &a->extent[i], *y = &b->extent[k];
		uint32_t x_end = x->logical + x->length, y_end = y->logical + y->length;
		uint32_t from = x->logical > y->logical ? x->logical : y->logical;
		uint32_t to = x_end < y_end ? x_end : y_end;

		if (from < to && x->physical - x->logical != y->physical - y->logical)
			picture_add(picture, mark, x->physical + (from - x->logical), to - from);
		if (x_end <= y_end)
			i++;
		else
			k++;
	}
}

/* In the order of the tree: is @x before @y? */
static bool is_before(const struct indirect *x, const struct indirect *y)
{
	return x->logical < y->logical || (x->logical == y->logical && x->level > y->level);
}

static void mark_indirect(struct picture *picture, enum picture_kind mark, const struct layout *a,
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
				picture_add(picture, mark, x->physical, 1);
			i++;
			k++;
		}
	}
}

void picture_relayout(struct picture *picture, const struct layout *old, uint32_t was,
		      const struct layout *now, uint32_t is)
{
	if (!picture->cells)
		return;
	tally_layout(picture, picture_file_kind(was), old, true);
	tally_layout(picture, picture_file_kind(is), now, false);
	mark_data(picture, PICTURE_AWAY, old, now);
	mark_data(picture, PICTURE_IN, now, old);
	mark_indirect(picture, PICTURE_AWAY, old, now);
	mark_indirect(picture, PICTURE_IN, now, old);
}

uint64_t picture_start(const struct picture *picture, size_t cell)
{
	return cell * picture->each;
}

uint64_t picture_size(const struct picture *picture, size_t cell)
{
	uint64_t left = picture->blocks - picture_start(picture, cell);

	return left < picture->each ? left : picture->each;
}

uint64_t picture_other(const struct picture *picture, size_t cell)
{
	uint64_t left = picture_size(picture, cell);
	int k;

	for (k = 0; k < PICTURE_KINDS; k++) {
		uint64_t count = picture->cell[cell].count[k];

		left -= count < left ? count : left;
	}
	return left;
}

uint64_t picture_sum(const struct picture *picture, enum picture_kind kind)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < picture->cells; i++)
		sum += picture->cell[i].count[kind];
	return sum;
}
