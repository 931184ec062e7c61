/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where to look for names first. ext3 puts a file's inode into the block group of its directory's
 * inode, while there is room. So of the directories that have none below them, which are nearly all
 * there are, those can wait in whose groups no name is wanted.
 */
#ifndef E3DEFRAG_LEAF_DIRS_H
#define E3DEFRAG_LEAF_DIRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct leaf_dirs {
	uint32_t *ino; /* directories without directories, ascending */
	size_t count, room;
	uint32_t per_group; /* inodes; 0 until a name is wanted */
	size_t groups;
	bool *wanted; /* of each group */
};

void leaf_dirs_free(struct leaf_dirs *leaf_dirs);

/* Add a directory that has none below it; the numbers ascend. */
void leaf_dirs_add(struct leaf_dirs *leaf_dirs, uint32_t ino);

/* The groups of a filesystem of so many @inodes; no names are wanted yet. */
void leaf_dirs_groups(struct leaf_dirs *leaf_dirs, uint32_t inodes, uint32_t per_group);

/* A name of inode @ino is wanted. */
void leaf_dirs_want(struct leaf_dirs *leaf_dirs, uint32_t ino);

/* Whether to look into directory @ino only when all others were not enough. */
bool leaf_dirs_later(const struct leaf_dirs *leaf_dirs, uint32_t ino);

#endif
