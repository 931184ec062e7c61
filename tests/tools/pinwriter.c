// SPDX-License-Identifier: GPL-2.0-only
/*
 * pinwriter FILE SOURCE SECONDS SEED: writes to FILE in the one way that takes none of its locks.
 *
 * FILE is mapped, and direct I/O reads pages of SOURCE right into the mapping: the kernel pins
 * FILE's pages, the device fills them, and they are made dirty when it is done, whatever has
 * happened to their blocks meanwhile. Now and then, and at the end, all of FILE is read back from
 * the disk and compared with what was put there.
 *
 * SOURCE is made anew, of a size fit for it, on the filesystem it is named on. Prints
 * "N pins, N verified, M bad"; the status is 1 if M is not 0.
 */
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096
#define SOURCE_PAGES 512
#define PIN_PAGES 16

static char *source_page(uint32_t n)
{
	static uint64_t page[PAGE / sizeof(uint64_t)] __attribute__((aligned(PAGE)));
	uint64_t x = n * 0x9e3779b97f4a7c15ull + 1;
	size_t i;

	for (i = 0; i < PAGE / sizeof(uint64_t); i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		page[i] = x;
	}
	return (char *)page;
}

static int source_make(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_DIRECT, 0600);
	uint32_t n;

	if (fd < 0)
		error(2, errno, "%s", path);
	for (n = 0; n < SOURCE_PAGES; n++)
		if (pwrite(fd, source_page(n), PAGE, (off_t)n * PAGE) != PAGE)
			error(2, errno, "%s: write", path);
	fsync(fd);
	return fd;
}

/* Reads FILE from the disk and counts the pages that don't hold what was put there last. */
static unsigned int verify(const char *path, const int32_t *expected, size_t pages,
			   unsigned long *seen)
{
	static char page[PAGE] __attribute__((aligned(PAGE)));
	int fd = open(path, O_RDONLY | O_DIRECT);
	unsigned int bad = 0;
	size_t i;

	if (fd < 0)
		error(2, errno, "%s", path);
	for (i = 0; i < pages; i++) {
		if (expected[i] < 0)
			continue;
		if (pread(fd, page, PAGE, (off_t)i * PAGE) != PAGE)
			error(2, errno, "%s: read", path);
		(*seen)++;
		if (memcmp(page, source_page((uint32_t)expected[i]), PAGE)) {
			printf("%s: page %zu is not page %d of the source\n", path, i, expected[i]);
			bad++;
		}
	}
	close(fd);
	return bad;
}

int main(int argc, char **argv)
{
	unsigned long pins = 0, seen = 0;
	unsigned int bad = 0;
	int32_t *expected;
	struct stat st;
	time_t end;
	size_t pages, i;
	int fd, source;
	char *map;

	if (argc != 5)
		error(2, 0, "usage: pinwriter FILE SOURCE SECONDS SEED");
	end = time(NULL) + atoi(argv[3]);
	srandom((unsigned int)atoi(argv[4]));
	fd = open(argv[1], O_RDWR);
	if (fd < 0 || fstat(fd, &st))
		error(2, errno, "%s", argv[1]);
	pages = (size_t)st.st_size / PAGE;
	if (pages < PIN_PAGES)
		error(2, 0, "%s: too small", argv[1]);
	source = source_make(argv[2]);
	map = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	expected = malloc(pages * sizeof(*expected));
	if (map == MAP_FAILED || !expected)
		error(2, errno, "%s: mmap", argv[1]);
	for (i = 0; i < pages; i++)
		expected[i] = -1;

	while (time(NULL) < end && !bad) {
		uint32_t from = (uint32_t)random() % (SOURCE_PAGES - PIN_PAGES);
		size_t to = (size_t)random() % (pages - PIN_PAGES + 1);

		if (pread(source, map + to * PAGE, PIN_PAGES * PAGE, (off_t)from * PAGE) !=
		    PIN_PAGES * PAGE)
			error(2, errno, "%s: read into the mapping", argv[2]);
		pins++;
		for (i = 0; i < PIN_PAGES; i++)
			expected[to + i] = (int32_t)(from + i);
		if (random() % 64 == 0)
			msync(map + to * PAGE, PIN_PAGES * PAGE, MS_SYNC);
		if (random() % 4096 == 0)
			bad += verify(argv[1], expected, pages, &seen);
	}
	munmap(map, pages * PAGE);
	fsync(fd);
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	bad += verify(argv[1], expected, pages, &seen);
	printf("%lu pins, %lu verified, %u bad\n", pins, seen, bad);
	return bad ? 1 : 0;
}
