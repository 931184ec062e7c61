/* SPDX-License-Identifier: GPL-2.0-only */
/* The names of files, by inode: a walk of directories, kept as a tree of names. */
#ifndef E3DEFRAG_NAMES_H
#define E3DEFRAG_NAMES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "pace.h"

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

void names_free(struct names *names);

/* Add one file by the path it was given with. Returns its number. */
uint32_t names_add(struct names *names, uint32_t parent, const char *text, uint32_t ino);

/*
 * Add each regular file below the directory @fd (any kind of descriptor; it stays open) under
 * @prefix, on one filesystem (@dev), not following symbolic links, not looking below what is
 * mounted inside. A file with several names comes several times.
 */
void names_walk(struct names *names, int fd, dev_t dev, const char *prefix, struct pace *pace);

/* The whole path of a name, malloc'd; printable only if the caller makes it so. */
char *names_path(const struct names *names, uint32_t name);

#endif
