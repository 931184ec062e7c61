// SPDX-License-Identifier: GPL-2.0-only
/*
 * cost NAME COMMAND...: runs COMMAND and prints to descriptor 3 what it took, as "KEY VALUE" lines:
 * NAME_seconds; NAME_cpu_seconds, user and system, of COMMAND and all it waited for; NAME_peak_kib,
 * the largest resident set of any of them. The status is COMMAND's.
 */
#include <errno.h>
#include <error.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(struct timeval tv)
{
	return (double)tv.tv_sec + (double)tv.tv_usec / 1e6;
}

int main(int argc, char **argv)
{
	struct timespec start, end;
	struct rusage usage;
	int status;
	pid_t pid;

	if (argc < 3) {
		fprintf(stderr, "usage: cost NAME COMMAND...\n");
		return 2;
	}
	clock_gettime(CLOCK_MONOTONIC, &start);
	/* vfork: a copy of this process would count as COMMAND's memory */
	pid = vfork();
	if (!pid) {
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid)
		error(1, errno, "can't run %s", argv[2]);
	clock_gettime(CLOCK_MONOTONIC, &end);
	dprintf(3, "%s_seconds %.3f\n%s_cpu_seconds %.3f\n%s_peak_kib %ld\n", argv[1],
		(double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9,
		argv[1], seconds(usage.ru_utime) + seconds(usage.ru_stime), argv[1],
		usage.ru_maxrss);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
