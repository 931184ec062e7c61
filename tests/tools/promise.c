// SPDX-License-Identifier: GPL-2.0-only
/*
 * promise: writers that put down what the kernel has promised them where a log of all disks sees it
 * in its place: as a mark, a sector written past all caches to a disk of its own. crashpoints reads
 * them there.
 * promise mark DISK FS TEXT   puts down one mark; FS is a number, in front of it
 * promise overwrite DISK FS SEED FILE...   until SIGTERM: overwrites cells of FILEs, written by
 *	fill, and has them made durable in ways that commit no transaction by themselves, fdatasync
 *	and O_DSYNC. Marks "wrote INODE CELL COUNT GENERATION"
 * promise reuse DISK FS SEED DIR KIB   until SIGTERM: fills the filesystem but for KIB with new
 *	files in DIR, and deletes the oldest to have room again, so that blocks that others free
 *	are taken at once. Marks "new NAME CELLS" when fsync has returned and "gone NAME" before
 *	unlink
 * PROMISE_TWICE=yes, for a filesystem with its journal elsewhere: what is made durable is made so
 * twice before it is marked. Where the transaction that fsync commits is still running, ext4 leaves
 * it to the commit to flush the filesystem's own disk, and that doesn't if it has written nothing
 * there itself. Of one that is committed it leaves nothing to others.
 */
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "pattern.h"

#define PAGE_CELLS 8
#define NEW_CELLS 1200
#define SMALL_CELLS 64

static volatile sig_atomic_t stopped;
static int disk;
static bool twice;
static uint64_t number, seed;

static void on_term(int signal)
{
	(void)signal;
	stopped = 1;
}

static void put_mark(const char *format, ...)
{
	static char *sector;
	va_list args;
	int length;

	if (!sector && posix_memalign((void **)&sector, 4096, CELL))
		error(1, ENOMEM, "mark");
	memset(sector, 0, CELL);
	length = snprintf(sector, CELL, "%" PRIu64 " ", number);
	va_start(args, format);
	vsnprintf(sector + length, CELL - length, format, args);
	va_end(args);
	if (write_fully(disk, sector, CELL, 0) != CELL)
		error(1, errno, "mark");
}

struct over {
	int buffered, direct;
	uint64_t inode, cells;
};

static void open_over(struct over *over, const char *name)
{
	struct stat st;

	over->buffered = open(name, O_RDWR | O_CLOEXEC);
	over->direct = open(name, O_RDWR | O_DIRECT | O_DSYNC | O_CLOEXEC);
	if (over->buffered < 0 || over->direct < 0 || fstat(over->buffered, &st))
		error(1, errno, "%s", name);
	over->inode = st.st_ino;
	over->cells = st.st_size / CELL;
}

/* Later is higher, also in the next process. */
static uint64_t next_generation(void)
{
	static uint64_t last;
	struct timespec now;
	uint64_t generation;

	clock_gettime(CLOCK_MONOTONIC, &now);
	generation = now.tv_sec * 1000000ULL + now.tv_nsec / 1000;
	last = generation > last ? generation : last + 1;
	return last;
}

static void overwrite(struct over *files, unsigned int count)
{
	uint64_t generation, first, cells, i;
	struct cell *data;

	if (posix_memalign((void **)&data, 4096, PAGE_CELLS * CELL))
		error(1, ENOMEM, "overwrite");
	while (!stopped) {
		struct over *file = &files[below(&seed, count)];
		bool direct = below(&seed, 2), ok;

		cells = direct ? PAGE_CELLS : 1 + below(&seed, PAGE_CELLS);
		first = below(&seed, file->cells - PAGE_CELLS);
		first -= first % PAGE_CELLS;
		generation = next_generation();
		for (i = 0; i < cells; i++)
			cell_fill(&data[i], 0, file->inode, first + i, generation);
		ok = write_fully(direct ? file->direct : file->buffered, data, cells * CELL,
				 first * CELL) == (ssize_t)(cells * CELL);
		if (ok && !direct)
			ok = !fdatasync(file->buffered);
		if (ok && twice)
			ok = !fdatasync(file->buffered);
		if (!ok)
			error(1, errno, "overwrite");
		put_mark("wrote %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64, file->inode, first,
			 cells, generation);
	}
}

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

static void reuse(const char *path, uint64_t kib)
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

static int usage(void)
{
	fprintf(stderr, "usage: promise mark DISK FS TEXT\n"
			"       promise overwrite DISK FS SEED FILE...\n"
			"       promise reuse DISK FS SEED DIR KIB\n");
	return 2;
}

int main(int argc, char **argv)
{
	struct over *files;
	int i;

	if (argc < 5)
		return usage();
	disk = open(argv[2], O_WRONLY | O_DIRECT | O_CLOEXEC);
	if (disk < 0)
		error(1, errno, "%s", argv[2]);
	number = parse_number(argv[3], "FS");
	if (!strcmp(argv[1], "mark")) {
		put_mark("%s", argv[4]);
		return 0;
	}
	if (argc < 6)
		return usage();
	seed = parse_number(argv[4], "SEED");
	twice = getenv("PROMISE_TWICE");
	signal(SIGTERM, on_term);
	if (!strcmp(argv[1], "overwrite")) {
		files = calloc(argc - 5, sizeof(*files));
		if (!files)
			error(1, ENOMEM, "overwrite");
		for (i = 5; i < argc; i++)
			open_over(&files[i - 5], argv[i]);
		overwrite(files, argc - 5);
	} else if (!strcmp(argv[1], "reuse") && argc == 7) {
		reuse(argv[5], parse_number(argv[6], "KIB"));
	} else {
		return usage();
	}
	return 0;
}
