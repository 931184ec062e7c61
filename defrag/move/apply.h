/* SPDX-License-Identifier: GPL-2.0-only */
/* Carry out a plan from a file: those of its moves that are still possible, and nothing else. */
#ifndef E3DEFRAG_APPLY_H
#define E3DEFRAG_APPLY_H

#include "fs/host.h"
#include "job.h"
#include "planfile/planfile.h"

/*
 * Read the plan of --apply. If no TARGET was given, the mounted filesystems that it has moves for
 * are added to @hosts. Messages are printed. Returns an exit status.
 */
int apply_read(struct planfile *plan, const struct options *options, struct hosts *hosts);

/* True if there is no plan, or if it is for this filesystem. If false, a message says why. */
bool apply_fits(const struct job *job);

/* After the survey, before it is reported: add the planned files that the survey did not find. */
void apply_survey(struct job *job);

/*
 * Make the moves in the order of the plan. A move that is no longer possible, because the file or
 * the blocks that it should go to have changed, is left out and counted in job->undone. move_file()
 * makes the others, and checks them as it checks the plans of plan.c.
 */
void apply(struct job *job);

#endif
