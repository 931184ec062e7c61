// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each way that there is to overwrite a part of a file and to have it made durable. A promise is
 * the kernel's word for it: a synchronous write that has returned, or any kind of sync that began
 * after the write had ended, and has returned. sync_file_range() is none, and done now and then
 * to have pages under I/O.
 */
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "pattern.h"
#include "promise.h"

#define MOST_CELLS 64

enum written { WRITTEN, DIRECTLY, MAPPED };
enum synced { NOT_YET, O_DATA, O_ALL };

void over_open(struct over *over, const char *name)
{
	static const int flags[] = { 0, O_DSYNC, O_SYNC };
	struct stat st;
	int i, j;

	over->name = name;
	for (i = 0; i < 2; i++)
		for (j = 0; j < 3; j++) {
			over->fds[i][j] =
				open(name, O_RDWR | O_CLOEXEC | flags[j] | (i ? O_DIRECT : 0));
			if (over->fds[i][j] < 0)
				error(1, errno, "%s", name);
		}
	over->buffered = over->fds[0][0];
	if (fstat(over->buffered, &st))
		error(1, errno, "%s", name);
	over->inode = st.st_ino;
	over->cells = st.st_size / CELL;
	over->map = mmap(NULL, st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, over->buffered, 0);
	if (over->map == MAP_FAILED)
		error(1, errno, "%s: mmap", name);
}

void over_fill(const struct over *over, void *data, uint64_t first, uint64_t cells,
	       uint64_t generation)
{
	struct cell *to = data;
	uint64_t i;

	for (i = 0; i < cells; i++)
		cell_fill(&to[i], 0, over->inode, first + i, generation);
}

/* By AIO or by io_uring, where there is that. */
static bool choose_async(enum submission *by)
{
	*by = below(&seed, 2);
	return async_start(*by) || async_start(*by = BY_AIO);
}

static int sync_once(struct over *over, uint64_t first, uint64_t cells)
{
	uint64_t page = first - first % PAGE_CELLS, way = below(&seed, 16);
	enum submission by;

	if (fast)
		return syncfs(over->buffered);
	/* All of a file, or of a filesystem, hides what another page of it lacks. */
	if (way < 6 || (over->ranged && way < 14))
		return msync(over->map + page * CELL, (first - page + cells) * CELL, MS_SYNC);
	if (way < 9)
		return fdatasync(over->buffered);
	if (way < 11)
		return fsync(over->buffered);
	if (way == 15)
		return syncfs(over->buffered);
	if (!choose_async(&by))
		error(1, errno, "no AIO");
	return async_sync(by, over->buffered, way & 1);
}

static void promised(struct over *over, uint64_t first, uint64_t cells, uint64_t generation)
{
	if (twice && fdatasync(over->buffered))
		error(1, errno, "%s: fdatasync", over->name);
	put_mark("wrote %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64, over->inode, first, cells,
		 generation);
}

void over_store(struct over *over, uint64_t first, uint64_t cells, uint64_t generation)
{
	put_mark("store %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64, over->inode, first, cells,
		 generation);
}

void over_sync(struct over *over, uint64_t first, uint64_t cells, uint64_t generation)
{
	if (!fast && !below(&seed, 8))
		sync_file_range(over->buffered, first * CELL, cells * CELL, SYNC_FILE_RANGE_WRITE);
	if (sync_once(over, first, cells))
		error(1, errno, "%s: sync", over->name);
	promised(over, first, cells, generation);
}

static bool write_call(int fd, const void *data, size_t length, off_t offset, int flags)
{
	struct iovec vector = { (void *)data, length };

	if (flags)
		return pwritev2(fd, &vector, 1, offset, flags) == (ssize_t)length;
	return write_fully(fd, data, length, offset) == (ssize_t)length;
}

void over_write(struct over *over, uint64_t first, uint64_t cells, bool direct)
{
	enum written how = below(&seed, 3);
	enum synced synced = below(&seed, 3);
	uint64_t generation = next_generation();
	off_t offset = first * CELL;
	static void *data;
	size_t length;
	enum submission by;
	int fd;
	bool ok;

	if (fast) {
		/*
		 * A commit of all hides that others were needed, and so does an inode that was
		 * changed since the last one: of that there's something to log.
		 */
		usleep(below(&seed, 80000));
		how = below(&seed, 64) ? DIRECTLY : MAPPED;
		cells += -cells % PAGE_CELLS;
	}
	if (how == DIRECTLY && (!direct || cells % PAGE_CELLS))
		how = WRITTEN;
	/* As often as before there were so many ways: what no journal's commit is asked for. */
	if (how == DIRECTLY && (fast || below(&seed, 2)))
		synced = O_DATA;
	if (!data && posix_memalign(&data, 4096, MOST_CELLS * CELL))
		error(1, ENOMEM, "overwrite");
	length = cells * CELL;
	over_fill(over, data, first, cells, generation);
	if (how == MAPPED) {
		over_store(over, first, cells, generation);
		memcpy(over->map + offset, data, length);
		over_sync(over, first, cells, generation);
		return;
	}
	fd = over->fds[how == DIRECTLY][synced];
	switch (below(&seed, 3)) {
	case 0:
		if (choose_async(&by)) {
			ok = !async_write(by, fd, data, length, offset);
			break;
		}
		/* fall through */
	case 1:
		ok = write_call(fd, data, length, offset, 0);
		break;
	default:
		ok = write_call(over->fds[how == DIRECTLY][NOT_YET], data, length, offset,
				synced == O_DATA ? RWF_DSYNC :
				synced == O_ALL	 ? RWF_SYNC :
						   0);
	}
	if (!ok)
		error(1, errno, "%s: overwrite", over->name);
	if (synced == NOT_YET)
		over_sync(over, first, cells, generation);
	else
		promised(over, first, cells, generation);
}
