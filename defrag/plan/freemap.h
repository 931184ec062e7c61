/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The map of free space: runs of free blocks, ascending, a snapshot of allocation/free_blocks
 * less what plans have claimed since. Claims are taken from the ends of a run, so a run keeps its
 * number until the map is read anew.
 *
 * It is made for ten million runs: 17 bytes a run, and questions that look at a few runs, however
 * many there are. By length, bylength.c finds them; by place, an index of a few bytes leads to the
 * runs of a block group, which are then looked at one by one.
 */
#ifndef E3DEFRAG_FREEMAP_H
#define E3DEFRAG_FREEMAP_H

#include <stddef.h>
#include <stdint.h>

#include "plan/bylength.h"

struct freemap {
	struct free_run *run; /* ascending by start, never touching each other */
	size_t runs, room;
	uint64_t total;	 /* free blocks in all runs */
	uint64_t beyond; /* free blocks that 32-bit pointers don't reach; not in total */

	struct by_length *by_length;
	uint32_t *greatest; /* the length of the longest in each FREEMAP_LOT runs */

	/*
	 * Of each 2^shift blocks the number of the first run that started in them, or after them,
	 * before anything was claimed. One more at the end: the number of runs.
	 */
	uint32_t *first;
	size_t stretches;
	unsigned int shift;
};

#define FREEMAP_NONE SIZE_MAX
#define FREEMAP_LOT 16
/* So many runs that are long enough freemap_fit_within looks at. */
#define FREEMAP_TRIES 256

void freemap_init(struct freemap *map);
void freemap_free(struct freemap *map);
/* Forget all runs, keep the memory. */
void freemap_clear(struct freemap *map);

/* Add a run at the end; one that touches the last is merged. -EPROTO: not ascending. */
int freemap_add(struct freemap *map, uint64_t start, uint64_t length);
/* Build the indices; needed once, after the last freemap_add and before any question. */
void freemap_index(struct freemap *map);

/*
 * The shortest run of at least @need blocks (1 or more). Among equally long ones the one whose
 * start is nearest to block @near; of those shorter than BY_LENGTH_SHORT, though, there can be
 * millions, and the nearest of the first BY_LENGTH_FEW is taken: what is left of a run that was
 * claimed comes before all others of its length, the last such one first; the others follow in
 * their order on the disk. FREEMAP_NONE if no run is long enough.
 */
size_t freemap_fit(const struct freemap *map, uint32_t need, uint32_t near);

/*
 * Of the runs that start in [@from, @to) and have @need to @limit blocks the shortest, of equally
 * long ones the first. FREEMAP_NONE if there is none among the first FREEMAP_TRIES that have @need
 * blocks. It takes a time that grows with the runs in the range: that of a block group is meant.
 */
size_t freemap_fit_within(const struct freemap *map, uint64_t from, uint64_t to, uint32_t need,
			  uint64_t limit);

/* The longest run, and one after the other down from it. FREEMAP_NONE at the end. */
size_t freemap_longest(const struct freemap *map);
size_t freemap_next_shorter(const struct freemap *map, size_t run);

/* Take the first @length blocks, 1 up to all, of a run. */
void freemap_claim(struct freemap *map, size_t run, uint32_t length);
/* Or the last ones. */
void freemap_claim_end(struct freemap *map, size_t run, uint32_t length);

/*
 * The fewest runs that hold @need blocks together; 0 if all runs together don't, and @most if it
 * would be @most or more.
 */
uint32_t freemap_pieces(const struct freemap *map, uint64_t need, uint32_t most);

/* Runs by size: class i counts those of 2^i to 2^(i+1) - 1 blocks. */
struct freemap_class {
	uint64_t runs, blocks;
};
void freemap_classes(const struct freemap *map, struct freemap_class class[32]);

#endif
