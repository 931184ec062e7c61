/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files that share a block, which only a damaged filesystem has: to move one frees the block under
 * the other, so they are left alone. And files with a block that is free: it can become another's
 * at any time, first of all one of those that are moved.
 */
#ifndef E3DEFRAG_MULTIPLY_CLAIMED_H
#define E3DEFRAG_MULTIPLY_CLAIMED_H

#include "fs/meta.h"
#include "plan/freemap.h"
#include "survey/files.h"

/*
 * survey->claims has the blocks of all that was looked at: the @whole filesystem, or the files of
 * the survey; @map was read after that. Files that turn out to share a block are given
 * REASON_MULTIPLY_CLAIMED, and there is trouble to tell of them and of all objects with a block
 * that is free. A file that was only caught while its blocks changed hands is not touched.
 */
void multiply_claimed_find(struct survey *survey, struct meta *meta, bool whole,
			   const struct freemap *map, const volatile int *stop);

#endif
