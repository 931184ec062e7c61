/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state of one run on one host (a mounted filesystem), which each stage gets from the one
 * before it, and the few functions that several stages need.
 */
#ifndef E3DEFRAG_JOB_H
#define E3DEFRAG_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "fs/host.h"
#include "fs/meta.h"
#include "options.h"
#include "pacing/budget.h"
#include "pacing/throttle.h"
#include "plan/freemap.h"
#include "plan/share.h"
#include "progress/usage.h"
#include "survey/survey.h"

struct history;

/* Statistics of the free space at one moment, for the report. */
struct free_space {
	uint64_t blocks, runs;
	uint32_t longest;      /* blocks */
	uint64_t largest_file; /* bytes; the largest file that fits into the longest run */
	struct freemap_class class[32];
};

struct job {
	const struct options *options;
	const struct host *host;
	const volatile int *stop; /* an enum stop, set by signals and budgets */
	struct budget *budget;
	struct plan_writer *plan;	/* of --plan, or NULL */
	const struct planfile *planned; /* of --apply, or NULL */
	struct throttle throttle;
	struct history *history; /* with --state, else NULL */
	struct md_files *md;	 /* files that md writes to by block number; never moved */

	struct meta meta;
	struct survey survey;
	struct freemap free; /* the free blocks that plans are made with */
	struct free_space free_before, free_after;
	struct usage usage_before, usage_after; /* without cells if no report shows them */

	uint64_t given_back; /* blocks freed since the last refresh, not yet in `free` */
	uint64_t moved;	     /* blocks that changed places */
	uint64_t undone;     /* moves of a plan that did not end as the plan says */
	uint64_t reserve;    /* blocks; at least this many are kept free */
	struct share share;  /* what the owners of the files have had */
	uint64_t frozen;     /* microseconds in which the filesystem was frozen */
	bool last_try;	     /* a file that is busy now is passed over, with a message */
	bool broken;	     /* the host or ext3meta failed, not only a file: can't continue */
};

/* True if no further file may be begun: a signal or a limit stopped the run, or it is broken. */
bool job_ends(const struct job *job);

/*
 * Write what was changed to disk, which frees the blocks of what was deleted. 0 or -errno; an error
 * is complained about, and nothing can be moved after it.
 */
int job_sync(struct job *job);

/*
 * Read the list of free blocks again, including those that were given back. Returns 0, or -errno
 * after printing a message; then the job is broken.
 */
int job_refresh_free(struct job *job);

#endif
