/* SPDX-License-Identifier: GPL-2.0-only */
/* The survey: look at all files that were asked for, and make the records of files.h. */
#ifndef E3DEFRAG_SURVEY_H
#define E3DEFRAG_SURVEY_H

#include "fs/host.h"
#include "fs/meta.h"
#include "pacing/throttle.h"
#include "plan/freemap.h"
#include "plan/sequence.h"
#include "survey/files.h"

/*
 * Look at all files of the targets of @host: whatever is in use if the whole filesystem is meant,
 * else what a walk finds. Stops early, without an error, when *@stop is set. Returns 0 or -errno.
 */
int survey_host(struct survey *survey, struct meta *meta, const struct host *host,
		const struct survey_scope *scope, struct throttle *throttle,
		const volatile int *stop);

/*
 * What is left of the survey once the free space (@map) is known: find the blocks that are in two
 * places, and the names; complain about what went wrong so far.
 */
void survey_check(struct survey *survey, struct meta *meta, const struct host *host,
		  const struct freemap *map, struct throttle *throttle, const volatile int *stop);

/* Look at one file again: a new layout and what follows from it. -errno, nothing printed. */
int survey_again(struct survey *survey, struct file *file, struct node *node,
		 const struct info *info, struct layout *layout, struct sequence *seq);

#endif
