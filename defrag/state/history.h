/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * --state: what earlier runs know of this one's work, and what this one leaves for the next. All of
 * it does nothing for a job without `history`.
 */
#ifndef E3DEFRAG_HISTORY_H
#define E3DEFRAG_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "job.h"
#include "state/state.h"
#include "state/state_file.h"

struct history {
	struct state_file file;
	struct state state;
	bool writes; /* else it is only looked at, for a report */
	bool failed; /* to be written */

	/* Of the host in hand. */
	struct state_system *system; /* NULL: nothing is known, and nothing to be noted */
	uint64_t now;		     /* when it was begun */
	uint32_t stopped_in;	     /* the inode that was moving when the run was stopped, or 0 */
	bool surveyed;		     /* all of it was */
	bool same;		     /* its free space is that which the last run left */
	/* UUIDs that this run has had: of two filesystems with one, the first is remembered. */
	char (*had)[37];
	size_t had_count, had_room;
};

/* Open the state, if there is to be one. STATUS_DONE; else the exit status, after a message. */
int history_open(struct history *history, const char *path, bool writes);
/* False if the state could not be written at some time; that was complained about. */
bool history_close(struct history *history);

/* Put the hosts in the order of their turns, if this is more than a report. */
void history_order(const struct history *history, struct hosts *hosts);

/* Around all of a host's work, with its exit status. */
void history_begin(struct job *job);
void history_end(struct job *job, int status);

/* After the survey: what has been moved too often lately gets that for its reason. */
void history_cool(struct job *job);

/* Has it stayed as an earlier run left it? Then only a gain that is worth it moves it again. */
bool history_settled(const struct job *job, const struct file *file);
/* Was this tried in vain, and nothing is different? */
bool history_in_vain(const struct job *job, const struct file *file, uint32_t pieces);
/* After an attempt to move it to @pieces, 0 if there was no plan; @moved: blocks of it were. */
void history_tried(struct job *job, const struct file *file, bool moved, uint32_t pieces);

#endif
