// SPDX-License-Identifier: GPL-2.0-only
/*
 * comb: fills a filesystem with one file and punches holes of chosen sizes into it, so that
 * whatever is written next comes out in pieces. comb FILE FREE SEED [APART]: leaves about FREE
 * bytes free, in holes of 12 to 36 KiB, APART times further apart than they need to be.
 */
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "pattern.h"

#define CHUNK (1 << 20)
#define UNIT (4 << 10)

int main(int argc, char **argv)
{
	uint64_t seed, wanted, punched = 0, size = 0, offset, apart = 1;
	ssize_t got;
	char *data;
	int fd;

	if (argc != 4 && argc != 5) {
		fprintf(stderr, "usage: comb FILE FREE SEED [APART]\n");
		return 2;
	}
	wanted = parse_number(argv[2], "FREE");
	seed = parse_number(argv[3], "SEED");
	if (argc == 5)
		apart = parse_number(argv[4], "APART");
	data = calloc(1, CHUNK);
	fd = open(argv[1], O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	if (!data || fd < 0)
		error(1, errno, "%s", argv[1]);
	do {
		got = write_fully(fd, data, CHUNK, size);
		if (got > 0)
			size += got;
	} while (got == CHUNK);
	if (errno != ENOSPC)
		error(1, errno, "%s", argv[1]);
	if (fsync(fd))
		error(1, errno, "%s", argv[1]);

	/* A tooth of at least a block stays between two holes. */
	for (offset = UNIT; punched < wanted;) {
		uint64_t hole = (3 + below(&seed, 7)) * UNIT, tooth = (1 + below(&seed, 6)) * UNIT;

		if (offset + hole > size)
			error(1, 0, "%s: no room for so much free space", argv[1]);
		if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, hole))
			error(1, errno, "%s: punch", argv[1]);
		offset += hole + tooth * apart;
		punched += hole;
	}
	if (fsync(fd) || close(fd))
		error(1, errno, "%s", argv[1]);
	return 0;
}
