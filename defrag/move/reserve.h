/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Free space that is left to others. While a file moves, twice its blocks are in use, and a file
 * that needs all that is free would make everybody else's writes fail in that time.
 */
#ifndef E3DEFRAG_RESERVE_H
#define E3DEFRAG_RESERVE_H

#include <stdbool.h>
#include <stdint.h>

#include "job.h"

/* Without --reserve, of what is free when the run begins: one part in so many. */
#define RESERVE_SHARE 10

/* Once the free map was read: set job->reserve as the options have it. */
void reserve_set(struct job *job);

/*
 * May @blocks more be taken? What was given back but may not be free yet counts as taken, so that
 * reading the free map anew, which syncs, can turn a no into a yes.
 */
bool reserve_allows(const struct job *job, uint64_t blocks);

/* Is there nothing in its way but what was given back? */
bool reserve_waits(const struct job *job, uint64_t blocks);

#endif
