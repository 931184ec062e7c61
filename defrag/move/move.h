/* SPDX-License-Identifier: GPL-2.0-only */
/* Carry out one plan. */
#ifndef E3DEFRAG_MOVE_H
#define E3DEFRAG_MOVE_H

#include "job.h"
#include "plan/part.h"
#include "plan/plan.h"

/*
 * Move one file, whose node is open and which lies as @layout and @seq say, to where @plan wants
 * it. Blocks are got first, as a donor file without a name; only if that came out with at most
 * @most fragments the file changes places with it, a step at a time.
 *
 * Updates @file: fragments, moved, failed. Returns REASON_NONE if all went to plan; else what kept
 * it, complaining about real errors. If nothing was moved and it has not failed, a new look may
 * help after REASON_OUTCOME, REASON_CHANGED and REASON_NO_ROOM.
 */
enum reason move_file(struct job *job, struct file *file, struct node *node,
		      const struct layout *layout, const struct sequence *seq,
		      const struct plan *plan, uint32_t most);

/*
 * The same for parts of it: @count parts, in the order of @seq, whole fragments each. The rest of
 * the file stays where it is, and it never gets more fragments by it. What the donor needs besides
 * is claimed from the job's free map.
 */
enum reason move_parts(struct job *job, struct file *file, struct node *node,
		       const struct layout *layout, const struct sequence *seq,
		       const struct part *parts, size_t count);

#endif
