/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The map of a filesystem's blocks on the screen (--map): each character stands for a number of
 * blocks. It is kept up to date while they move, and drawn as lines for a terminal, in the way of
 * the defragmenters of the nineties. No I/O.
 */
#ifndef E3DEFRAG_SCREEN_MAP_H
#define E3DEFRAG_SCREEN_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plan/sequence.h"
#include "progress/usage.h"

/* The smallest terminal that has room for a map. */
#define SCREEN_MAP_ROWS 12
#define SCREEN_MAP_COLUMNS 40

/* The kind of blocks that a cell is shown as, the most important if it has several. */
enum cell_kind {
	CELL_FREE,
	CELL_WHOLE,  /* files in one piece */
	CELL_PIECES, /* fragmented files */
	CELL_MOVED,  /* files in one piece, mostly moved here in this run */
	CELL_MAPS,   /* directories and indirect blocks */
	CELL_OTHER,  /* the filesystem's own blocks, and files that were not surveyed */
	CELL_READ,   /* being read now */
	CELL_WRITE,  /* being written now */
	CELL_KINDS
};

struct screen_map {
	struct usage usage;
	uint8_t *touched; /* for each cell the CELL_TOUCH_* since the map was drawn */
};
#define CELL_TOUCH_READ 1
#define CELL_TOUCH_WRITE 2

/* Begin with a copy of @usage. */
void screen_map_init(struct screen_map *map, const struct usage *usage);
void screen_map_free(struct screen_map *map);

/*
 * Mark that a file is about to be moved from the place in @from to that in @to: its data in the
 * file blocks [@at, @end) if @level is 0, else its indirect block of @level at @at.
 */
void screen_map_touch(struct screen_map *map, const struct sequence *from,
		      const struct sequence *to, uint32_t at, uint32_t end, unsigned int level);
/* Note that it was moved. */
void screen_map_move(struct screen_map *map, const struct sequence *from, const struct sequence *to,
		     uint32_t at, uint32_t end, unsigned int level);

/* Clear the marks of screen_map_touch(), after drawing. */
void screen_map_drawn(struct screen_map *map);

/* The kind that a cell of @usage is shown as; @touched is the cell's entry in map->touched. */
enum cell_kind cell_kind(const struct usage *usage, size_t cell, unsigned int touched);

struct screen_map_view {
	const struct usage *usage;
	const uint8_t *touched; /* or NULL */
	uint32_t blocksize;
	const char *title;
	unsigned int rows,
		columns; /* of the terminal: SCREEN_MAP_ROWS and SCREEN_MAP_COLUMNS at least */
	bool utf8, colours;
	unsigned int percent; /* how much is done; more than 100: not known */
	const char *line;     /* the status line, narrower than @columns */
};

/* The lines drawn: fewer than there are rows, and narrower than a row. Free them. */
struct screen_map_lines {
	char **line;
	size_t count, room;
};
void screen_map_draw(const struct screen_map_view *view, struct screen_map_lines *lines);
void screen_map_lines_free(struct screen_map_lines *lines);

#endif
