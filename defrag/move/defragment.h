/* SPDX-License-Identifier: GPL-2.0-only */
/* Which file when: plan and move the files of a job, in rounds. */
#ifndef E3DEFRAG_DEFRAGMENT_H
#define E3DEFRAG_DEFRAGMENT_H

#include "job.h"

/*
 * Move what can be improved, worst score first. At first only files that find as few runs as they
 * could in an empty filesystem, mostly one; what they leave behind makes room, so this goes on in
 * rounds for as long as something moves. Then the others, in the fewest pieces there are; when
 * that has made room, the first kind again; and so on until a round moves nothing. Then parts of
 * those that found no room (partial.h).
 *
 * The free map is read again (after syncfs, which frees the blocks given back) between rounds, and
 * within one when a file finds no run and the blocks given back could make a difference; not for
 * fewer blocks, though, than are worth reading the map for.
 */
void defragment(struct job *job);

/* Print what the first round of that would do, and write it to job->plan. */
void defragment_dry_run(struct job *job);

#endif
