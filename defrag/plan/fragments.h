/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which file has which blocks: the pieces of the files that are in need on a nearly full disk, each
 * one fragment, in reading order by file and in the order of their places.
 *
 * It takes 16 bytes a piece. Blocks that are neither free nor in a piece are never touched.
 */
#ifndef E3DEFRAG_FRAGMENTS_H
#define E3DEFRAG_FRAGMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plan/sequence.h"

/* A fragment: blocks that follow each other in reading order and on the disk, as many as do. */
struct fragment {
	uint32_t start;
	uint32_t length;    /* 0: it is no more */
	uint32_t file : 31; /* the caller's number */
	uint32_t held : 1;  /* it moves, or something moves beside it: leave it where it is */
};

struct fragments {
	struct fragment *fragment; /* ascending by file, in reading order */
	size_t count, room;
	uint32_t *place; /* numbers of pieces, ascending by start */
	size_t place_room;
};

void fragments_init(struct fragments *fragments);
void fragments_free(struct fragments *fragments);

/* Add all of a file, whose number is greater than those before. */
void fragments_add(struct fragments *fragments, uint32_t file, const struct sequence *seq);

/* The pieces of the file that piece @first is of, its first one: how many. */
size_t fragments_of_file(const struct fragments *fragments, size_t first);

/*
 * Put a file that lies elsewhere now into the place of its @count pieces from @first on. One that
 * has more pieces than before, or no sequence, is left out from now on.
 */
void fragments_renew(struct fragments *fragments, size_t first, size_t count,
		     const struct sequence *seq);

/* Sort by place, after pieces were added or renewed; drops what is no more, lets go of all. */
void fragments_index(struct fragments *fragments);

#endif
