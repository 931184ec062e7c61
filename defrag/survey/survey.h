/* SPDX-License-Identifier: GPL-2.0-only */
/* The survey: reading all files of the targets, to make the records of files.h. */
#ifndef E3DEFRAG_SURVEY_H
#define E3DEFRAG_SURVEY_H

#include "fs/host.h"
#include "fs/meta.h"
#include "pacing/throttle.h"
#include "plan/freemap.h"
#include "plan/sequence.h"
#include "survey/files.h"

/*
 * Read all files of the targets of @host: all inodes in use if the whole filesystem is the target,
 * else those that a walk finds. Ends early, without an error, when *@stop is set. Returns 0, or
 * -errno after printing a message. The caller calls survey_free() in any case.
 */
int survey_host(struct survey *survey, struct meta *meta, const struct host *host,
		const struct survey_scope *scope, struct throttle *throttle,
		const volatile int *stop);

/*
 * Complete the survey when the free blocks (@map) are known: find blocks that are multiply claimed
 * or claimed although free, find names, and print messages about the errors found so far.
 */
void survey_check(struct survey *survey, struct meta *meta, const struct host *host,
		  const struct freemap *map, struct throttle *throttle, const volatile int *stop);

/*
 * Read one file again: its @layout, @seq and the numbers in its record. Returns 0, or -errno
 * without a message.
 */
int survey_again(struct survey *survey, struct file *file, struct node *node,
		 const struct info *info, struct layout *layout, struct sequence *seq);

#endif
