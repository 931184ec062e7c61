// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/columns.h"
#include "progress/screen_map.h"
#include "tap.h"

/* 4096 blocks in as many cells. */
#define BLOCKS 4096

static const struct seq_item old_items[] = {
	{ .at = 0, .logical = 0, .physical = 100, .length = 8 },
	{ .at = 8, .logical = 8, .physical = 200, .length = 1, .level = 1 },
	{ .at = 9, .logical = 8, .physical = 300, .length = 12 },
};
static const struct seq_item new_items[] = {
	{ .at = 0, .logical = 0, .physical = 1000, .length = 8 },
	{ .at = 8, .logical = 8, .physical = 1008, .length = 1, .level = 1 },
	{ .at = 9, .logical = 8, .physical = 1009, .length = 12 },
};
static const struct sequence old = { .item = (struct seq_item *)old_items,
				     .items = 3,
				     .blocks = 21,
				     .fragments = 3 };
static const struct sequence new = { .item = (struct seq_item *)new_items,
				     .items = 3,
				     .blocks = 21,
				     .fragments = 1 };

static void make(struct picture *picture)
{
	picture_init(picture, BLOCKS, PICTURE_CELLS);
	picture_add(picture, PICTURE_PIECES, 100, 8);
	picture_add(picture, PICTURE_INDIRECT, 200, 1);
	picture_add(picture, PICTURE_PIECES, 300, 12);
	picture_add(picture, PICTURE_WHOLE, 400, 100);
	picture_add(picture, PICTURE_DIRECTORY, 500, 5);
	picture_add(picture, PICTURE_FREE, 900, BLOCKS - 900);
}

static bool all_are(const struct map *map, size_t from, size_t to, enum map_kind kind)
{
	for (; from < to; from++)
		if (map_kind(&map->picture, from, map->touched[from]) != kind)
			return false;
	return true;
}

static void test_moves(void)
{
	struct picture picture;
	struct map map;

	make(&picture);
	map_init(&map, &picture);
	ok(all_are(&map, 0, 100, MAP_OTHER), "what nobody claims is other");
	ok(all_are(&map, 300, 312, MAP_PIECES) && all_are(&map, 400, 500, MAP_WHOLE) &&
		   all_are(&map, 500, 505, MAP_MAPS) && all_are(&map, 200, 201, MAP_MAPS) &&
		   all_are(&map, 900, BLOCKS, MAP_FREE),
	   "the others are what they are");

	map_touch(&map, &old, &new, 4, 10, 0);
	ok(all_are(&map, 100, 104, MAP_PIECES) && all_are(&map, 104, 108, MAP_READ) &&
		   all_are(&map, 300, 302, MAP_READ) && all_are(&map, 302, 312, MAP_PIECES),
	   "a step is read where the file lies, and only what it moves");
	ok(all_are(&map, 1000, 1004, MAP_FREE) && all_are(&map, 1004, 1008, MAP_WRITE) &&
		   all_are(&map, 1008, 1009, MAP_FREE) && all_are(&map, 1009, 1011, MAP_WRITE) &&
		   all_are(&map, 1011, 1020, MAP_FREE),
	   "and written where it shall lie, around its indirect block");
	map_drawn(&map);
	ok(all_are(&map, 104, 108, MAP_PIECES), "drawn once, that is gone");

	map_move(&map, &old, &new, 4, 10, 0);
	ok(all_are(&map, 104, 108, MAP_FREE) && all_are(&map, 300, 302, MAP_FREE) &&
		   all_are(&map, 302, 312, MAP_PIECES) && all_are(&map, 100, 104, MAP_PIECES),
	   "what moved leaves free blocks");
	ok(all_are(&map, 1004, 1008, MAP_MOVED) && all_are(&map, 1009, 1011, MAP_MOVED),
	   "and is seen to have moved");
	map_move(&map, &old, &new, 8, 9, 1);
	ok(all_are(&map, 200, 201, MAP_FREE) && all_are(&map, 1008, 1009, MAP_MAPS),
	   "so does an indirect block, and nothing else of what lies there");
	ok(all_are(&map, 1011, 1020, MAP_FREE), "no data goes with it");
	map_move(&map, &new, &old, 4, 10, 0);
	map_move(&map, &new, &old, 8, 9, 1);
	ok(!memcmp(picture.cell[100].count, map.picture.cell[100].count, 5 * sizeof(uint64_t)) &&
		   all_are(&map, 1000, 1021, MAP_FREE),
	   "all of it goes back");
	is(picture_sum(&map.picture, PICTURE_FREE), BLOCKS - 900, "no block is lost or won");
	is(picture_sum(&picture, PICTURE_IN), 0, "what it began with stays as it was");
	map_free(&map);
	picture_free(&picture);
}

static void test_kinds(void)
{
	struct picture picture;

	picture_init(&picture, 800, 8);
	is(picture.cells, 8, "cells of 100 blocks");
	picture_add(&picture, PICTURE_FREE, 0, 95);
	is(map_kind(&picture, 0, 0), MAP_FREE, "a few blocks in a free cell aren't seen");
	picture_add(&picture, PICTURE_FREE, 100, 80);
	picture_add(&picture, PICTURE_WHOLE, 180, 12);
	picture_add(&picture, PICTURE_PIECES, 192, 8);
	is(map_kind(&picture, 1, 0), MAP_PIECES, "of what is used, fragments are seen first");
	picture_add(&picture, PICTURE_WHOLE, 200, 90);
	picture_add(&picture, PICTURE_PIECES, 290, 10);
	is(map_kind(&picture, 2, 0), MAP_WHOLE, "but not a few among many");
	picture_add(&picture, PICTURE_WHOLE, 300, 100);
	picture_add(&picture, PICTURE_IN, 300, 60);
	is(map_kind(&picture, 3, 0), MAP_MOVED, "a cell has moved when most of it has");
	picture_add(&picture, PICTURE_FREE, 400, 200);
	picture_add(&picture, PICTURE_FREE, 400, 200);
	is(map_kind(&picture, 4, 0), MAP_FREE, "more than there can be: while others write");
	is(map_kind(&picture, 4, MAP_TOUCH_READ | MAP_TOUCH_WRITE), MAP_WRITE,
	   "writing hides reading");
	picture_free(&picture);
}

/* Columns of a line, without its colours; UINT32_MAX if there are other codes in it. */
static size_t width_of(const char *line)
{
	char *plain = malloc(strlen(line) + 1), *to = plain;
	size_t width;

	while (*line) {
		if (*line == '\033') {
			line += strspn(line + 1, "[0123456789;") + 1;
			if (*line != 'm')
				break;
			line++;
			continue;
		}
		*to++ = *line++;
	}
	*to = 0;
	width = *line ? UINT32_MAX : columns_of(plain);
	free(plain);
	return width;
}

static void test_drawing(void)
{
	struct picture picture;
	struct map_view view = { .picture = &picture,
				 .blocksize = 4096,
				 .title = "/dev/x on /y",
				 .rows = 24,
				 .columns = 80,
				 .percent = 42,
				 .line = "here" };
	struct map_lines lines = { 0 };
	unsigned int rows, columns, bad = 0;
	size_t i;

	make(&picture);
	map_draw(&view, &lines);
	ok(lines.count >= 20 && lines.count < 24, "a map fills the terminal (%zu)", lines.count);
	ok(!strncmp(lines.line[0], " /dev/x on /y ", 14), "it has a title");
	ok(!strncmp(lines.line[1], " XXXXXXXXXX", 11), "and signs");
	ok(!!strchr(lines.line[1], '%') && !!strchr(lines.line[2], 'o'), "for what lies where");
	ok(!!strstr(lines.line[lines.count - 3], "a sign is 3 blocks, 12.0 KiB"),
	   "how many blocks one is");
	ok(!strncmp(lines.line[lines.count - 2], "  42% ####", 10), "how much is done");
	ok(!strcmp(lines.line[lines.count - 1], "here"), "and where");
	for (i = 0; i < lines.count; i++)
		bad += !!strpbrk(lines.line[i], "\033\342");
	is(bad, 0, "without colours and UTF-8 it is plain ASCII");
	map_lines_free(&lines);

	for (bad = 0, rows = MAP_ROWS; rows < 70; rows += 3)
		for (columns = MAP_COLUMNS; columns < 300; columns += 7) {
			view.rows = rows;
			view.columns = columns;
			view.colours = rows % 2;
			view.utf8 = columns % 2;
			map_draw(&view, &lines);
			bad += lines.count >= rows || lines.count < 6;
			for (i = 0; i + 1 < lines.count; i++)
				bad += width_of(lines.line[i]) != columns - 1;
			map_lines_free(&lines);
		}
	is(bad, 0, "whatever the size: fewer lines than rows, all one column narrower");

	view.colours = view.utf8 = true;
	map_draw(&view, &lines);
	ok(!!strstr(lines.line[1], "\033[0;33;44mXX"), "in colours");
	ok(!strcmp(lines.line[1] + strlen(lines.line[1]) - 4, "\033[0m"),
	   "that end where the line does");
	map_lines_free(&lines);
	picture_free(&picture);

	/* Nothing is known, as of a filesystem that has no blocks. */
	picture_init(&picture, 0, PICTURE_CELLS);
	view.touched = NULL;
	map_draw(&view, &lines);
	ok(lines.count >= 4, "a map of nothing");
	map_lines_free(&lines);
	picture_free(&picture);
	/* A cell each is more than there are blocks. */
	picture_init(&picture, 3, PICTURE_CELLS);
	map_draw(&view, &lines);
	ok(!!strstr(lines.line[1], "XXX\033["), "a map of three blocks");
	map_lines_free(&lines);
	picture_free(&picture);
}

void test_map(void)
{
	test_moves();
	test_kinds();
	test_drawing();
}
