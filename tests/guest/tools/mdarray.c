// SPDX-License-Identifier: GPL-2.0-only
/*
 * A RAID 1 of md with its write-intent bitmap in a file, as "mdadm --build --bitmap=FILE" makes it,
 * but without mdadm, which would also set up the machine that the tests are run on.
 *
 * mdarray start NODE FILE DISK...: begins the file, which is there and large enough, with an empty
 * bitmap, and assembles the array. mdarray stop NODE. Status 3: the kernel knows no bitmap files.
 */
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <linux/major.h>
#include <linux/raid/md_u.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* The head of a bitmap, all of it little-endian; what follows are zeros. */
struct head {
	char magic[4];
	uint32_t version;
	uint8_t uuid[16];
	uint64_t events, events_cleared, sync_size;
	uint32_t state, chunk_size, daemon_sleep, write_behind;
	uint8_t rest[192];
};

#define MD_DISK_ACTIVE 1
#define MD_DISK_SYNC 2
#define MD_SB_CLEAN 0

static void try(int result, const char *what)
{
	if (result < 0)
		error(2, errno, "%s", what);
}

static int open_bitmap(const char *path, uint64_t sectors)
{
	const struct head head = { .magic = "bitm",
				   .version = 4,
				   .sync_size = sectors,
				   .chunk_size = 512,
				   .daemon_sleep = 1 };
	int fd = open(path, O_RDWR);
	uint8_t bits[65536] = { 0 };

	try(fd, path);
	if (sectors / 8 > sizeof(bits))
		error(2, 0, "too large an array");
	memcpy(bits, &head, sizeof(head));
	if (pwrite(fd, bits, sizeof(head) + sectors / 8, 0) < 0 || fsync(fd))
		error(2, errno, "%s", path);
	return fd;
}

static void start(const char *node, const char *path, char **disk, int disks)
{
	mdu_array_info_t info = { .level = 1, .raid_disks = disks, .nr_disks = disks };
	int md = open(node, O_RDWR), fd, i;
	uint64_t bytes = 0;
	struct stat st;

	try(md, node);
	fd = open(disk[0], O_RDONLY);
	try(fd, disk[0]);
	try(ioctl(fd, BLKGETSIZE64, &bytes), disk[0]);
	close(fd);
	info.size = (int)(bytes / 1024);
	info.not_persistent = 1;
	info.state = 1 << MD_SB_CLEAN;
	try(ioctl(md, SET_ARRAY_INFO, &info), "SET_ARRAY_INFO");
	for (i = 0; i < disks; i++) {
		mdu_disk_info_t one = { .number = i, .raid_disk = i };

		try(stat(disk[i], &st), disk[i]);
		one.major = (int)major(st.st_rdev);
		one.minor = (int)minor(st.st_rdev);
		one.state = 1 << MD_DISK_ACTIVE | 1 << MD_DISK_SYNC;
		try(ioctl(md, ADD_NEW_DISK, &one), "ADD_NEW_DISK");
	}
	fd = open_bitmap(path, bytes / 512);
	if (ioctl(md, SET_BITMAP_FILE, fd)) {
		const int why = errno;

		ioctl(md, STOP_ARRAY, NULL);
		error(why == EINVAL || why == EOPNOTSUPP ? 3 : 2, why, "SET_BITMAP_FILE");
	}
	close(fd);
	try(ioctl(md, RUN_ARRAY, NULL), "RUN_ARRAY");
	close(md);
}

int main(int argc, char **argv)
{
	int md;

	if (argc > 4 && !strcmp(argv[1], "start")) {
		start(argv[2], argv[3], argv + 4, argc - 4);
	} else if (argc == 3 && !strcmp(argv[1], "stop")) {
		md = open(argv[2], O_RDWR);
		try(md, argv[2]);
		try(ioctl(md, STOP_ARRAY, NULL), "STOP_ARRAY");
		close(md);
	} else {
		fputs("Usage: mdarray start NODE FILE DISK... | mdarray stop NODE\n", stderr);
		return 2;
	}
	return 0;
}
