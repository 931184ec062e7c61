// SPDX-License-Identifier: GPL-2.0-only
/* promise overwrite, pin and holes: files whose cells are overwritten in place. */
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pattern.h"
#include "promise.h"

#define PAGES_MAX 3
#define PIN_PAGES 2
#define HOLES_MAX 6
#define SOURCE_PARTS 8

static uint64_t some_page(const struct over *file, uint64_t pages)
{
	return below(&seed, file->cells / PAGE_CELLS - pages + 1) * PAGE_CELLS;
}

void overwrite(struct over *files, unsigned int count)
{
	while (!stopped) {
		struct over *file = &files[below(&seed, count)];
		uint64_t pages = 1 + below(&seed, PAGES_MAX), cells = pages * PAGE_CELLS;

		if (!below(&seed, 3))
			cells = 1 + below(&seed, PAGE_CELLS);
		over_write(file, some_page(file, pages), cells, true);
	}
}

/*
 * A device fills pages of a mapping, and a file is written out of them, which takes none of the
 * files' locks once the pages are pinned. What a read that has ended put there is what a sync that
 * begins then has to make durable; meanwhile it's the one or the other. One read at a time, for
 * only then has the kernel said to the page that it is dirty before the read returns.
 */
void pin(const char *source_name, struct over *files, unsigned int count)
{
	int source = open(source_name, O_RDWR | O_DIRECT | O_CLOEXEC);
	size_t most = PIN_PAGES * PAGE_CELLS * CELL;
	/* A part of the source for each process: seeds of those at the same time differ there. */
	off_t at = (off_t)(seed % SOURCE_PARTS * 2 * most);
	unsigned int i;
	char *data;

	if (source < 0)
		error(1, errno, "%s", source_name);
	if (posix_memalign((void **)&data, 4096, 2 * most))
		error(1, ENOMEM, "pin");
	for (i = 0; i < count; i++)
		files[i].ranged = true;
	while (!stopped) {
		struct over *file = &files[below(&seed, count)];
		uint64_t pages = 1 + below(&seed, PIN_PAGES), cells = pages * PAGE_CELLS,
			 first = some_page(file, pages), generation;
		size_t length = cells * CELL;
		char *mapped = file->map + first * CELL;
		uint64_t what = below(&seed, 8);

		if (what == 0) {
			over_write(file, first, cells, false);
			continue;
		}
		generation = next_generation();
		over_fill(file, data, first, cells, generation);
		over_store(file, first, cells, generation);
		if (what == 1) {
			memcpy(mapped, data, length);
			if (pwrite(source, mapped, length, at) != (ssize_t)length ||
			    pread(source, data + most, length, at) != (ssize_t)length)
				error(1, errno, "%s: out of %s", source_name, file->name);
			if (memcmp(data, data + most, length))
				error(1, 0, "%s: other bytes than were in the mapping of %s",
				      source_name, file->name);
		} else if (pwrite(source, data, length, at) != (ssize_t)length ||
			   pread(source, mapped, length, at) != (ssize_t)length) {
			error(1, errno, "%s: into %s", source_name, file->name);
		}
		over_sync(file, first, cells, generation);
	}
}

/* -------- holes -------- */

static unsigned int refused, allocated;

/* False if the host or the file is refused, or if it's busy; then errno tells. */
static bool allocate(const char *meta, const struct over *file, uint64_t first)
{
	char name[512], text[16];
	uint64_t blocks, i, count;
	struct stat st;
	int fd, length;

	snprintf(name, sizeof(name), "%s/nodes/%" PRIu64 "/data/alloc", meta, file->inode);
	fd = open(name, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || fstat(file->buffered, &st))
		error(1, errno, "%s", name);
	/* Positions and counts are in blocks. All at once, and then what was missing of it. */
	blocks = PAGE_CELLS * CELL / st.st_blksize;
	for (i = 0, count = blocks; i < blocks; i++, count = 1) {
		length = snprintf(text, sizeof(text), "%" PRIu64, count);
		if (lseek(fd, (off_t)(first * CELL / st.st_blksize + i), SEEK_SET) < 0)
			error(1, errno, "%s", name);
		if (write(fd, text, length) < 0 && errno != EEXIST)
			break;
	}
	if (i < blocks && errno != EBUSY && errno != EOPNOTSUPP && errno != ENOSPC)
		error(1, errno, "%s", name);
	length = errno;
	close(fd);
	errno = length;
	return i == blocks;
}

/*
 * Holes are made durable as such, or not, and get blocks of which the filesystem knows nothing;
 * then they are overwritten. Where there are fast commits no hole is made, and none filled in
 * another way where data/alloc is refused.
 */
void fill_holes(const char *meta, struct over *files, unsigned int count)
{
	uint64_t page[HOLES_MAX];
	unsigned int i, n;

	while (!stopped) {
		struct over *file = &files[below(&seed, count)];

		n = 1 + below(&seed, HOLES_MAX);
		for (i = 0; i < n; i++) {
			page[i] = some_page(file, 1);
			if (fast)
				continue;
			put_mark("hole %" PRIu64 " %" PRIu64 " %d", file->inode, page[i],
				 PAGE_CELLS);
			if (fallocate(file->buffered, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				      page[i] * CELL, PAGE_CELLS * CELL))
				error(1, errno, "%s: a hole", file->name);
		}
		if (!fast && below(&seed, 4) && fsync(file->buffered))
			error(1, errno, "%s", file->name);
		for (i = 0; i < n; i++) {
			bool there = allocate(meta, file, page[i]);

			allocated += there;
			refused += !there && errno == EOPNOTSUPP;
			if (there || !fast)
				over_write(file, page[i], PAGE_CELLS, true);
		}
		if (fast && refused)
			usleep(100000);
	}
	printf("holes: %u filled, %u refused\n", allocated, refused);
}
