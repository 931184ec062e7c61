/* SPDX-License-Identifier: GPL-2.0-only */
/* Where a file should go. Pure: a sequence and a free map in, pieces and requests out. */
#ifndef E3DEFRAG_PLAN_H
#define E3DEFRAG_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "plan/freemap.h"
#include "plan/layout.h"
#include "plan/reason.h"
#include "plan/sequence.h"

/* A part of the sequence and the place for it; `run` is its run in the free map. */
struct plan_piece {
	uint32_t at;	 /* place in the sequence where it begins */
	uint32_t length; /* blocks */
	uint32_t goal;	 /* block for the first of them */
	size_t run;
};

struct plan {
	struct plan_piece *piece; /* in order of the sequence, ascending goals */
	size_t pieces, room;
};

void plan_init(struct plan *plan);
void plan_free(struct plan *plan);

/*
 * Find a place for all of @seq that has fewer fragments than it has now.
 *
 * One run if one is long enough: the shortest that starts in block group @group (the inode's), if
 * it is at most twice as long as needed; else the shortest there is. Of equals it is the first one
 * in the group (see freemap_fit_within), or one near the group (see freemap_fit). If no run is long
 * enough, the fewest runs: the longest ones used whole, the shortest that fits for the rest, in the
 * order they lie on the disk. A cut is never made between an indirect block and what follows it.
 *
 * REASON_NONE: @plan has the pieces. Otherwise why not: REASON_EMPTY, REASON_PERFECT,
 * REASON_NO_ROOM, REASON_NO_BETTER; then @plan has none.
 */
enum reason plan_file(struct plan *plan, const struct sequence *seq, const struct freemap *map,
		      const struct geometry *geo, uint32_t group);

/* Take what the plan uses out of the free map it was made with. */
void plan_claim(const struct plan *plan, struct freemap *map);

/* What to ask ext3meta for, one after the other, so that a donor gets the plan's shape. */
struct plan_request {
	enum { ASK_GOAL, ASK_DATA, ASK_INDIRECT } kind;
	uint32_t logical; /* file block; not for ASK_GOAL */
	uint32_t value;	  /* goal, number of data blocks, or level */
};

struct plan_requests {
	struct plan_request *request;
	size_t requests, room;
};

/*
 * One request a stretch of data without holes inside a piece: the indirect blocks on the way come
 * by themselves, in reading order. Only barren ones, and their parents that come with them, are
 * asked for by name.
 */
void plan_requests(struct plan_requests *out, const struct plan *plan, const struct sequence *seq);
/* One more request, at the end. */
void plan_ask(struct plan_requests *out, int kind, uint32_t logical, uint32_t value);
void plan_requests_free(struct plan_requests *requests);

#endif
