// SPDX-License-Identifier: GPL-2.0-only
/*
 * unwritten: an indirect block that could not be written to its place. Memory alone has it then,
 * and no buffer that is not up to date says so: who reads it again has what the disk had before,
 * and so has everybody else from then on.
 *
 * A file is synced, which brings its indirect block into the journal and nowhere else; all writes
 * of the device's cache fail; then the file's blocks are asked for once more. To be run in a
 * virtual machine; exit status 0 if they are what they were.
 */
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hosted.h"

#define BLOCKS 40
#define BLOCK 4096

int main(void)
{
	char block[BLOCK], before[4096], after[4096];
	struct device device;
	unsigned int i;
	int fd, raw;

	hosted_start(&device, 0, "errors=continue");
	fd = open(HOST "/file", O_RDWR | O_CREAT, 0600);
	memset(block, 'x', sizeof(block));
	for (i = 0; i < BLOCKS; i++)
		if (write(fd, block, sizeof(block)) != sizeof(block))
			error(2, errno, "writing the file");
	if (fsync(fd))
		error(2, errno, "fsync");
	hosted_extents(hosted_ino(fd), before, sizeof(before));

	raw = open(device.name, O_RDONLY);
	device_arm(&device, DEVICE_DEAD, 1);
	if (!fsync(raw) || errno != EIO || !device.control->fired)
		error(2, errno, "writing the device's cache didn't fail");
	device_heal(&device);
	hosted_extents(hosted_ino(fd), after, sizeof(after));
	if (strcmp(before, after))
		error(1, 0, "the file's extents were\n%sand are\n%s", before, after);
	puts("extents kept");
	return 0;
}
