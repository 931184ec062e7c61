// SPDX-License-Identifier: GPL-2.0-only
#include "fs/modprobe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * In the child process. The environment of the caller is not passed on: neither its PATH nor
 * MODPROBE_OPTIONS, which can name other directories of modules.
 */
static void become_modprobe(const char *name, int output)
{
	static const char *const path[] = { "/sbin/modprobe", "/usr/sbin/modprobe" };
	static char locale[] = "LC_ALL=C", search[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	static char program[] = "modprobe", end[] = "--";
	char *const environment[] = { search, locale, NULL };
	char *const argv[] = { program, end, (char *)name, NULL };
	int null = open("/dev/null", O_RDONLY);
	sigset_t none;
	size_t i;

	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
	    dup2(output, STDERR_FILENO) < 0)
		_exit(126);
	close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	for (i = 0; i < sizeof(path) / sizeof(*path); i++)
		execve(path[i], argv, environment);
	dprintf(STDERR_FILENO, "%s: %s\n", path[0], strerror(errno));
	_exit(127);
}

/* Read @fd to its end and keep its last line in @why, cut to @size bytes. */
static void last_line_of(int fd, char *why, size_t size)
{
	char line[256];
	size_t length = 0;
	ssize_t got;
	char byte;

	while ((got = read(fd, &byte, 1)) > 0 || (got < 0 && errno == EINTR)) {
		if (got < 0)
			continue;
		/* Let no control character through to the terminal. */
		if (byte != '\n' && length < sizeof(line) - 1)
			line[length++] = byte >= ' ' && byte <= '~' ? byte : '?';
		if (byte != '\n' || !length)
			continue;
		line[length] = 0;
		length = 0;
		snprintf(why, size, "%s", line);
	}
}

void modprobe(const char *name, char *why, size_t size)
{
	int output[2];
	pid_t child;

	if (size)
		*why = 0;
	if (pipe2(output, O_CLOEXEC)) {
		snprintf(why, size, "%s", strerror(errno));
		return;
	}
	fflush(NULL);
	child = fork();
	if (!child)
		become_modprobe(name, output[1]);
	if (child < 0)
		snprintf(why, size, "%s", strerror(errno));
	close(output[1]);
	last_line_of(output[0], why, size);
	close(output[0]);
	while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
}
