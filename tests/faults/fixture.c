// SPDX-License-Identifier: GPL-2.0-only
#include "fixture.h"

#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

struct fixture_option option = {
	.type = "ext3",
	.options = "",
	.blocksize = 1024,
	.first = 1,
	.stride = 1,
};
struct device device;
struct image_files files;

static unsigned char *good;

bool fixture_option(int c, const char *argument)
{
	switch (c) {
	case 's':
		option.scene = argument;
		return true;
	case 'b':
		option.blocksize = (unsigned int)atoi(argument);
		return true;
	case 't':
		option.type = argument;
		return true;
	case 'o':
		option.options = argument;
		return true;
	case 'f':
		option.first = (unsigned int)atoi(argument);
		return true;
	case 'n':
		option.stride = (unsigned int)atoi(argument);
		return true;
	case 'v':
		option.verbose = true;
		return true;
	}
	return false;
}

bool is_scene(const char *name)
{
	return !strcmp(option.scene, name);
}

static void command(const char *line)
{
	if (system(line))
		error(2, 0, "'%s' failed", line);
}

void fixture_machine(void)
{
	command("modprobe ext3meta && modprobe nbd nbds_max=2 max_part=0");
	command("mkdir -p " HOST " " META);
	/* a line on the console for each I/O error would take most of the time */
	command("echo 2 >/proc/sys/kernel/printk");
}

void *fixture_shared(size_t size)
{
	void *shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (shared == MAP_FAILED)
		error(2, errno, "mmap");
	return shared;
}

void fixture_mkfs(size_t blocks, const char *mke2fs)
{
	size_t size = option.blocksize * blocks;
	int fd = open(IMAGE, O_RDWR | O_CREAT | O_TRUNC, 0600);
	unsigned char *bytes = malloc(size);
	char line[512];

	memset(bytes, 0xa5, size);
	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
		error(2, errno, IMAGE);
	close(fd);
	free(bytes);
	snprintf(line, sizeof(line),
		 "mke2fs -q -F -t ext3 -b %u -m 0 -E nodiscard -J size=%u %s " IMAGE,
		 option.blocksize, option.blocksize / 1024, mke2fs);
	command(line);
	device_start(&device, 0, IMAGE);
}

void fixture_remember(void)
{
	if (umount(HOST))
		error(2, errno, "umount");
	good = malloc(device.size);
	memcpy(good, device.bytes, device.size);
	image_know(IMAGE, &files);
}

void fixture_reset(void)
{
	device_reset(&device, good);
}

void fixture_mount(unsigned int readahead)
{
	char options[160];

	snprintf(options, sizeof(options), "commit=300,inode_readahead_blks=%u%s%s", readahead,
		 *option.options ? "," : "", option.options);
	if (mount(device.name, HOST, option.type, MS_NOATIME, options))
		error(2, errno, "mounting %s with %s", device.name, options);
}

void fixture_mount_meta(void)
{
	if (mount(HOST, META, "ext3meta", 0, NULL))
		error(2, errno, "mounting ext3meta");
}

/* What was freed may be let go a little later. */
const char *fixture_unmount(const char *dir)
{
	int tries;

	for (tries = 0; tries < 100; tries++) {
		if (!umount2(dir, 0))
			return NULL;
		if (errno != EBUSY)
			break;
		usleep(20000);
	}
	return strcmp(dir, META) ? "the host can't be unmounted" : "ext3meta can't be unmounted";
}

void fixture_write(int fd, uint32_t first, uint32_t count, unsigned int seed)
{
	size_t length = (size_t)count * option.blocksize, i;
	unsigned char *bytes = malloc(length);
	uint64_t at = (uint64_t)first * option.blocksize;

	for (i = 0; i < length; i++)
		bytes[i] = image_byte(at + i, seed);
	if (pwrite(fd, bytes, length, (off_t)at) != (ssize_t)length || fsync(fd))
		error(2, errno, "filling the image");
	free(bytes);
}

int fixture_end(unsigned int faults, unsigned int bad)
{
	if (!bad && syscall(SYS_delete_module, "ext3meta", O_NONBLOCK)) {
		printf("BAD: unloading ext3meta: %s\n", strerror(errno));
		bad++;
	}
	if (!bad)
		device_stop(&device);
	printf("%u faults, %u bad\n", faults, bad);
	return bad ? 1 : 0;
}
