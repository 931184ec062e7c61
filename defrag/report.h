/* SPDX-License-Identifier: GPL-2.0-only */
/* What people get to read. The same data will feed other forms of report. */
#ifndef E3DEFRAG_REPORT_H
#define E3DEFRAG_REPORT_H

#include "job.h"

/* So many files of all, the worst, are in a report that is not verbose. */
#define REPORT_TOP 10

/* Draw the free space as @map has it. */
void report_picture(struct free_picture *picture, const struct freemap *map,
		    const struct geometry *geo);

/* After the survey: the worst files, totals, score, free space, and what is left alone and why. */
void report_survey(const struct job *job);

/* After a run: before and after, what moved, and what was left alone and why. */
void report_run(const struct job *job);

/* After a dry run. */
void report_dry_run(const struct job *job);

#endif
