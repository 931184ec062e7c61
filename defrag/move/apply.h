/* SPDX-License-Identifier: GPL-2.0-only */
/* Carry out a plan from a file, the moves that still fit, and nothing else. */
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

/* Is the plan, if there is one, for this filesystem? If not, a message says why. */
bool apply_fits(const struct job *job);

/* After the survey, before anything is told of it: files that were planned and are gone join it. */
void apply_survey(struct job *job);

/*
 * The moves in their order. One that doesn't fit any more, since its file or the place for it is
 * another's now, is passed over, and job->undone counts it. The rest is done by move_file(), which
 * trusts a plan no further than one of plan.c.
 */
void apply(struct job *job);

#endif
