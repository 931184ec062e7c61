/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The usage of the disk, for the map on the screen and in the HTML report: the disk is divided into
 * a limited number of cells of equal size, and for each cell its blocks are counted by kind: free,
 * of files in one piece, and so on. The survey and the list of free blocks fill it in, and the
 * moves keep it up to date. It takes the same memory for any disk.
 *
 * While others write, counts that were made at different times need not agree: no count becomes
 * negative, but the sum of a cell's counts may exceed its blocks.
 */
#ifndef E3DEFRAG_USAGE_H
#define E3DEFRAG_USAGE_H

#include <stddef.h>
#include <stdint.h>

#include "plan/freemap.h"
#include "plan/layout.h"

/* The most cells; each takes 56 bytes. */
#define USAGE_CELLS 4096

/* The counts of a cell: each block is counted under one kind, and moved ones once more. */
enum usage_kind {
	USAGE_FREE,
	USAGE_WHOLE,	 /* data of files in one piece */
	USAGE_PIECES,	 /* data of fragmented files */
	USAGE_INDIRECT,	 /* indirect blocks */
	USAGE_DIRECTORY, /* data of directories */
	USAGE_KINDS,
	USAGE_AWAY = USAGE_KINDS, /* blocks that moved away from here */
	USAGE_IN,		  /* blocks that moved here */
	USAGE_COUNTS
};

struct usage_cell {
	uint64_t count[USAGE_COUNTS];
};

struct usage {
	uint64_t blocks; /* from block 0 on, as far as 32-bit block numbers go */
	uint64_t each;	 /* blocks in a cell; the last one may have fewer */
	size_t cells;	 /* 0: not used; what is added is ignored */
	struct usage_cell *cell;
};

/*
 * Set up @usage for @blocks blocks, with all counts 0, in @cells cells; or fewer, since each cell
 * has a whole number of blocks.
 */
void usage_init(struct usage *usage, uint64_t blocks, size_t cells);
void usage_free(struct usage *usage);

/* Set up @to with the counts of @from in at most @cells cells, each of which merges several. */
void usage_shrink(struct usage *to, const struct usage *from, size_t cells);

/*
 * Add @length blocks from @start on to the counts of @kind, or subtract them. The time grows with
 * the number of cells.
 */
void usage_add(struct usage *usage, enum usage_kind kind, uint64_t start, uint64_t length);
void usage_take(struct usage *usage, enum usage_kind kind, uint64_t start, uint64_t length);

/* Count that @length blocks of kind @was at @from have moved to @to and are of kind @is now. */
void usage_move(struct usage *usage, enum usage_kind was, uint64_t from, enum usage_kind is,
		uint64_t to, uint64_t length);

/* Replace the counts of free blocks by those of @map. */
void usage_freemap(struct usage *usage, const struct freemap *map);

/* Add the blocks of a file or directory whose data is of @kind. */
void usage_layout(struct usage *usage, enum usage_kind kind, const struct layout *layout);

/*
 * Replace the layout @old of a file with @was fragments by @now with @is fragments. File blocks
 * that are in both layouts, in different places, count as moved.
 */
void usage_relayout(struct usage *usage, const struct layout *old, uint32_t was,
		    const struct layout *now, uint32_t is);

/* The kind of the data of a file with @fragments. */
enum usage_kind usage_file_kind(uint32_t fragments);

/* The first block of a cell, and its number of blocks. */
uint64_t usage_start(const struct usage *usage, size_t cell);
uint64_t usage_size(const struct usage *usage, size_t cell);

/*
 * The blocks of a cell that are of no kind: the filesystem's tables, the journal, and files that
 * were not surveyed.
 */
uint64_t usage_other(const struct usage *usage, size_t cell);

/* The number of blocks of @kind in all cells. */
uint64_t usage_sum(const struct usage *usage, enum usage_kind kind);

#endif
