// SPDX-License-Identifier: GPL-2.0-only
/*
 * The texts of ext3meta, as a kernel gone mad could give them: whatever meta_text.c takes must be
 * in range and in order, and what follows from it (the sequence, the score) must add up. The first
 * byte chooses the text, the second where a list is cut into two reads.
 */
#include <errno.h>
#include <string.h>

#include "fs/meta_text.h"
#include "fuzz.h"
#include "plan/layout.h"
#include "plan/sequence.h"

static const struct geometry geometries[] = {
	{ 1024, 20000, 1, 8192, 4096, 1024, "" },
	{ 4096, 3000000, 0, 32768, 65536, 8192, "" },
	{ 65536, 1ULL << 40, 0, UINT32_MAX, UINT32_MAX, UINT32_MAX, "" },
};

#define TEXTS 9

static struct freemap map;
static struct layout layout, other;
static struct sequence seq;

static void check_layout(const struct geometry *geo)
{
	const struct extent *e = layout.extent;
	const struct indirect *d = layout.indirect;
	uint64_t data = 0, at = 0;
	size_t i;

	for (i = 0; i < layout.extents; i++) {
		MUST(e[i].length);
		MUST((uint64_t)e[i].logical + e[i].length <= 1ULL << 32);
		MUST(e[i].physical >= geo->first_block);
		MUST((uint64_t)e[i].physical + e[i].length <= geo->blocks);
		MUST(!i || e[i - 1].logical + (uint64_t)e[i - 1].length <= e[i].logical);
		data += e[i].length;
	}
	for (i = 0; i < layout.indirects; i++) {
		MUST(d[i].level >= 1 && d[i].level <= 3);
		MUST(d[i].physical >= geo->first_block && d[i].physical < geo->blocks);
		MUST(!i || d[i - 1].logical < d[i].logical ||
		     (d[i - 1].logical == d[i].logical && d[i - 1].level > d[i].level));
	}
	MUST(layout.data == data);
	MUST(layout_holds(&layout, &layout));

	sequence_build(&seq, &layout, geo);
	MUST(seq.blocks == data + layout.indirects);
	MUST(!seq.blocks == !seq.fragments && seq.fragments <= seq.blocks);
	for (i = 0; i < seq.items; i++) {
		MUST(seq.item[i].at == at && seq.item[i].length);
		MUST(sequence_find(&seq, seq.item[i].at) == i);
		at += seq.item[i].length;
	}
	MUST(at == seq.blocks);
	MUST(score_file(seq.blocks, geo->blocksize, seq.fragments) < 100);
}

static void check_map(const struct geometry *geo)
{
	uint64_t total = 0;
	size_t i, run;

	for (i = 0; i < map.runs; i++) {
		const struct free_run *r = &map.run[i];

		MUST(r->length && r->start >= geo->first_block);
		MUST((uint64_t)r->start + r->length <= geo->blocks);
		MUST(!i || (uint64_t)r[-1].start + r[-1].length < r->start);
		total += r->length;
	}
	MUST(map.total == total);
	freemap_index(&map);
	run = freemap_longest(&map);
	MUST((run == FREEMAP_NONE) == !map.runs);
	MUST(largest_file(geo, run == FREEMAP_NONE ? 0 : map.run[run].length) <= total);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct geometry *geo;
	char id[37], *text, *rest;
	struct features features;
	struct record record;
	struct info info;
	const char *at, *last;
	uint64_t value;
	uint32_t ino;
	size_t cut;
	int err = 0;

	if (size < 2)
		return 0;
	geo = &geometries[data[0] / TEXTS % 3];
	/* Copies of the very length, so that a byte too far is seen. */
	cut = data[1] < size - 2 ? data[1] : size - 2;
	text = malloc(size - 2 + 1);
	rest = malloc(size - 2 - cut + !(size - 2 - cut));
	MUST(text && rest);
	memcpy(text, data + 2, size - 2);
	memcpy(rest, data + 2 + cut, size - 2 - cut);
	text = realloc(text, size - 2 + !(size - 2));
	layout_clear(&layout);
	freemap_clear(&map);
	switch (data[0] % TEXTS) {
	case 0:
		if (!meta_text_number(text, size - 2, data[1], &value))
			MUST(value <= data[1]);
		break;
	case 1:
		if (!meta_text_id(text, size - 2, id))
			MUST(strlen(id) == 36);
		break;
	case 2:
		meta_text_features(text, size - 2, &features);
		break;
	case 3:
		if (!meta_text_info(text, size - 2, &info)) {
			MUST(info.type <= TYPE_OTHER && info.mapping <= MAPPING_NONE);
			MUST(info.relocatable < REASONS && reason_text(info.relocatable));
		}
		break;
	case 4:
		err = meta_text_free_blocks(text, cut, geo, &map);
		if (!err)
			err = meta_text_free_blocks(rest, size - 2 - cut, geo, &map);
		MUST(!err || err == -EPROTO);
		check_map(geo);
		break;
	case 5:
	case 6:
		err = meta_text_extents(text, cut, geo, &layout);
		if (!err)
			err = meta_text_indirects(rest, size - 2 - cut, geo, &layout);
		MUST(!err || err == -EPROTO);
		check_layout(geo);
		/* In one part or two: the same, where the cut falls between two lines. */
		layout_clear(&other);
		if (data[0] % TEXTS == 6 && cut && text[cut - 1] == '\n' &&
		    !meta_text_extents(text, size - 2, geo, &other)) {
			layout_clear(&layout);
			MUST(!meta_text_extents(text, cut, geo, &layout));
			MUST(!meta_text_extents(rest, size - 2 - cut, geo, &layout));
			MUST(layout.extents == other.extents && layout_holds(&layout, &other));
		}
		break;
	case 7:
		for (at = last = text; at < text + size - 2 && !err; last = at) {
			err = meta_text_record(&at, text + size - 2, geo, &record, &layout);
			MUST(!err || err == -EPROTO);
			MUST(at >= last && at <= text + size - 2);
			check_layout(geo);
			MUST(err || (record.ino && at > last && at[-1] == '\n'));
			MUST(err || record.whole || !layout.extents);
		}
		break;
	default:
		free(text);
		text = malloc(size - 1);
		MUST(text);
		memcpy(text, data + 2, size - 2);
		text[size - 2] = 0;
		if (!meta_text_inode(text, &ino))
			MUST(ino);
	}
	free(text);
	free(rest);
	return 0;
}
