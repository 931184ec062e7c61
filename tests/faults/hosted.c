// SPDX-License-Identifier: GPL-2.0-only
#include "hosted.h"

#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

void hosted_start(struct device *device, unsigned int others, const char *options)
{
	char command[128];

	snprintf(command, sizeof(command),
		 "modprobe ext3meta && modprobe nbd nbds_max=%u max_part=0", 1 + others);
	if (system(command))
		error(2, 0, "the modules are missing");
	if (system("mkdir -p " HOST " " META " && truncate -s 24M " HOSTED "/image && "
		   "mke2fs -q -F -t ext3 -b 4096 -J size=4 -N 64 " HOSTED "/image"))
		error(2, 0, "mke2fs failed");
	device_start(device, 0, HOSTED "/image");
	if (mount(device->name, HOST, "ext3", MS_NOATIME, options) ||
	    mount(HOST, META, "ext3meta", 0, NULL))
		error(2, errno, "mount");
}

void hosted_end(void)
{
	if (umount(META) || umount(HOST))
		error(2, errno, "umount");
}

unsigned long hosted_ino(int fd)
{
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		error(2, errno, "opening a file");
	return (unsigned long)st.st_ino;
}

int hosted_node(unsigned long ino, const char *name, int flags)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), META "/nodes/%lu/%s", ino, name);
	fd = open(path, flags);
	if (fd < 0)
		error(2, errno, "%s", path);
	return fd;
}

ssize_t hosted_ask(unsigned long ino, const char *name, unsigned long position, const char *text)
{
	int fd = hosted_node(ino, name, O_WRONLY);
	ssize_t done;

	lseek(fd, (off_t)position, SEEK_SET);
	done = write(fd, text, strlen(text));
	close(fd);
	return done;
}

void hosted_extents(unsigned long ino, char *text, size_t size)
{
	int fd = hosted_node(ino, "data/extents", O_RDONLY);
	ssize_t got = read(fd, text, size - 1);

	if (got < 0)
		error(2, errno, "data/extents");
	text[got] = 0;
	close(fd);
}

unsigned long hosted_first_block(unsigned long ino)
{
	unsigned long logical, physical = 0;
	char text[128];

	hosted_extents(ino, text, sizeof(text));
	if (sscanf(text, "%lu %lu", &logical, &physical) != 2)
		error(2, 0, "data/extents");
	return physical;
}

pid_t hosted_read(const struct device *device, void *to, size_t length)
{
	pid_t pid = fork();
	int fd;

	if (pid)
		return pid;
	fd = open(device->name, O_RDONLY | O_DIRECT);
	_exit(read(fd, to, length) == (ssize_t)length ? 0 : 1);
}
