/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The map of a filesystem's blocks (--map): a character for so many of them, kept up to date while
 * they move, and drawn as lines for a terminal. Whoever defragmented a disk in the nineties knows
 * it. No I/O.
 */
#ifndef E3DEFRAG_SCREEN_MAP_H
#define E3DEFRAG_SCREEN_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plan/sequence.h"
#include "progress/usage.h"

/* Below this there is no room for a map. */
#define SCREEN_MAP_ROWS 12
#define SCREEN_MAP_COLUMNS 40

/* What the blocks of a cell are; of several kinds, what there is to see. */
enum cell_kind {
	CELL_FREE,
	CELL_WHOLE,  /* files in one piece */
	CELL_PIECES, /* fragmented files */
	CELL_MOVED,  /* came here in this run */
	CELL_MAPS,   /* directories and indirect blocks */
	CELL_OTHER,  /* the filesystem's own, and what nobody looked at */
	CELL_READ,   /* right now */
	CELL_WRITE,
	CELL_KINDS
};

struct screen_map {
	struct usage usage;
	uint8_t *touched; /* of each cell: CELL_TOUCH_*, since it was drawn */
};
#define CELL_TOUCH_READ 1
#define CELL_TOUCH_WRITE 2

/* Begin with what @usage has; it stays as it is. */
void screen_map_init(struct screen_map *map, const struct usage *usage);
void screen_map_free(struct screen_map *map);

/*
 * What a file has in [@at, @end), its indirect block of @level there, or its data if that is 0, is
 * about to be moved from where @from has it to where @to has it.
 */
void screen_map_touch(struct screen_map *map, const struct sequence *from,
		      const struct sequence *to, uint32_t at, uint32_t end, unsigned int level);
/* It was. */
void screen_map_move(struct screen_map *map, const struct sequence *from, const struct sequence *to,
		     uint32_t at, uint32_t end, unsigned int level);

/* What was touched was drawn. */
void screen_map_drawn(struct screen_map *map);

/* What a cell of a picture is shown as; @touched is what map->touched says of it. */
enum cell_kind cell_kind(const struct usage *usage, size_t cell, unsigned int touched);

struct screen_map_view {
	const struct usage *usage;
	const uint8_t *touched; /* or NULL */
	uint32_t blocksize;
	const char *title;
	unsigned int rows,
		columns; /* of the terminal: SCREEN_MAP_ROWS and SCREEN_MAP_COLUMNS at least */
	bool utf8, colours;
	unsigned int percent; /* done; more than 100: nobody knows */
	const char *line;     /* where it is, no wider than @columns less one */
};

/* malloc'd lines, fewer than there are rows, all of them narrower than a row. */
struct screen_map_lines {
	char **line;
	size_t count, room;
};
void screen_map_draw(const struct screen_map_view *view, struct screen_map_lines *lines);
void screen_map_lines_free(struct screen_map_lines *lines);

#endif
