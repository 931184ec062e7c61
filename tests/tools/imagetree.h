/* SPDX-License-Identifier: GPL-2.0-only */
/* The block trees of an image that may be corrupt, read with libext2fs and walked by hand. */
#ifndef TESTS_IMAGETREE_H
#define TESTS_IMAGETREE_H

#include <stdbool.h>
#include <stdint.h>

#include <ext2fs/ext2fs.h>

#define FIRST_FILE 12 /* the inode of the first file in a new filesystem */
#define FILES 12

/* The files of odd numbers are immutable: nothing may ever touch their blocks. */
static inline bool is_witness(ext2_ino_t ino)
{
	return ino & 1;
}

void __attribute__((noreturn, format(printf, 2, 3))) die(errcode_t err, const char *what, ...);
ext2_filsys image_open(const char *path, bool write);
void image_inode(ext2_filsys fs, ext2_ino_t ino, struct ext2_inode *inode);
/* False outside the filesystem; then @data is zeros. */
bool image_block(ext2_filsys fs, uint32_t block, void *data);

/* One pointer that isn't 0: level 0 is data. False ends the walk. */
typedef bool (*claim_fn)(void *private, int level, uint64_t logical, uint32_t block);

/*
 * Each pointer of a file, also one that leads outside; what lies there is taken for zeros. A tree
 * that claims more than the filesystem could hold many times over is cut short: false.
 */
bool image_walk(ext2_filsys fs, const struct ext2_inode *inode, claim_fn fn, void *private);

#endif
