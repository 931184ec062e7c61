/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The map of free space: runs of free blocks, ascending, a snapshot of allocation/free_blocks
 * less what plans have claimed since. Claims are taken from the front of a run, so a run keeps its
 * number until the map is read anew. Every question is answered in O(log n).
 */
#ifndef E3DEFRAG_FREEMAP_H
#define E3DEFRAG_FREEMAP_H

#include <stddef.h>
#include <stdint.h>

struct free_run {
	uint32_t start;	 /* first block */
	uint32_t length; /* blocks; 0 once it is all claimed */
};

struct freemap {
	struct free_run *run; /* ascending by start, never touching each other */
	size_t runs, room;
	uint64_t total;	 /* free blocks in all runs */
	uint64_t beyond; /* free blocks that 32-bit pointers don't reach; not in total */

	/* by length, then start: a treap over the run numbers */
	struct freemap_node *node;
	uint32_t root;
	/* greatest length in each half, quarter...: a segment tree over the run numbers */
	uint32_t *greatest;
	size_t leaves;
};

#define FREEMAP_NONE SIZE_MAX

void freemap_init(struct freemap *map);
void freemap_free(struct freemap *map);
/* Forget all runs, keep the memory. */
void freemap_clear(struct freemap *map);

/* Add a run at the end; one that touches the last is merged. -EPROTO: not ascending. */
int freemap_add(struct freemap *map, uint64_t start, uint64_t length);
/* Build the indices; needed once, after the last freemap_add and before any question. */
void freemap_index(struct freemap *map);

/*
 * The shortest run of at least @need blocks (1 or more); among equally long ones the one whose
 * start is nearest to block @near. FREEMAP_NONE if there is none.
 */
size_t freemap_fit(const struct freemap *map, uint32_t need, uint32_t near);

/*
 * Of the runs that start in [@from, @to) and have @need to @limit blocks the shortest, looking at
 * the first few that are long enough. FREEMAP_NONE if none of these.
 */
size_t freemap_fit_within(const struct freemap *map, uint64_t from, uint64_t to, uint32_t need,
			  uint64_t limit);

/* The longest run, and the one that comes before @run by length. FREEMAP_NONE at the end. */
size_t freemap_longest(const struct freemap *map);
size_t freemap_next_shorter(const struct freemap *map, size_t run);

/* Take the first @length blocks, 1 up to all, of a run. */
void freemap_claim(struct freemap *map, size_t run, uint32_t length);

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
