/* SPDX-License-Identifier: GPL-2.0-only */
/* All that one run on one host knows, handed down from stage to stage. */
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
#include "progress/usage.h"
#include "survey/survey.h"

struct history;

/* The free space at one moment, for the report. */
struct free_space {
	uint64_t blocks, runs;
	uint32_t longest;      /* blocks */
	uint64_t largest_file; /* bytes, what fits into the longest run */
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
	struct md_files *md;	 /* what md writes to by its block numbers */

	struct meta meta;
	struct survey survey;
	struct freemap free; /* what plans are made with */
	struct free_space free_before, free_after;
	struct usage usage_before, usage_after; /* without cells if nobody wants them */

	uint64_t given_back; /* blocks freed, but not in `free` before the next refresh */
	uint64_t moved;	     /* blocks that changed places */
	uint64_t undone;     /* moves of a plan that went otherwise than it says */
	uint64_t reserve;    /* blocks: free space is left at least that */
	bool broken;	     /* the host or its interface failed, not a file: no way to go on */
};

/* Nothing more is begun: somebody has stopped the run, or it can't go on. */
bool job_ends(const struct job *job);

/* Read the free blocks anew, with those that were given back. -errno, complained about. */
int job_refresh_free(struct job *job);

#endif
