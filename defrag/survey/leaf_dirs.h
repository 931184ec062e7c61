/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Leaf directories, which have no subdirectories, and which of them to search for names first.
 * ext3 puts a file's inode into the block group of its directory's inode while there is room. So a
 * leaf directory in a group in which no name is wanted can wait; and nearly all directories are
 * leaves.
 */
#ifndef E3DEFRAG_LEAF_DIRS_H
#define E3DEFRAG_LEAF_DIRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct leaf_dirs {
	uint32_t *ino; /* directories without subdirectories, ascending */
	size_t count, room;
	uint32_t per_group; /* inodes; 0 until a name is wanted */
	size_t groups;
	bool *wanted; /* for each group: a name of an inode in it is wanted */
};

void leaf_dirs_free(struct leaf_dirs *leaf_dirs);

/* Add a directory without subdirectories; the numbers must ascend. */
void leaf_dirs_add(struct leaf_dirs *leaf_dirs, uint32_t ino);

/* Set up the groups of a filesystem with @inodes inodes; no name is wanted yet. */
void leaf_dirs_groups(struct leaf_dirs *leaf_dirs, uint32_t inodes, uint32_t per_group);

/* Note that a name of inode @ino is wanted. */
void leaf_dirs_want(struct leaf_dirs *leaf_dirs, uint32_t ino);

/* True if directory @ino need not be searched before all other directories were. */
bool leaf_dirs_later(const struct leaf_dirs *leaf_dirs, uint32_t ino);

#endif
