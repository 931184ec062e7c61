/* SPDX-License-Identifier: GPL-2.0-only */
/* Writes a plan as planfile.h has it, from front to back, while a dry run makes it. */
#ifndef E3DEFRAG_PLANFILE_WRITE_H
#define E3DEFRAG_PLANFILE_WRITE_H

#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#include "job.h"
#include "plan/plan.h"

struct plan_writer;

/* To @stream; nothing is written before the first filesystem. An error is left in the stream. */
struct plan_writer *plan_writer_open(FILE *stream, time_t made);

/* A filesystem, after its survey; its moves in their order; what all of them would come to. */
void plan_writer_begin(struct plan_writer *to, const struct job *job);
void plan_writer_move(struct plan_writer *to, const struct job *job, const struct file *file,
		      const struct layout *layout, const struct plan *plan);
void plan_writer_end(struct plan_writer *to, const struct job *job);

/* Complete it. False if there was no filesystem, and so nothing was written. */
bool plan_writer_close(struct plan_writer *to);

#endif
