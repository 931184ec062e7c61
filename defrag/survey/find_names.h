/* SPDX-License-Identifier: GPL-2.0-only */
/* Which files of a survey are named in reports and messages, and the walk that finds the names. */
#ifndef E3DEFRAG_FIND_NAMES_H
#define E3DEFRAG_FIND_NAMES_H

#include "fs/host.h"
#include "pacing/throttle.h"
#include "survey/files.h"

/*
 * Find the names by walking the directories of @host. If only some directories are targets, they
 * were walked before and are in memory by now. survey->trouble must be sorted by
 * trouble_by_inode(). Files for which no name is found get NAME_NONE. Ends early when *@stop is
 * set.
 */
void find_names(struct survey *survey, const struct host *host, const struct geometry *geo,
		struct throttle *throttle, const volatile int *stop);

#endif
