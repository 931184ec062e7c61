// SPDX-License-Identifier: GPL-2.0-only
/*
 * scatter: the opposite of a defragmenter. Moves a file's data and indirect blocks to random places
 * through ext3meta's interface, piece by piece, so that there is always something to defragment.
 * scatter MOUNT META FILE SEED [PIECE]: META is where ext3meta is mounted; PIECE blocks stay
 * together, 8 by default. With SCATTER_IMMUTABLE in the environment a file may be immutable now and
 * then, which ends what moves at the moment. The status is 4 where the host or the file is refused.
 */
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pattern.h"

#define EXTENTS_FLAG 0x80000

static int meta;

static int open_node(uint64_t inode, const char *name, int flags)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "nodes/%" PRIu64 "/%s", inode, name);
	fd = openat(meta, path, flags | O_CLOEXEC);
	/* the file may be gone by now, which is nobody's fault */
	if (fd < 0)
		error(errno == ENOENT || errno == ESTALE ? 3 : 1, errno, "%s", path);
	return fd;
}

static ssize_t request(int fd, uint64_t position, const char *format, ...)
{
	char text[64];
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (lseek(fd, position, SEEK_SET) < 0)
		return -1;
	return write(fd, text, length);
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

static bool tolerable(const char *what)
{
	if (errno == EBUSY || errno == ENOSPC || errno == ENOENT || errno == ESTALE ||
	    errno == EEXIST || errno == ENODATA)
		return true;
	if (errno == EPERM && getenv("SCATTER_IMMUTABLE"))
		return true;
	error(errno == EOPNOTSUPP ? 4 : 1, errno, "%s", what);
	return false;
}

static uint64_t allocate(uint64_t original, uint64_t donor, uint64_t *state, uint64_t piece)
{
	int goal = open_node(donor, "alloc_goal", O_RDWR),
	    alloc = open_node(donor, "data/alloc", O_WRONLY);
	uint64_t blocks = number_of("super/blocks"), first = number_of("super/first_block"),
		 total = 0;
	uint64_t logical, physical, length;
	FILE *extents = fdopen(open_node(original, "data/extents", O_RDONLY), "r");

	while (extents && fscanf(extents, "%" SCNu64 " %" SCNu64 " %" SCNu64, &logical, &physical,
				 &length) == 3) {
		while (physical && length) {
			uint64_t now = length < piece ? length : piece;

			if (request(goal, 0, "%" PRIu64, first + below(state, blocks - first)) < 0)
				error(1, errno, "alloc_goal");
			if (request(alloc, logical, "%" PRIu64, now) < 0) {
				tolerable("data/alloc");
				if (errno == ENOSPC)
					return total;
			}
			total += now;
			logical += now;
			length -= now;
		}
	}
	if (extents)
		fclose(extents);
	close(goal);
	close(alloc);
	return total;
}

static uint64_t move_data(uint64_t original, uint64_t donor)
{
	int reloc = open_node(original, "data/reloc", O_WRONLY);
	uint64_t position = 0, total = 0;
	ssize_t got;

	while ((got = request(reloc, position, "%" PRIu64, donor)) > 0) {
		total += got;
		position = lseek(reloc, 0, SEEK_CUR);
	}
	if (got < 0)
		tolerable("data/reloc");
	close(reloc);
	return total;
}

static uint64_t move_metadata(uint64_t original, uint64_t donor)
{
	int reloc = open_node(original, "metadata/reloc", O_WRONLY);
	FILE *list = fdopen(open_node(original, "metadata/blocks", O_RDONLY), "r");
	uint64_t logical, physical, total = 0;
	unsigned int level;

	while (list && fscanf(list, "%u %" SCNu64 " %" SCNu64, &level, &logical, &physical) == 3) {
		if (request(reloc, logical, "%" PRIu64 " %u", donor, level) < 0)
			tolerable("metadata/reloc");
		else
			total++;
	}
	if (list)
		fclose(list);
	close(reloc);
	return total;
}

int main(int argc, char **argv)
{
	uint64_t state, piece = 8, allocated, data, metadata;
	struct stat original, donor;
	int fd, flags;

	if (argc != 5 && argc != 6) {
		fprintf(stderr, "usage: scatter MOUNT META FILE SEED [PIECE]\n");
		return 2;
	}
	state = parse_number(argv[4], "SEED");
	if (argc > 5)
		piece = parse_number(argv[5], "PIECE");
	meta = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (meta < 0)
		error(1, errno, "%s", argv[2]);
	if (stat(argv[3], &original))
		error(errno == ENOENT ? 3 : 1, errno, "%s", argv[3]);
	fd = open(argv[1], O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0 || fstat(fd, &donor))
		error(1, errno, "%s: donor", argv[1]);
	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0 && flags & EXTENTS_FLAG) {
		flags &= ~EXTENTS_FLAG;
		if (ioctl(fd, FS_IOC_SETFLAGS, &flags))
			error(1, errno, "%s: donor without extents", argv[1]);
	}
	allocated = allocate(original.st_ino, donor.st_ino, &state, piece ? piece : 1);
	data = move_data(original.st_ino, donor.st_ino);
	metadata = move_metadata(original.st_ino, donor.st_ino);
	printf("%s: %" PRIu64 " blocks asked for, %" PRIu64 " data and %" PRIu64
	       " indirect moved\n",
	       argv[3], allocated, data, metadata);
	return 0;
}
