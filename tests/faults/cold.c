// SPDX-License-Identifier: GPL-2.0-only
#include "cold.h"

#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/types.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef EXT4_IOC_CHECKPOINT
#define EXT4_IOC_CHECKPOINT _IOW('f', 43, __u32)
#endif

static struct device *device;
static const char *dir;
static unsigned char *pages;

void cold_know(struct device *d, const char *mounted)
{
	device = d;
	dir = mounted;
	/* never touched: only asked about */
	pages = mmap(NULL, device->size, PROT_READ, MAP_SHARED, device->fd, 0);
	if (pages == MAP_FAILED)
		error(2, errno, "mapping %s", device->name);
}

static bool drop(const char *what)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, what, strlen(what)) == (ssize_t)strlen(what);

	if (fd >= 0)
		close(fd);
	return done;
}

void cold_drop_pages(int fd)
{
	/* this takes them out of each processor's list of buffers that were used last, too */
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	drop("1");
}

const char *cold(void)
{
	static char complaint[128];
	const char *what = NULL;
	__u32 flags = 0;
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		what = "open";
	else if (syncfs(fd))
		what = "syncfs";
	/* the buffers of a transaction are the journal's until each is in its place */
	else if (ioctl(fd, EXT4_IOC_CHECKPOINT, &flags))
		what = "emptying the journal";
	/* twice: a node of ext3meta has to go before the inode that it stands for can */
	else if (!drop("2") || !drop("3"))
		what = "drop_caches";
	else if (ioctl(device->fd, BLKFLSBUF, 0))
		what = "BLKFLSBUF";
	if (what)
		snprintf(complaint, sizeof(complaint), "evicting: %s: %s", what, strerror(errno));
	if (fd >= 0)
		close(fd);
	return what ? complaint : NULL;
}

bool cold_resident(uint64_t byte)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	unsigned char there = 0;

	if (mincore(pages + byte / page * page, page, &there))
		error(2, errno, "mincore");
	return there & 1;
}
