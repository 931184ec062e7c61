// SPDX-License-Identifier: GPL-2.0-only
/*
 * fewer.so, to be preloaded: a module that lacks the file `inodes`. What is read of `features` has
 * no bit for it, and opening it fails.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

ssize_t read(int fd, void *buffer, size_t size)
{
	static const char bits[] = "compat 0x7f\n";
	const size_t length = sizeof(bits) - 1;
	ssize_t got = syscall(SYS_read, fd, buffer, size);

	if (got >= (ssize_t)length && !memcmp(buffer, bits, length))
		((char *)buffer)[length - 3] = '5';
	return got;
}

int openat(int dir, const char *path, int flags, ...)
{
	mode_t mode;
	va_list args;

	va_start(args, flags);
	mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;
	va_end(args);
	if (!strcmp(path, "inodes")) {
		errno = ENOENT;
		return -1;
	}
	return (int)syscall(SYS_openat, dir, path, flags, mode);
}
int openat64(int, const char *, int, ...) __attribute__((alias("openat")));
