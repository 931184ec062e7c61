// SPDX-License-Identifier: GPL-2.0-only
#include "progress.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "budget.h"
#include "columns.h"
#include "util.h"

/* Between two drawings, and before the first of a stage: what is over sooner needs none. */
#define EVERY 250000
#define SECOND 1000000ULL
/* Of points that come by the million only one in so many looks at the clock. */
#define OFTEN 64
/* The width of a terminal that doesn't tell, and the most that is drawn. */
#define WIDTH 80
#define WIDTH_MOST 500

static volatile sig_atomic_t asked;

static struct {
	bool terminal; /* there is one to draw on */
	bool utf8;
	uint64_t deadline; /* of the run, in microseconds; 0: none */
	uint64_t bytes;	   /* that it may move; 0: any number */
	uint64_t moved;	   /* by all of the run */

	char *host; /* NULL: none */
	const struct survey *survey;
	uint32_t blocksize;

	struct where where;
	uint64_t to_move; /* bytes, with those that were moved; the run may end before */
	uint64_t before;  /* where.bytes when the file began */
	const struct file *file;
	uint32_t ino; /* the last one counted */

	uint64_t due; /* when to draw again */
	unsigned int often;
	size_t drawn; /* columns of the line on the terminal; 0: there is none */
} progress;

static void on_signal(int number)
{
	(void)number;
	asked = 1;
}

void progress_open(bool quiet)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	sigemptyset(&action.sa_mask);
	sigaction(SIGUSR1, &action, NULL);
	progress.terminal = !quiet && isatty(STDERR_FILENO);
	progress.utf8 = columns_utf8();
	before_message = progress_clear;
}

void progress_bounds(uint64_t seconds, uint64_t bytes)
{
	progress.deadline = seconds ? budget_now() + seconds * SECOND : 0;
	progress.bytes = bytes;
}

void progress_host(const char *shown, const struct survey *survey, uint32_t blocksize)
{
	progress.host = xstrdup(shown);
	progress.survey = survey;
	progress.blocksize = blocksize;
}

/* What is being done with; malloc'd, NULL if nothing is. */
static char *current(void)
{
	if (progress.file)
		return survey_name(progress.survey, progress.file);
	return progress.ino ? xasprintf("inode %" PRIu32, progress.ino) : NULL;
}

static void take_look(uint64_t now)
{
	struct where *where = &progress.where;

	rate_look(&where->rate, now, where->stage == STAGE_MOVE ? where->bytes : where->files);
	where->most = !progress.deadline      ? UINT64_MAX :
		      progress.deadline > now ? (progress.deadline - now) / SECOND :
						0;
}

/* Ctrl-S holds the terminal, but not the run. */
static bool takes_more(void)
{
	struct pollfd event = { .fd = STDERR_FILENO, .events = POLLOUT };

	return poll(&event, 1, 0) > 0 && event.revents & POLLOUT;
}

/* One write, so that nothing comes between. */
static void put(const char *text, size_t length)
{
	ssize_t done;

	while (length) {
		done = write(STDERR_FILENO, text, length);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return;
		text += done;
		length -= (size_t)done;
	}
}

static unsigned int terminal_width(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) || !size.ws_col)
		return WIDTH;
	return size.ws_col < WIDTH_MOST ? size.ws_col : WIDTH_MOST;
}

/* A shell that has put the run into the background has the terminal for itself. */
static bool in_background(void)
{
	const pid_t group = tcgetpgrp(STDERR_FILENO);

	return group >= 0 && group != getpgrp();
}

/*
 * Blanks wipe out what is left of the last line, and a key's "^C" behind it; that works on all
 * terminals. The last column stays free: some begin a new line when it is written to.
 */
static void put_line(const char *line, size_t columns)
{
	const size_t width = terminal_width();
	size_t wipe = progress.drawn + (columns ? 0 : 2);
	char *text;

	if (wipe > width - 1)
		wipe = width - 1;
	text = wipe > columns ? xasprintf("\r%*s\r%s", (int)wipe, "", line) :
				xasprintf("\r%s", line);
	put(text, strlen(text));
	free(text);
	progress.drawn = columns;
}

static void draw(uint64_t now)
{
	char *name, *line;
	unsigned int width = terminal_width();

	progress.due = now + EVERY;
	if (in_background()) {
		progress.drawn = 0;
		return;
	}
	if (!takes_more())
		return;
	take_look(now);
	name = current();
	line = where_line(&progress.where, name, width - 1, progress.utf8);
	fflush(stdout);
	put_line(line, columns_of(line));
	free(line);
	free(name);
}

void progress_clear(void)
{
	if (!progress.drawn)
		return;
	if (!in_background())
		put_line("", 0);
	progress.drawn = 0;
}

static void answer(uint64_t now)
{
	char *name, *text;

	asked = 0;
	take_look(now);
	name = current();
	text = where_text(&progress.where, name);
	complain(progress.host, 0, "%s", text);
	free(text);
	free(name);
}

void progress_point(void)
{
	uint64_t now;

	if (!asked && !progress.terminal)
		return;
	now = budget_now();
	if (asked)
		answer(now);
	if (progress.terminal && progress.where.stage != STAGE_NONE && now >= progress.due)
		draw(now);
}

void progress_often(void)
{
	if (asked || !(++progress.often % OFTEN))
		progress_point();
}

void progress_begin(enum stage stage, uint64_t files, uint64_t fragments)
{
	const uint64_t now = budget_now();

	progress.where =
		(struct where){ .stage = stage, .files_all = files, .fragments = fragments };
	rate_start(&progress.where.rate, now);
	progress.to_move = 0;
	progress.file = NULL;
	progress.ino = 0;
	progress.due = now + EVERY;
	progress_point();
}

/* What there is to move, or what may be moved if that is less. */
static void bound_bytes(void)
{
	struct where *where = &progress.where;

	where->bytes_all = progress.to_move;
	if (progress.bytes && progress.bytes > progress.moved &&
	    progress.bytes - progress.moved + where->bytes < where->bytes_all)
		where->bytes_all = progress.bytes - progress.moved + where->bytes;
}

void progress_moves(uint64_t files, uint64_t blocks)
{
	struct where *where = &progress.where;

	where->files_all = where->files + files;
	progress.to_move = where->bytes + blocks * progress.blocksize;
	bound_bytes();
}

void progress_end(void)
{
	if (asked)
		answer(budget_now());
	progress_clear();
	progress.where.stage = STAGE_NONE;
	progress.file = NULL;
	progress.ino = 0;
}

void progress_host_done(void)
{
	progress_end();
	free(progress.host);
	progress.host = NULL;
	progress.survey = NULL;
}

void progress_count(uint32_t ino)
{
	progress.ino = ino;
	progress.where.files++;
	progress_often();
}

void progress_looked(uint64_t blocks, uint32_t fragments)
{
	progress.where.bytes += blocks * progress.blocksize;
	progress.where.fragments += fragments;
}

void progress_file(const struct file *file)
{
	progress.file = file;
	progress.before = progress.where.bytes;
	progress_point();
}

void progress_moved(uint64_t blocks)
{
	progress.where.bytes += blocks * progress.blocksize;
	progress.moved += blocks * progress.blocksize;
	progress_point();
}

void progress_file_done(uint64_t blocks, uint32_t fragments)
{
	struct where *where = &progress.where;
	const uint64_t bytes = blocks * progress.blocksize, moved = where->bytes - progress.before;

	where->files++;
	where->fragments -= fragments;
	where->fragments += progress.file->fragments;
	/* What stays where it is was no work. */
	if (moved < bytes && progress.to_move >= where->bytes + bytes - moved)
		progress.to_move -= bytes - moved;
	bound_bytes();
	progress.file = NULL;
}
