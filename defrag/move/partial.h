/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is still to be gained when no whole file finds a better place, as on a nearly full disk: the
 * worst parts of files move, as plan_parts.c plans them, in the little space that there is.
 *
 * It goes on in rounds. First room is made, in a few steps, then it is used. After each step a sync
 * frees what was left, and the free map is read anew. A round that gains less than one fragment for
 * each MiB moved, which is what a jump costs, or for each --min-fragment-size, is a bad one; four
 * bad ones in a row are the end, and so is having moved four times what the files in need have.
 */
#ifndef E3DEFRAG_PARTIAL_H
#define E3DEFRAG_PARTIAL_H

#include "job.h"

/* For the files that @in_need says of. */
void partial(struct job *job, bool (*in_need)(const struct job *job, const struct file *file));

#endif
