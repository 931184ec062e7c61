/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where parts of files should go when there is no room for whole ones. Pure: pieces and a free map
 * in, stretches out.
 *
 * A stretch is some whole fragments of one file, one after the other in reading order, that move to
 * one place. So the file has as many fragments less as the stretch had more than one, and one or
 * two less still where the place is right behind the fragment before it, or right before the next.
 * Since no fragment is ever cut, no move makes anything worse, whatever else moves.
 *
 * Two kinds of plans take turns. One moves stretches to free runs, where each gains something. When
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

struct stretch {
	uint32_t first, count; /* pieces */
	uint32_t goal;	       /* block for the first of them; the others come behind it */
};

struct stretches {
	struct stretch *stretch; /* ascending by piece */
	size_t count, room;
	uint64_t blocks; /* that move */
	uint64_t gain;	 /* fragments that go by it */
};

struct stretch_limits {
	uint64_t scratch; /* blocks to move at most: what they leave isn't free yet */
	uint32_t worth;	  /* blocks to move at most for one fragment less */
	uint32_t least;	  /* pieces that make a stretch worth a run that isn't beside its file */
};

void stretches_init(struct stretches *plan);
void stretches_free(struct stretches *plan);

/*
 * Move stretches to free runs of @map. What is planned is claimed from the map, and the pieces are
 * held until pieces_index(). So it is for each of these functions; more than one can plan for the
 * same map.
 */
void stretch_gain(struct stretches *plan, struct pieces *pieces, struct freemap *map,
		  const struct stretch_limits *limits);

/* Move pieces out of the way. */
void stretch_clear(struct stretches *plan, struct pieces *pieces, struct freemap *map,
		   const struct stretch_limits *limits);

#endif
