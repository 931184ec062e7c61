/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Some parts of a file that change places with a donor, while the rest stays where it is. Pure:
 * what to ask ext3meta for, and what would come of it.
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

/* A part of the sequence, whole items of it, and the place for it. */
struct part {
	uint32_t at, length;
	uint32_t goal;
};

/*
 * The requests that give a donor the shape of @parts, @count of them in the order of the
 * sequence, and in @moving what of the file's layout that is: what is to change places.
 *
 * A block of a donor needs the indirect blocks above it. Those that aren't in a part themselves
 * go to whatever small run @map has, which is claimed: they are free again when the donor is
 * closed.
 * Returns how many there are; UINT32_MAX if there is no room for one.
 */
uint32_t part_requests(struct plan_requests *out, struct layout *moving, const struct sequence *seq,
		       const struct geometry *geo, const struct part *parts, size_t count,
		       struct freemap *map);

/* How a file in @layout will lie if @moving of it is where @donor has it. */
void part_outcome(struct layout *after, const struct layout *layout, const struct layout *moving,
		  const struct layout *donor);

/* Where @moving will lie if all goes as planned: @donor for part_outcome(). */
void part_planned(struct layout *donor, const struct sequence *seq, const struct part *parts,
		  size_t count);

#endif
