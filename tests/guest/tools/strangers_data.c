// SPDX-License-Identifier: GPL-2.0-only
/*
 * The calls of strangers.c that read and write, place and sync data.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/falloc.h>
#include <linux/io_uring.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "strangers.h"

struct space_resv {
	int16_t type, whence;
	int64_t start, length;
	int32_t sysid;
	uint32_t pid;
	int32_t pad[4];
};

#define IOC_RESVSP _IOW('X', 40, struct space_resv)

/* Reading. */

static int call_read(struct cell *c)
{
	return answer(read(c->fd, c->buffer, c->size));
}

static int call_pread(struct cell *c)
{
	return answer(pread(c->fd, c->buffer, c->size, (off_t)c->call->arg));
}

static int call_preadv2(struct cell *c)
{
	struct iovec iov = { c->buffer, c->size };

	return answer(preadv2(c->fd, &iov, 1, 0, (int)c->call->arg));
}

/* Opened once more by its path, as the row says. */
static int reopened_pread(struct cell *c)
{
	int fd = open(c->path, (int)c->call->arg);

	return fd < 0 ? -errno : answer_close(fd, pread(fd, c->buffer, c->size, 0));
}

/* What is copied from or to a page that isn't there is EFAULT, and not SIGBUS. */
static int mapped(struct cell *c, int prot, bool store)
{
	void *map = mmap(NULL, c->size, prot, (int)c->call->arg, c->fd, 0);
	struct iovec to = { c->buffer, 8 }, from = { map, 8 };
	int value;

	if (map == MAP_FAILED)
		return -errno;
	if (store)
		value = answer(process_vm_readv(getpid(), &from, 1, &to, 1, 0));
	else
		value = answer(process_vm_readv(getpid(), &to, 1, &from, 1, 0));
	munmap(map, c->size);
	return value;
}

static int mapped_load(struct cell *c)
{
	return mapped(c, PROT_READ, false);
}

static int mapped_store(struct cell *c)
{
	return mapped(c, PROT_READ | PROT_WRITE, true);
}

static int mapped_populate(struct cell *c)
{
	void *map =
		mmap(NULL, c->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, c->fd, 0);
	int value;

	if (map == MAP_FAILED)
		return -errno;
	value = answer(madvise(map, c->size, (int)c->call->arg));
	munmap(map, c->size);
	return value;
}

/* From the donor to a pipe, or from a pipe that holds the stranger's bytes to the donor. */
static int splice_either(struct cell *c)
{
	int ends[2], value;
	loff_t at = 0;

	if (pipe(ends))
		return -errno;
	if (c->call->arg) {
		if (write(ends[1], c->buffer, 4096) != 4096)
			abort();
		value = answer(splice(ends[0], NULL, c->fd, &at, 4096, 0));
	} else {
		value = answer(splice(c->fd, &at, ends[1], NULL, 4096, SPLICE_F_NONBLOCK));
		if (value > 0)
			value = answer(read(ends[0], c->buffer, (size_t)value));
	}
	close(ends[0]);
	close(ends[1]);
	return value;
}

static int sendfile_either(struct cell *c)
{
	off_t at = 0;

	lseek(c->fd, 0, SEEK_SET);
	lseek(c->own, 0, SEEK_SET);
	return c->call->arg ? answer(sendfile(c->fd, c->own, &at, 4096)) :
			      answer(sendfile(c->own, c->fd, &at, 4096));
}

static int copy_either(struct cell *c)
{
	off_t from = 0, to = 0;

	return c->call->arg ? answer(copy_file_range(c->own, &from, c->fd, &to, 4096, 0)) :
			      answer(copy_file_range(c->fd, &from, c->own, &to, 4096, 0));
}

static int call_lseek(struct cell *c)
{
	return answer(lseek(c->fd, 0, (int)c->call->arg));
}

/* Writing. */

static int call_write(struct cell *c)
{
	return answer(write(c->fd, c->buffer, c->block));
}

static int call_pwritev2(struct cell *c)
{
	struct iovec iov = { c->buffer, c->block };

	return answer(pwritev2(c->fd, &iov, 1, 0, (int)c->call->arg));
}

static int reopened_pwrite(struct cell *c)
{
	int fd = open(c->path, (int)c->call->arg);

	return fd < 0 ? -errno : answer_close(fd, pwrite(fd, c->buffer, 4096, 0));
}

/* Direct I/O by the descriptor that there is. */
static int direct_either(struct cell *c)
{
	int flags = fcntl(c->fd, F_GETFL), value;

	if (fcntl(c->fd, F_SETFL, flags | O_DIRECT))
		return -errno;
	value = c->call->arg ? answer(pwrite(c->fd, c->buffer, 4096, 0)) :
			       answer(pread(c->fd, c->buffer, c->size, 0));
	fcntl(c->fd, F_SETFL, flags);
	return value;
}

static int reopened(struct cell *c)
{
	int fd = open(c->path, (int)c->call->arg);

	return fd < 0 ? -errno : answer_close(fd, 0);
}

static int call_ftruncate(struct cell *c)
{
	return answer(ftruncate(c->fd, c->call->arg ? (off_t)c->size : 0));
}

static int call_truncate(struct cell *c)
{
	return answer(truncate(c->path, c->call->arg ? (off_t)c->size : 0));
}

static int call_fallocate(struct cell *c)
{
	return answer(fallocate(c->fd, (int)c->call->arg, 0, (off_t)c->size));
}

static int call_resvsp(struct cell *c)
{
	struct space_resv space = { .length = (int64_t)c->size };

	return answer(ioctl(c->fd, IOC_RESVSP, &space));
}

/* By AIO, and by io_uring without its library. */

static int aio_either(struct cell *c)
{
	struct iocb iocb = { .aio_fildes = (uint32_t)c->fd, .aio_nbytes = 4096 }, *list = &iocb;
	aio_context_t context = 0;
	struct io_event event = {};
	int value;

	iocb.aio_lio_opcode = (uint16_t)c->call->arg;
	iocb.aio_buf = (uintptr_t)c->buffer;
	if (syscall(SYS_io_setup, 1, &context))
		return -errno;
	value = answer(syscall(SYS_io_submit, context, 1, &list));
	if (value == 1) {
		value = answer(syscall(SYS_io_getevents, context, 1, 1, &event, NULL));
		if (value == 1)
			value = (int)event.res;
	}
	syscall(SYS_io_destroy, context);
	return value;
}

static int ring(struct cell *c)
{
	struct io_uring_params p = {};
	struct io_uring_sqe *sqe;
	char *rings;
	int fd = (int)syscall(SYS_io_uring_setup, 1, &p), value;
	size_t length;

	if (fd < 0)
		return -errno;
	length = p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe);
	if (length < p.sq_off.array + p.sq_entries * sizeof(uint32_t))
		length = p.sq_off.array + p.sq_entries * sizeof(uint32_t);
	rings = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
	sqe = mmap(NULL, sizeof(*sqe), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd,
		   IORING_OFF_SQES);
	if (rings == MAP_FAILED || sqe == MAP_FAILED)
		abort();
	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = (uint8_t)c->call->arg;
	sqe->fd = c->fd;
	switch (c->call->arg) {
	case IORING_OP_FALLOCATE:
		sqe->addr = c->size;
		break;
	case IORING_OP_READ:
	case IORING_OP_WRITE:
		sqe->addr = (uintptr_t)c->buffer;
		sqe->len = 4096;
		break;
	}
	*(uint32_t *)(rings + p.sq_off.array) = 0;
	__atomic_store_n((uint32_t *)(rings + p.sq_off.tail), 1, __ATOMIC_RELEASE);
	value = answer(syscall(SYS_io_uring_enter, fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0));
	if (value == 1)
		value = ((struct io_uring_cqe *)(rings + p.cq_off.cqes))->res;
	munmap(sqe, sizeof(*sqe));
	munmap(rings, length);
	close(fd);
	return value;
}

static int call_fsync(struct cell *c)
{
	return answer(fsync(c->fd));
}

static int call_fdatasync(struct cell *c)
{
	return answer(fdatasync(c->fd));
}

static int call_syncfs(struct cell *c)
{
	return answer(syncfs(c->fd));
}

static int call_sync_range(struct cell *c)
{
	return answer(sync_file_range(c->fd, 0, 0,
				      SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
					      SYNC_FILE_RANGE_WAIT_AFTER));
}

static int call_readahead(struct cell *c)
{
	return answer(readahead(c->fd, 0, c->size));
}

static int call_fadvise(struct cell *c)
{
	return -posix_fadvise(c->fd, 0, 0, (int)c->call->arg);
}

/*
 * Two that wait at once. fallocate() asks for the immutable flag before it takes the lock, and
 * under the lock only whether the file has extents. MIGRATE, which gives it extents, never asks:
 * that is why donors are root's where the host has extents.
 */
static int migrate_before_fallocate(struct cell *c)
{
	int value;

	agent_start(&second, stranger_migrate, c);
	agent_waits(&second);
	value = call_fallocate(c);
	agent_end(&second);
	return value;
}

/* Name, call and its argument; fresh, sealed, while data/alloc has the lock; the use of each. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
const struct call calls_data[] = {
	/* Reading, which no flag forbids: a donor has no size, so that each read ends at once. */
	{ "read", call_read, 0, "0", "0" },
	{ "pread in the middle", call_pread, 8192, "0", "0" },
	{ "preadv2", call_preadv2, 0, "0", "0" },
	{ "pread, O_DIRECT set by fcntl", direct_either, 0, "0", "0" },
	{ "open O_RDONLY, pread", reopened_pread, O_RDONLY, "0/EACCES", "0/EACCES" },
	{ "open O_RDONLY|O_DIRECT, pread", reopened_pread, O_RDONLY | O_DIRECT, "0/EACCES",
	  "0/EACCES" },
	{ "AIO pread", aio_either, IOCB_CMD_PREAD, "0", "0" },
	{ "io_uring read", ring, IORING_OP_READ, "0", "0" },
	{ "mmap shared, load", mapped_load, MAP_SHARED, "EFAULT", "EFAULT" },
	{ "mmap private, load", mapped_load, MAP_PRIVATE, "EFAULT", "EFAULT" },
	{ "mmap populate, madvise", mapped_populate, MADV_WILLNEED, "0", "0" },
	{ "splice to a pipe", splice_either, 0, "0", "0" },
	{ "sendfile from it", sendfile_either, 0, "0", "0" },
	{ "copy_file_range from it", copy_either, 0, "0", "0" },
	{ "lseek SEEK_DATA", call_lseek, SEEK_DATA, "ENXIO", "ENXIO" },
	{ "readahead", call_readahead, 0, "0", "0" },
	{ "posix_fadvise WILLNEED", call_fadvise, POSIX_FADV_WILLNEED, "0", "0" },
	{ "posix_fadvise DONTNEED", call_fadvise, POSIX_FADV_DONTNEED, "0", "0" },

	/* Writing: ext4 asks for the flag under the lock. */
	{ "write", call_write, 0, "ok", "EPERM", .fresh_use = "EPERM" },
	{ "pwritev2 RWF_DSYNC", call_pwritev2, RWF_DSYNC, "ok", "EPERM", .fresh_use = "EPERM" },
	{ "pwritev2 RWF_APPEND", call_pwritev2, RWF_APPEND, "ok", "EPERM", .fresh_use = "EPERM" },
	{ "pwrite, O_DIRECT set by fcntl", direct_either, 1, "4096", "EPERM",
	  .fresh_use = "EPERM" },
	{ "open O_RDWR, pwrite", reopened_pwrite, O_RDWR, "4096/EACCES", "EPERM",
	  "EPERM/EACCES|EPERM", .fresh_use = "EPERM/8" },
	{ "open O_RDWR|O_DIRECT, pwrite", reopened_pwrite, O_RDWR | O_DIRECT, "4096/EACCES",
	  "EPERM", "EPERM/EACCES|EPERM", .fresh_use = "EPERM/8" },
	{ "open O_WRONLY|O_APPEND, pwrite", reopened_pwrite, O_WRONLY | O_APPEND, "4096/EACCES",
	  "EPERM", "EPERM/EACCES|EPERM", .fresh_use = "EPERM/8" },
	{ "open O_WRONLY|O_TRUNC", reopened, O_WRONLY | O_TRUNC, "0/EACCES", "EPERM",
	  "EPERM/EACCES|EPERM" },
	/* open itself takes no lock. */
	{ "open O_RDWR", reopened, O_RDWR, "0/EACCES", "EPERM", "0|EPERM/EACCES|EPERM" },
	{ "AIO pwrite", aio_either, IOCB_CMD_PWRITE, "4096", "EPERM", .fresh_use = "EPERM" },
	{ "io_uring write", ring, IORING_OP_WRITE, "4096", "EPERM", .fresh_use = "EPERM" },
	{ "mmap shared, store", mapped_store, MAP_SHARED, "EFAULT", "EFAULT" },
	{ "mmap private, store", mapped_store, MAP_PRIVATE, "EFAULT", "EFAULT" },
	{ "splice from a pipe", splice_either, 1, "4096", "EPERM", .fresh_use = "EPERM" },
	{ "sendfile to it", sendfile_either, 1, "4096", "EPERM", .fresh_use = "EPERM" },
	{ "copy_file_range to it", copy_either, 1, "4096", "EPERM", .fresh_use = "EPERM" },
	{ "ftruncate up", call_ftruncate, 1, "0", "EPERM", .fresh_use = "EPERM" },
	{ "ftruncate to 0", call_ftruncate, 0, "0", "EPERM" },
	{ "truncate up, by its path", call_truncate, 1, "0/EACCES", "EPERM", "EPERM/EACCES|EPERM",
	  .fresh_use = "EPERM/8" },
	{ "truncate to 0, by its path", call_truncate, 0, "0/EACCES", "EPERM",
	  "EPERM/EACCES|EPERM" },

	/* The flag is asked for before the lock; under it, only whether there are extents. */
	{ "fallocate", call_fallocate, 0, "EOPNOTSUPP", "EPERM", "EOPNOTSUPP" },
	{ "fallocate KEEP_SIZE", call_fallocate, FALLOC_FL_KEEP_SIZE, "EOPNOTSUPP", "EPERM",
	  "EOPNOTSUPP" },
	/* Nothing to be punched past the size, which is 0. */
	{ "fallocate PUNCH_HOLE", call_fallocate, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, "0",
	  "EPERM", "0" },
	{ "fallocate ZERO_RANGE", call_fallocate, FALLOC_FL_ZERO_RANGE, "EOPNOTSUPP", "EPERM",
	  "EOPNOTSUPP" },
	{ "fallocate COLLAPSE_RANGE", call_fallocate, FALLOC_FL_COLLAPSE_RANGE, "EOPNOTSUPP",
	  "EPERM", "EOPNOTSUPP" },
	{ "fallocate INSERT_RANGE", call_fallocate, FALLOC_FL_INSERT_RANGE, "EOPNOTSUPP", "EPERM",
	  "EOPNOTSUPP" },
	{ "fallocate UNSHARE_RANGE", call_fallocate, FALLOC_FL_UNSHARE_RANGE, "EOPNOTSUPP", "EPERM",
	  "EOPNOTSUPP" },
	{ "FS_IOC_RESVSP", call_resvsp, 0, "EOPNOTSUPP", "EPERM", "EOPNOTSUPP" },
	{ "io_uring fallocate", ring, IORING_OP_FALLOCATE, "EOPNOTSUPP", "EPERM", "EOPNOTSUPP" },
	/* The lock may be let go for MIGRATE, which waits first: the donor is sealed then. */
	{ "fallocate, MIGRATE before it", migrate_before_fallocate, 0, "EOPNOTSUPP", "EPERM",
	  "EOPNOTSUPP|EPERM" },
	{ "ZERO_RANGE, MIGRATE before it", migrate_before_fallocate, FALLOC_FL_ZERO_RANGE,
	  "EOPNOTSUPP", "EPERM", "EOPNOTSUPP|EPERM" },

	/* Syncing. */
	{ "sync_file_range", call_sync_range, 0, "0", "0" },
	{ "fdatasync", call_fdatasync, 0, "0", "0", .commits = true },
	{ "fsync", call_fsync, 0, "0", "0", .commits = true },
	{ "io_uring fsync", ring, IORING_OP_FSYNC, "0", "0", .commits = true },
	{ "syncfs", call_syncfs, 0, "0", "0", .commits = true },
};

const size_t calls_data_count = sizeof(calls_data) / sizeof(calls_data[0]);
