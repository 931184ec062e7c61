/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finding damage that makes moving files dangerous. If two files claim the same block, moving one
 * frees the block while the other still uses it; so they are left alone. If a file has a block that
 * is marked free, the block can be given to another file at any time, in particular to one that is
 * moved.
 */
#ifndef E3DEFRAG_MULTIPLY_CLAIMED_H
#define E3DEFRAG_MULTIPLY_CLAIMED_H

#include "fs/meta.h"
#include "plan/freemap.h"
#include "survey/files.h"

/*
 * Find such files. survey->claims has the blocks of all inodes that were scanned: the @whole
 * filesystem, or the files of the survey. The free blocks @map must have been read after that. Each
 * file with a multiply claimed block gets REASON_MULTIPLY_CLAIMED, and survey->trouble gets an
 * entry for each of them and for each inode with a block that is free. Files whose blocks only
 * appeared twice because they changed during the survey are not affected. Ends early when *@stop is
 * set.
 */
void multiply_claimed_find(struct survey *survey, struct meta *meta, bool whole,
			   const struct freemap *map, const volatile int *stop);

#endif
