/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * When a file has its turn: the accounts of its owner (share.h), applied to the files of a job.
 * Owners are learned as files are opened. Nothing is opened for this as long as all owners may have
 * their turn, and no file twice.
 */
#ifndef E3DEFRAG_TURN_H
#define E3DEFRAG_TURN_H

#include <stdbool.h>
#include <stdint.h>

#include "job.h"

/* Ask for @file, before it is tried. SHARE_BUSY is its reason then, too. */
enum share_turn turn_of(struct job *job, struct file *file);

/*
 * The same without passes: true if @file is passed over because too many files of its owner are
 * busy.
 */
bool turn_passed_over(struct job *job, struct file *file);

/* True if the file was busy, or was passed over, and may be tried once more. */
bool turn_is_put_off(const struct file *file);

/*
 * What no further try was made for is passed over for good: each file that is put off has failed,
 * which one message says for all of them.
 */
void turn_give_up(struct job *job);

/* What is noted when a file is tried. */
struct turn {
	uint64_t start;	 /* microseconds of clock_now() */
	uint64_t frozen; /* of the job */
	uint64_t moved;	 /* blocks, of the job */
};

void turn_begin(struct turn *turn, const struct job *job);
/* The file was tried; file->reason says how that went. */
void turn_end(const struct turn *turn, struct job *job, const struct file *file);

#endif
