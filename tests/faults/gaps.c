// SPDX-License-Identifier: GPL-2.0-only
/*
 * gaps: on a disk that turns, what lies between a step's blocks is read along with them. A file has
 * every second block of a range; it is relocated, which takes one read then, and one for each block
 * where the disk doesn't turn. A read that fails may have failed for a gap: each block is read by
 * itself then, and only if that fails, too, the request does. To be run in a virtual machine; exit
 * status 0 if all that is so, and the file's data what it was.
 */
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hosted.h"

#define BLOCKS 12
#define BLOCK 4096
#define FIRST 3000

static void turns(bool yes)
{
	/* The driver has requests merged only when it is told to. */
	if (system("echo 0 >/sys/block/nbd0/queue/nomerges") ||
	    system(yes ? "echo 1 >/sys/block/nbd0/queue/rotational" :
			 "echo 0 >/sys/block/nbd0/queue/rotational"))
		error(2, 0, "the device can't be made to turn");
}

static void fill(char *block, unsigned int i)
{
	memset(block, 'a' + (int)i, BLOCK);
}

/* A file with the number @n, in every second block from @first on. */
static int comb(unsigned int n, unsigned long first)
{
	char path[64], text[32], block[BLOCK];
	unsigned long ino;
	unsigned int i;
	int fd;

	snprintf(path, sizeof(path), HOST "/file%u", n);
	fd = open(path, O_RDWR | O_CREAT, 0600);
	ino = hosted_ino(fd);
	if (ftruncate(fd, BLOCKS * BLOCK))
		error(2, errno, "ftruncate");
	for (i = 0; i < BLOCKS; i++) {
		snprintf(text, sizeof(text), "%lu", first + 2 * i);
		if (hosted_ask(ino, "alloc_goal", 0, text) < 0 ||
		    hosted_ask(ino, "data/alloc", i, "1") < 0)
			error(2, errno, "giving the file its blocks");
		fill(block, i);
		if (pwrite(fd, block, BLOCK, (off_t)i * BLOCK) != BLOCK)
			error(2, errno, "writing the file");
	}
	if (fsync(fd))
		error(2, errno, "fsync");
	return fd;
}

/* Relocate it; how many I/Os that took. The answer of write(2) goes to *@answer. */
static unsigned int reloc(struct device *device, int fd, enum device_mode mode, ssize_t *answer)
{
	int donor = open(HOST, O_TMPFILE | O_EXCL | O_RDWR, 0600);
	char text[32];

	if (hosted_ask(hosted_ino(donor), "data/alloc", 0, "12") < 0)
		error(2, errno, "data/alloc");
	sync();
	snprintf(text, sizeof(text), "%lu 12", hosted_ino(donor));
	device_arm(device, mode, 1);
	*answer = hosted_ask(hosted_ino(fd), "data/reloc", 0, text);
	if (*answer < 0)
		*answer = -errno;
	device_heal(device);
	close(donor);
	return device->control->seen;
}

/* Is the data what it was? Closes the file. */
static void judge(int fd)
{
	static char block[BLOCK] __attribute__((aligned(BLOCK)));
	char path[64], wanted[BLOCK];
	unsigned int i;
	int direct;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	direct = open(path, O_RDONLY | O_DIRECT);
	for (i = 0; i < BLOCKS; i++) {
		fill(wanted, i);
		if (pread(direct, block, BLOCK, (off_t)i * BLOCK) != BLOCK)
			error(2, errno, "reading block %u", i);
		if (memcmp(block, wanted, BLOCK))
			error(1, 0, "block %u is not what it was", i);
	}
	close(direct);
	close(fd);
}

int main(void)
{
	struct device device;
	unsigned int plain, joined;
	ssize_t answer;
	int fd;

	hosted_start(&device, 0, "");
	turns(false);
	fd = comb(1, FIRST);
	plain = reloc(&device, fd, DEVICE_GOOD, &answer);
	if (answer != BLOCKS || plain < BLOCKS + 1)
		error(1, 0, "at rest: %zd blocks by %u I/Os", answer, plain);
	judge(fd);

	turns(true);
	fd = comb(2, FIRST + 100);
	joined = reloc(&device, fd, DEVICE_GOOD, &answer);
	if (answer != BLOCKS || joined > 2)
		error(1, 0, "turning: %zd blocks by %u I/Os", answer, joined);
	judge(fd);

	fd = comb(3, FIRST + 200);
	joined = reloc(&device, fd, DEVICE_ONCE, &answer);
	if (answer != BLOCKS || joined < 1 + BLOCKS + 1)
		error(1, 0, "a gap that can't be read: %zd blocks by %u I/Os", answer, joined);
	judge(fd);

	fd = comb(4, FIRST + 300);
	reloc(&device, fd, DEVICE_DEAD, &answer);
	if (answer != -EIO)
		error(1, 0, "a disk that can't be read: %zd instead of EIO", answer);
	judge(fd);
	hosted_end();
	puts("gaps passed");
	return 0;
}
