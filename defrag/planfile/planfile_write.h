/* SPDX-License-Identifier: GPL-2.0-only */
/* Writing a plan, in the format that planfile.h reads, as a stream while a dry run makes it. */
#ifndef E3DEFRAG_PLANFILE_WRITE_H
#define E3DEFRAG_PLANFILE_WRITE_H

#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#include "job.h"
#include "plan/plan.h"

struct plan_writer;

/*
 * Begin a plan on @stream, made at the time @made. Nothing is written before the first filesystem.
 * Check for errors with ferror(3). Never returns NULL.
 */
struct plan_writer *plan_writer_open(FILE *stream, time_t made);

/*
 * Write the start of a filesystem, after its survey; then its moves in their order; then what all
 * of them together would achieve.
 */
void plan_writer_begin(struct plan_writer *to, const struct job *job);
void plan_writer_move(struct plan_writer *to, const struct job *job, const struct file *file,
		      const struct layout *layout, const struct plan *plan);
void plan_writer_end(struct plan_writer *to, const struct job *job);

/* Complete the plan and free @to. False if there was no filesystem, so nothing was written. */
bool plan_writer_close(struct plan_writer *to);

#endif
