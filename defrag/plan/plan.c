// SPDX-License-Identifier: GPL-2.0-only
#include "plan/plan.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

/* How many indirect blocks can directly precede the first data block below them. */
#define CHAIN_MOST 3
/* How many pieces more than the blocks alone would need are tried before a file is given up. */
#define PIECES_MORE 3

void plan_init(struct plan *plan)
{
	memset(plan, 0, sizeof(*plan));
}

void plan_free(struct plan *plan)
{
	free(plan->piece);
	plan_init(plan);
}

static void add_piece(struct plan *plan, const struct freemap *map, size_t run)
{
	vec_more(plan->piece, plan->pieces, plan->room);
	plan->piece[plan->pieces++] =
		(struct plan_piece){ 0, map->run[run].length, map->run[run].start, run };
}

/* Find one run for the whole file, by the rule in plan.h; FREEMAP_NONE if there is none. */
static size_t one_run(const struct freemap *map, const struct geometry *geo, uint32_t group,
		      uint32_t need)
{
	uint64_t from = geo->first_block + (uint64_t)group * geo->blocks_per_group;
	size_t run;

	run = freemap_fit_within(map, from, from + geo->blocks_per_group, need, 2ULL * need);
	if (run == FREEMAP_NONE)
		run = freemap_fit(map, need, from < UINT32_MAX ? (uint32_t)from : UINT32_MAX);
	return run;
}

/* The last place up to @at where the sequence may be cut: not directly after an indirect block. */
static uint32_t cut_before(const struct sequence *seq, uint32_t at)
{
	size_t item;

	if (at >= seq->blocks)
		return seq->blocks;
	item = sequence_find(seq, at);
	if (seq->item[item].at != at)
		return at;
	while (item > 0 && seq->item[item - 1].level)
		item--;
	return seq->item[item].at;
}

static int by_goal(const void *a, const void *b)
{
	const struct plan_piece *x = a, *y = b;

	return x->goal < y->goal ? -1 : x->goal > y->goal;
}

/*
 * Distribute the sequence over the pieces, in their order on the disk. Returns false if a part of
 * it is left over.
 */
static bool deal_out(struct plan *plan, const struct sequence *seq)
{
	uint32_t at = 0, end;
	size_t i, kept = 0;

	qsort(plan->piece, plan->pieces, sizeof(*plan->piece), by_goal);
	for (i = 0; i < plan->pieces && at < seq->blocks; i++) {
		struct plan_piece piece = plan->piece[i];

		end = seq->blocks - at <= piece.length ? seq->blocks :
							 cut_before(seq, at + piece.length);
		if (end <= at)
			continue;
		piece.at = at;
		piece.length = end - at;
		plan->piece[kept++] = piece;
		at = end;
	}
	plan->pieces = kept;
	return at == seq->blocks;
}

/*
 * Choose @count runs for @need blocks: the @count - 1 longest ones, and the shortest one that holds
 * the rest. If none holds the rest, take the next longest: deal_out() then finds out whether that
 * is enough.
 */
static void take_runs(struct plan *plan, const struct freemap *map, uint64_t need, uint32_t count)
{
	size_t run = freemap_longest(map);

	plan->pieces = 0;
	while (run != FREEMAP_NONE && plan->pieces + 1 < count && map->run[run].length < need) {
		add_piece(plan, map, run);
		need -= map->run[run].length;
		run = freemap_next_shorter(map, run);
	}
	if (run == FREEMAP_NONE)
		return;
	if (map->run[run].length >= need) {
		size_t fit = freemap_fit(map, (uint32_t)need, map->run[run].start);

		/* If the best fit is no shorter than this run, it may already be a piece. */
		if (map->run[fit].length < map->run[run].length)
			run = fit;
	}
	add_piece(plan, map, run);
}

enum reason plan_file(struct plan *plan, const struct sequence *seq, const struct freemap *map,
		      const struct geometry *geo, uint32_t group)
{
	uint32_t count, most;
	size_t run;

	plan->pieces = 0;
	if (!seq->blocks)
		return REASON_EMPTY;
	if (seq->fragments == 1)
		return REASON_PERFECT;
	if (seq->blocks > map->total)
		return REASON_NO_ROOM;

	run = one_run(map, geo, group, seq->blocks);
	if (run != FREEMAP_NONE) {
		add_piece(plan, map, run);
		deal_out(plan, seq);
		return REASON_NONE;
	}
	/*
	 * Since cuts are not allowed everywhere, a run may not be used to its end. Try to find room
	 * for the blocks alone first, then for those that cuts can cost, too.
	 */
	count = freemap_pieces(map, seq->blocks, seq->fragments);
	most = count + PIECES_MORE < seq->fragments ? count + PIECES_MORE : seq->fragments - 1;
	for (; count <= most && count <= map->runs; count++) {
		take_runs(plan, map, seq->blocks, count);
		if (deal_out(plan, seq))
			return REASON_NONE;
		take_runs(plan, map, seq->blocks + (uint64_t)CHAIN_MOST * count, count);
		if (deal_out(plan, seq))
			return REASON_NONE;
	}
	plan->pieces = 0;
	return REASON_NO_BETTER;
}

void plan_claim(const struct plan *plan, struct freemap *map)
{
	size_t i;

	for (i = 0; i < plan->pieces; i++)
		freemap_claim(map, plan->piece[i].run, plan->piece[i].length);
}

void plan_ask(struct plan_requests *out, int kind, uint32_t logical, uint32_t value)
{
	vec_more(out->request, out->requests, out->room);
	out->request[out->requests].kind = kind;
	out->request[out->requests].logical = logical;
	out->request[out->requests].value = value;
	out->requests++;
}

/* True if one of the indirect blocks from @item up to the next data is barren. */
static bool barren_ahead(const struct sequence *seq, size_t item)
{
	for (; item < seq->items && seq->item[item].level; item++)
		if (seq->item[item].barren)
			return true;
	return false;
}

void plan_requests(struct plan_requests *out, const struct plan *plan, const struct sequence *seq)
{
	size_t piece = 0, i;
	bool open = false; /* the last request is for data, and the next data may extend it */

	out->requests = 0;
	for (i = 0; i < seq->items; i++) {
		const struct seq_item *item = &seq->item[i];
		uint32_t done = 0;

		while (done < item->length) {
			uint32_t at = item->at + done, length = item->length - done;
			const struct plan_piece *next = &plan->piece[piece];
			struct plan_request *last;

			if (piece < plan->pieces && next->at == at) {
				plan_ask(out, ASK_GOAL, 0, next->goal);
				piece++;
				next++;
				open = false;
			}
			if (piece < plan->pieces && next->at - at < length)
				length = next->at - at;
			done += length;
			if (item->level) {
				if (barren_ahead(seq, i)) {
					plan_ask(out, ASK_INDIRECT, item->logical, item->level);
					open = false;
				}
				continue;
			}
			last = out->requests ? &out->request[out->requests - 1] : NULL;
			if (open && last->logical + last->value == item->logical + done - length)
				last->value += length;
			else
				plan_ask(out, ASK_DATA, item->logical + done - length, length);
			open = true;
		}
	}
}

void plan_requests_free(struct plan_requests *requests)
{
	free(requests->request);
	memset(requests, 0, sizeof(*requests));
}
