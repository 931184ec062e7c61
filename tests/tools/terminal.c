// SPDX-License-Identifier: GPL-2.0-only
/*
 * terminal [-o FILE] ROWSxCOLUMNS [TEXT=EVENT]... -- COMMAND [ARG]...
 *
 * Runs COMMAND on a terminal of that size, and shows what a user sees at its end: all lines, those
 * that have scrolled away as well, and then a line about the state in which the terminal is left:
 *
 *	-- cursor ROW COLUMN, shown|hidden, plain|coloured, codes N, strange N
 *
 * with the number of escape sequences that came, and of those that it doesn't know; a user would
 * see those as rubbish. FILE gets all bytes as they came.
 *
 * When TEXT has come, EVENT happens, and only then the next one is waited for: "^C" and the like
 * is a key, "10x30" a new size, "USR1" a signal for COMMAND. The exit status is COMMAND's, 128 more
 * than the signal's number if it was killed.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROWS 200
#define COLUMNS 500

static struct {
	char cell[ROWS][COLUMNS][5]; /* a character each, "" is blank */
	int rows, columns, row, column;
	bool hidden, coloured;
	unsigned int codes, strange;
	char code[64]; /* an escape sequence that isn't complete */
	size_t length;
	int more; /* bytes of a character that are still to come */
} screen;

static void die(const char *what)
{
	fprintf(stderr, "terminal: %s: %s\n", what, strerror(errno));
	exit(125);
}

static void show_row(int row)
{
	int column, last = screen.columns;

	while (last && !*screen.cell[row][last - 1])
		last--;
	for (column = 0; column < last; column++)
		fputs(*screen.cell[row][column] ? screen.cell[row][column] : " ", stdout);
	putchar('\n');
}

static void line_feed(void)
{
	if (screen.row + 1 < screen.rows) {
		screen.row++;
		return;
	}
	show_row(0);
	memmove(screen.cell[0], screen.cell[1], sizeof(screen.cell[0]) * (ROWS - 1));
	memset(screen.cell[screen.rows - 1], 0, sizeof(screen.cell[0]));
}

static void erase(int from_row, int from_column)
{
	int row;

	memset(screen.cell[from_row][from_column], 0,
	       sizeof(screen.cell[0][0]) * (size_t)(COLUMNS - from_column));
	for (row = from_row + 1; row < ROWS; row++)
		memset(screen.cell[row], 0, sizeof(screen.cell[row]));
}

/* "\033[" is gone, the last byte is in it. */
static void obey(const char *code)
{
	const char last = code[strlen(code) - 1];
	const int number = atoi(code);

	screen.codes++;
	if (!strcmp(code, "?25l") || !strcmp(code, "?25h"))
		screen.hidden = last == 'l';
	else if (last == 'm')
		screen.coloured = strcmp(code, "m") && strcmp(code, "0m");
	else if (last == 'A')
		screen.row -= number < 1 ? 1 : number > screen.row ? screen.row : number;
	else if (!strcmp(code, "K"))
		memset(screen.cell[screen.row][screen.column], 0,
		       sizeof(screen.cell[0][0]) * (size_t)(COLUMNS - screen.column));
	else if (!strcmp(code, "J"))
		erase(screen.row, screen.column);
	else if (!strcmp(code, "H"))
		screen.row = screen.column = 0;
	else
		screen.strange++;
	if (screen.row < 0)
		screen.row = 0;
}

static void put_character(char byte)
{
	const unsigned char first = (unsigned char)byte;

	if (screen.column == screen.columns) {
		screen.column = 0;
		line_feed();
	}
	memset(screen.cell[screen.row][screen.column], 0, 5);
	screen.cell[screen.row][screen.column++][0] = byte;
	screen.more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : 0;
}

static void hear(char byte)
{
	if (screen.length) {
		if (screen.length + 1 < sizeof(screen.code))
			screen.code[screen.length++] = byte;
		if (screen.length == 2 && byte != '[') {
			screen.codes++;
			screen.strange++;
			screen.length = 0;
		} else if (screen.length > 2 && byte >= '@') {
			screen.code[screen.length] = 0;
			screen.length = 0;
			obey(screen.code + 2);
		}
		return;
	}
	if (byte == '\033') {
		screen.code[screen.length++] = byte;
	} else if (byte == '\r') {
		screen.column = 0;
	} else if (byte == '\n') {
		line_feed();
	} else if (screen.more && ((unsigned char)byte & 0xc0) == 0x80) {
		char *cell = screen.cell[screen.row][screen.column - 1];

		screen.more--;
		cell[strlen(cell)] = byte;
	} else if ((unsigned char)byte < ' ') {
		screen.strange++;
	} else {
		put_character(byte);
	}
}

/* Most terminals break lines anew when they become narrower: what doesn't fit goes to more rows. */
static void reflow(int rows, int columns)
{
	static char all[2 * ROWS][COLUMNS][5];
	int row, count = 0, at, length;

	memset(all, 0, sizeof(all));
	for (row = 0; row <= screen.row; row++) {
		for (length = COLUMNS; length && !*screen.cell[row][length - 1]; length--)
			;
		for (at = 0; count < 2 * ROWS && (at < length || !at); at += columns)
			memcpy(all[count++], screen.cell[row] + at,
			       5 * (size_t)(length - at < columns ? length - at : columns));
		if (row == screen.row)
			screen.column = length - (at - columns);
	}
	for (row = 0; row + rows < count; row++) {
		memcpy(screen.cell[0], all[row], sizeof(all[0]));
		show_row(0);
	}
	memset(screen.cell, 0, sizeof(screen.cell));
	memcpy(screen.cell, all[row], sizeof(all[0]) * (size_t)(count - row));
	screen.row = count < rows ? count - 1 : rows - 1;
}

static bool parse_size(const char *text)
{
	int rows, columns, used = 0;

	if (sscanf(text, "%dx%d%n", &rows, &columns, &used) != 2 || text[used] || rows < 1 ||
	    rows > ROWS || columns < 1 || columns >= COLUMNS)
		return false;
	if (screen.columns > columns)
		reflow(rows, columns);
	screen.rows = rows;
	screen.columns = columns;
	if (screen.row >= rows)
		screen.row = rows - 1;
	if (screen.column > columns)
		screen.column = columns;
	return true;
}

static int signal_of(const char *name)
{
	static const struct {
		const char *name;
		int number;
	} all[] = { { "USR1", SIGUSR1 }, { "TERM", SIGTERM }, { "KILL", SIGKILL } };
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (!strcmp(name, all[i].name))
			return all[i].number;
	return 0;
}

static void happen(const char *event, int fd, pid_t pid)
{
	const int number = signal_of(event);

	if (number) {
		kill(pid, number);
	} else if (*event == '^' && isupper(event[1])) {
		const char key = (char)(event[1] - '@');

		if (write(fd, &key, 1) != 1)
			die("write");
	} else if (parse_size(event)) {
		const struct winsize size = { .ws_row = (unsigned short)screen.rows,
					      .ws_col = (unsigned short)screen.columns };

		ioctl(fd, TIOCSWINSZ, &size);
	} else {
		fprintf(stderr, "terminal: no such event: %s\n", event);
		exit(125);
	}
}

/* All that came since the last event. */
static struct {
	char *text;
	size_t length, room;
} seen;

static void note(const char *text, size_t length)
{
	if (seen.length + length + 1 > seen.room) {
		seen.room = 2 * (seen.length + length + 1);
		seen.text = realloc(seen.text, seen.room);
		if (!seen.text)
			die("realloc");
	}
	memcpy(seen.text + seen.length, text, length);
	seen.length += length;
}

int main(int argc, char **argv)
{
	struct winsize size = { 0 };
	FILE *raw = NULL;
	char text[65536];
	int fd, status, first, event;
	ssize_t got, i;
	pid_t pid;

	if (argc > 2 && !strcmp(argv[1], "-o")) {
		raw = fopen(argv[2], "w");
		if (!raw)
			die(argv[2]);
		argv += 2;
		argc -= 2;
	}
	for (first = 2; first < argc && strcmp(argv[first], "--"); first++)
		;
	if (first + 1 >= argc || !parse_size(argv[1])) {
		fputs("Usage: terminal [-o FILE] ROWSxCOLUMNS [TEXT=EVENT]... -- COMMAND...\n",
		      stderr);
		return 125;
	}
	size.ws_row = (unsigned short)screen.rows;
	size.ws_col = (unsigned short)screen.columns;
	pid = forkpty(&fd, NULL, NULL, &size);
	if (pid < 0)
		die("forkpty");
	if (!pid) {
		execvp(argv[first + 1], argv + first + 1);
		die(argv[first + 1]);
	}
	for (event = 2; (got = read(fd, text, sizeof(text))) > 0;) {
		if (raw)
			fwrite(text, 1, (size_t)got, raw);
		for (i = 0; i < got; i++)
			hear(text[i]);
		note(text, (size_t)got);
		while (event < first) {
			const char *equals = strrchr(argv[event], '=');
			char *at;

			if (!equals)
				die(argv[event]);
			at = memmem(seen.text, seen.length, argv[event],
				    (size_t)(equals - argv[event]));
			if (!at)
				break;
			seen.length = 0;
			happen(equals + 1, fd, pid);
			event++;
		}
	}
	if (waitpid(pid, &status, 0) < 0)
		die("waitpid");
	for (i = 0; i < screen.rows; i++)
		if (i <= screen.row || *screen.cell[i][0])
			show_row((int)i);
	printf("-- cursor %d %d, %s, %s, codes %u, strange %u\n", screen.row, screen.column,
	       screen.hidden ? "hidden" : "shown", screen.coloured ? "coloured" : "plain",
	       screen.codes, screen.strange);
	if (event < first)
		printf("-- never came: %s\n", argv[event]);
	if (raw)
		fclose(raw);
	free(seen.text);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
