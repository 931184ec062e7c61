/* SPDX-License-Identifier: GPL-2.0-only */
/* Which files of a survey are named in reports and messages, and the walk that finds the names. */
#ifndef E3DEFRAG_FIND_NAMES_H
#define E3DEFRAG_FIND_NAMES_H

#include "fs/host.h"
#include "pacing/throttle.h"
#include "survey/files.h"

/*
 * One more walk, over directories that are in memory by now unless the whole filesystem was meant.
 * survey->trouble is sorted by trouble_by_inode(). What has no name keeps NAME_NONE.
 */
void find_names(struct survey *survey, const struct host *host, const struct geometry *geo,
		struct throttle *throttle);

#endif
