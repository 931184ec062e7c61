/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The map of free blocks: runs in ascending order, a snapshot of allocation/free_blocks without
 * what plans have claimed since. A claim takes blocks from an end of a run, so a run keeps its
 * number until the free blocks are read again.
 *
 * It is designed for ten million runs: it takes 17 bytes a run, and a query visits only a few runs,
 * however many there are. By length, bylength.c finds them. By place, a small index leads to the
 * runs of a block group, which are then visited one by one.
 */
#ifndef E3DEFRAG_FREEMAP_H
#define E3DEFRAG_FREEMAP_H

#include <stddef.h>
#include <stdint.h>

#include "plan/bylength.h"

struct freemap {
	struct free_run *run; /* ascending by start, never adjacent */
	size_t runs, room;
	uint64_t total;	 /* free blocks in all runs */
	uint64_t beyond; /* free blocks that 32-bit pointers can't address; not in total */

	struct by_length *by_length;
	uint32_t *greatest; /* for each lot of FREEMAP_LOT runs, the length of the longest */

	/*
	 * For each stretch of 2^shift blocks the number of the first run that started in it or
	 * after it before anything was claimed. One more entry at the end has the number of runs.
	 */
	uint32_t *first;
	size_t stretches;
	unsigned int shift;
};

#define FREEMAP_NONE SIZE_MAX
#define FREEMAP_LOT 16
/* How many runs that are long enough freemap_fit_within() visits at most. */
#define FREEMAP_TRIES 256

void freemap_init(struct freemap *map);
void freemap_free(struct freemap *map);
/* Remove all runs, but keep the memory. */
void freemap_clear(struct freemap *map);

/*
 * Add a run at the end; it is merged with the last one if they are adjacent. Returns 0, or -EPROTO
 * if it has length 0, is longer than 32 bits can say, overlaps the last one or precedes it.
 */
int freemap_add(struct freemap *map, uint64_t start, uint64_t length);
/* Build the indices: call it once after the last freemap_add(), before any query. */
void freemap_index(struct freemap *map);

/*
 * Find the shortest run of at least @need blocks (1 or more). Among runs of that length it is the
 * one whose start is nearest to block @near. There can be millions of equal runs shorter than
 * BY_LENGTH_SHORT, so of these only the first BY_LENGTH_FEW are compared: first the remainders of
 * runs that were partly claimed, the latest first, then the others in their order on the disk.
 * Returns the number of the run, or FREEMAP_NONE if no run is long enough.
 */
size_t freemap_fit(const struct freemap *map, uint32_t need, uint32_t near);

/*
 * Find the shortest run that starts in [@from, @to) and has @need to @limit blocks; of equally long
 * ones the first. FREEMAP_NONE if there is none among the first FREEMAP_TRIES that have @need
 * blocks. The time grows with the number of runs in the range, which should be a block group's.
 */
size_t freemap_fit_within(const struct freemap *map, uint64_t from, uint64_t to, uint32_t need,
			  uint64_t limit);

/* The longest run, and the run after @run from the longest down. FREEMAP_NONE at the end. */
size_t freemap_longest(const struct freemap *map);
size_t freemap_next_shorter(const struct freemap *map, size_t run);

/* Remove the first @length blocks of a run (1 up to all of it) from the map. */
void freemap_claim(struct freemap *map, size_t run, uint32_t length);
/* The same for the last @length blocks. */
void freemap_claim_end(struct freemap *map, size_t run, uint32_t length);

/*
 * Return the fewest runs that together hold @need blocks, at most @most; 0 if all runs together
 * have less than that.
 */
uint32_t freemap_pieces(const struct freemap *map, uint64_t need, uint32_t most);

/* A histogram of the runs: class i counts the runs of 2^i to 2^(i+1) - 1 blocks. */
struct freemap_class {
	uint64_t runs, blocks;
};
void freemap_classes(const struct freemap *map, struct freemap_class class[32]);

#endif
