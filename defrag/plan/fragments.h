/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fragments of the files that can't be moved whole on a nearly full filesystem, both by file in
 * reading order and by place on the disk, for planning moves of parts (plan_parts.h).
 *
 * A fragment takes 16 bytes. Blocks that are neither free nor in one of these fragments are never
 * touched.
 */
#ifndef E3DEFRAG_FRAGMENTS_H
#define E3DEFRAG_FRAGMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plan/sequence.h"

/* The longest sequence of blocks that follow each other in reading order and on the disk. */
struct fragment {
	uint32_t start;
	uint32_t length;    /* 0: it no longer exists */
	uint32_t file : 31; /* the caller's number */
	uint32_t held : 1; /* a plan moves it, or moves something next to it: don't plan it again */
};

struct fragments {
	struct fragment *fragment; /* ascending by file, in reading order */
	size_t count, room;
	uint32_t *place; /* indices of fragments, ascending by start */
	size_t place_room;
};

void fragments_init(struct fragments *fragments);
void fragments_free(struct fragments *fragments);

/* Add all fragments of a file, whose number must be greater than those of files added before. */
void fragments_add(struct fragments *fragments, uint32_t file, const struct sequence *seq);

/* Return how many fragments the file has whose first fragment is @first. */
size_t fragments_of_file(const struct fragments *fragments, size_t first);

/*
 * Replace the @count fragments of a file from @first on by those of @seq, because it has moved. A
 * file that has more fragments than before, or for which @seq is NULL, is removed.
 */
void fragments_renew(struct fragments *fragments, size_t first, size_t count,
		     const struct sequence *seq);

/*
 * Sort the fragments by place, after they were added or renewed. Removes those of length 0, and
 * clears `held` of all.
 */
void fragments_index(struct fragments *fragments);

#endif
