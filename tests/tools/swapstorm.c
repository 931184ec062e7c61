// SPDX-License-Identifier: GPL-2.0-only
/*
 * swapstorm: asks ext3meta for moves at random, from several processes at once, so that donors and
 * originals meet in every combination: one donor for two originals, two donors for one original,
 * both directions, overlapping ranges. Whoever reads the files must notice nothing.
 * swapstorm MOUNT META SECONDS SEED WORKERS OWN FILE...: META is where ext3meta is mounted; FILEs
 * are named as seen from MOUNT, and all goes on when both have been unmounted lazily. OWN percent
 * of the requests have a donor of their own, which is made and freed for them; the others share a
 * few. What the interface users must expect (busy, no space, gone) is counted, all else is a
 * failure. The last line is "N requests, N blocks moved, N refused".
 */
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "pattern.h"

#define DONORS 3
#define DONOR_BLOCKS 1400 /* of a shared donor, from the start of the file on */
#define PIECE 24	  /* of which at most this many lie together */
#define COUNT_MOST 400
#define DIRECT 12
/* On a slow machine a worker that has moved nothing yet goes on for so long. */
#define GRACE 60 /* seconds */

struct sums {
	uint64_t requests, moved, refused;
};

static int meta;
static uint64_t first_block, blocks, pointers;
static char **names;
static unsigned int name_count;
static uint64_t donors[DONORS];
static struct sums *sums;

/* What a busy filesystem may answer, or, EAGAIN, one that stays frozen for seconds. */
static bool tolerable(int err)
{
	return err == EBUSY || err == ENODATA || err == ENOENT || err == ESTALE || err == ENOSPC ||
	       err == EEXIST || err == EDQUOT || err == EPERM || err == EAGAIN;
}

static uint64_t number_of(const char *name)
{
	char text[64] = "";
	int fd = openat(meta, name, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		error(1, errno, "%s", name);
	close(fd);
	return strtoull(text, NULL, 10);
}

/* Write one request; what it returned, or -1 where it was refused as may happen. */
static int64_t request(uint64_t inode, const char *name, uint64_t position, const char *format, ...)
{
	char path[64], text[64];
	ssize_t got = -1;
	va_list args;
	int fd, length;

	va_start(args, format);
	length = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	snprintf(path, sizeof(path), "nodes/%" PRIu64 "/%s", inode, name);
	fd = openat(meta, path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && lseek(fd, position, SEEK_SET) >= 0)
		got = write(fd, text, length);
	if (got < 0 && !tolerable(errno))
		error(1, errno, "%s at %" PRIu64 ": %s", path, position, text);
	if (fd >= 0)
		close(fd);
	sums->requests++;
	sums->refused += got < 0;
	return got;
}

/* A donor of block-mapped kind; -1 if there is no room for its inode. */
static int donor_open(uint64_t *inode)
{
	int flags, fd = open(".", O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
	struct stat st;

	if (fd < 0 && tolerable(errno))
		return -1;
	if (fd < 0 || fstat(fd, &st) || ioctl(fd, FS_IOC_GETFLAGS, &flags))
		error(1, errno, "donor");
	if (flags & FS_EXTENT_FL) {
		flags &= ~FS_EXTENT_FL;
		if (ioctl(fd, FS_IOC_SETFLAGS, &flags))
			error(1, errno, "donor without extents");
	}
	*inode = st.st_ino;
	return fd;
}

static void donor_fill(uint64_t inode, uint64_t at, uint64_t end, uint64_t *state)
{
	while (at < end) {
		uint64_t count = 1 + below(state, PIECE);

		if (count > end - at)
			count = end - at;
		request(inode, "alloc_goal", 0, "%" PRIu64,
			first_block + below(state, blocks - first_block));
		request(inode, "data/alloc", at, "%" PRIu64, count);
		at += count;
	}
}

static void move(uint64_t original, uint64_t donor, uint64_t at, uint64_t count)
{
	int64_t got = request(original, "data/reloc", at, "%" PRIu64 " %" PRIu64, donor, count);

	if (got > 0)
		sums->moved += got;
}

static void step(uint64_t *state, unsigned int own)
{
	uint64_t at, inode, length, count = 1 + below(state, COUNT_MOST);
	unsigned int level;
	struct stat st;
	int fd;

	if (stat(names[below(state, name_count)], &st))
		return;
	length = st.st_size / (pointers * 4) + 1;
	at = below(state, length < DONOR_BLOCKS ? length : DONOR_BLOCKS);
	/* often the start, where the direct blocks and the first leaf are */
	if (below(state, 4) == 0)
		at = 0;
	if (below(state, 100) < own) {
		fd = donor_open(&inode);
		if (fd < 0)
			return;
		count = 1 + count / 16;
		donor_fill(inode, at, at + count, state);
		move(st.st_ino, inode, at, count);
		close(fd);
		return;
	}
	inode = donors[below(state, DONORS)];
	switch (below(state, 8)) {
	case 0:
		level = 1 + (unsigned int)below(state, 2);
		at += level == 1 ? DIRECT : DIRECT + pointers;
		if (request(st.st_ino, "metadata/reloc", at, "%" PRIu64 " %u", inode, level) > 0)
			sums->moved++;
		break;
	case 1: /* what was lost to truncates, and to originals that had fewer blocks */
		donor_fill(inode, at, at + PIECE, state);
		break;
	default:
		move(st.st_ino, inode, at, count);
	}
}

int main(int argc, char **argv)
{
	uint64_t seed, seconds, workers, own, i;
	struct sums total = { 0 };
	int status, bad = 0;
	time_t until;

	if (argc < 8) {
		fprintf(stderr, "usage: swapstorm MOUNT META SECONDS SEED WORKERS OWN FILE...\n");
		return 2;
	}
	seconds = parse_number(argv[3], "SECONDS");
	seed = parse_number(argv[4], "SEED");
	workers = parse_number(argv[5], "WORKERS");
	own = parse_number(argv[6], "OWN");
	names = argv + 7;
	name_count = argc - 7;
	meta = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (meta < 0)
		error(1, errno, "%s", argv[2]);
	if (chdir(argv[1]))
		error(1, errno, "%s", argv[1]);
	blocks = number_of("super/blocks");
	first_block = number_of("super/first_block");
	pointers = number_of("super/blocksize") / 4;
	sums = mmap(NULL, (workers + 1) * sizeof(*sums), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (sums == MAP_FAILED)
		error(1, errno, "swapstorm");
	for (i = 0; i < DONORS; i++) {
		if (donor_open(&donors[i]) < 0)
			error(1, errno, "donor");
		donor_fill(donors[i], 0, DONOR_BLOCKS, &seed);
	}

	until = time(NULL) + seconds;
	for (i = 0; i < workers; i++) {
		pid_t pid = fork();

		if (pid < 0)
			error(1, errno, "fork");
		sums++;
		seed = next_random(&seed);
		if (pid)
			continue;
		while (time(NULL) < until || (!sums->moved && time(NULL) < until + GRACE))
			step(&seed, own);
		_exit(0);
	}
	while (wait(&status) > 0)
		bad |= status;
	for (i = 0; i <= workers; i++, sums--) {
		total.requests += sums->requests;
		total.moved += sums->moved;
		total.refused += sums->refused;
	}
	printf("%" PRIu64 " requests, %" PRIu64 " blocks moved, %" PRIu64 " refused\n",
	       total.requests, total.moved, total.refused);
	return bad || !total.moved;
}
