/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where things lie: the shape of a filesystem and of one block-mapped file. All places and
 * lengths are filesystem blocks. Block pointers of such a file have 32 bits.
 */
#ifndef E3DEFRAG_LAYOUT_H
#define E3DEFRAG_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct geometry {
	uint32_t blocksize;   /* bytes: 1024 to 65536, a power of two */
	uint64_t blocks;      /* of the filesystem; the last one is blocks - 1 */
	uint64_t first_block; /* 1 on 1 KiB blocks, else 0 */
	uint32_t blocks_per_group;
	uint32_t inodes;
	uint32_t inodes_per_group;
	char id[37]; /* the UUID as text */
};

/* Data blocks that follow each other both in the file and on the disk. Holes are not kept. */
struct extent {
	uint32_t logical;
	uint32_t physical;
	uint32_t length;
};

/* One indirect block; level 1 points at data, 2 at level 1, 3 at level 2. */
struct indirect {
	uint32_t logical; /* first logical block below it, be it a hole */
	uint32_t physical;
	uint32_t level;
};

struct layout {
	struct extent *extent; /* ascending by logical */
	size_t extents, extent_room;
	uint64_t data;		   /* blocks in all extents */
	struct indirect *indirect; /* tree order: ascending by logical, parents first */
	size_t indirects, indirect_room;
};

void layout_init(struct layout *layout);
void layout_free(struct layout *layout);
/* Forget the contents, keep the memory. */
void layout_clear(struct layout *layout);

/*
 * Add at the end. An extent that continues the last one is merged into it. -EPROTO: out of order
 * or overlapping what is there, of no length, or past the end of 32 bits.
 */
int layout_add_extent(struct layout *layout, uint32_t logical, uint32_t physical, uint32_t length);
int layout_add_indirect(struct layout *layout, uint32_t level, uint32_t logical, uint32_t physical);

/*
 * Is all of @old still in its place in @now? Blocks past the last one of @old may have been added:
 * a file that only grew still counts as the same.
 */
bool layout_holds(const struct layout *now, const struct layout *old);

/* The block group of block @block, or that inode @ino belongs to. */
uint32_t block_group(const struct geometry *geo, uint64_t block);
uint32_t inode_group(const struct geometry *geo, uint32_t ino);

/* Data blocks below one indirect block of @level (1 to 3). */
uint64_t indirect_span(const struct geometry *geo, uint32_t level);

#endif
