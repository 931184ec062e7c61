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

static void make(struct usage *usage)
{
	usage_init(usage, BLOCKS, USAGE_CELLS);
	usage_add(usage, USAGE_PIECES, 100, 8);
	usage_add(usage, USAGE_INDIRECT, 200, 1);
	usage_add(usage, USAGE_PIECES, 300, 12);
	usage_add(usage, USAGE_WHOLE, 400, 100);
	usage_add(usage, USAGE_DIRECTORY, 500, 5);
	usage_add(usage, USAGE_FREE, 900, BLOCKS - 900);
}

static bool all_are(const struct screen_map *map, size_t from, size_t to, enum cell_kind kind)
{
	for (; from < to; from++)
		if (cell_kind(&map->usage, from, map->touched[from]) != kind)
			return false;
	return true;
}

static void test_moves(void)
{
	struct usage usage;
	struct screen_map map;

	make(&usage);
	screen_map_init(&map, &usage);
	ok(all_are(&map, 0, 100, CELL_OTHER), "what nobody claims is other");
	ok(all_are(&map, 300, 312, CELL_PIECES) && all_are(&map, 400, 500, CELL_WHOLE) &&
		   all_are(&map, 500, 505, CELL_MAPS) && all_are(&map, 200, 201, CELL_MAPS) &&
		   all_are(&map, 900, BLOCKS, CELL_FREE),
	   "the others are what they are");

	screen_map_touch(&map, &old, &new, 4, 10, 0);
	ok(all_are(&map, 100, 104, CELL_PIECES) && all_are(&map, 104, 108, CELL_READ) &&
		   all_are(&map, 300, 302, CELL_READ) && all_are(&map, 302, 312, CELL_PIECES),
	   "a step is read where the file lies, and only what it moves");
	ok(all_are(&map, 1000, 1004, CELL_FREE) && all_are(&map, 1004, 1008, CELL_WRITE) &&
		   all_are(&map, 1008, 1009, CELL_FREE) && all_are(&map, 1009, 1011, CELL_WRITE) &&
		   all_are(&map, 1011, 1020, CELL_FREE),
	   "and written where it shall lie, around its indirect block");
	screen_map_drawn(&map);
	ok(all_are(&map, 104, 108, CELL_PIECES), "drawn once, that is gone");

	screen_map_move(&map, &old, &new, 4, 10, 0);
	ok(all_are(&map, 104, 108, CELL_FREE) && all_are(&map, 300, 302, CELL_FREE) &&
		   all_are(&map, 302, 312, CELL_PIECES) && all_are(&map, 100, 104, CELL_PIECES),
	   "what moved leaves free blocks");
	ok(all_are(&map, 1004, 1008, CELL_MOVED) && all_are(&map, 1009, 1011, CELL_MOVED),
	   "and is seen to have moved");
	screen_map_move(&map, &old, &new, 8, 9, 1);
	ok(all_are(&map, 200, 201, CELL_FREE) && all_are(&map, 1008, 1009, CELL_MAPS),
	   "so does an indirect block, and nothing else of what lies there");
	ok(all_are(&map, 1011, 1020, CELL_FREE), "no data goes with it");
	screen_map_move(&map, &new, &old, 4, 10, 0);
	screen_map_move(&map, &new, &old, 8, 9, 1);
	ok(!memcmp(usage.cell[100].count, map.usage.cell[100].count, 5 * sizeof(uint64_t)) &&
		   all_are(&map, 1000, 1021, CELL_FREE),
	   "all of it goes back");
	is(usage_sum(&map.usage, USAGE_FREE), BLOCKS - 900, "no block is lost or won");
	is(usage_sum(&usage, USAGE_IN), 0, "what it began with stays as it was");
	screen_map_free(&map);
	usage_free(&usage);
}

static void test_kinds(void)
{
	struct usage usage;

	usage_init(&usage, 800, 8);
	is(usage.cells, 8, "cells of 100 blocks");
	usage_add(&usage, USAGE_FREE, 0, 95);
	is(cell_kind(&usage, 0, 0), CELL_FREE, "a few blocks in a free cell aren't seen");
	usage_add(&usage, USAGE_FREE, 100, 80);
	usage_add(&usage, USAGE_WHOLE, 180, 12);
	usage_add(&usage, USAGE_PIECES, 192, 8);
	is(cell_kind(&usage, 1, 0), CELL_PIECES, "of what is used, fragments are seen first");
	usage_add(&usage, USAGE_WHOLE, 200, 90);
	usage_add(&usage, USAGE_PIECES, 290, 10);
	is(cell_kind(&usage, 2, 0), CELL_WHOLE, "but not a few among many");
	usage_add(&usage, USAGE_WHOLE, 300, 100);
	usage_add(&usage, USAGE_IN, 300, 60);
	is(cell_kind(&usage, 3, 0), CELL_MOVED, "a cell has moved when most of it has");
	usage_add(&usage, USAGE_FREE, 400, 200);
	usage_add(&usage, USAGE_FREE, 400, 200);
	is(cell_kind(&usage, 4, 0), CELL_FREE, "more than there can be: while others write");
	is(cell_kind(&usage, 4, CELL_TOUCH_READ | CELL_TOUCH_WRITE), CELL_WRITE,
	   "writing hides reading");
	usage_free(&usage);
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
	struct usage usage;
	struct screen_map_view view = { .usage = &usage,
					.blocksize = 4096,
					.title = "/dev/x on /y",
					.rows = 24,
					.columns = 80,
					.percent = 42,
					.line = "here" };
	struct screen_map_lines lines = { 0 };
	unsigned int rows, columns, bad = 0;
	size_t i;

	make(&usage);
	screen_map_draw(&view, &lines);
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
	screen_map_lines_free(&lines);

	for (bad = 0, rows = SCREEN_MAP_ROWS; rows < 70; rows += 3)
		for (columns = SCREEN_MAP_COLUMNS; columns < 300; columns += 7) {
			view.rows = rows;
			view.columns = columns;
			view.colours = rows % 2;
			view.utf8 = columns % 2;
			screen_map_draw(&view, &lines);
			bad += lines.count >= rows || lines.count < 6;
			for (i = 0; i + 1 < lines.count; i++)
				bad += width_of(lines.line[i]) != columns - 1;
			screen_map_lines_free(&lines);
		}
	is(bad, 0, "whatever the size: fewer lines than rows, all one column narrower");

	view.colours = view.utf8 = true;
	screen_map_draw(&view, &lines);
	ok(!!strstr(lines.line[1], "\033[0;33;44mXX"), "in colours");
	ok(!strcmp(lines.line[1] + strlen(lines.line[1]) - 4, "\033[0m"),
	   "that end where the line does");
	screen_map_lines_free(&lines);
	usage_free(&usage);

	/* Nothing is known, as of a filesystem that has no blocks. */
	usage_init(&usage, 0, USAGE_CELLS);
	view.touched = NULL;
	screen_map_draw(&view, &lines);
	ok(lines.count >= 4, "a map of nothing");
	screen_map_lines_free(&lines);
	usage_free(&usage);
	/* A cell each is more than there are blocks. */
	usage_init(&usage, 3, USAGE_CELLS);
	screen_map_draw(&view, &lines);
	ok(!!strstr(lines.line[1], "XXX\033["), "a map of three blocks");
	screen_map_lines_free(&lines);
	usage_free(&usage);
}

void test_map(void)
{
	test_moves();
	test_kinds();
	test_drawing();
}
