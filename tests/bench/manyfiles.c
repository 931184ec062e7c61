// SPDX-License-Identifier: GPL-2.0-only
/*
 * manyfiles DIR COUNT SEED: COUNT small files below DIR, a hundred in a directory, of 1 to 40 KiB.
 * Each tenth is written in turns with its neighbour, which leaves most of these in pieces.
 */
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pattern.h"

#define LARGEST (40 << 10)
#define PART 4096

static char data[LARGEST];

static int make(const char *dir, unsigned long number)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/d%05lu", dir, number / 100);
	if (number % 100 == 0 && mkdir(path, 0755))
		error(1, errno, "%s", path);
	snprintf(path, sizeof(path), "%s/d%05lu/f%02lu", dir, number / 100, number % 100);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
	if (fd < 0)
		error(1, errno, "%s", path);
	return fd;
}

static void put(int fd, size_t at, size_t bytes)
{
	if (bytes && pwrite(fd, data, bytes, (off_t)at) != (ssize_t)bytes)
		error(1, errno, "can't write");
}

int main(int argc, char **argv)
{
	unsigned long count, i;
	uint64_t state;

	if (argc != 4) {
		fprintf(stderr, "usage: manyfiles DIR COUNT SEED\n");
		return 2;
	}
	count = parse_number(argv[2], "COUNT");
	state = parse_number(argv[3], "SEED");
	memset(data, 'x', sizeof(data));
	for (i = 0; i < count; i++) {
		int fd = make(argv[1], i), other = -1;
		size_t size, at;

		state = state * 6364136223846793005ULL + 1442695040888963407ULL;
		size = 1024 + (state >> 33) % (state >> 63 ? LARGEST - 1023 : 7168);
		if (i % 10 == 0 && i + 1 < count) {
			size = 4 * PART;
			other = make(argv[1], ++i);
			for (at = 0; at < size; at += PART) {
				put(fd, at, PART);
				put(other, at, PART);
			}
			close(other);
		} else {
			put(fd, 0, size);
		}
		close(fd);
	}
	return 0;
}
