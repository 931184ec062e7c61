/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The names of files by inode number: a walk of the directories finds them, and they are kept as a
 * tree. Only the names that are wanted and the directories above them are kept, to save memory.
 */
#ifndef E3DEFRAG_NAMES_H
#define E3DEFRAG_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "pacing/throttle.h"
#include "survey/leaf_dirs.h"

#define NAME_NONE UINT32_MAX

/* One name of a file, or a directory that files are in. */
struct name {
	uint32_t ino;	 /* 0 for a directory */
	uint32_t parent; /* number of the directory's name, NAME_NONE at the top */
	uint32_t text;	 /* offset in names->text */
};

struct names {
	struct name *name;
	size_t count, room;
	char *text;
	size_t text_size, text_room;
	uint64_t failed; /* directories that could not be read; a message was printed for each */
};

/*
 * An observer of a walk, which is called for all names, wanted or not. The walk does not end before
 * the observer has seen enough.
 */
struct names_watch {
	/* Called for the regular file @name in the directory @dir. */
	void (*file)(void *to, int dir, const char *name, uint32_t ino);
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
	size_t left; /* how many more names are wanted; at 0 the walk ends */
	bool again;  /* a second walk: don't repeat messages about what can't be read */
	/*
	 * Leaf directories, some of which the first walk leaves out; NULL: it walks all. The second
	 * walk reads all directories, but complains only about those that the first one left out.
	 */
	const struct leaf_dirs *leaf_dirs;
	struct names_watch *watch; /* or NULL */
};

void names_free(struct names *names);

/*
 * Add the name @text of inode @ino in the directory @parent, the number of a name. For a file that
 * the user named, @text is the path as given and @parent NAME_NONE. Returns the number of the new
 * name, or NAME_NONE if there is no room for it.
 */
uint32_t names_add(struct names *names, uint32_t parent, const char *text, uint32_t ino);

/*
 * Walk the tree below the directory @fd, whose path is @prefix, and add the wanted names of regular
 * files. @fd may be any kind of descriptor, and stays open. The walk stays on the filesystem @dev,
 * does not follow symbolic links, and does not enter other mounts. A file with several names is
 * seen several times.
 */
void names_walk(struct names *names, int fd, dev_t dev, const char *prefix,
		struct names_wanted *wanted, struct throttle *throttle);

/* The whole path of a name, not made printable. The caller frees it. */
char *names_path(const struct names *names, uint32_t name);

#endif
