// SPDX-License-Identifier: GPL-2.0-only
#include "progress/screen_map.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/columns.h"
#include "lib/util.h"

/* A cell is shown as free if less than one part in USED_PART of it is used. */
#define USED_PART 8
/* Lines besides the grid and the legend: title, bar and status line. */
#define LINES_BESIDES 3
#define GRID_LEAST 3

void screen_map_init(struct screen_map *map, const struct usage *usage)
{
	usage_shrink(&map->usage, usage, USAGE_CELLS);
	map->touched = xreallocarray(NULL, map->usage.cells, 1);
	memset(map->touched, 0, map->usage.cells);
}

void screen_map_free(struct screen_map *map)
{
	usage_free(&map->usage);
	free(map->touched);
	map->touched = NULL;
}

/* Call @fn for each run on the disk of what screen_map_touch() describes. */
static void each_run(struct screen_map *map, const struct sequence *seq, uint32_t at, uint32_t end,
		     unsigned int level,
		     void (*fn)(struct screen_map *map, uint64_t start, uint64_t length,
				enum usage_kind kind),
		     enum usage_kind kind)
{
	size_t i;

	for (i = 0; i < seq->items; i++) {
		const struct seq_item *item = &seq->item[i];
		uint32_t from = item->logical, to;

		if (item->level != level || from >= end || (level && from != at))
			continue;
		to = item->length < end - from ? from + item->length : end;
		if (from < at)
			from = at;
		if (from < to)
			fn(map, (uint64_t)item->physical + (from - item->logical), to - from, kind);
	}
}

static void touch(struct screen_map *map, uint64_t start, uint64_t length, uint8_t how)
{
	uint64_t i;

	if (!map->usage.cells || start >= map->usage.blocks)
		return;
	for (i = start / map->usage.each; i * map->usage.each < start + length; i++)
		if (i < map->usage.cells)
			map->touched[i] |= how;
}

static void touch_read(struct screen_map *map, uint64_t start, uint64_t length,
		       enum usage_kind kind)
{
	(void)kind;
	touch(map, start, length, CELL_TOUCH_READ);
}

static void touch_write(struct screen_map *map, uint64_t start, uint64_t length,
			enum usage_kind kind)
{
	(void)kind;
	touch(map, start, length, CELL_TOUCH_WRITE);
}

static void leave_blocks(struct screen_map *map, uint64_t start, uint64_t length,
			 enum usage_kind kind)
{
	usage_take(&map->usage, kind, start, length);
	usage_take(&map->usage, USAGE_IN, start, length);
	usage_add(&map->usage, USAGE_FREE, start, length);
}

static void arrive_blocks(struct screen_map *map, uint64_t start, uint64_t length,
			  enum usage_kind kind)
{
	usage_take(&map->usage, USAGE_FREE, start, length);
	usage_add(&map->usage, kind, start, length);
	usage_add(&map->usage, USAGE_IN, start, length);
}

void screen_map_touch(struct screen_map *map, const struct sequence *from,
		      const struct sequence *to, uint32_t at, uint32_t end, unsigned int level)
{
	each_run(map, from, at, end, level, touch_read, USAGE_WHOLE);
	each_run(map, to, at, end, level, touch_write, USAGE_WHOLE);
}

void screen_map_move(struct screen_map *map, const struct sequence *from, const struct sequence *to,
		     uint32_t at, uint32_t end, unsigned int level)
{
	each_run(map, from, at, end, level, leave_blocks,
		 level ? USAGE_INDIRECT : usage_file_kind(from->fragments));
	each_run(map, to, at, end, level, arrive_blocks,
		 level ? USAGE_INDIRECT : usage_file_kind(to->fragments));
}

void screen_map_drawn(struct screen_map *map)
{
	memset(map->touched, 0, map->usage.cells);
}

enum cell_kind cell_kind(const struct usage *usage, size_t cell, unsigned int touched)
{
	const uint64_t *count = usage->cell[cell].count;
	const uint64_t size = usage_size(usage, cell), free = count[USAGE_FREE];
	/* Fragmented files count twice, since they are what the user wants to see. */
	const uint64_t part[CELL_KINDS] = {
		[CELL_WHOLE] = count[USAGE_WHOLE],
		[CELL_PIECES] = 2 * count[USAGE_PIECES],
		[CELL_MAPS] = count[USAGE_INDIRECT] + count[USAGE_DIRECTORY],
		[CELL_OTHER] = usage_other(usage, cell),
	};
	enum cell_kind kind, most = CELL_WHOLE;

	if (touched & CELL_TOUCH_WRITE)
		return CELL_WRITE;
	if (touched & CELL_TOUCH_READ)
		return CELL_READ;
	if (free >= size || (size - free) * USED_PART < size)
		return CELL_FREE;
	for (kind = CELL_WHOLE; kind < CELL_KINDS; kind++)
		if (part[kind] > part[most])
			most = kind;
	return most == CELL_WHOLE && 2 * count[USAGE_IN] > count[USAGE_WHOLE] ? CELL_MOVED : most;
}

static const struct {
	const char *utf8, *ascii, *colours, *text;
} kinds[CELL_KINDS] = {
	[CELL_FREE] = { "\342\226\221", ".", "37;44", "free" },
	[CELL_WHOLE] = { "\342\226\223", "o", "1;37;44", "in one piece" },
	[CELL_PIECES] = { "\342\226\232", "%", "1;31;44", "fragmented" },
	[CELL_MOVED] = { "\342\226\210", "#", "1;32;44", "moved" },
	[CELL_MAPS] = { "\342\211\241", "=", "1;36;44", "directories, indirect" },
	[CELL_OTHER] = { "X", "X", "33;44", "other" },
	[CELL_READ] = { "r", "r", "1;33;44", "reading" },
	[CELL_WRITE] = { "W", "W", "1;35;44", "writing" },
};
#define FRAME "37;44"

static const char *sign(const struct screen_map_view *view, enum cell_kind kind)
{
	return view->utf8 ? kinds[kind].utf8 : kinds[kind].ascii;
}

static void colour(const struct screen_map_view *view, FILE *stream, const char *colours)
{
	if (view->colours)
		fprintf(stream, "\033[0%s%sm", colours ? ";" : "", colours ? colours : "");
}

static void add_line(struct screen_map_lines *lines, char *line)
{
	vec_more(lines->line, lines->count, lines->room);
	lines->line[lines->count++] = line;
}

/* The line that is being written, and its width so far. */
struct drawing {
	const struct screen_map_view *view;
	struct screen_map_lines *lines;
	FILE *stream;
	char *text;
	size_t size, width;
};

static void begin(struct drawing *d)
{
	d->stream = xmemstream(&d->text, &d->size);
	d->width = 0;
}

static void put_string(struct drawing *d, const char *text, size_t columns)
{
	fputs(text, d->stream);
	d->width += columns;
}

/* Fill the line with blanks, so that all of it has the background colour, and add it. */
static void end(struct drawing *d)
{
	const size_t most = d->view->columns - 1;

	if (d->width < most)
		fprintf(d->stream, "%*s", (int)(most - d->width), "");
	colour(d->view, d->stream, NULL);
	fclose(d->stream);
	add_line(d->lines, d->text);
}

static void draw_title(struct drawing *d)
{
	char *title = columns_tail(d->view->title, d->view->columns - 2, d->view->utf8);

	begin(d);
	colour(d->view, d->stream, "30;46");
	put_string(d, " ", 1);
	put_string(d, title, columns_of(title));
	end(d);
	free(title);
}

/*
 * Add a word to the legend, on the next line if this one is full. It follows the sign of @kind, or
 * none if that is CELL_KINDS.
 */
static void draw_word(struct drawing *d, enum cell_kind kind, const char *text)
{
	const size_t width = strlen(text) + (kind < CELL_KINDS ? 2 : 0);

	if (d->width > 1 && d->width + 2 + width > d->view->columns - 1) {
		end(d);
		begin(d);
		colour(d->view, d->stream, FRAME);
	}
	put_string(d, d->width ? "  " : " ", d->width ? 2 : 1);
	if (kind < CELL_KINDS) {
		colour(d->view, d->stream, kinds[kind].colours);
		put_string(d, sign(d->view, kind), 1);
		colour(d->view, d->stream, FRAME);
		put_string(d, " ", 1);
	}
	put_string(d, text, strlen(text));
}

static void draw_legend(struct drawing *d, uint64_t each)
{
	char size[HUMAN_SIZE], *scale;
	enum cell_kind kind;

	begin(d);
	colour(d->view, d->stream, FRAME);
	for (kind = 0; kind < CELL_KINDS; kind++)
		draw_word(d, kind, kinds[kind].text);
	scale = xasprintf("a sign is %" PRIu64 " block%s, %s", each, each == 1 ? "" : "s",
			  human(each * d->view->blocksize, size));
	if (strlen(scale) < d->view->columns - 1)
		draw_word(d, CELL_KINDS, scale);
	free(scale);
	end(d);
}

static void draw_bar(struct drawing *d)
{
	const size_t width = d->view->columns - 8;
	const unsigned int percent = d->view->percent;
	char text[16];
	size_t i;

	begin(d);
	colour(d->view, d->stream, FRAME);
	if (percent <= 100)
		snprintf(text, sizeof(text), " %3u%% ", percent);
	else
		snprintf(text, sizeof(text), "      ");
	put_string(d, text, 6);
	for (i = 0; i < width; i++)
		put_string(d,
			   sign(d->view, percent <= 100 && i * 100 < width * percent ? CELL_MOVED :
										       CELL_FREE),
			   1);
	end(d);
}

/* The cells of the usage merged to those that fit on the screen, one for each character. */
struct grid {
	struct usage usage;
	uint8_t *touched;
	size_t across;
};

static void make_grid(struct grid *grid, const struct screen_map_view *view, size_t across,
		      size_t down)
{
	const struct usage *usage = view->usage;
	size_t i, several;

	grid->across = across;
	usage_shrink(&grid->usage, usage, across * down);
	grid->touched = xreallocarray(NULL, grid->usage.cells, 1);
	memset(grid->touched, 0, grid->usage.cells);
	if (!usage->cells)
		return;
	several = (size_t)(grid->usage.each / usage->each);
	for (i = 0; view->touched && i < usage->cells; i++)
		grid->touched[i / several] |= view->touched[i];
}

static void draw_row(struct drawing *d, const struct grid *grid, size_t from)
{
	enum cell_kind last = CELL_KINDS;
	size_t i;

	begin(d);
	colour(d->view, d->stream, FRAME);
	put_string(d, " ", 1);
	for (i = from; i < from + grid->across && i < grid->usage.cells; i++) {
		const enum cell_kind kind = cell_kind(&grid->usage, i, grid->touched[i]);

		if (kind != last)
			colour(d->view, d->stream, kinds[kind].colours);
		put_string(d, sign(d->view, kind), 1);
		last = kind;
	}
	colour(d->view, d->stream, FRAME);
	end(d);
}

void screen_map_draw(const struct screen_map_view *view, struct screen_map_lines *lines)
{
	struct screen_map_lines legend = { 0 };
	struct drawing d = { .view = view, .lines = lines };
	const size_t across = view->columns - 3;
	size_t down = view->rows - 1 - LINES_BESIDES, i;
	struct grid grid;
	bool explained;

	/* Measure the legend with the longest number of blocks. */
	d.lines = &legend;
	draw_legend(&d, UINT32_MAX);
	explained = down >= legend.count + GRID_LEAST;
	if (explained)
		down -= legend.count;
	make_grid(&grid, view, across, down);

	d.lines = lines;
	draw_title(&d);
	for (i = 0; i < grid.usage.cells; i += across)
		draw_row(&d, &grid, i);
	if (explained)
		draw_legend(&d, grid.usage.each);
	draw_bar(&d);
	add_line(lines, xstrdup(view->line));
	screen_map_lines_free(&legend);
	usage_free(&grid.usage);
	free(grid.touched);
}

void screen_map_lines_free(struct screen_map_lines *lines)
{
	while (lines->count)
		free(lines->line[--lines->count]);
	free(lines->line);
	lines->line = NULL;
	lines->room = 0;
}
