/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The sequence: a file's data and indirect blocks in the order in which reading needs them. From it
 * come the number of fragments and the score, which says how much time they cost.
 */
#ifndef E3DEFRAG_SEQUENCE_H
#define E3DEFRAG_SEQUENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plan/layout.h"

/*
 * An item of the sequence: one indirect block, or data blocks that follow each other in the file
 * and on the disk with no indirect block between them.
 */
struct seq_item {
	uint32_t at;	  /* place in the sequence, from 0 */
	uint32_t logical; /* first file block; for an indirect block the first one below it */
	uint32_t physical;
	uint32_t length; /* 1 for an indirect block */
	uint8_t level;	 /* 0 is data */
	bool barren;	 /* an indirect block with no data at all below it */
};

struct sequence {
	struct seq_item *item;
	size_t items, room;
	uint32_t blocks;    /* data and indirect blocks */
	uint32_t fragments; /* runs of blocks on the disk, in reading order; 0 without blocks */
	uint32_t fiemap;    /* extents as FIEMAP counts them: data only, cut at holes */
};

void sequence_init(struct sequence *seq);
void sequence_free(struct sequence *seq);

/*
 * Build the sequence of @layout: the order in which the blocks are needed when the file is read
 * from its start. Each indirect block comes directly before the first data block below it, parents
 * before children. Holes are not part of it, so a sparse file is perfect if its blocks are in one
 * run.
 */
void sequence_build(struct sequence *seq, const struct layout *layout, const struct geometry *geo);

/* The index of the item that contains place @at (below seq->blocks). */
size_t sequence_find(const struct sequence *seq, uint32_t at);

/*
 * True if the file would be read noticeably faster in one fragment: if that saves at least a
 * twentieth of the time that reading it in one fragment takes. This assumes that a fragment shorter
 * than @least bytes takes as long to read as one of @least bytes.
 */
bool sequence_pays(const struct sequence *seq, uint32_t blocksize, uint64_t least);

/* The cost of one seek of a disk, as KiB that could be read in that time: 8 ms at 128 MiB/s. */
#define SEEK_KIB 1024

/*
 * The cost of reading, in KiB that could be read in the same time: `useful` is the data and one
 * seek to it, `lost` is one seek for each fragment after the first. Costs of several files can be
 * added.
 */
struct cost {
	uint64_t useful, lost;
};
void cost_add(struct cost *cost, uint64_t blocks, uint32_t blocksize, uint32_t fragments);

/*
 * The share of the reading time that is lost to seeks inside files, in percent, rounded up: 0 for
 * one fragment, never 100. For a file of S KiB in F fragments
 *
 *	score = 100 * (F - 1) * SEEK_KIB / (S + F * SEEK_KIB)
 *
 * and for many files the numerators and the denominators are summed.
 */
unsigned int score(const struct cost *cost);
unsigned int score_file(uint64_t blocks, uint32_t blocksize, uint32_t fragments);

/* The verdict in the ranges that e4defrag uses: 0-30, 31-55, 56 and more. A static string. */
const char *score_verdict(unsigned int score);

/* The most data blocks that fit into a run of @run blocks together with their indirect blocks. */
uint64_t largest_file(const struct geometry *geo, uint64_t run);

#endif
