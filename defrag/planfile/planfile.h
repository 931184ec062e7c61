/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A plan in a file: what --plan wrote and --apply carries out, as man/e3defrag-plan.schema.json
 * describes it. People edit such files, so nothing in one is believed; what can be seen to be wrong
 * without the filesystem is refused when it is read.
 */
#ifndef E3DEFRAG_PLANFILE_H
#define E3DEFRAG_PLANFILE_H

#include <stddef.h>
#include <stdint.h>

#include "plan/layout.h"

#define PLANFILE_SCHEMA "e3defrag-plan"
#define PLANFILE_VERSION 1
/* Some two million moves: no more than that many bytes are read. */
#define PLANFILE_MOST (1U << 30)

/* As in struct plan_piece. */
struct planfile_piece {
	uint32_t at, length, goal;
};

struct planfile_move {
	char *path; /* real bytes, as the file was called */
	uint32_t ino, generation;
	uint32_t blocks, before, after; /* before and after: fragments */
	uint64_t layout;		/* layout_print() of what was planned for */
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

/*
 * Read the plan in @path, which must be a file that only root, or who runs this, can write. Returns
 * an exit status; if it isn't STATUS_DONE, a message told why, and @plan is empty.
 */
int planfile_read(struct planfile *plan, const char *path);

/* The same of the text that @fd is open on. NULL, or what is wrong with it where; malloc'd. */
char *planfile_parse(struct planfile *plan, int fd);
void planfile_free(struct planfile *plan);

/* The part about the filesystem with the UUID @id, NULL if there is none. */
const struct planfile_fs *planfile_find(const struct planfile *plan, const char *id);

/* A number that another layout hardly has: for comparing only. */
uint64_t layout_print(const struct layout *layout);

#endif
