// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device serves one request after the other, in the order in which they come, so that "the
 * k-th I/O" means the same in each run. It has no cache of its own: what is written is there.
 */
#include "device.h"

#include <endian.h>
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/nbd.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECTOR 512
#define HELD_MOST 64

void (*device_on_read)(struct device *device, const struct device_io *io);

static void all_of(ssize_t (*move)(int, void *, size_t), int fd, void *bytes, size_t length)
{
	while (length) {
		ssize_t done = move(fd, bytes, length);

		if (done <= 0)
			_exit(0); /* the device was given up */
		bytes = (char *)bytes + done;
		length -= (size_t)done;
	}
}

static ssize_t write_some(int fd, void *bytes, size_t length)
{
	return write(fd, bytes, length);
}

static ssize_t read_some(int fd, void *bytes, size_t length)
{
	return read(fd, bytes, length);
}

static bool overlap(const struct device_io *a, const struct device_io *b)
{
	return a->start < b->start + b->length && b->start < a->start + a->length;
}

/* Part of the device takes no writes, whatever else fails. */
static bool is_bad(const struct device_control *control, const struct device_io *io)
{
	return io->kind == DEVICE_WRITE && io->start < control->bad_end &&
	       io->start + io->length > control->bad_start;
}

static bool fails(struct device_control *control, const struct device_io *io)
{
	unsigned int number;

	if (control->paused || (control->reads_only && io->kind != DEVICE_READ))
		return false;
	number = ++control->seen;
	if (number <= DEVICE_LOG)
		control->log[number - 1] = *io;
	if (control->mode == DEVICE_GOOD || number < control->chosen)
		return false;
	if (control->mode == DEVICE_SPOT && number != control->chosen &&
	    (io->kind != control->first.kind || !overlap(io, &control->first)))
		return false;
	if (control->mode != DEVICE_DEAD && control->mode != DEVICE_SPOT &&
	    number != control->chosen)
		return false;
	if (!control->fired)
		control->first = *io;
	control->fired++;
	if (control->mode != DEVICE_KILL)
		return true;
	if (control->victim)
		kill(control->victim, control->signal);
	return false;
}

#define DROP 16

/* The kernel's driver puts each piece into its page as it comes. */
static void send_slowly(struct device_control *control, int fd, unsigned char *bytes, size_t length)
{
	control->trickled = 0;
	while (control->trickle && length > DROP) {
		all_of(write_some, fd, bytes, DROP);
		bytes += DROP;
		length -= DROP;
		control->trickled += DROP;
		usleep(control->trickle);
	}
	all_of(write_some, fd, bytes, length);
}

static void answer(struct device *device, int fd, const struct nbd_request *request, bool failed)
{
	struct nbd_reply reply = { .magic = htobe32(NBD_REPLY_MAGIC) };

	reply.error = htobe32(failed ? EIO : 0);
	memcpy(reply.handle, request->handle, sizeof(reply.handle));
	all_of(write_some, fd, &reply, sizeof(reply));
	if (!failed && (be32toh(request->type) & 0xffff) == NBD_CMD_READ)
		send_slowly(device->control, fd, device->bytes + be64toh(request->from),
			    be32toh(request->len));
}

static bool to_be_held(const struct device_control *control, const struct device_io *io)
{
	return control->hold_end && io->kind == control->hold_kind &&
	       io->start < control->hold_end && io->start + io->length > control->hold_start;
}

static void __attribute__((noreturn)) serve(struct device *device, int fd)
{
	static struct nbd_request held[HELD_MOST];
	static unsigned char bytes[32 << 20];
	struct device_control *control = device->control;

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		struct nbd_request request;
		struct device_io io;
		bool failed;

		while (poll(&p, 1, control->held ? 2 : -1) == 0)
			while (control->held && !control->hold_end)
				answer(device, fd, &held[--control->held], false);
		all_of(read_some, fd, &request, sizeof(request));
		io.start = be64toh(request.from);
		io.length = be32toh(request.len);
		io.tag = control->tag;
		switch (be32toh(request.type) & 0xffff) {
		case NBD_CMD_READ:
			io.kind = DEVICE_READ;
			break;
		case NBD_CMD_WRITE:
			io.kind = DEVICE_WRITE;
			all_of(read_some, fd, bytes, io.length);
			break;
		case NBD_CMD_FLUSH:
			io.kind = DEVICE_FLUSH;
			break;
		case NBD_CMD_TRIM:
			memset(device->bytes + io.start, 0, io.length);
			answer(device, fd, &request, false);
			continue;
		default:
			_exit(0);
		}
		if (device_on_read && io.kind == DEVICE_READ && !control->paused)
			device_on_read(device, &io);
		failed = fails(control, &io) || is_bad(control, &io);
		if (!failed && io.kind == DEVICE_WRITE)
			memcpy(device->bytes + io.start, bytes, io.length);
		if (to_be_held(control, &io) && control->held < HELD_MOST)
			held[control->held++] = request;
		else
			answer(device, fd, &request, failed);
	}
}

static void queue_set(const struct device *device, const char *name, const char *value)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/sys/block/%s/queue/%s", device->name + strlen("/dev/"),
		 name);
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		error(2, errno, "%s", path);
	close(fd);
}

static pid_t fork_bound(void)
{
	pid_t pid = fork();

	if (pid < 0)
		error(2, errno, "fork");
	if (!pid)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

void device_start(struct device *device, int number, const char *image)
{
	uint64_t size = 0;
	struct stat st;
	int ends[2], tries, fd = open(image, O_RDWR);

	if (fd < 0 || fstat(fd, &st))
		error(2, errno, "%s", image);
	device->size = (size_t)st.st_size;
	device->bytes = mmap(NULL, device->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	device->control = mmap(NULL, sizeof(*device->control), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (device->bytes == MAP_FAILED || device->control == MAP_FAILED)
		error(2, errno, "%s: mmap", image);
	close(fd);
	snprintf(device->name, sizeof(device->name), "/dev/nbd%d", number);
	device->fd = open(device->name, O_RDWR | O_CLOEXEC);
	if (device->fd < 0)
		error(2, errno, "%s", device->name);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		error(2, errno, "socketpair");
	fflush(stdout);
	if (!fork_bound()) {
		close(ends[0]);
		serve(device, ends[1]);
	}
	close(ends[1]);
	/* one connection only: the order of requests is the order of their arrival */
	if (ioctl(device->fd, NBD_SET_BLKSIZE, (unsigned long)SECTOR) ||
	    ioctl(device->fd, NBD_SET_SIZE_BLOCKS, (unsigned long)(device->size / SECTOR)) ||
	    ioctl(device->fd, NBD_SET_FLAGS,
		  (unsigned long)(NBD_FLAG_HAS_FLAGS | NBD_FLAG_SEND_FLUSH | NBD_FLAG_SEND_TRIM)) ||
	    ioctl(device->fd, NBD_SET_SOCK, (unsigned long)ends[0]))
		error(2, errno, "%s", device->name);
	close(ends[0]);
	if (!fork_bound()) {
		ioctl(device->fd, NBD_DO_IT);
		_exit(0);
	}
	for (tries = 0; size != device->size && tries < 1000; tries++) {
		usleep(5000);
		if (ioctl(device->fd, BLKGETSIZE64, &size))
			error(2, errno, "%s: size", device->name);
	}
	if (size != device->size)
		error(2, 0, "%s doesn't start", device->name);
	queue_set(device, "scheduler", "none");
	queue_set(device, "nomerges", "2");
	queue_set(device, "read_ahead_kb", "0");
}

void device_arm(struct device *device, enum device_mode mode, unsigned int chosen)
{
	device->control->mode = DEVICE_GOOD;
	device->control->seen = 0;
	device->control->fired = 0;
	device->control->chosen = chosen;
	device->control->mode = mode;
}

void device_heal(struct device *device)
{
	device->control->mode = DEVICE_GOOD;
}

void device_reset(struct device *device, const unsigned char *bytes)
{
	device_heal(device);
	if (ioctl(device->fd, BLKFLSBUF, 0))
		error(2, errno, "%s: dropping what is cached", device->name);
	memcpy(device->bytes, bytes, device->size);
}

void device_stop(struct device *device)
{
	ioctl(device->fd, NBD_DISCONNECT);
	ioctl(device->fd, NBD_CLEAR_SOCK);
	close(device->fd);
}
