/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The names of files, by inode: what a walk of directories finds, kept as a tree of names. Only
 * the names that are wanted are kept, and the directories above them.
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
	uint64_t failed; /* directories that could not be read; each was complained about */
};

/*
 * Somebody who goes along with a walk and looks at all names, wanted or not: then it doesn't end
 * before this has seen enough, either.
 */
struct names_watch {
	/* The file @name, in the directory @dir. */
	void (*file)(void *to, int dir, const char *name, uint32_t ino);
	/* Into a directory, whose @name lasts until it is left again. */
	void (*enter)(void *to, const char *name);
	void (*leave)(void *to);
	void *to;
	size_t left; /* 0: it has seen enough */
};

/* What a walk is for. */
struct names_wanted {
	/* Called for each regular file: where the number of its name goes, NULL if nobody asks. */
	uint32_t *(*slot)(void *to, uint32_t ino);
	void *to;
	size_t left; /* the walk ends when so many names were taken */
	bool again;  /* a second walk: what can't be read was complained about */
	/*
	 * Directories that a first walk leaves out, or NULL: there are none. A second one looks
	 * into all, and complains only about what is new to it.
	 */
	const struct leaf_dirs *leaf_dirs;
	struct names_watch *watch; /* or NULL */
};

void names_free(struct names *names);

/* Add one file by the path it was given with. Returns its number. */
uint32_t names_add(struct names *names, uint32_t parent, const char *text, uint32_t ino);

/*
 * Look at each regular file below the directory @fd (any kind of descriptor; it stays open) under
 * @prefix, on one filesystem (@dev), not following symbolic links, not looking below what is
 * mounted inside, and add the names that are wanted. A file with several names comes several times.
 */
void names_walk(struct names *names, int fd, dev_t dev, const char *prefix,
		struct names_wanted *wanted, struct throttle *throttle);

/* The whole path of a name, malloc'd; printable only if the caller makes it so. */
char *names_path(const struct names *names, uint32_t name);

#endif
