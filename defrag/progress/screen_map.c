// SPDX-License-Identifier: GPL-2.0-only
#include "progress/screen_map.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/columns.h"
#include "lib/util.h"

/* A cell that is free but for less than one part in so many is free. */
#define USED_PART 8
/* Lines besides the map and its legend: title, bar and where it is. */
#define LINES_BESIDES 3
#define GRID_LEAST 3

void map_init(struct map *map, const struct picture *picture)
{
	picture_shrink(&map->picture, picture, PICTURE_CELLS);
	map->touched = xreallocarray(NULL, map->picture.cells, 1);
	memset(map->touched, 0, map->picture.cells);
}

void map_free(struct map *map)
{
	picture_free(&map->picture);
	free(map->touched);
	map->touched = NULL;
}

/* Call @fn for each run of blocks that @seq has in there. */
static void
each_run(struct map *map, const struct sequence *seq, uint32_t at, uint32_t end, unsigned int level,
	 void (*fn)(struct map *map, uint64_t start, uint64_t length, enum picture_kind kind),
	 enum picture_kind kind)
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

static void touch(struct map *map, uint64_t start, uint64_t length, uint8_t how)
{
	uint64_t i;

	if (!map->picture.cells || start >= map->picture.blocks)
		return;
	for (i = start / map->picture.each; i * map->picture.each < start + length; i++)
		if (i < map->picture.cells)
			map->touched[i] |= how;
}

static void touch_read(struct map *map, uint64_t start, uint64_t length, enum picture_kind kind)
{
	(void)kind;
	touch(map, start, length, MAP_TOUCH_READ);
}

static void touch_write(struct map *map, uint64_t start, uint64_t length, enum picture_kind kind)
{
	(void)kind;
	touch(map, start, length, MAP_TOUCH_WRITE);
}

static void leave(struct map *map, uint64_t start, uint64_t length, enum picture_kind kind)
{
	picture_take(&map->picture, kind, start, length);
	picture_take(&map->picture, PICTURE_IN, start, length);
	picture_add(&map->picture, PICTURE_FREE, start, length);
}

static void arrive(struct map *map, uint64_t start, uint64_t length, enum picture_kind kind)
{
	picture_take(&map->picture, PICTURE_FREE, start, length);
	picture_add(&map->picture, kind, start, length);
	picture_add(&map->picture, PICTURE_IN, start, length);
}

void map_touch(struct map *map, const struct sequence *from, const struct sequence *to, uint32_t at,
	       uint32_t end, unsigned int level)
{
	each_run(map, from, at, end, level, touch_read, PICTURE_WHOLE);
	each_run(map, to, at, end, level, touch_write, PICTURE_WHOLE);
}

void map_move(struct map *map, const struct sequence *from, const struct sequence *to, uint32_t at,
	      uint32_t end, unsigned int level)
{
	each_run(map, from, at, end, level, leave,
		 level ? PICTURE_INDIRECT : picture_file_kind(from->fragments));
	each_run(map, to, at, end, level, arrive,
		 level ? PICTURE_INDIRECT : picture_file_kind(to->fragments));
}

void map_drawn(struct map *map)
{
	memset(map->touched, 0, map->picture.cells);
}

enum map_kind map_kind(const struct picture *picture, size_t cell, unsigned int touched)
{
	const uint64_t *count = picture->cell[cell].count;
	const uint64_t size = picture_size(picture, cell), free = count[PICTURE_FREE];
	/* What is moved for is what there is to see: it counts twice. */
	const uint64_t part[MAP_KINDS] = {
		[MAP_WHOLE] = count[PICTURE_WHOLE],
		[MAP_PIECES] = 2 * count[PICTURE_PIECES],
		[MAP_MAPS] = count[PICTURE_INDIRECT] + count[PICTURE_DIRECTORY],
		[MAP_OTHER] = picture_other(picture, cell),
	};
	enum map_kind kind, most = MAP_WHOLE;

	if (touched & MAP_TOUCH_WRITE)
		return MAP_WRITE;
	if (touched & MAP_TOUCH_READ)
		return MAP_READ;
	if (free >= size || (size - free) * USED_PART < size)
		return MAP_FREE;
	for (kind = MAP_WHOLE; kind < MAP_KINDS; kind++)
		if (part[kind] > part[most])
			most = kind;
	return most == MAP_WHOLE && 2 * count[PICTURE_IN] > count[PICTURE_WHOLE] ? MAP_MOVED : most;
}

static const struct {
	const char *utf8, *ascii, *colours, *text;
} kinds[MAP_KINDS] = {
	[MAP_FREE] = { "\342\226\221", ".", "37;44", "free" },
	[MAP_WHOLE] = { "\342\226\223", "o", "1;37;44", "in one piece" },
	[MAP_PIECES] = { "\342\226\232", "%", "1;31;44", "fragmented" },
	[MAP_MOVED] = { "\342\226\210", "#", "1;32;44", "moved" },
	[MAP_MAPS] = { "\342\211\241", "=", "1;36;44", "directories, indirect" },
	[MAP_OTHER] = { "X", "X", "33;44", "other" },
	[MAP_READ] = { "r", "r", "1;33;44", "reading" },
	[MAP_WRITE] = { "W", "W", "1;35;44", "writing" },
};
#define FRAME "37;44"

static const char *sign(const struct map_view *view, enum map_kind kind)
{
	return view->utf8 ? kinds[kind].utf8 : kinds[kind].ascii;
}

static void colour(const struct map_view *view, FILE *stream, const char *colours)
{
	if (view->colours)
		fprintf(stream, "\033[0%s%sm", colours ? ";" : "", colours ? colours : "");
}

static void add_line(struct map_lines *lines, char *line)
{
	vec_more(lines->line, lines->count, lines->room);
	lines->line[lines->count++] = line;
}

/* A line under way, and how wide it is. */
struct drawing {
	const struct map_view *view;
	struct map_lines *lines;
	FILE *stream;
	char *text;
	size_t size, width;
};

static void begin(struct drawing *d)
{
	d->stream = xmemstream(&d->text, &d->size);
	d->width = 0;
}

static void add(struct drawing *d, const char *text, size_t columns)
{
	fputs(text, d->stream);
	d->width += columns;
}

/* Blanks up to the last column, so that it has one colour. */
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
	add(d, " ", 1);
	add(d, title, columns_of(title));
	end(d);
	free(title);
}

/* One more word of the legend, in the next line if this one is full. @kind: MAP_KINDS for none. */
static void draw_word(struct drawing *d, enum map_kind kind, const char *text)
{
	const size_t width = strlen(text) + (kind < MAP_KINDS ? 2 : 0);

	if (d->width > 1 && d->width + 2 + width > d->view->columns - 1) {
		end(d);
		begin(d);
		colour(d->view, d->stream, FRAME);
	}
	add(d, d->width ? "  " : " ", d->width ? 2 : 1);
	if (kind < MAP_KINDS) {
		colour(d->view, d->stream, kinds[kind].colours);
		add(d, sign(d->view, kind), 1);
		colour(d->view, d->stream, FRAME);
		add(d, " ", 1);
	}
	add(d, text, strlen(text));
}

static void draw_legend(struct drawing *d, uint64_t each)
{
	char size[HUMAN_SIZE], *scale;
	enum map_kind kind;

	begin(d);
	colour(d->view, d->stream, FRAME);
	for (kind = 0; kind < MAP_KINDS; kind++)
		draw_word(d, kind, kinds[kind].text);
	scale = xasprintf("a sign is %" PRIu64 " block%s, %s", each, each == 1 ? "" : "s",
			  human(each * d->view->blocksize, size));
	if (strlen(scale) < d->view->columns - 1)
		draw_word(d, MAP_KINDS, scale);
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
	add(d, text, 6);
	for (i = 0; i < width; i++)
		add(d,
		    sign(d->view,
			 percent <= 100 && i * 100 < width * percent ? MAP_MOVED : MAP_FREE),
		    1);
	end(d);
}

/* How the cells of a picture become those of a map. */
struct grid {
	struct picture picture;
	uint8_t *touched;
	size_t across;
};

static void make_grid(struct grid *grid, const struct map_view *view, size_t across, size_t down)
{
	const struct picture *picture = view->picture;
	size_t i, several;

	grid->across = across;
	picture_shrink(&grid->picture, picture, across * down);
	grid->touched = xreallocarray(NULL, grid->picture.cells, 1);
	memset(grid->touched, 0, grid->picture.cells);
	if (!picture->cells)
		return;
	several = (size_t)(grid->picture.each / picture->each);
	for (i = 0; view->touched && i < picture->cells; i++)
		grid->touched[i / several] |= view->touched[i];
}

static void draw_row(struct drawing *d, const struct grid *grid, size_t from)
{
	enum map_kind last = MAP_KINDS;
	size_t i;

	begin(d);
	colour(d->view, d->stream, FRAME);
	add(d, " ", 1);
	for (i = from; i < from + grid->across && i < grid->picture.cells; i++) {
		const enum map_kind kind = map_kind(&grid->picture, i, grid->touched[i]);

		if (kind != last)
			colour(d->view, d->stream, kinds[kind].colours);
		add(d, sign(d->view, kind), 1);
		last = kind;
	}
	colour(d->view, d->stream, FRAME);
	end(d);
}

void map_draw(const struct map_view *view, struct map_lines *lines)
{
	struct map_lines legend = { 0 };
	struct drawing d = { .view = view, .lines = lines };
	const size_t across = view->columns - 3;
	size_t down = view->rows - 1 - LINES_BESIDES, i;
	struct grid grid;
	bool explained;

	/* How much a sign is takes no more room than that. */
	d.lines = &legend;
	draw_legend(&d, UINT32_MAX);
	explained = down >= legend.count + GRID_LEAST;
	if (explained)
		down -= legend.count;
	make_grid(&grid, view, across, down);

	d.lines = lines;
	draw_title(&d);
	for (i = 0; i < grid.picture.cells; i += across)
		draw_row(&d, &grid, i);
	if (explained)
		draw_legend(&d, grid.picture.each);
	draw_bar(&d);
	add_line(lines, xstrdup(view->line));
	map_lines_free(&legend);
	picture_free(&grid.picture);
	free(grid.touched);
}

void map_lines_free(struct map_lines *lines)
{
	while (lines->count)
		free(lines->line[--lines->count]);
	free(lines->line);
	lines->line = NULL;
	lines->room = 0;
}
