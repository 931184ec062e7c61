/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A plan in a file, which --plan writes and --apply carries out; man/e3defrag-plan.schema.json
 * describes the format. Users edit such files, so one is untrusted input: whatever can be found to
 * be wrong without the filesystem is refused when it is read.
 */
#ifndef E3DEFRAG_PLANFILE_H
#define E3DEFRAG_PLANFILE_H

#include <stddef.h>
#include <stdint.h>

#include "plan/layout.h"

#define PLANFILE_SCHEMA "e3defrag-plan"
#define PLANFILE_VERSION 1
/* The most bytes of a plan that are read: about two million moves. */
#define PLANFILE_MOST (1U << 30)

/* As in struct plan_piece. */
struct planfile_piece {
	uint32_t at, length, goal;
};

struct planfile_move {
	char *path; /* the name of the file, not made printable */
	uint32_t ino, generation;
	uint32_t blocks, before, after; /* before and after: fragments */
	uint64_t layout;		/* layout_print() of the layout that was planned for */
	size_t first, pieces;		/* in planfile->piece */
};

struct planfile_fs {
	char id[37]; /* the UUID as text */
	uint32_t blocksize;
	uint64_t blocks;
	size_t first, moves; /* in planfile->move */
};

struct planfile {
	struct planfile_fs *fs;
	size_t count, room;
	struct planfile_move *move;
	size_t moves, move_room;
	struct planfile_piece *piece;
	size_t pieces, piece_room;
};

void planfile_free(struct planfile *plan);

/* The part about the filesystem with the UUID @id, NULL if there is none. */
const struct planfile_fs *planfile_find(const struct planfile *plan, const char *id);

/* A hash of @layout, to find out if it has changed. */
uint64_t layout_print(const struct layout *layout);

#endif
