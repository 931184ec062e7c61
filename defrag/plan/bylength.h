/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Free runs by their length, for freemap.c: which is the shortest that is long enough, which the
 * longest, which comes next. A run is in here by its number, with 8 bytes for it.
 *
 * Nearly all runs of a filesystem that needs defragmenting are short, and have few lengths: runs
 * shorter than BY_LENGTH_SHORT lie in a list a length, so that a run comes and goes without a
 * search. Longer ones, a million at most in what 32 bits can number, are in a treap.
 */
#ifndef E3DEFRAG_BYLENGTH_H
#define E3DEFRAG_BYLENGTH_H

#include <stddef.h>
#include <stdint.h>

struct free_run {
	uint32_t start;	 /* first block */
	uint32_t length; /* blocks; 0 once it is all claimed */
};

#define BY_LENGTH_SHORT 4096U
/* So many of equally long short runs are looked at for the nearest. */
#define BY_LENGTH_FEW 16

#define BY_LENGTH_NONE UINT32_MAX

/* Of a short run the neighbours in its list, of a long one the subtrees. */
struct by_length_node {
	uint32_t left, right;
};

struct by_length {
	const struct free_run *run; /* the caller's; a length only changes while its run is out */
	struct by_length_node *node;
	uint32_t root;			     /* of the treap */
	uint32_t head[BY_LENGTH_SHORT];	     /* the first run of each length */
	uint32_t count[BY_LENGTH_SHORT];     /* how many there are */
	uint64_t used[BY_LENGTH_SHORT / 64]; /* a bit each length that there are runs of */
	uint64_t used_words;		     /* a bit each word of these that isn't 0 */
};

/* All of @runs runs; those of no length stay out. Of equally long short ones the first is first. */
void by_length_build(struct by_length *by, const struct free_run *run, uint32_t runs);
void by_length_free(struct by_length *by);

/* A run that is put in is the first of the short ones that are as long. */
void by_length_insert(struct by_length *by, uint32_t run);
void by_length_remove(struct by_length *by, uint32_t run);

/*
 * The shortest run of at least @need blocks (1 or more). Among equally long ones the one whose
 * start is nearest to block @near: of long runs among all, of short ones among the first few.
 * @middle is the number of the first run that starts at @near or after it.
 */
uint32_t by_length_fit(const struct by_length *by, uint32_t need, uint32_t near, uint32_t middle);

/* The longest run, and the one after @run in an order from the longest down. */
uint32_t by_length_longest(const struct by_length *by);
uint32_t by_length_next(const struct by_length *by, uint32_t run);

/* How many runs, from the longest down, have @need blocks together; stops at @most. */
uint32_t by_length_pieces(const struct by_length *by, uint64_t need, uint32_t most);

#endif
