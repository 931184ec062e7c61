// SPDX-License-Identifier: GPL-2.0-only
/* promise reuse: files that come and go, and are promised to be whole, or to be there no more. */
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "pattern.h"
#include "promise.h"

#define NEW_CELLS 1200
#define SMALL_CELLS 64

static uint64_t free_kib(int dir)
{
	struct statvfs st;

	if (fstatvfs(dir, &st))
		error(1, errno, "statvfs");
	return st.f_bavail * (st.f_frsize / 512) / 2;
}

/* True if there was room for all of it. */
static bool new_file(int dir, uint64_t serial, uint64_t cells, bool sync)
{
	static struct cell data[SMALL_CELLS];
	char name[32];
	struct stat st;
	uint64_t done, i;
	bool ok = true;
	int fd;

	snprintf(name, sizeof(name), "n%06" PRIu64, serial);
	fd = openat(dir, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
	if (fd < 0 && errno == ENOSPC)
		return false;
	if (fd < 0 || fstat(fd, &st))
		error(1, errno, "%s", name);
	for (done = 0; done < cells && ok; done += i) {
		for (i = 0; i < SMALL_CELLS && done + i < cells; i++)
			cell_fill(&data[i], serial, st.st_ino, done + i, 0);
		ok = write_fully(fd, data, i * CELL, done * CELL) == (ssize_t)(i * CELL);
	}
	if (!ok && errno != ENOSPC)
		error(1, errno, "%s", name);
	if (ok && sync && (fsync(fd) || (twice && fsync(fd))))
		error(1, errno, "%s: fsync", name);
	if (ok && sync)
		put_mark("new %s %" PRIu64, name, cells);
	close(fd);
	return ok;
}

void reuse(const char *path, uint64_t kib)
{
	uint64_t oldest = 1, next = 1;
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char name[32];

	if (dir < 0)
		error(1, errno, "%s", path);
	while (!stopped) {
		uint64_t cells = 1 + below(&seed, below(&seed, 4) ? SMALL_CELLS : NEW_CELLS);
		bool room = free_kib(dir) > kib + cells / 2;

		if (room)
			room = new_file(dir, next++, cells, below(&seed, 3));
		if (room || oldest == next)
			continue;
		snprintf(name, sizeof(name), "n%06" PRIu64, oldest++);
		put_mark("gone %s", name);
		if (unlinkat(dir, name, 0) && errno != ENOENT)
			error(1, errno, "%s", name);
		/* What is deleted is free when it is committed. */
		if (!below(&seed, 8) && fsync(dir))
			error(1, errno, "%s", path);
	}
}
