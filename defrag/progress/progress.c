// SPDX-License-Identifier: GPL-2.0-only
#include "progress/progress.h"

#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/columns.h"
#include "lib/util.h"
#include "progress/screen_map.h"
#include "progress/terminal.h"

/*
 * Microseconds between two drawings, and before the first one of a stage: a stage that ends sooner
 * needs none.
 */
#define EVERY 250000
/* progress_often() reads the clock only at one call of this many. */
#define OFTEN 64
/* Columns left free: the echo of a key, like "^C", must not wrap to a new line wherever it is. */
#define KEY_COLUMNS 3

static volatile sig_atomic_t asked;
static void (*diverted)(void);

static struct {
	bool terminal; /* there is one to draw on */
	bool utf8;
	uint64_t deadline; /* of the run, in microseconds; 0: none */
	uint64_t bytes;	   /* most bytes that the run may move; 0: no limit */
	uint64_t moved;	   /* bytes moved by the whole run */

	const char *host; /* NULL: none */
	char *title;
	progress_name name;
	const void *names;
	uint32_t blocksize;

	struct status_line status_line;
	uint64_t to_move; /* bytes, including those moved already; a limit may end the run before */
	uint64_t before;  /* status_line.bytes when the file began */
	const void *file;
	uint32_t ino; /* the last one counted */

	uint64_t due; /* when to draw again */
	unsigned int often;

	bool wants_map;
	const struct usage *usage; /* the survey's usage of the disk; NULL: there is no map */
	struct screen_map map;	   /* the map while files move */
} progress;

static void on_usr1(int number)
{
	(void)number;
	asked = 1;
}

void progress_open(bool quiet, bool map)
{
	struct sigaction action = { .sa_handler = on_usr1, .sa_flags = SA_RESTART };

	sigemptyset(&action.sa_mask);
	sigaction(SIGUSR1, &action, NULL);
	progress.terminal = !quiet && terminal_open();
	progress.utf8 = columns_utf8();
	progress.wants_map = map && progress.terminal && terminal_has_codes();
	before_message = terminal_clear;
}

void progress_bounds(uint64_t seconds, uint64_t bytes)
{
	progress.deadline = seconds ? clock_now() + seconds * CLOCK_SECOND : 0;
	progress.bytes = bytes;
}

void progress_host(const struct host *host, uint32_t blocksize, progress_name name,
		   const void *names)
{
	progress.host = host->mountpoint;
	progress.title = xasprintf("e3defrag   %s on %s", host->device, host->mountpoint);
	progress.name = name;
	progress.names = names;
	progress.blocksize = blocksize;
}

void progress_map(const struct usage *usage)
{
	progress.usage = usage;
}

/* True if the current stage has a map on the screen. */
static bool has_map(void)
{
	return progress.wants_map && progress.usage && progress.status_line.stage != STAGE_PLAN;
}

/* The printable name of the file that is worked on, malloc'd; NULL if there is none. */
static char *current(void)
{
	if (progress.file)
		return progress.name(progress.names, progress.file);
	return progress.ino ? xasprintf("inode %" PRIu32, progress.ino) : NULL;
}

static void measure(uint64_t now)
{
	struct status_line *status_line = &progress.status_line;

	rate_look(&status_line->rate, now,
		  status_line->stage == STAGE_MOVE ? status_line->bytes : status_line->files);
	status_line->most = !progress.deadline	    ? UINT64_MAX :
			    progress.deadline > now ? (progress.deadline - now) / CLOCK_SECOND :
						      0;
}

static unsigned int percent(const struct status_line *status_line)
{
	const bool bytes = status_line->stage == STAGE_MOVE;
	const uint64_t done = bytes ? status_line->bytes : status_line->files;
	const uint64_t all = bytes ? status_line->bytes_all : status_line->files_all;

	/* The survey is complete on the map; it stays as it is while names are found. */
	if (status_line->stage != STAGE_MOVE && status_line->stage != STAGE_LOOK)
		return 100;
	return done < all ? (unsigned int)((double)done * 100 / (double)all) : 100;
}

static void draw_map(const char *line, unsigned int rows, unsigned int columns)
{
	const bool moving = progress.status_line.stage == STAGE_MOVE;
	const struct screen_map_view view = {
		.usage = moving ? &progress.map.usage : progress.usage,
		.touched = moving ? progress.map.touched : NULL,
		.blocksize = progress.blocksize,
		.title = progress.title,
		.rows = rows,
		.columns = columns,
		.utf8 = progress.utf8,
		.colours = terminal_has_colours(),
		.percent = percent(&progress.status_line),
		.line = line,
	};
	struct screen_map_lines lines = { 0 };

	screen_map_draw(&view, &lines);
	terminal_draw(lines.line, lines.count, 0);
	screen_map_lines_free(&lines);
	if (moving)
		screen_map_drawn(&progress.map);
}

/* The status line below a map that stays on the screen. */
static char *draw_last_line(unsigned int width)
{
	if (progress.status_line.stage == STAGE_MOVE)
		return status_line_line(&progress.status_line, NULL, width, progress.utf8);
	return xstrdup("");
}

static void draw_now(uint64_t now, bool last)
{
	unsigned int rows, columns;
	char *name, *line;

	progress.due = now + EVERY;
	if (!terminal_size(&rows, &columns))
		return;
	measure(now);
	name = current();
	columns = columns > KEY_COLUMNS + 1 ? columns - KEY_COLUMNS : 1;
	line = last ? draw_last_line(columns - 1) :
		      status_line_line(&progress.status_line, name, columns - 1, progress.utf8);
	if (has_map() && rows >= SCREEN_MAP_ROWS && columns >= SCREEN_MAP_COLUMNS)
		draw_map(line, rows, columns);
	else
		terminal_draw(&line, 1, columns_of(line));
	free(line);
	free(name);
}

static void answer(uint64_t now)
{
	char *name, *text;

	asked = 0;
	measure(now);
	name = current();
	text = where_text(&progress.status_line, name);
	complain(progress.host, 0, "%s", text);
	free(text);
	free(name);
}

void progress_point(void)
{
	uint64_t now;

	if (diverted)
		diverted();
	if (!asked && !progress.terminal)
		return;
	now = clock_now();
	if (asked)
		answer(now);
	if (progress.terminal && progress.status_line.stage != STAGE_NONE && now >= progress.due)
		draw_now(now, false);
}

void progress_often(void)
{
	if (asked || !(++progress.often % OFTEN))
		progress_point();
}

void progress_begin(enum stage stage, uint64_t files, uint64_t fragments)
{
	const uint64_t now = clock_now();

	progress.status_line =
		(struct status_line){ .stage = stage, .files_all = files, .fragments = fragments };
	rate_start(&progress.status_line.rate, now);
	progress.to_move = 0;
	progress.file = NULL;
	progress.ino = 0;
	progress.due = now + EVERY;
	if (has_map()) {
		if (stage == STAGE_MOVE)
			screen_map_init(&progress.map, progress.usage);
		progress.due = now;
	}
	progress_point();
}

/* The goal of the stage: all bytes to move, or the bytes that may be moved if these are less. */
static void bound_bytes(void)
{
	struct status_line *status_line = &progress.status_line;

	status_line->bytes_all = progress.to_move;
	if (progress.bytes && progress.bytes > progress.moved &&
	    progress.bytes - progress.moved + status_line->bytes < status_line->bytes_all)
		status_line->bytes_all = progress.bytes - progress.moved + status_line->bytes;
}

void progress_moves(uint64_t files, uint64_t blocks)
{
	struct status_line *status_line = &progress.status_line;

	status_line->files_all = status_line->files + files;
	progress.to_move = status_line->bytes + blocks * progress.blocksize;
	bound_bytes();
}

void progress_end(void)
{
	if (asked)
		answer(clock_now());
	terminal_clear();
	progress.status_line.stage = STAGE_NONE;
	progress.file = NULL;
	progress.ino = 0;
	screen_map_free(&progress.map);
}

void progress_keep(void)
{
	if (has_map() && progress.status_line.stage != STAGE_NONE) {
		/* Nothing is being read or written any more. */
		if (progress.status_line.stage == STAGE_MOVE)
			screen_map_drawn(&progress.map);
		terminal_redraw();
		draw_now(clock_now(), true);
		terminal_keep();
	}
	progress_end();
}

void progress_host_done(void)
{
	progress_end();
	free(progress.title);
	progress.title = NULL;
	progress.host = NULL;
	progress.names = NULL;
	progress.usage = NULL;
}

void progress_count(uint32_t ino)
{
	progress.ino = ino;
	progress.status_line.files++;
	progress_often();
}

void progress_counted(uint64_t more)
{
	progress.status_line.files += more;
	progress_point();
}

void progress_divert(void (*point)(void))
{
	diverted = point;
	progress.terminal = false;
	asked = 0;
	before_message = NULL;
}

void progress_looked(uint64_t blocks, uint32_t fragments)
{
	progress.status_line.bytes += blocks * progress.blocksize;
	progress.status_line.fragments += fragments;
}

void progress_file(const void *file)
{
	progress.file = file;
	progress.before = progress.status_line.bytes;
	progress_point();
}

void progress_step(const struct sequence *from, const struct sequence *to, uint32_t at,
		   uint32_t end, unsigned int level)
{
	if (has_map())
		screen_map_touch(&progress.map, from, to, at, end, level);
	progress_point();
}

void progress_stepped(const struct sequence *from, const struct sequence *to, uint32_t at,
		      uint32_t end, unsigned int level)
{
	if (has_map())
		screen_map_move(&progress.map, from, to, at, end, level);
}

void progress_free_blocks(const struct freemap *free)
{
	if (has_map() && progress.status_line.stage == STAGE_MOVE)
		usage_freemap(&progress.map.usage, free);
}

void progress_moved(uint64_t blocks)
{
	progress.status_line.bytes += blocks * progress.blocksize;
	progress.moved += blocks * progress.blocksize;
	progress_point();
}

void progress_part_done(uint32_t before, uint32_t now)
{
	progress.status_line.fragments -= before;
	progress.status_line.fragments += now;
	progress.file = NULL;
}

void progress_file_done(uint64_t blocks, uint32_t before, uint32_t now)
{
	struct status_line *status_line = &progress.status_line;
	const uint64_t bytes = blocks * progress.blocksize,
		       moved = status_line->bytes - progress.before;

	status_line->files++;
	/* Blocks of the file that stay where they are were no work: subtract them from the goal. */
	if (moved < bytes && progress.to_move >= status_line->bytes + bytes - moved)
		progress.to_move -= bytes - moved;
	bound_bytes();
	progress_part_done(before, now);
}
