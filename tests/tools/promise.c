// SPDX-License-Identifier: GPL-2.0-only
/*
 * promise: writers that put down what the kernel has promised them where a log of all disks sees it
 * in its place: as a mark, a sector written past all caches to a disk of its own. crashpoints reads
 * them there.
 * promise mark DISK FS TEXT   puts down one mark; FS is a number, in front of it
 * promise overwrite DISK FS SEED FILE...   until SIGTERM: overwrites cells of FILEs, written by
 *	fill, and has them made durable in each way that there is. Marks "wrote INODE CELL COUNT
 *	GENERATION", and "store" and the same before a mapping is written to
 * promise pin DISK FS SEED SOURCE FILE...   the same, but with direct reads of the disk SOURCE into
 *	a mapping of FILEs, and direct writes out of it
 * promise holes DISK FS SEED META FILE...   the same, after holes were made (a mark "hole INODE
 *	CELL COUNT" before each) and filled by data/alloc through META, where ext3meta is mounted
 * promise reuse DISK FS SEED DIR KIB   until SIGTERM: fills the filesystem but for KIB with new
 *	files in DIR, and deletes the oldest to have room again, so that blocks that others free
 *	are taken at once. Marks "new NAME CELLS" when fsync has returned and "gone NAME" before
 *	unlink
 * PROMISE_TWICE=yes, for a filesystem with its journal elsewhere: what is made durable is made so
 * twice before it is marked. Where the transaction that fsync commits is still running, ext4 leaves
 * it to the commit to flush the filesystem's own disk, and that doesn't if it has written nothing
 * there itself. Of one that is committed it leaves nothing to others.
 * PROMISE_FAST=yes, for one with fast commits: what would ask for one is not done. Neither the
 * kernel nor e2fsck can replay that of a file without extents: they look for its extents all the
 * same. What is left is direct I/O with O_DSYNC, and syncfs, which commits it all.
 */
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "pattern.h"
#include "promise.h"

volatile sig_atomic_t stopped;
bool twice, fast;
uint64_t seed;
static int disk;
static uint64_t number;

static void on_term(int signal)
{
	(void)signal;
	stopped = 1;
}

void put_mark(const char *format, ...)
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

uint64_t next_generation(void)
{
	static uint64_t last;
	struct timespec now;
	uint64_t generation;

	clock_gettime(CLOCK_MONOTONIC, &now);
	generation = now.tv_sec * 1000000ULL + now.tv_nsec / 1000;
	last = generation > last ? generation : last + 1;
	return last;
}

static int usage(void)
{
	fprintf(stderr, "usage: promise mark DISK FS TEXT\n"
			"       promise overwrite DISK FS SEED FILE...\n"
			"       promise pin DISK FS SEED SOURCE FILE...\n"
			"       promise holes DISK FS SEED META FILE...\n"
			"       promise reuse DISK FS SEED DIR KIB\n");
	return 2;
}

static void write_files(const char *how, const char *with, char **names, int count)
{
	struct over *files = calloc(count, sizeof(*files));
	int i;

	if (!files)
		error(1, ENOMEM, "%s", how);
	for (i = 0; i < count; i++)
		over_open(&files[i], names[i]);
	if (!with)
		overwrite(files, count);
	else if (!strcmp(how, "pin"))
		pin(with, files, count);
	else
		fill_holes(with, files, count);
	free(files);
}

int main(int argc, char **argv)
{
	bool with;

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
	fast = getenv("PROMISE_FAST");
	signal(SIGTERM, on_term);
	with = !strcmp(argv[1], "pin") || !strcmp(argv[1], "holes");
	if (!strcmp(argv[1], "overwrite") || (with && argc > 6))
		write_files(argv[1], with ? argv[5] : NULL, argv + 5 + with, argc - 5 - with);
	else if (!strcmp(argv[1], "reuse") && argc == 7)
		reuse(argv[5], parse_number(argv[6], "KIB"));
	else
		return usage();
	return 0;
}
