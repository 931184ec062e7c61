/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where parts of files should go when there is no room for whole ones. Pure: fragments and a free
 * map in, planned parts out.
 *
 * A part is some whole fragments of one file, one after the other in reading order, that move to
 * one place. So the file has as many fragments less as the part had more than one, and one or
 * two less still where the place is right behind the fragment before it, or right before the next.
 * Since no fragment is ever cut, no move makes anything worse, whatever else moves.
 *
 * Two kinds of plans take turns. One moves parts to free runs, where each gains something. When
 * nothing is left to gain by that, the other makes long runs: what lies scattered in a part of the
 * disk that has more room than others goes, as it is, to holes elsewhere. That gains nothing itself
 * (unless a hole happens to adjoin what belongs beside it), so it is done only where the next plan
 * of the first kind is going to make it pay.
 */
#ifndef E3DEFRAG_PLAN_PARTS_H
#define E3DEFRAG_PLAN_PARTS_H

#include <stddef.h>
#include <stdint.h>

#include "plan/fragments.h"
#include "plan/freemap.h"

struct planned_part {
	uint32_t first, count; /* pieces */
	uint32_t goal;	       /* block for the first of them; the others come behind it */
};

struct parts_plan {
	struct planned_part *part; /* ascending by piece */
	size_t count, room;
	uint64_t blocks; /* that move */
	uint64_t gain;	 /* fragments that go by it */
};

struct parts_limits {
	uint64_t scratch; /* blocks to move at most: what they leave isn't free yet */
	uint32_t worth;	  /* blocks to move at most for one fragment less */
	uint32_t least;	  /* fragments that make a part worth a run that isn't beside its file */
};

void parts_plan_init(struct parts_plan *plan);
void parts_plan_free(struct parts_plan *plan);

/*
 * Move parts to free runs of @map. What is planned is claimed from the map, and the fragments are
 * held until fragments_index(). Both functions do so; more than one can plan for the same map.
 */
void plan_parts_gain(struct parts_plan *plan, struct fragments *fragments, struct freemap *map,
		     const struct parts_limits *limits);

/* Move pieces out of the way. */
void plan_parts_clear(struct parts_plan *plan, struct fragments *fragments, struct freemap *map,
		      const struct parts_limits *limits);

#endif
