/* SPDX-License-Identifier: GPL-2.0-only */
/* Carry out one plan. */
#ifndef E3DEFRAG_MOVE_H
#define E3DEFRAG_MOVE_H

#include "job.h"
#include "plan/part.h"
#include "plan/plan.h"

/*
 * Move one file, whose node is open and whose blocks are where @layout and @seq say, to where @plan
 * says. First blocks are allocated to a donor, a file without a name. If the donor has at most
 * @most fragments, the file swaps its blocks with the donor's, step by step.
 *
 * Updates the record of @file: fragments, moves, failed. Returns REASON_NONE if the plan was
 * carried out, otherwise the reason why not; errors are complained about. If nothing was moved and
 * the file has not failed, another try may help after REASON_OUTCOME, REASON_CHANGED and
 * REASON_NO_ROOM.
 */
enum reason move_file(struct job *job, struct file *file, struct node *node,
		      const struct layout *layout, const struct sequence *seq,
		      const struct plan *plan, uint32_t most);

/*
 * The same for @count parts of the file, in the order of @seq, each of whole fragments. The rest of
 * the file stays where it is, and the file never gets more fragments. Further indirect blocks that
 * the donor needs are claimed from the job's free map.
 */
enum reason move_parts(struct job *job, struct file *file, struct node *node,
		       const struct layout *layout, const struct sequence *seq,
		       const struct part *parts, size_t count);

#endif
