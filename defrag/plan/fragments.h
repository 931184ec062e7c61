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
struct piece {
	uint32_t start;
	uint32_t length;    /* 0: it is no more */
	uint32_t file : 31; /* the caller's number */
	uint32_t held : 1;  /* it moves, or something moves beside it: leave it where it is */
};

struct pieces {
	struct piece *piece; /* ascending by file, in reading order */
	size_t count, room;
	uint32_t *place; /* numbers of pieces, ascending by start */
	size_t place_room;
};

void pieces_init(struct pieces *pieces);
void pieces_free(struct pieces *pieces);

/* Add all of a file, whose number is greater than those before. */
void pieces_add(struct pieces *pieces, uint32_t file, const struct sequence *seq);

/* The pieces of the file that piece @first is of, its first one: how many. */
size_t pieces_of_file(const struct pieces *pieces, size_t first);

/*
 * Put a file that lies elsewhere now into the place of its @count pieces from @first on. One that
 * has more pieces than before, or no sequence, is left out from now on.
 */
void pieces_renew(struct pieces *pieces, size_t first, size_t count, const struct sequence *seq);

/* Sort by place, after pieces were added or renewed; drops what is no more, lets go of all. */
void pieces_index(struct pieces *pieces);

#endif
