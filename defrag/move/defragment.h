/* SPDX-License-Identifier: GPL-2.0-only */
/* Plan and move the files of a job, in rounds; and the order in which that is done. */
#ifndef E3DEFRAG_DEFRAGMENT_H
#define E3DEFRAG_DEFRAGMENT_H

#include "job.h"

/*
 * Move the files that can be improved, worst score first, as far as their owners have not had their
 * shares (share.h). At first only files for which there are
 * as few runs as in an empty filesystem, which is mostly one. The blocks that they leave make room,
 * so rounds of this kind continue as long as one moves something. Then the other files are moved,
 * in the fewest pieces possible; if that has made room, rounds of the first kind follow again,
 * until a round of neither kind moves anything. Then parts of the files that found no room
 * (partial.h). Last, files that were busy are tried once more.
 *
 * The free map is read again between rounds, after syncfs(2), which frees the blocks given back. It
 * is also read within a round if a file finds no run and enough blocks were given back to be worth
 * the reading.
 */
void defragment(struct job *job);

/* Print what the first round would do, and write it to job->plan if that isn't NULL. */
void defragment_dry_run(struct job *job);

#endif
