/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files that share a block, which only a damaged filesystem has: to move one frees the block under
 * the other, so they are left alone. And files with a block that is free: it can become another's
 * at any time, first of all one of those that are moved.
 */
#ifndef E3DEFRAG_SHARED_H
#define E3DEFRAG_SHARED_H

#include "claims.h"
#include "meta.h"
#include "survey.h"

/*
 * @claims has the blocks of all @inodes. Files that turn out to share one are given REASON_SHARED,
 * and complained about; a file that was only caught while its blocks changed hands is not. Where a
 * file has a block that is free, the filesystem counts as damaged.
 */
void shared_find(struct survey *survey, struct meta *meta, struct claims *claims,
		 const uint32_t *inodes, size_t count, const volatile int *stop);

#endif
