// SPDX-License-Identifier: GPL-2.0-only
#include "plan/sequence.h"

#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

void sequence_init(struct sequence *seq)
{
	memset(seq, 0, sizeof(*seq));
}

void sequence_free(struct sequence *seq)
{
	free(seq->item);
	sequence_init(seq);
}

static void append_item(struct sequence *seq, uint32_t level, uint32_t logical, uint32_t physical,
			uint32_t length)
{
	struct seq_item *item;

	if (!seq->items ||
	    seq->item[seq->items - 1].physical + seq->item[seq->items - 1].length != physical)
		seq->fragments++;
	vec_more(seq->item, seq->items, seq->room);
	item = &seq->item[seq->items++];
	*item = (struct seq_item){ seq->blocks, logical, physical, length, (uint8_t)level, false };
	seq->blocks += length;
}

static void append_indirect(struct sequence *seq, const struct indirect *ind)
{
	append_item(seq, ind->level, ind->logical, ind->physical, 1);
}

/* Mark the indirect blocks that have no data below: those with the next data past their span. */
static void mark_barren(struct sequence *seq, const struct geometry *geo)
{
	uint64_t next_data = UINT64_MAX;
	size_t i;

	for (i = seq->items; i-- > 0;) {
		struct seq_item *item = &seq->item[i];

		if (!item->level)
			next_data = item->logical;
		else
			item->barren = next_data >= item->logical + indirect_span(geo, item->level);
	}
}

void sequence_build(struct sequence *seq, const struct layout *layout, const struct geometry *geo)
{
	const struct extent *last = NULL;
	size_t i, next = 0; /* the next indirect block to append */

	seq->items = 0;
	seq->blocks = 0;
	seq->fragments = 0;
	seq->fiemap = 0;
	for (i = 0; i < layout->extents; i++) {
		struct extent e = layout->extent[i];

		if (!last || last->logical + last->length != e.logical ||
		    last->physical + last->length != e.physical)
			seq->fiemap++;
		last = &layout->extent[i];
		while (e.length) {
			uint32_t length = e.length;

			while (next < layout->indirects &&
			       layout->indirect[next].logical <= e.logical)
				append_indirect(seq, &layout->indirect[next++]);
			if (next < layout->indirects &&
			    layout->indirect[next].logical - e.logical < length)
				length = layout->indirect[next].logical - e.logical;
			append_item(seq, 0, e.logical, e.physical, length);
			e.logical += length;
			e.physical += length;
			e.length -= length;
		}
	}
	while (next < layout->indirects)
		append_indirect(seq, &layout->indirect[next++]);
	mark_barren(seq, geo);
}

size_t sequence_find(const struct sequence *seq, uint32_t at)
{
	size_t low = 0, high = seq->items;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (seq->item[middle].at <= at)
			low = middle;
		else
			high = middle;
	}
	return low;
}

bool sequence_pays(const struct sequence *seq, uint32_t blocksize, uint64_t least)
{
	const uint64_t all = (uint64_t)seq->blocks * blocksize, once = all > least ? all : least;
	const uint64_t wanted = once - all + (once + 19) / 20;
	uint64_t lost = 0, length = 0;
	size_t i;

	for (i = 0; i < seq->items && lost < wanted; i++) {
		const struct seq_item *item = &seq->item[i], *next = item + 1;

		length += (uint64_t)item->length * blocksize;
		if (i + 1 < seq->items && item->physical + item->length == next->physical)
			continue;
		if (length < least)
			lost += least - length;
		length = 0;
	}
	return lost >= wanted;
}

void cost_add(struct cost *cost, uint64_t blocks, uint32_t blocksize, uint32_t fragments)
{
	if (!fragments)
		return;
	cost->useful += blocks * (blocksize / 1024) + SEEK_KIB;
	cost->lost += (uint64_t)(fragments - 1) * SEEK_KIB;
}

unsigned int score(const struct cost *cost)
{
	uint64_t lost = cost->lost, all = cost->useful + cost->lost;

	if (!lost)
		return 0;
	/* Keep the product below 2^64: 48 bits are precise enough for a percentage. */
	while (all >> 48) {
		all >>= 1;
		lost >>= 1;
	}
	lost = (100 * lost + all - 1) / all;
	return lost < 1 ? 1 : lost > 99 ? 99 : (unsigned int)lost;
}

unsigned int score_file(uint64_t blocks, uint32_t blocksize, uint32_t fragments)
{
	struct cost cost = { 0, 0 };

	cost_add(&cost, blocks, blocksize, fragments);
	return score(&cost);
}

const char *score_verdict(unsigned int value)
{
	if (value <= 30)
		return "no problem";
	if (value <= 55)
		return "a little fragmented";
	return "needs defragmentation";
}

/* How many indirect blocks a file with @data blocks and no holes needs. */
static uint64_t indirect_need(const struct geometry *geo, uint64_t data)
{
	uint64_t pointers = geo->blocksize / 4, need = 0, below;
	uint32_t level, inner;

	data = data > 12 ? data - 12 : 0;
	for (level = 1; level <= 3 && data; level++) {
		uint64_t span = indirect_span(geo, level), here = data < span ? data : span;

		below = here;
		for (inner = 0; inner < level; inner++) {
			below = (below + pointers - 1) / pointers;
			need += below;
		}
		data -= here;
	}
	return need;
}

uint64_t largest_file(const struct geometry *geo, uint64_t run)
{
	uint64_t low = 0,
		 high = 12 + indirect_span(geo, 1) + indirect_span(geo, 2) + indirect_span(geo, 3);

	if (high > run)
		high = run;
	while (low < high) {
		uint64_t middle = low + (high - low + 1) / 2;

		if (middle + indirect_need(geo, middle) <= run)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}
