/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an unmounted image holds, read with libext2fs: the judge of a run with a fault in it.
 */
#ifndef IMAGE_H
#define IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MOVED_SEED 1
#define REWRITTEN_SEED 2

/* What was made, and is compared with. */
struct image_files {
	uint32_t moved_blocks;	  /* size of "moved", the file that is relocated */
	uint32_t sparse_blocks;	  /* size of "sparse", a file of zeros */
	uint32_t rewritten_first; /* blocks of "moved" that may hold the other seed's bytes */
	uint32_t rewritten_count; /* 0: none may */
	bool rewritten_must;	  /* they have to: an fsync said so */
	uint32_t ino, sparse_ino;
};

/* Blocks and inodes, free or in use by files: the sums never change. */
struct image_sum {
	uint64_t blocks, inodes;
};

/* Remember the good image: where all lies. */
void image_know(const char *path, struct image_files *files);
/* A word for what lies at this byte of the good image. */
const char *image_site(uint64_t byte);
/* Where the longest run of free blocks starts, and how many blocks are free. */
uint32_t image_longest(uint32_t *length);
uint32_t image_blocksize(void);

unsigned char image_byte(uint64_t at, unsigned int seed);
/* Whether these bytes of a file are the seed's; seed 0 stands for zeros. */
bool image_holds(const unsigned char *bytes, uint64_t at, size_t length, unsigned int seed);
/* The block of the inode table that has this inode. */
uint32_t image_inode_block(uint32_t ino);
/* A complaint if the file's bytes there aren't the seed's, or NULL. */
const char *image_part(const char *path, const char *name, uint32_t first, uint32_t count,
		       unsigned int seed);
/* A complaint if there are more or fewer blocks and inodes than before, or NULL. */
const char *image_leak(const char *path);
/* Returns a complaint, or NULL; @had: blocks from the start on that the donor had. */
const char *image_judge(const char *path, const struct image_files *files, uint32_t had);
/* The same for what e2fsck says; *@how: "clean", "replay" or "repair". */
const char *image_fsck(const char *path, const char **how);

#endif
