// SPDX-License-Identifier: GPL-2.0-only
/*
 * steps REQUESTS REPLIES: do the system calls that a script names, one a line, in one process, and
 * compare each result with the one that the script expects. Starting a program takes long in an
 * emulated machine, so this one serves all tests of a file: scripts come from the pipe REQUESTS,
 * each ended by a byte 4, and run in a child; REPLIES gets the status, a newline, what was printed,
 * and a byte 4.
 *
 *	[within MS] COMMAND [ARG]... [-> NAME] [=> RESULT]
 *
 * A result is a number, the name of an errno, or text. Without "=>" the step must not end in an
 * errno. "->" keeps the result as %NAME, which any later word may use; opening a file NAME sets
 * %NAME to its inode number. Words are separated by blanks; "..." is one word, and \n \t \0 \\ \"
 * are what they are in C. "any" as the RESULT fits all, "A|B" fits either. "within MS" repeats the
 * step until its result fits, for MS milliseconds at most. The commands are listed in
 * steps_commands.c.
 */
#define _GNU_SOURCE
#include "steps.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/wait.h>

static bool fits(const struct word *expected)
{
	const char *at, *end;

	if (!expected)
		return !failed;
	if (!strcmp(expected->text, "any"))
		return true;
	for (at = expected->text; strchr(expected->text, '|') && at; at = *end ? end + 1 : NULL) {
		end = strchrnul(at, '|');
		if ((size_t)(end - at) == result_length && !memcmp(at, result, result_length))
			return true;
	}
	return expected->length == result_length && !memcmp(expected->text, result, result_length);
}

static void do_line(const char *line)
{
	struct word words[MAX_WORDS], *w = words, *expected = NULL, *name = NULL;
	int count = split(line, words), all = count;
	long long patience = 0;

	if (!count)
		return;
	while (count > 2) {
		if (!strcmp(w[count - 2].text, "=>"))
			expected = &w[count - 1];
		else if (!strcmp(w[count - 2].text, "->"))
			name = &w[count - 1];
		else
			break;
		count -= 2;
	}
	if (!strcmp(w[0].text, "within") && count > 2) {
		patience = number(&w[1]);
		w += 2;
		count -= 2;
	}
	for (;;) {
		run_command(w, count);
		if (fits(expected) || patience <= 0)
			break;
		usleep(50 * 1000);
		patience -= 50;
	}
	if (!fits(expected)) {
		fprintf(stderr, "steps: line %u: %s\n  gave     '%s'\n  expected %s%s%s\n",
			line_number, line, result, expected ? "'" : "",
			expected ? expected->text : "no error", expected ? "'" : "");
		_exit(1);
	}
	if (name)
		keep(name->text, result, result_length);
	while (all--)
		free(words[all].text);
}

static void do_script(char *script)
{
	char *save, *line;

	signal(SIGBUS, on_bus);
	if (posix_memalign((void **)&chunk, 65536, CHUNK))
		die("out of memory");
	for (line = script; line; line = save) {
		save = strchr(line, '\n');
		if (save)
			*save++ = '\0';
		line_number++;
		do_line(line);
	}
}

static int run_script(char *script, FILE *replies)
{
	FILE *printed = tmpfile();
	char buffer[4096];
	size_t got;
	pid_t child = fork();
	int status;

	if (child < 0 || !printed)
		die("%s", strerror(errno));
	if (!child) {
		dup2(fileno(printed), 1);
		dup2(fileno(printed), 2);
		setvbuf(stdout, NULL, _IONBF, 0);
		do_script(script);
		_exit(0);
	}
	waitpid(child, &status, 0);
	fprintf(replies, "%d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	fseek(printed, 0, SEEK_SET);
	while ((got = fread(buffer, 1, sizeof(buffer), printed)) > 0)
		fwrite(buffer, 1, got, replies);
	fputc(4, replies);
	fflush(replies);
	fclose(printed);
	return 0;
}

int main(int argc, char **argv)
{
	char *script = NULL;
	size_t room = 0;
	ssize_t length;
	FILE *requests, *replies;

	if (argc != 3) {
		fputs("usage: steps REQUESTS REPLIES\n", stderr);
		return 2;
	}
	/* Read and write: no end of file between two tests. */
	requests = fopen(argv[1], "r+e");
	replies = fopen(argv[2], "r+e");
	if (!requests || !replies) {
		perror("steps");
		return 2;
	}
	setvbuf(requests, NULL, _IOFBF, 65536);
	while ((length = getdelim(&script, &room, 4, requests)) > 0) {
		script[length - 1] = '\0';
		run_script(script, replies);
	}
	free(script);
	return 0;
}
