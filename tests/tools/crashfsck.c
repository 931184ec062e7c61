// SPDX-License-Identifier: GPL-2.0-only
/* Runs e2fsck, thousands of times: without a shell. */
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crashfsck.h"

int run_e2fsck(const char *mode, const char *image, const char *journal, char *said, size_t size)
{
	char *arguments[] = { "e2fsck",	       (char *)mode, (char *)image, journal ? "-j" : NULL,
			      (char *)journal, NULL };
	posix_spawn_file_actions_t actions;
	size_t length = 0;
	int pipes[2], status;
	ssize_t got;
	char *rest[4096 / sizeof(char *)];
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC) || posix_spawn_file_actions_init(&actions) ||
	    posix_spawn_file_actions_adddup2(&actions, pipes[1], 1) ||
	    posix_spawn_file_actions_adddup2(&actions, pipes[1], 2) ||
	    posix_spawnp(&pid, arguments[0], &actions, NULL, arguments, environ))
		error(2, errno, "e2fsck");
	posix_spawn_file_actions_destroy(&actions);
	close(pipes[1]);
	do {
		char *to = length < size - 1 ? said + length : (char *)rest;

		got = read(pipes[0], to, to == (char *)rest ? sizeof(rest) : size - 1 - length);
		if (to != (char *)rest && got > 0)
			length += got;
	} while (got > 0 || (got < 0 && errno == EINTR));
	close(pipes[0]);
	said[length] = '\0';
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			error(2, errno, "e2fsck");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

bool is_e2fsck_replay(char *said)
{
	static const char *const usual[] = { ": recovering journal", ": Clearing orphaned inode ",
					     ": clean, " };
	char *line;
	size_t i;

	for (line = strtok(said, "\n"); line; line = strtok(NULL, "\n")) {
		for (i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
			if (strstr(line, usual[i]))
				break;
		if (i == sizeof(usual) / sizeof(usual[0]))
			return false;
	}
	return true;
}
