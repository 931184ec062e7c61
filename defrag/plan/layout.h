/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The geometry of a filesystem, and the layout of one block-mapped file: where its data and its
 * indirect blocks are. All places and lengths are filesystem blocks. Block pointers of such a file
 * have 32 bits.
 */
#ifndef E3DEFRAG_LAYOUT_H
#define E3DEFRAG_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct geometry {
	uint32_t blocksize;   /* bytes: 1024 to 65536, a power of two */
	uint64_t blocks;      /* of the filesystem; the last block is blocks - 1 */
	uint64_t first_block; /* 1 if blocks have 1 KiB, else 0 */
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
	uint32_t logical; /* the first logical block that it maps, even if that is a hole */
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
/* Remove all extents and indirect blocks, but keep the memory. */
void layout_clear(struct layout *layout);

/*
 * Add an extent or an indirect block at the end. An extent that continues the last one is merged
 * with it. Returns 0, or -EPROTO if it is out of order, overlaps the last one, has length 0, a
 * level outside 1 to 3, or an end beyond 32 bits.
 */
int layout_add_extent(struct layout *layout, uint32_t logical, uint32_t physical, uint32_t length);
int layout_add_indirect(struct layout *layout, uint32_t level, uint32_t logical, uint32_t physical);

/*
 * True if all blocks of @old are still in the same place in @now. @now may have more blocks after
 * the last one of @old: a file that only grew counts as unchanged.
 */
bool layout_holds(const struct layout *now, const struct layout *old);

/* The block group of block @block, or of inode @ino. */
uint32_t block_group(const struct geometry *geo, uint64_t block);
uint32_t inode_group(const struct geometry *geo, uint32_t ino);

/* How many data blocks an indirect block of @level (1 to 3) maps; 1 for level 0. */
uint64_t indirect_span(const struct geometry *geo, uint32_t level);

#endif
