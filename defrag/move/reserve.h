/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Free space that is left for other programs. While a file is moved, twice its blocks are in use.
 * If it took all free blocks, the writes of other programs would fail during that time.
 */
#ifndef E3DEFRAG_RESERVE_H
#define E3DEFRAG_RESERVE_H

#include <stdbool.h>
#include <stdint.h>

#include "job.h"

/* The reserve without --reserve: one in this many of the blocks that are free at the start. */
#define RESERVE_SHARE 10

/* Set job->reserve by the options. The free map must have been read. */
void reserve_set(struct job *job);

/*
 * Whether @blocks more may be allocated. Blocks that were given back but may not be free yet count
 * as in use, so that the answer can be different after job_refresh_free(), which syncs.
 */
bool reserve_allows(const struct job *job, uint64_t blocks);

/* Whether @blocks could be allocated if the blocks given back were free already. */
bool reserve_waits(const struct job *job, uint64_t blocks);

#endif
