/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An index of free runs by length, for freemap.c: it finds the shortest run that is long enough,
 * the longest, and the next shorter one. A run is known by its number and takes 8 bytes.
 *
 * Nearly all free runs of a filesystem that needs defragmenting are short, and have few different
 * lengths. So runs shorter than BY_LENGTH_SHORT are in lists, one for each length, into which a run
 * is inserted and from which it is removed without a search. Longer runs, of which 32-bit block
 * numbers allow a million at most, are in a treap.
 */
#ifndef E3DEFRAG_BYLENGTH_H
#define E3DEFRAG_BYLENGTH_H

#include <stddef.h>
#include <stdint.h>

struct free_run {
	uint32_t start;	 /* first block */
	uint32_t length; /* blocks; 0 when all of it has been claimed */
};

#define BY_LENGTH_SHORT 4096U
/* How many short runs of equal length are compared to find the nearest. */
#define BY_LENGTH_FEW 16

#define BY_LENGTH_NONE UINT32_MAX

/* For a short run the neighbours in its list, for a long one the subtrees. */
struct by_length_node {
	uint32_t left, right;
};

struct by_length {
	const struct free_run *run; /* the caller's; remove a run before changing its length */
	struct by_length_node *node;
	uint32_t root;			     /* of the treap */
	uint32_t head[BY_LENGTH_SHORT];	     /* the first run of each length */
	uint32_t count[BY_LENGTH_SHORT];     /* how many runs of each length there are */
	uint64_t used[BY_LENGTH_SHORT / 64]; /* one bit for each length: set if it has runs */
	uint64_t used_words;		     /* one bit for each word of `used`: set if not 0 */
};

/*
 * Build the index of the @runs runs; those of length 0 are left out. Short runs of equal length are
 * in the order of their numbers.
 */
void by_length_build(struct by_length *by, const struct free_run *run, uint32_t runs);
void by_length_free(struct by_length *by);

/* Insert or remove a run. A short one becomes the first of those that have its length. */
void by_length_insert(struct by_length *by, uint32_t run);
void by_length_remove(struct by_length *by, uint32_t run);

/*
 * Find the shortest run of at least @need blocks (1 or more). Among runs of that length, it is the
 * one whose start is nearest to block @near: for long runs of all, for short ones of the first
 * BY_LENGTH_FEW. @middle must be the number of the first run that starts at @near or after it.
 * Returns BY_LENGTH_NONE if no run is long enough.
 */
uint32_t by_length_fit(const struct by_length *by, uint32_t need, uint32_t near, uint32_t middle);

/* The longest run, and the run after @run from the longest down; BY_LENGTH_NONE: there is none. */
uint32_t by_length_longest(const struct by_length *by);
uint32_t by_length_next(const struct by_length *by, uint32_t run);

/*
 * Return how many runs, from the longest down, together have @need blocks; at most @most. 0 if
 * @need or @most is 0.
 */
uint32_t by_length_pieces(const struct by_length *by, uint64_t need, uint32_t most);

#endif
