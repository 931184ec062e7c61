/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A walk of directories for the names of files. Users choose how deep and how wide it is, and
 * rename what it is in; so it needs neither a stack nor a descriptor for more than paths can be
 * long, and enters a directory once. names_walk.c runs it in a process of its own, because a user
 * can also make each system call on a directory wait for ever.
 */
#ifndef E3DEFRAG_WALK_H
#define E3DEFRAG_WALK_H

#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "pacing/throttle.h"
#include "survey/leaf_dirs.h"
#include "survey/name_stream.h"
#include "survey/names.h"

/*
 * An observer of a walk, which is called for all names, wanted or not. The walk does not end before
 * the observer has seen enough. In the process that walks, it decides about files by their names;
 * the process that waits is told each verdict, and must get to the same state by it.
 */
struct names_watch {
	/* Called for the regular file @name in the directory @dir. Returns a verdict, or 0. */
	uint32_t (*file)(void *to, int dir, const char *name, uint32_t ino);
	/* Called in both processes for each verdict but 0. */
	void (*decided)(void *to, uint32_t ino, uint32_t verdict);
	/* Called on entering a directory, whose @name is valid until it is left, and on leaving. */
	void (*enter)(void *to, const char *name);
	void (*leave)(void *to);
	void *to;
	size_t left; /* 0: it has seen enough */
};

/* What a walk must find. */
struct names_wanted {
	/*
	 * Called for each regular file. Returns where to put the number of its name, or NULL if the
	 * name is not wanted.
	 */
	uint32_t *(*slot)(void *to, uint32_t ino);
	void *to;
	size_t left;  /* how many more names are wanted; at 0 the walk ends */
	bool numbers; /* only inode numbers are wanted: slot() returns NULL for all */
	bool again;   /* a second walk, which looks into all leaf directories, too */
	/*
	 * Leaf directories, some of which the first walk leaves out; NULL: it walks all. The second
	 * walk reads all directories.
	 */
	const struct leaf_dirs *leaf_dirs;
	struct names_watch *watch; /* or NULL */
};

bool names_wants_more(const struct names_wanted *wanted);

/* Where the walk is, in memory that both processes see, and one writes. */
struct walk_where {
	atomic_uint_fast64_t beats;   /* grows as long as the walk goes on */
	atomic_uint_fast64_t entries; /* looked at so far */
	/* The directory that it reads, or opens a file in. */
	uint32_t ino;
	uid_t uid;
	size_t length;
	char path[PATH_MAX + NAME_MAX + 2];
};

/* Count one more. There is one writer, so that this need not be atomic as a whole. */
static inline uint64_t walk_count(atomic_uint_fast64_t *counter)
{
	const uint64_t count = atomic_load_explicit(counter, memory_order_relaxed) + 1;

	atomic_store_explicit(counter, count, memory_order_relaxed);
	return count;
}

struct walk_level;

struct walk {
	struct names *names; /* with numbers_only */
	struct names_wanted *wanted;
	const char *prefix; /* the path of the directory where the walk begins */
	struct throttle *throttle;
	struct name_stream *out;
	struct walk_where *where;

	dev_t dev;
	uint64_t flushed; /* when what was found was passed on */
	struct inode_set entered;
	struct walk_level *level;
	size_t levels, room;
};

/*
 * Walk the tree below the directory that @fd is open on, of any kind. The walk stays on its
 * filesystem, walk->dev, does not follow symbolic links, and does not enter other mounts.
 */
void walk_tree(struct walk *walk, int fd);

#endif
