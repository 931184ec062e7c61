// SPDX-License-Identifier: GPL-2.0-only
/*
 * bytewriter: uses one file in random ways, at any byte and not only at cells as verifywriter does,
 * and compares what it reads with a copy of the file that it keeps in memory. bytewriter FILE
 * SECONDS SEED: makes FILE and leaves it. The last line is "N operations, N bytes compared, 0
 * bad"; where something is bad, the last operations are shown.
 */
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "pattern.h"

#define LONGEST (1 << 20)
#define PAGE 4096
#define SPAN (64 << 10)
#define HISTORY 24

static char *path, *model, *buffer;
static int fd, direct;
static uint64_t state, size, operations, compared;
static char history[HISTORY][100];

static void __attribute__((format(printf, 1, 2))) note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(history[operations++ % HISTORY], sizeof(history[0]), format, args);
	va_end(args);
}

static void show_history(void)
{
	uint64_t i;

	for (i = operations < HISTORY ? 0 : operations - HISTORY; i < operations; i++)
		printf("%8" PRIu64 " %s\n", i, history[i % HISTORY]);
	fflush(stdout);
}

static void __attribute__((noreturn)) failed(const char *what)
{
	int err = errno;

	show_history();
	error(1, err, "%s: %s", path, what);
	abort();
}

/* A mapping that has lost its page; only this program's own access to it can be the cause. */
static void on_bus_error(int signal)
{
	(void)signal;
	show_history();
	printf("%s: a mapping ends before the file does: the size is wrong\n", path);
	fflush(stdout);
	_exit(1);
}

static void compare(const char *got, uint64_t offset, uint64_t length)
{
	uint64_t i, wrong = 0, first = 0, last = 0;

	compared += length;
	if (!memcmp(got, model + offset, length))
		return;
	for (i = 0; i < length; i++) {
		if (got[i] == model[offset + i])
			continue;
		if (!wrong++)
			first = i;
		last = i;
	}
	show_history();
	printf("%s: %" PRIu64 " bytes from %" PRIu64 " to %" PRIu64
	       " are wrong: the first is 0x%02x, expected 0x%02x\n",
	       path, wrong, offset + first, offset + last, (unsigned char)got[first],
	       (unsigned char)model[offset + first]);
	printf("%" PRIu64 " operations, %" PRIu64 " bytes compared, %" PRIu64 " bad\n", operations,
	       compared, wrong);
	exit(1);
}

static void open_file(int flags)
{
	fd = open(path, O_RDWR | O_CLOEXEC | flags, 0600);
	direct = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
	if (fd < 0 || direct < 0)
		failed("open");
}

static void make_data(uint64_t offset, uint64_t length)
{
	uint64_t i, word = 0;

	for (i = 0; i < length; i++) {
		if (i % 8 == 0)
			word = next_random(&state);
		model[offset + i] = (char)(word >> i % 8 * 8);
	}
}

static void grow(uint64_t to)
{
	if (to > size)
		size = to;
}

static void do_write(uint64_t offset, uint64_t length)
{
	note("write %" PRIu64 " +%" PRIu64, offset, length);
	make_data(offset, length);
	if (write_fully(fd, model + offset, length, offset) != (ssize_t)length)
		failed("write");
	grow(offset + length);
}

static void do_direct_write(uint64_t offset, uint64_t length)
{
	offset -= offset % PAGE;
	length = (length + PAGE - 1) / PAGE * PAGE;
	note("direct write %" PRIu64 " +%" PRIu64, offset, length);
	make_data(offset, length);
	memcpy(buffer, model + offset, length);
	if (pwrite(direct, buffer, length, offset) != (ssize_t)length)
		failed("direct write");
	grow(offset + length);
}

static void do_read(uint64_t offset, uint64_t length, int how)
{
	uint64_t want;
	ssize_t got;

	if (how == 2) {
		offset -= offset % PAGE;
		length = (length + PAGE - 1) / PAGE * PAGE;
	}
	note("%s %" PRIu64 " +%" PRIu64,
	     how == 0 ? "read" :
	     how == 1 ? "read from the disk" :
			"direct read",
	     offset, length);
	if (how == 1)
		posix_fadvise(fd, offset, length, POSIX_FADV_DONTNEED);
	want = offset >= size ? 0 : length < size - offset ? length : size - offset;
	got = pread(how == 2 ? direct : fd, buffer, length, offset);
	if (got < 0)
		failed("read");
	if ((uint64_t)got != want) {
		errno = EIO;
		failed("read of a wrong length");
	}
	compare(buffer, offset, want);
}

static void do_map(uint64_t offset, uint64_t length, bool store)
{
	uint64_t page = offset - offset % PAGE;
	char *map;

	if (offset >= size)
		return;
	if (length > size - offset)
		length = size - offset;
	note("%s %" PRIu64 " +%" PRIu64, store ? "store" : "load", offset, length);
	map = mmap(NULL, offset + length - page, store ? PROT_READ | PROT_WRITE : PROT_READ,
		   MAP_SHARED, fd, page);
	if (map == MAP_FAILED)
		failed("mmap");
	if (store) {
		make_data(offset, length);
		memcpy(map + (offset - page), model + offset, length);
		if (below(&state, 4) == 0 && msync(map, offset + length - page, MS_SYNC))
			failed("msync");
	} else {
		compare(map + (offset - page), offset, length);
	}
	munmap(map, offset + length - page);
}

static void do_truncate(uint64_t to)
{
	note("truncate %" PRIu64 ", was %" PRIu64, to, size);
	if (ftruncate(fd, to))
		failed("truncate");
	if (to < size)
		memset(model + to, 0, size - to);
	size = to;
}

static void do_punch(uint64_t offset, uint64_t length)
{
	note("punch %" PRIu64 " +%" PRIu64, offset, length);
	if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length))
		failed("punch");
	if (offset < size)
		memset(model + offset, 0, length < size - offset ? length : size - offset);
}

/* What was just written, as the device has it: were the right blocks written to? */
static void do_read_back(uint64_t offset, uint64_t length)
{
	note("fdatasync");
	if (fdatasync(fd))
		failed("fdatasync");
	do_read(offset, length, 1 + (int)below(&state, 2));
}

static void check_size(void)
{
	struct stat st;

	if (fstat(fd, &st))
		failed("stat");
	if ((uint64_t)st.st_size == size)
		return;
	show_history();
	error(1, 0, "%s: the size is %jd, expected %" PRIu64, path, (intmax_t)st.st_size, size);
}

static void step(void)
{
	uint64_t offset = below(&state, LONGEST - SPAN), length = 1 + below(&state, SPAN - PAGE);
	unsigned int what = below(&state, 100);

	/* half of them short, and near each other */
	if (below(&state, 2))
		length = 1 + length % 5000;
	if (below(&state, 2))
		offset %= 256 << 10;
	if (what < 42) {
		if (what < 20)
			do_write(offset, length);
		else if (what < 30)
			do_direct_write(offset, length);
		else
			do_map(offset, length, true);
		if (below(&state, 3) == 0)
			do_read_back(offset, length);
	} else if (what < 52) {
		do_map(offset, length, false);
	} else if (what < 76) {
		do_read(offset, length, what % 3);
	} else if (what < 80) {
		do_truncate(below(&state, 2) ? offset : size - below(&state, size / 4 + 1));
	} else if (what < 86) {
		do_punch(offset, length);
	} else if (what < 90) {
		note("sync");
		if (what % 2 ? fsync(fd) : fdatasync(fd))
			failed("sync");
	} else if (what == 90) {
		note("close and open");
		close(fd);
		close(direct);
		open_file(0);
	} else {
		check_size();
	}
}

static void check_all(int how)
{
	uint64_t offset;

	check_size();
	for (offset = 0; offset < size; offset += SPAN)
		do_read(offset, SPAN, how);
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_bus_error };
	uint64_t seconds;
	time_t until;

	if (argc != 4) {
		fprintf(stderr, "usage: bytewriter FILE SECONDS SEED\n");
		return 2;
	}
	path = argv[1];
	seconds = parse_number(argv[2], "SECONDS");
	state = parse_number(argv[3], "SEED");
	model = calloc(1, LONGEST + SPAN);
	if (!model || posix_memalign((void **)&buffer, PAGE, SPAN + PAGE))
		error(2, ENOMEM, "bytewriter");
	sigaction(SIGBUS, &action, NULL);
	open_file(O_CREAT | O_TRUNC);
	until = time(NULL) + seconds;
	while (time(NULL) < until)
		step();
	check_all(0);
	if (fsync(fd))
		failed("fsync");
	check_all(1);
	check_all(2);
	printf("%" PRIu64 " operations, %" PRIu64 " bytes compared, 0 bad\n", operations, compared);
	return 0;
}
