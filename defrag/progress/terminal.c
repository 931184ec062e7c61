// SPDX-License-Identifier: GPL-2.0-only
#include "progress/terminal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/util.h"

/* The size assumed for a terminal that doesn't tell its own, and the largest size that is used. */
#define ROWS 24
#define COLUMNS 80
#define SIZE_MOST 500

static volatile sig_atomic_t continued;

static struct {
	bool is_one;
	unsigned int rows, columns; /* its size at the last drawing */
	char **line;		    /* the lines on the screen */
	size_t lines;		    /* 0: none */
	size_t width;		    /* columns of a single line */
	bool stale;		    /* the lines may have been overwritten */
} terminal;

/* A shell used the terminal while this was stopped, so the lines are no longer in their place. */
static void on_continue(int number)
{
	(void)number;
	continued = 1;
}

bool terminal_open(void)
{
	struct sigaction action = { .sa_handler = on_continue, .sa_flags = SA_RESTART };

	terminal.is_one = isatty(STDERR_FILENO);
	if (terminal.is_one) {
		sigemptyset(&action.sa_mask);
		sigaction(SIGCONT, &action, NULL);
	}
	return terminal.is_one;
}

bool terminal_has_codes(void)
{
	const char *term = getenv("TERM");

	return term && *term && strcmp(term, "dumb");
}

bool terminal_has_colours(void)
{
	const char *none = getenv("NO_COLOR");

	return !none || !*none;
}

static void forget_lines(void)
{
	while (terminal.lines)
		free(terminal.line[--terminal.lines]);
	free(terminal.line);
	terminal.line = NULL;
}

static bool in_background(void)
{
	const pid_t group = tcgetpgrp(STDERR_FILENO);

	return group >= 0 && group != getpgrp();
}

/* False if the terminal would block a write: Ctrl-S must stop the display, but not the run. */
static bool takes_more(void)
{
	struct pollfd event = { .fd = STDERR_FILENO, .events = POLLOUT };

	return poll(&event, 1, 0) > 0 && event.revents & POLLOUT;
}

static void ask_size(unsigned int *rows, unsigned int *columns)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) || !size.ws_col || !size.ws_row) {
		*rows = ROWS;
		*columns = COLUMNS;
		return;
	}
	*rows = size.ws_row < SIZE_MOST ? size.ws_row : SIZE_MOST;
	*columns = size.ws_col < SIZE_MOST ? size.ws_col : SIZE_MOST;
}

bool terminal_size(unsigned int *rows, unsigned int *columns)
{
	if (!terminal.is_one)
		return false;
	if (continued || in_background()) {
		continued = 0;
		forget_lines();
	}
	if (in_background() || !takes_more())
		return false;
	ask_size(rows, columns);
	return true;
}

/*
 * Write to the terminal in one call, so that other output does not come in between. Errors are
 * ignored: the display is not important.
 */
static void put_bytes(const char *text, size_t length)
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

/*
 * Draw a single line. Blanks erase the rest of the line before it, and the echo of a key, like
 * "^C", after it. The last column is never used: some terminals wrap when it is written to.
 */
static void put_line(const char *text, size_t width, unsigned int columns)
{
	size_t wipe = terminal.lines ? terminal.width + (width ? 0 : 2) : 0;
	char *all;

	if (wipe > columns - 1)
		wipe = columns - 1;
	all = wipe > width ? xasprintf("\r%*s\r%s", (int)wipe, "", text) : xasprintf("\r%s", text);
	put_bytes(all, strlen(all));
	free(all);
}

/*
 * Move the cursor to the start of the first line. If the size of the terminal has changed, its
 * place is not known, because some terminals rewrap lines. Then everything is scrolled off the
 * screen, so that nothing is lost, and the cursor goes to the top.
 */
static void go_back(FILE *stream, unsigned int rows, unsigned int columns)
{
	if (terminal.lines && (rows != terminal.rows || columns != terminal.columns)) {
		while (rows--)
			fputs("\r\n", stream);
		fputs("\033[H\033[J", stream);
		forget_lines();
	} else if (terminal.lines > 1) {
		fprintf(stream, "\r\033[%zuA", terminal.lines - 1);
	} else {
		fputc('\r', stream);
	}
}

static void put_lines(char *const *line, size_t count, unsigned int rows, unsigned int columns)
{
	char *text = NULL;
	size_t size = 0, i;
	FILE *stream = xmemstream(&text, &size);
	bool same;

	fputs("\033[?25l", stream);
	go_back(stream, rows, columns);
	same = terminal.lines == count && !terminal.stale;
	if (!same)
		fputs("\033[J", stream);
	for (i = 0; i < count; i++) {
		/* Send only lines that changed; and the last one, where keys are echoed. */
		if (!same || i + 1 == count || strcmp(line[i], terminal.line[i]))
			fprintf(stream, "%s\033[K", line[i]);
		if (i + 1 < count)
			fputs("\r\n", stream);
	}
	fputs("\033[?25h", stream);
	fclose(stream);
	put_bytes(text, size);
	free(text);
}

void terminal_draw(char *const *line, size_t count, size_t columns)
{
	unsigned int rows, width;
	size_t i;

	ask_size(&rows, &width);
	fflush(stdout);
	if (count == 1 && terminal.lines <= 1)
		put_line(line[0], columns, width);
	else
		put_lines(line, count, rows, width);
	forget_lines();
	terminal.line = xreallocarray(NULL, count, sizeof(*terminal.line));
	for (i = 0; i < count; i++)
		terminal.line[i] = xstrdup(line[i]);
	terminal.lines = count;
	terminal.rows = rows;
	terminal.columns = width;
	terminal.width = columns;
	terminal.stale = false;
}

void terminal_redraw(void)
{
	terminal.stale = true;
}

void terminal_clear(void)
{
	unsigned int rows, columns;
	char *text = NULL;
	size_t size = 0;
	FILE *stream;

	if (!terminal.lines || continued || in_background()) {
		forget_lines();
		return;
	}
	ask_size(&rows, &columns);
	if (terminal.lines == 1) {
		put_line("", 0, columns);
	} else {
		stream = xmemstream(&text, &size);
		go_back(stream, rows, columns);
		fputs("\033[J", stream);
		fclose(stream);
		put_bytes(text, size);
		free(text);
	}
	forget_lines();
}

void terminal_keep(void)
{
	if (terminal.lines)
		put_bytes("\r\n", 2);
	forget_lines();
}
