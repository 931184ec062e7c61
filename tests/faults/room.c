// SPDX-License-Identifier: GPL-2.0-only
#include "room.h"

#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/quota.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scene.h"

static int hog = -1;

static void small_name(char *path, size_t size, unsigned int number)
{
	snprintf(path, size, HOST "/r%04u", number);
}

void room_populate(unsigned int blocksize, bool quota)
{
	/* more than a scene's file takes */
	unsigned int i, count = quota ? 1 : blocksize / 4 + 60;
	char *block = calloc(1, blocksize), path[64];

	for (i = 0; i < count; i++) {
		int fd;

		small_name(path, sizeof(path), i);
		fd = open(path, O_WRONLY | O_CREAT, 0600);
		if (fd < 0 || write(fd, block, blocksize) != (ssize_t)blocksize ||
		    (quota && fchown(fd, 1000, 0)))
			error(2, errno, "%s", path);
		close(fd);
	}
	free(block);
}

/* What the allocator would hand out now. */
static unsigned long free_now(void)
{
	FILE *from = fopen(META "/allocation/free_blocks", "re");
	unsigned long start, length, sum = 0;

	while (from && fscanf(from, "%lu %lu", &start, &length) == 2)
		sum += length;
	if (from)
		fclose(from);
	return sum;
}

static void reserve_nothing(const struct device *device)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/sys/fs/ext4/%s/reserved_clusters",
		 device->name + strlen("/dev/"));
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, "0", 1) != 1)
		error(2, errno, "%s", path);
	close(fd);
}

void room_leave(const struct device *device, unsigned int blocks)
{
	char path[128];
	struct stat st;
	unsigned int i, tries;
	int fd;

	reserve_nothing(device);
	hog = open(HOST, O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
	if (hog < 0 || fstat(hog, &st))
		error(2, errno, "the file that takes all");
	snprintf(path, sizeof(path), META "/nodes/%lu/data/alloc", (unsigned long)st.st_ino);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	while (write(fd, "5000", 4) > 0)
		;
	if (errno != ENOSPC)
		error(2, errno, "taking all blocks");
	close(fd);
	for (i = 0; i < blocks; i++) {
		small_name(path, sizeof(path), i);
		if (unlink(path))
			error(2, errno, "%s", path);
	}
	fd = open(HOST, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	syncfs(fd);
	close(fd);
	for (tries = 0; free_now() != blocks && tries < 200; tries++)
		usleep(10000);
	if (free_now() != blocks)
		error(2, 0, "%lu blocks are free, not %u", free_now(), blocks);
}

void room_limit(const struct device *device, unsigned int blocks, unsigned int blocksize)
{
	/* user 1000 has one block already */
	struct dqblk limit = {
		.dqb_bhardlimit = (blocks + 1) * (blocksize / 1024),
		.dqb_valid = QIF_BLIMITS,
	};

	if (quotactl(QCMD(Q_SETQUOTA, USRQUOTA), device->name, 1000, (caddr_t)&limit))
		error(2, errno, "setting the quota");
}

void room_release(void)
{
	if (hog >= 0)
		close(hog);
	hog = -1;
}
