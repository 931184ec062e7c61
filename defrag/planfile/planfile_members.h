/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of the members of a plan's objects, for planfile_parse.c: in which object each occurs,
 * and which values it may have.
 */
#ifndef E3DEFRAG_PLANFILE_MEMBERS_H
#define E3DEFRAG_PLANFILE_MEMBERS_H

#include <stdint.h>

/* The largest number that every JSON parser reads as an exact integer. */
#define WHOLE_MOST ((1ULL << 53) - 1)

/*
 * The place in the text: inside an object or a list of this kind. Each list is followed by the kind
 * of the objects in it.
 */
enum place { PLAN, FILESYSTEMS, FILESYSTEM, MOVES, MOVE, PIECES, PIECE, TOTALS };
#define DEPTH_MOST 7

enum kind { TEXT, NUMBER, LIST, OBJECT, OTHER };

enum member {
	SCHEMA,
	VERSION,
	PROGRAM,
	MADE,
	IN_FILESYSTEMS,
	DEVICE,
	MOUNTPOINT,
	UUID,
	BLOCK_SIZE,
	BLOCKS,
	IN_MOVES,
	BEFORE,
	AFTER,
	PATH,
	INODE,
	GENERATION,
	MOVE_BLOCKS,
	MOVE_BEFORE,
	MOVE_AFTER,
	LAYOUT,
	IN_PIECES,
	AT,
	LENGTH,
	GOAL,
	FRAGMENTED,
	FRAGMENTS,
	SCORE,
	MEMBERS
};

static const struct {
	enum place within;
	const char *name;
	enum kind kind;
	enum place opens;     /* a list or an object */
	uint64_t least, most; /* a number */
} members[MEMBERS] = {
	[SCHEMA] = { PLAN, "schema", TEXT, 0, 0, 0 },
	[VERSION] = { PLAN, "version", NUMBER, 0, 0, WHOLE_MOST },
	[PROGRAM] = { PLAN, "e3defrag", TEXT, 0, 0, 0 },
	[MADE] = { PLAN, "made", NUMBER, 0, 0, WHOLE_MOST },
	[IN_FILESYSTEMS] = { PLAN, "filesystems", LIST, FILESYSTEMS, 0, 0 },
	[DEVICE] = { FILESYSTEM, "device", TEXT, 0, 0, 0 },
	[MOUNTPOINT] = { FILESYSTEM, "mountpoint", TEXT, 0, 0, 0 },
	[UUID] = { FILESYSTEM, "uuid", TEXT, 0, 0, 0 },
	[BLOCK_SIZE] = { FILESYSTEM, "block_size", NUMBER, 0, 1024, 65536 },
	[BLOCKS] = { FILESYSTEM, "blocks", NUMBER, 0, 1, WHOLE_MOST },
	[IN_MOVES] = { FILESYSTEM, "moves", LIST, MOVES, 0, 0 },
	[BEFORE] = { FILESYSTEM, "before", OBJECT, TOTALS, 0, 0 },
	[AFTER] = { FILESYSTEM, "after", OBJECT, TOTALS, 0, 0 },
	[PATH] = { MOVE, "path", TEXT, 0, 0, 0 },
	[INODE] = { MOVE, "inode", NUMBER, 0, 1, UINT32_MAX },
	[GENERATION] = { MOVE, "generation", NUMBER, 0, 0, UINT32_MAX },
	[MOVE_BLOCKS] = { MOVE, "blocks", NUMBER, 0, 2, UINT32_MAX },
	[MOVE_BEFORE] = { MOVE, "fragments_before", NUMBER, 0, 2, UINT32_MAX },
	[MOVE_AFTER] = { MOVE, "fragments_after", NUMBER, 0, 1, UINT32_MAX },
	[LAYOUT] = { MOVE, "layout", TEXT, 0, 0, 0 },
	[IN_PIECES] = { MOVE, "pieces", LIST, PIECES, 0, 0 },
	[AT] = { PIECE, "at", NUMBER, 0, 0, UINT32_MAX },
	[LENGTH] = { PIECE, "length", NUMBER, 0, 1, UINT32_MAX },
	[GOAL] = { PIECE, "goal", NUMBER, 0, 1, UINT32_MAX },
	[FRAGMENTED] = { TOTALS, "fragmented_files", NUMBER, 0, 0, WHOLE_MOST },
	[FRAGMENTS] = { TOTALS, "fragments", NUMBER, 0, 0, WHOLE_MOST },
	[SCORE] = { TOTALS, "score", NUMBER, 0, 0, 100 },
};

#endif
