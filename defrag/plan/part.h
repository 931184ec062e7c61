/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Moving some parts of a file by exchange with a donor, while the rest of it stays: the requests to
 * ext3meta, and the layout that results. No I/O.
 */
#ifndef E3DEFRAG_PART_H
#define E3DEFRAG_PART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plan/freemap.h"
#include "plan/layout.h"
#include "plan/plan.h"
#include "plan/sequence.h"

/* A part of the sequence that consists of whole items, and the place for it. */
struct part {
	uint32_t at, length; /* place in the sequence, blocks */
	uint32_t goal;	     /* block for the first of them */
};

/*
 * Make the requests @out that allocate the @parts (@count of them, in the order of the sequence) in
 * a donor. @moving gets the part of the file's layout that will be exchanged.
 *
 * A block of a donor needs the indirect blocks above it. Those that aren't in a part themselves are
 * put into the shortest free run, and claimed from @map: they become free again when the donor is
 * closed. Returns how many such blocks there are; UINT32_MAX if there is no room for one.
 */
uint32_t part_requests(struct plan_requests *out, struct layout *moving, const struct sequence *seq,
		       const struct geometry *geo, const struct part *parts, size_t count,
		       struct freemap *map);

/*
 * Compute the layout @after of a file that has @layout now, when its part @moving is where @donor
 * has the same file blocks.
 */
void part_outcome(struct layout *after, const struct layout *layout, const struct layout *moving,
		  const struct layout *donor);

/* Compute the layout that the donor gets if all goes as planned: @donor for part_outcome(). */
void part_planned(struct layout *donor, const struct sequence *seq, const struct part *parts,
		  size_t count);

#endif
