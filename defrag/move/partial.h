/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Improve files for which there is no better place as a whole, as on a nearly full disk: the worst
 * parts of files are moved, as plan_parts.c plans them, within the little free space.
 *
 * This is done in rounds. A round makes room, in a few steps, and then uses it. After each step a
 * sync frees the blocks that were left, and the free map is read again. A round is bad if it gains
 * less than one fragment per MiB moved (which is what a jump costs), or per --min-fragment-size. It
 * ends after four bad rounds in a row, or after moving four times the blocks of the files in need.
 */
#ifndef E3DEFRAG_PARTIAL_H
#define E3DEFRAG_PARTIAL_H

#include "job.h"

/* Improve the files for which @in_need returns true. */
void partial(struct job *job, bool (*in_need)(const struct job *job, const struct file *file));

#endif
