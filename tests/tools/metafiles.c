// SPDX-License-Identifier: GPL-2.0-only
/*
 * metafiles: what metafuzz asks about.
 *
 *	make DIR SEED    block-mapped files of all sizes, and one of every other kind
 *	list DIR         what a user can see of them, a line each
 */
#include <dirent.h>
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pattern.h"

#define READ_MOST (1 << 20)

static uint64_t state;
static int dir;
static char *buffer;

static void make_file(const char *name, uint64_t seed, uint64_t size, unsigned int hole)
{
	int fd = openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644), flags;
	struct cell cell;
	struct stat st;
	uint64_t at;

	if (fd < 0 || fstat(fd, &st))
		error(1, errno, "%s", name);
	if (!ioctl(fd, FS_IOC_GETFLAGS, &flags) && flags & FS_EXTENT_FL) {
		flags &= ~FS_EXTENT_FL;
		if (ioctl(fd, FS_IOC_SETFLAGS, &flags))
			error(1, errno, "%s", name);
	}
	for (at = 0; at + CELL <= size; at += CELL) {
		if (hole && (at / (16 << 10) % hole == 1) == (hole < 8))
			continue;
		cell_fill(&cell, seed, st.st_ino, at / CELL, 0);
		if (write_fully(fd, &cell, CELL, at) != CELL)
			error(1, errno, "%s", name);
	}
	if (ftruncate(fd, size) || fsync(fd))
		error(1, errno, "%s", name);
	close(fd);
}

static void make(uint64_t seed)
{
	char name[32];
	int i, flags;

	for (i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "file%d", i);
		make_file(name, seed, (uint64_t)(20000 + below(&state, 180000)) * (1 + i / 3),
			  i % 4);
	}
	make_file("empty", seed, 0, 0);
	make_file("byte", seed, 1, 0);
	make_file("sparse", seed, 100 << 20, 40);
	make_file("immutable", seed, 300000, 0);
	i = openat(dir, "immutable", O_RDONLY | O_CLOEXEC);
	if (i < 0 || ioctl(i, FS_IOC_GETFLAGS, &flags))
		error(1, errno, "immutable");
	flags |= FS_IMMUTABLE_FL;
	if (ioctl(i, FS_IOC_SETFLAGS, &flags))
		error(1, errno, "immutable");
	close(i);
	if (mkdirat(dir, "dir", 0755) || mkfifoat(dir, "fifo", 0644) ||
	    symlinkat("fast", dir, "fast") ||
	    symlinkat("slooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooow", dir,
		      "slow") ||
	    mknodat(dir, "device", S_IFCHR | 0644, 0x103))
		error(1, errno, "make");
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Not what an alloc in a hole may change, which is st_blocks and where SEEK_HOLE leads. */
static void list(const char *path)
{
	struct dirent **entry;
	int count = scandir(path, &entry, NULL, by_name), i, fd;

	if (count < 0)
		error(1, errno, "%s", path);
	for (i = 0; i < count; i++) {
		const char *name = entry[i]->d_name;
		struct hash hash;
		struct stat st;
		ssize_t got;
		off_t at = 0;

		if (!strcmp(name, "..") || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
			continue;
		hash_start(&hash, 0);
		if (S_ISREG(st.st_mode)) {
			fd = openat(dir, name, O_RDONLY | O_NOATIME | O_CLOEXEC);
			while ((got = read_fully(fd, buffer, READ_MOST, at)) > 0) {
				hash_add(&hash, buffer, got);
				at += got;
			}
			if (fd < 0 || got < 0)
				error(1, errno, "%s", name);
			close(fd);
		}
		printf("%s %ju %o %ju %jd %u %jd.%09ld %jd.%09ld %016" PRIx64 "\n", name,
		       (uintmax_t)st.st_ino, st.st_mode, (uintmax_t)st.st_nlink,
		       (intmax_t)st.st_size, st.st_uid, (intmax_t)st.st_mtim.tv_sec,
		       st.st_mtim.tv_nsec, (intmax_t)st.st_ctim.tv_sec, st.st_ctim.tv_nsec,
		       hash_end(&hash));
	}
}

int main(int argc, char **argv)
{
	bool makes = argc == 4 && !strcmp(argv[1], "make");

	if (!makes && (argc != 3 || strcmp(argv[1], "list"))) {
		fprintf(stderr, "usage: metafiles make DIR SEED | list DIR\n");
		return 2;
	}
	buffer = malloc(READ_MOST);
	dir = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!buffer || dir < 0)
		error(1, errno, "%s", argv[2]);
	if (makes) {
		state = parse_number(argv[3], "SEED");
		make(state);
	} else {
		list(argv[2]);
	}
	return 0;
}
