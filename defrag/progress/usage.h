/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A picture of the disk for people: a fixed number of cells, each of so many blocks, and of each
 * cell how many of its blocks are free, of files in one piece, and so on. The survey and the map of
 * free space fill it in, the moves keep it up to date; it takes the same memory for any disk.
 *
 * While others write, what was counted at one time and what at another need not add up: no count
 * falls below 0, but those of a cell may be more than its blocks together.
 */
#ifndef E3DEFRAG_USAGE_H
#define E3DEFRAG_USAGE_H

#include <stddef.h>
#include <stdint.h>

#include "plan/freemap.h"
#include "plan/layout.h"

/* Cells at most; 56 bytes each. */
#define USAGE_CELLS 4096

/* What is counted in a cell: each block under one kind, those that moved once more. */
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
	uint64_t blocks; /* from block 0 on; what 32-bit pointers don't reach is not in it */
	uint64_t each;	 /* blocks in a cell; the last one may have fewer */
	size_t cells;	 /* 0: nobody wants a picture, and what is added is lost */
	struct usage_cell *cell;
};

/* Nothing is known yet of @blocks blocks, in @cells cells or, as blocks are whole, fewer. */
void usage_init(struct usage *usage, uint64_t blocks, size_t cells);
void usage_free(struct usage *usage);

/* The same in @cells cells or fewer, each of several of @from: how a smaller space shows it. */
void usage_shrink(struct usage *to, const struct usage *from, size_t cells);

/* Count @length blocks from @start on, or don't any more. It takes a step for each cell. */
void usage_add(struct usage *usage, enum usage_kind kind, uint64_t start, uint64_t length);
void usage_take(struct usage *usage, enum usage_kind kind, uint64_t start, uint64_t length);

/* Blocks that were @was at @from are @is at @to now, and have moved. */
void usage_move(struct usage *usage, enum usage_kind was, uint64_t from, enum usage_kind is,
		uint64_t to, uint64_t length);

/* The free blocks are those of @map, whatever was free before. */
void usage_freemap(struct usage *usage, const struct freemap *map);

/* A file or directory that lies there; its data is of that kind. */
void usage_layout(struct usage *usage, enum usage_kind kind, const struct layout *layout);

/*
 * A file in @was fragments lies in @is fragments now. Of the blocks that both layouts have, those
 * that lie elsewhere have moved.
 */
void usage_relayout(struct usage *usage, const struct layout *old, uint32_t was,
		    const struct layout *now, uint32_t is);

/* The kind of data in so many fragments. */
enum usage_kind usage_file_kind(uint32_t fragments);

/* The first block of a cell, and how many it has. */
uint64_t usage_start(const struct usage *usage, size_t cell);
uint64_t usage_size(const struct usage *usage, size_t cell);

/* What is neither free nor was seen: tables, the journal, files that nobody looked at. */
uint64_t usage_other(const struct usage *usage, size_t cell);

/* Blocks of that kind in all cells. */
uint64_t usage_sum(const struct usage *usage, enum usage_kind kind);

#endif
