/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A set of inode numbers: a bitmap, made as it is needed in pages, so that its size is bounded by
 * the number of inodes and not by how often a directory or a link shows up.
 */
#ifndef E3DEFRAG_INODE_SET_H
#define E3DEFRAG_INODE_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero: empty. */
struct inode_set {
	uint64_t **page;
	size_t pages, count;
};

/* Returns false if @ino was in the set before. */
bool inode_set_add(struct inode_set *set, uint32_t ino);

/* All numbers, ascending, malloc'd; set->count of them. */
uint32_t *inode_set_list(const struct inode_set *set);

void inode_set_free(struct inode_set *set);

#endif
