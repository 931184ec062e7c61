/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Planning where parts of files should go when there is no room for whole files: from the fragments
 * and the map of free blocks to planned parts. No I/O.
 *
 * A part is several whole fragments of one file, consecutive in reading order, that move to one
 * place. If the part has N fragments, the file then has N - 1 fragments less, and one or two less
 * again if the place directly follows the fragment before the part, or directly precedes the one
 * after it. Since no fragment is ever cut, no move makes a file worse, whatever else moves.
 *
 * Two kinds of plans alternate. The first moves parts to free runs, where each gains something.
 * When that gains nothing more, the second makes long free runs: it chooses a region of the disk
 * with more free space than others, and moves the fragments in it, as they are, to holes elsewhere.
 * That gains nothing by itself (unless a hole happens to adjoin a neighbour in the file), so it is
 * done only where the next plan of the first kind will make it worth the cost.
 */
#ifndef E3DEFRAG_PLAN_PARTS_H
#define E3DEFRAG_PLAN_PARTS_H

#include <stddef.h>
#include <stdint.h>

#include "plan/fragments.h"
#include "plan/freemap.h"

struct planned_part {
	uint32_t first, count; /* fragments */
	uint32_t goal;	       /* block for the first of them; the others follow it */
};

struct parts_plan {
	struct planned_part *part; /* ascending by fragment */
	size_t count, room;
	uint64_t blocks; /* how many blocks move */
	uint64_t gain;	 /* how many fragments less there will be */
};

struct parts_limits {
	uint64_t scratch; /* most blocks to move: their old places don't become free at once */
	uint32_t worth;	  /* most blocks to move for each fragment less */
	uint32_t least; /* fewest fragments of a part that moves to a run not adjoining its file */
};

void parts_plan_init(struct parts_plan *plan);
void parts_plan_free(struct parts_plan *plan);

/*
 * Plan moves of parts to free runs of @map. Both functions add to @plan, claim the planned places
 * from @map, and hold the fragments until fragments_index(), so that several calls can plan with
 * the same map.
 */
void plan_parts_gain(struct parts_plan *plan, struct fragments *fragments, struct freemap *map,
		     const struct parts_limits *limits);

/* Plan moves of fragments to holes, to make long free runs. */
void plan_parts_clear(struct parts_plan *plan, struct fragments *fragments, struct freemap *map,
		      const struct parts_limits *limits);

#endif
