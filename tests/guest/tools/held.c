// SPDX-License-Identifier: GPL-2.0-only
/*
 * held.so, to be preloaded: a module that says of a file that somebody keeps it busy, or of the
 * filesystem that it is frozen. The tool writes its requests by syscall(2).
 *
 *   HELD        the inode number of a file: its requests to data/reloc are EBUSY
 *   HELD_TIMES  so many of them; all of them without it
 *   HELD_MS     after so many milliseconds
 *   FROZEN      a path: while it exists, all requests to data/reloc are EAGAIN
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long number_of(const char *name, long otherwise)
{
	const char *value = getenv(name);

	return value ? atol(value) : otherwise;
}

/* The inode whose data/reloc @fd is; 0 if it is another file. */
static long reloc_of(int fd)
{
	char link[64], path[256], end[32];
	long inode, generation;
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, sizeof(path) - 1);
	if (length < 0)
		return 0;
	path[length] = 0;
	return sscanf(path, "/nodes/%ld:%ld/%31s", &inode, &generation, end) == 3 &&
			       !strcmp(end, "data/reloc") ?
		       inode :
		       0;
}

/* The answer instead of the module's; 0: there is none. */
static int refusal(long inode)
{
	static long times;
	const char *frozen = getenv("FROZEN");
	const long ms = number_of("HELD_MS", 0);
	const struct timespec pause = { ms / 1000, ms % 1000 * 1000000 };

	if (inode && frozen && !access(frozen, F_OK))
		return EAGAIN;
	if (!inode || inode != number_of("HELD", 0) || times++ >= number_of("HELD_TIMES", 1L << 40))
		return 0;
	nanosleep(&pause, NULL);
	return EBUSY;
}

long syscall(long number, ...)
{
	long (*next)(long, ...) = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
	long a[6];
	va_list args;
	int i, err;

	va_start(args, number);
	for (i = 0; i < 6; i++)
		a[i] = va_arg(args, long);
	va_end(args);
	err = number == SYS_write ? refusal(reloc_of((int)a[0])) : 0;
	if (err) {
		errno = err;
		return -1;
	}
	return next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
