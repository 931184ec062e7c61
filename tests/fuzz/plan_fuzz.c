// SPDX-License-Identifier: GPL-2.0-only
/*
 * plan.c on any files and any free space: a plan covers its file, lies in free runs that nobody
 * else was promised, has fewer pieces than the file has fragments, and its requests ask for the
 * file's blocks, each once.
 */
#include <string.h>

#include "fuzz.h"
#include "plan/plan.h"

#define BLOCKS 200000U
#define FILES_MOST 8

static const struct geometry geo = { 1024, BLOCKS, 1, 8192, 4096, 1024, "" };

static struct freemap map;
static struct layout layout;
static struct sequence seq;
static struct plan plan;
static struct plan_requests requests;
static uint8_t promised[BLOCKS]; /* 0: used, 1: free, 2: promised to a file */

static void make_map(struct input *in)
{
	uint32_t runs = take_byte(in), at = 1, i;

	freemap_clear(&map);
	memset(promised, 0, sizeof(promised));
	while (runs--) {
		uint32_t length = 1 + take_number(in) % 3000;

		at += 1 + take_number(in) % 5000;
		if (at + length > BLOCKS)
			break;
		MUST(!freemap_add(&map, at, length));
		for (i = 0; i < length; i++)
			promised[at++] = 1;
	}
	freemap_index(&map);
}

/* What comes first of an indirect block above @logical, and its level, or false. */
static bool indirect_of(uint32_t logical, uint32_t level, uint32_t *first)
{
	uint32_t depth = logical < 12 ? 0 : logical < 268 ? 1 : logical < 65804 ? 2 : 3;
	uint32_t base = depth == 1 ? 12 : depth == 2 ? 268 : 65804;
	uint64_t span = indirect_span(&geo, level);

	*first = base + (uint32_t)((logical - base) / span * span);
	return level <= depth;
}

/* A file as ext3 has them, or (@wild) lists that no file could have given. */
static void make_file(struct input *in, bool wild)
{
	uint32_t runs = 1 + take_byte(in) % 24, logical = take_number(in) % 80000, first, level;
	uint32_t next[4] = { 0 }, physical, i;

	layout_clear(&layout);
	while (runs--) {
		uint32_t length = 1 + take_number(in) % 400;

		physical = 1 + take_number(in) % (BLOCKS - 2);
		for (i = 0; i < length && physical < BLOCKS; i++, logical++) {
			for (level = 3; level && !wild; level--) {
				if (!indirect_of(logical, level, &first) || first < next[level])
					continue;
				MUST(!layout_add_indirect(&layout, level, first, physical++));
				next[level] = first + 1;
			}
			if (physical >= BLOCKS)
				break;
			MUST(!layout_add_extent(&layout, logical, physical++, 1));
		}
		if (wild)
			layout_add_indirect(&layout, take_byte(in) % 5, take_number(in),
					    1 + take_number(in) % (BLOCKS - 1));
		logical += take_number(in) % 3000;
	}
	sequence_build(&seq, &layout, &geo);
}

static void check_plan(void)
{
	uint32_t at = 0, i;
	size_t p;

	MUST(plan.pieces && plan.pieces < seq.fragments);
	for (p = 0; p < plan.pieces; p++) {
		const struct plan_piece *piece = &plan.piece[p];

		MUST(piece->at == at && piece->length);
		MUST(!p || piece->goal > plan.piece[p - 1].goal);
		at += piece->length;
		MUST((uint64_t)piece->goal + piece->length <= BLOCKS);
		for (i = 0; i < piece->length; i++) {
			MUST(promised[piece->goal + i] == 1);
			promised[piece->goal + i] = 2;
		}
	}
	MUST(at == seq.blocks);
}

/* Each data block is asked for once, in order; goals are the pieces'. */
static void check_requests(void)
{
	uint64_t data = 0, next = 0;
	size_t i, goals = 0;

	plan_requests(&requests, &plan, &seq);
	for (i = 0; i < requests.requests; i++) {
		const struct plan_request *r = &requests.request[i];

		if (r->kind == ASK_GOAL) {
			MUST(goals < plan.pieces && r->value == plan.piece[goals].goal);
			goals++;
		} else if (r->kind == ASK_DATA) {
			MUST(r->value && r->logical >= next);
			next = (uint64_t)r->logical + r->value;
			data += r->value;
		} else {
			MUST(r->value >= 1 && r->value <= 3);
		}
	}
	MUST(goals == plan.pieces);
	MUST(data == layout.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, data + size };
	uint32_t files = 1 + take_byte(&in) % FILES_MOST, group = take_byte(&in);
	bool wild = group & 128;

	make_map(&in);
	while (files-- && in.at < in.end) {
		uint64_t total = map.total;

		make_file(&in, wild);
		if (plan_file(&plan, &seq, &map, &geo, group)) {
			MUST(!plan.pieces);
			continue;
		}
		check_plan();
		check_requests();
		plan_claim(&plan, &map);
		MUST(map.total == total - seq.blocks);
	}
	return 0;
}
