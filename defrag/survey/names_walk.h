/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The walk for names in a process of its own. A user can hold the lock of a directory for ever, by
 * a page fault that is never answered, and then no signal ends what waits for it. So the process
 * that walks is one that can be abandoned: it holds nothing but directories, and this one waits
 * for it as long as it makes progress, and no longer than the run may take.
 */
#ifndef E3DEFRAG_NAMES_WALK_H
#define E3DEFRAG_NAMES_WALK_H

#include "survey/walk_child.h"

/*
 * Walk the tree below @place, and add the wanted names of regular files. A file with several names
 * is seen several times, a directory once. Ends early when *@stop is set. What could not be read is
 * counted in names->gaps.
 */
void names_walk(struct names *names, const struct names_place *place, struct names_wanted *wanted,
		struct throttle *throttle, const volatile int *stop);

/*
 * After the last walk: tell how many directories of @subject were not entered, and what became of
 * the files in them.
 */
void names_tell_gaps(const struct names *names, const char *subject, const char *effect);

#endif
