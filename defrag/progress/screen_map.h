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
#define MAP_ROWS 12
#define MAP_COLUMNS 40

/* What the blocks of a cell are; of several kinds, what there is to see. */
enum map_kind {
	MAP_FREE,
	MAP_WHOLE,  /* files in one piece */
	MAP_PIECES, /* fragmented files */
	MAP_MOVED,  /* came here in this run */
	MAP_MAPS,   /* directories and indirect blocks */
	MAP_OTHER,  /* the filesystem's own, and what nobody looked at */
	MAP_READ,   /* right now */
	MAP_WRITE,
	MAP_KINDS
};

struct map {
	struct picture picture;
	uint8_t *touched; /* of each cell: MAP_TOUCH_*, since it was drawn */
};
#define MAP_TOUCH_READ 1
#define MAP_TOUCH_WRITE 2

/* Begin with what @picture has; it stays as it is. */
void map_init(struct map *map, const struct picture *picture);
void map_free(struct map *map);

/*
 * What a file has in [@at, @end), its indirect block of @level there, or its data if that is 0, is
 * about to be moved from where @from has it to where @to has it.
 */
void map_touch(struct map *map, const struct sequence *from, const struct sequence *to, uint32_t at,
	       uint32_t end, unsigned int level);
/* It was. */
void map_move(struct map *map, const struct sequence *from, const struct sequence *to, uint32_t at,
	      uint32_t end, unsigned int level);

/* What was touched was drawn. */
void map_drawn(struct map *map);

/* What a cell of a picture is shown as; @touched is what map->touched says of it. */
enum map_kind map_kind(const struct picture *picture, size_t cell, unsigned int touched);

struct map_view {
	const struct picture *picture;
	const uint8_t *touched; /* or NULL */
	uint32_t blocksize;
	const char *title;
	unsigned int rows, columns; /* of the terminal: MAP_ROWS and MAP_COLUMNS at least */
	bool utf8, colours;
	unsigned int percent; /* done; more than 100: nobody knows */
	const char *line;     /* where it is, no wider than @columns less one */
};

/* malloc'd lines, fewer than there are rows, all of them narrower than a row. */
struct map_lines {
	char **line;
	size_t count, room;
};
void map_draw(const struct map_view *view, struct map_lines *lines);
void map_lines_free(struct map_lines *lines);

#endif
