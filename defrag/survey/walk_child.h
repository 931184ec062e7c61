/* SPDX-License-Identifier: GPL-2.0-only */
/* The process that walks for names_walk.c: what it takes along, and what it gives up. */
#ifndef E3DEFRAG_WALK_CHILD_H
#define E3DEFRAG_WALK_CHILD_H

#include "survey/walk.h"

/* A directory that the user named: the walk begins there. */
struct names_place {
	int fd; /* of any kind */
	dev_t dev;
	const char *path;
};

struct walk_child {
	pid_t pid;
	int fd; /* the stream of what it finds */
};

/*
 * Start a process that walks the tree below @place with a copy of all that @wanted refers to, and
 * tells what it finds and, in @where, how far it is. Returns false, with errno, if it can't be
 * started.
 */
bool walk_child_start(struct walk_child *child, const struct names *names,
		      const struct names_place *place, struct names_wanted *wanted,
		      struct throttle *throttle, struct walk_where *where);

#endif
