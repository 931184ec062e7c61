/* SPDX-License-Identifier: GPL-2.0-only */
/* The reading-order sequence of a file's blocks, its fragments, and what they cost. */
#ifndef E3DEFRAG_SEQUENCE_H
#define E3DEFRAG_SEQUENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plan/layout.h"

/*
 * Some blocks of the sequence: one indirect block, or data blocks that follow each other in the
 * file and on the disk with no indirect block between them.
 */
struct seq_item {
	uint32_t at;	  /* place in the sequence, from 0 */
	uint32_t logical; /* for an indirect block the first block below it */
	uint32_t physical;
	uint32_t length; /* 1 for an indirect block */
	uint8_t level;	 /* 0 is data */
	bool barren;	 /* an indirect block with no data at all below it */
};

struct sequence {
	struct seq_item *item;
	size_t items, room;
	uint32_t blocks;    /* data and indirect blocks */
	uint32_t fragments; /* runs on the disk that reading in order meets; 0 if no blocks */
	uint32_t fiemap;    /* extents as FIEMAP counts them: data only, cut at holes */
};

void sequence_init(struct sequence *seq);
void sequence_free(struct sequence *seq);

/*
 * The order in which the blocks are needed when the file is read from its start: each indirect
 * block comes right before the first data block below it, parents before children. A hole has no
 * place in it, so a sparse file is perfect when what it has lies in one run.
 */
void sequence_build(struct sequence *seq, const struct layout *layout, const struct geometry *geo);

/* The item that place @at (below seq->blocks) belongs to. */
size_t sequence_find(const struct sequence *seq, uint32_t at);

/*
 * Where a piece shorter than @least bytes takes as long to read as one of @least: would the file be
 * read noticeably faster, by a twentieth of the time that it takes in one piece?
 */
bool sequence_pays(const struct sequence *seq, uint32_t blocksize, uint64_t least);

/*
 * One jump of a disk's head, as the KiB that could be read in that time: 8 ms at 128 MiB/s.
 */
#define SEEK_KIB 1024

/*
 * What reading costs, in KiB read: `useful` is the data and one jump to get to it, `lost` is
 * one jump for each fragment after the first. Costs of several files add up.
 */
struct cost {
	uint64_t useful, lost;
};
void cost_add(struct cost *cost, uint64_t blocks, uint32_t blocksize, uint32_t fragments);

/*
 * The share of the reading time that is lost to jumps inside files, in percent, rounded up: 0 for
 * one fragment, never 100. For a file of S KiB in F fragments
 *
 *	score = 100 * (F - 1) * SEEK_KIB / (S + F * SEEK_KIB)
 *
 * and for many files the sums of both sides.
 */
unsigned int score(const struct cost *cost);
unsigned int score_file(uint64_t blocks, uint32_t blocksize, uint32_t fragments);

/* e4defrag's bands: 0-30, 31-55, 56 and more. */
const char *score_verdict(unsigned int score);

/* The most data blocks that fit with their indirect blocks into a run of @run blocks. */
uint64_t largest_file(const struct geometry *geo, uint64_t run);

#endif
