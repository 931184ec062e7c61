/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * --state, applied to a job: using what earlier runs have noted about a filesystem, and noting what
 * this one does. For a job without `history` no function here has an effect.
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
	bool writes; /* false: it is only read, for a report */
	bool failed; /* the state could not be written */

	/* For the current host: */
	struct state_system *system; /* NULL: nothing is known, and nothing will be noted */
	uint64_t now;		     /* when work on it began; seconds since 1970 */
	uint32_t stopped_in;	     /* the inode that was moving when the run was stopped, or 0 */
	bool surveyed;		     /* the survey is complete */
	bool same;		     /* the free space is as the last run left it */
	/* UUIDs seen in this run: if two filesystems have the same, only the first has a state. */
	char (*had)[37];
	size_t had_count, had_room;
};

/*
 * Open the state file @path and read it; with @writes, lock it. Returns STATUS_DONE, or another
 * exit status after a message.
 */
int history_open(struct history *history, const char *path, bool writes);
/* Close it. Returns false if the state could not be written once; a message was printed then. */
bool history_close(struct history *history);

/* Sort the hosts into the order of their turns, unless this is only a report. */
void history_order(const struct history *history, struct hosts *hosts);

/* Call these before and after all work on a host; @status is its exit status. */
void history_begin(struct job *job);
void history_end(struct job *job, int status);

/* After the survey: set REASON_COOLING for files that were moved too often recently. */
void history_cool(struct job *job);

/* True if the file is as an earlier run left it: only a large gain is worth moving it again. */
bool history_settled(const struct job *job, const struct file *file);
/* True if the last run was stopped within the file, and the one before it was not. */
bool history_interrupted(const struct job *job, const struct file *file);
/* True if moving the file to @pieces was tried without success, and nothing has changed since. */
bool history_in_vain(const struct job *job, const struct file *file, uint32_t pieces);
/*
 * Note an attempt to move the file to @pieces, 0 if there was no plan; @moved: blocks of it have
 * moved.
 */
void history_tried(struct job *job, const struct file *file, bool moved, uint32_t pieces);

#endif
