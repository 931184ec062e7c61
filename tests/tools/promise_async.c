// SPDX-License-Identifier: GPL-2.0-only
/* AIO and io_uring, by their system calls. */
#include <errno.h>
#include <error.h>
#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "promise.h"

#define MOST 8 /* requests at a time */
#define PIECE 4096

struct request {
	enum { WRITE, FSYNC, FDATASYNC } what;
	int fd;
	const char *data;
	size_t length;
	off_t offset;
};

/* -------- AIO -------- */

static aio_context_t aio;

static int aio_do(const struct request *requests, unsigned int count)
{
	static const unsigned int codes[] = { IOCB_CMD_PWRITE, IOCB_CMD_FSYNC, IOCB_CMD_FDSYNC };
	struct iocb blocks[MOST] = { 0 }, *list[MOST];
	struct io_event events[MOST];
	unsigned int i, got;
	long status;

	for (i = 0; i < count; i++) {
		list[i] = &blocks[i];
		blocks[i].aio_data = requests[i].length;
		blocks[i].aio_lio_opcode = codes[requests[i].what];
		blocks[i].aio_fildes = requests[i].fd;
		blocks[i].aio_buf = (uintptr_t)requests[i].data;
		blocks[i].aio_nbytes = requests[i].length;
		blocks[i].aio_offset = requests[i].offset;
	}
	for (i = 0; i < count; i += status) {
		status = syscall(SYS_io_submit, aio, count - i, list + i);
		if (status <= 0)
			return -1;
	}
	for (got = 0; got < count; got += status) {
		status = syscall(SYS_io_getevents, aio, 1L, (long)MOST, events + got, NULL);
		if (status < 0 && errno == EINTR)
			status = 0;
		if (status < 0)
			return -1;
	}
	for (i = 0; i < count; i++)
		if (events[i].res != (int64_t)events[i].data) {
			errno = events[i].res < 0 ? -events[i].res : EIO;
			return -1;
		}
	return 0;
}

/* -------- io_uring -------- */

static struct ring {
	int fd;
	unsigned int *sq_tail, *sq_mask, *sq_array, *cq_head, *cq_tail, *cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
} ring = { .fd = -1 };

static void *map_ring(size_t size, uint64_t offset)
{
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring.fd,
			 (off_t)offset);

	if (map == MAP_FAILED)
		error(1, errno, "io_uring");
	return map;
}

static bool ring_start(void)
{
	struct io_uring_params params = { 0 };
	char *sq, *cq;

	ring.fd = (int)syscall(SYS_io_uring_setup, MOST, &params);
	if (ring.fd < 0)
		return false;
	sq = map_ring(params.sq_off.array + params.sq_entries * sizeof(unsigned int),
		      IORING_OFF_SQ_RING);
	cq = map_ring(params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe),
		      IORING_OFF_CQ_RING);
	ring.sqes = map_ring(params.sq_entries * sizeof(struct io_uring_sqe), IORING_OFF_SQES);
	ring.sq_tail = (unsigned int *)(sq + params.sq_off.tail);
	ring.sq_mask = (unsigned int *)(sq + params.sq_off.ring_mask);
	ring.sq_array = (unsigned int *)(sq + params.sq_off.array);
	ring.cq_head = (unsigned int *)(cq + params.cq_off.head);
	ring.cq_tail = (unsigned int *)(cq + params.cq_off.tail);
	ring.cq_mask = (unsigned int *)(cq + params.cq_off.ring_mask);
	ring.cqes = (struct io_uring_cqe *)(cq + params.cq_off.cqes);
	return true;
}

static int ring_do(const struct request *requests, unsigned int count)
{
	unsigned int tail = *ring.sq_tail, head = *ring.cq_head, i, sent;
	int failed = 0;
	long status;

	for (i = 0; i < count; i++, tail++) {
		struct io_uring_sqe *sqe = &ring.sqes[tail & *ring.sq_mask];

		memset(sqe, 0, sizeof(*sqe));
		sqe->opcode = requests[i].what == WRITE ? IORING_OP_WRITE : IORING_OP_FSYNC;
		sqe->fd = requests[i].fd;
		sqe->addr = (uintptr_t)requests[i].data;
		sqe->len = requests[i].length;
		sqe->off = requests[i].offset;
		if (requests[i].what == FDATASYNC)
			sqe->fsync_flags = IORING_FSYNC_DATASYNC;
		sqe->user_data = requests[i].length;
		ring.sq_array[tail & *ring.sq_mask] = tail & *ring.sq_mask;
	}
	__atomic_store_n(ring.sq_tail, tail, __ATOMIC_RELEASE);
	for (sent = 0, i = 0; i < count;) {
		status = syscall(SYS_io_uring_enter, ring.fd, count - sent, 1,
				 IORING_ENTER_GETEVENTS, NULL, 0);
		if (status < 0 && errno != EINTR)
			return -1;
		sent += status > 0 ? status : 0;
		for (; head != __atomic_load_n(ring.cq_tail, __ATOMIC_ACQUIRE); head++, i++) {
			const struct io_uring_cqe *cqe = &ring.cqes[head & *ring.cq_mask];

			if (cqe->res != (int64_t)cqe->user_data)
				failed = cqe->res < 0 ? -cqe->res : EIO;
		}
		__atomic_store_n(ring.cq_head, head, __ATOMIC_RELEASE);
	}
	errno = failed;
	return failed ? -1 : 0;
}

/* -------- both -------- */

bool async_start(enum submission by)
{
	if (by == BY_URING)
		return ring.fd >= 0 || ring_start();
	return aio || !syscall(SYS_io_setup, MOST, &aio);
}

static int do_all(enum submission by, const struct request *requests, unsigned int count)
{
	return by == BY_URING ? ring_do(requests, count) : aio_do(requests, count);
}

int async_write(enum submission by, int fd, const void *data, size_t length, off_t offset)
{
	struct request requests[MOST];
	unsigned int count;
	size_t done = 0;

	for (count = 0; count < MOST && done < length; count++) {
		size_t piece = length - done < PIECE ? length - done : PIECE;

		requests[count] = (struct request){ .fd = fd,
						    .data = (const char *)data + done,
						    .length = piece,
						    .offset = offset + (off_t)done };
		done += piece;
	}
	return do_all(by, requests, count);
}

int async_sync(enum submission by, int fd, bool datasync)
{
	struct request request = { .what = datasync ? FDATASYNC : FSYNC, .fd = fd };

	return do_all(by, &request, 1);
}
