/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Planning where a whole file should go: from its sequence and the map of free blocks to the pieces
 * that it will have and the requests to ext3meta that allocate them. No I/O.
 */
#ifndef E3DEFRAG_PLAN_H
#define E3DEFRAG_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "plan/freemap.h"
#include "plan/layout.h"
#include "plan/reason.h"
#include "plan/sequence.h"

/* A piece of the file: a part of the sequence and the place for it. */
struct plan_piece {
	uint32_t at;	 /* place in the sequence where it begins */
	uint32_t length; /* blocks */
	uint32_t goal;	 /* block for the first of them */
	size_t run;	 /* the free run that holds it, in the map that was planned with */
};

struct plan {
	struct plan_piece *piece; /* in order of the sequence, ascending goals */
	size_t pieces, room;
};

void plan_init(struct plan *plan);
void plan_free(struct plan *plan);

/*
 * Find a place for all of @seq in which it has fewer fragments than now.
 *
 * If one run is long enough, that is a single run: the shortest one that starts in block group
 * @group (the inode's), if it is at most twice as long as needed; else the shortest of all. Of
 * equally long runs it is the first one in the group (see freemap_fit_within()), or one near the
 * group (see freemap_fit()). If no run is long enough, it is the fewest runs: the longest ones,
 * used whole, and the shortest that fits for the rest, in their order on the disk. The sequence is
 * never cut between an indirect block and what follows it.
 *
 * Returns REASON_NONE with the pieces in @plan; or, with no pieces, REASON_EMPTY, REASON_PERFECT,
 * REASON_NO_ROOM or REASON_NO_BETTER.
 */
enum reason plan_file(struct plan *plan, const struct sequence *seq, const struct freemap *map,
		      const struct geometry *geo, uint32_t group);

/* Remove the blocks that @plan uses from the map of free blocks that it was made with. */
void plan_claim(const struct plan *plan, struct freemap *map);

/* One request to ext3meta. Made in their order, the requests give a donor the planned layout. */
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
 * Make the requests for @plan: one for each range of data without a hole within a piece. The kernel
 * allocates the indirect blocks on the way by itself, in reading order. Only barren ones need
 * requests of their own, and so do their parents that directly precede them.
 */
void plan_requests(struct plan_requests *out, const struct plan *plan, const struct sequence *seq);
/* Add a request at the end. */
void plan_ask(struct plan_requests *out, int kind, uint32_t logical, uint32_t value);
void plan_requests_free(struct plan_requests *requests);

#endif
