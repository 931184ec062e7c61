// SPDX-License-Identifier: GPL-2.0-only
/* What files hold, written and compared byte by byte, by descriptors and by mappings. */
#define _GNU_SOURCE
#include "steps.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <linux/if_xdp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "pattern_byte.h"

void do_pattern(struct word *w, int count)
{
	unsigned long long at = number(&w[1]), end = at + number(&w[2]);
	unsigned int seed = number(&w[3]);

	(void)count;
	while (at < end) {
		size_t part = end - at < CHUNK ? end - at : CHUNK, i;
		ssize_t done;

		for (i = 0; i < part; i++)
			chunk[i] = pattern_byte(at + i, seed);
		done = pwrite(fd_of(&w[0]), chunk, part, at);
		if (done < 0) {
			call_result(done);
			return;
		}
		at += done;
	}
	call_result(0);
}

/* The pattern in COUNT pieces of SIZE bytes, at every STEP-th piece from FIRST on. */
void do_comb(struct word *w, int count)
{
	unsigned long long first = number(&w[1]), pieces = number(&w[2]), step = number(&w[3]);
	size_t size = number(&w[4]), i;
	unsigned int seed = number(&w[5]);

	(void)count;
	for (; pieces; pieces--, first += step) {
		for (i = 0; i < size; i++)
			chunk[i] = pattern_byte(first * size + i, seed);
		if (pwrite(fd_of(&w[0]), chunk, size, first * size) != (ssize_t)size) {
			call_result(-1);
			return;
		}
	}
	call_result(0);
}

/* Seed 0 stands for zeros. */
static bool compare(const unsigned char *bytes, unsigned long long at, size_t length,
		    unsigned int seed)
{
	size_t i;

	for (i = 0; i < length; i++) {
		unsigned char want = seed ? pattern_byte(at + i, seed) : 0;

		if (bytes[i] != want) {
			format_result("byte %llu is %02x, not %02x", at + i, bytes[i], want);
			return false;
		}
	}
	return true;
}

void do_check(struct word *w, int count)
{
	unsigned long long at = number(&w[1]), end = at + number(&w[2]);
	unsigned int seed = number(&w[3]);

	(void)count;
	while (at < end) {
		size_t part = end - at < CHUNK ? end - at : CHUNK;
		ssize_t got = pread(fd_of(&w[0]), chunk, part, at);

		if (got < 0) {
			call_result(got);
			return;
		}
		if (!got) {
			format_result("end of file at %llu", at);
			return;
		}
		if (!compare(chunk, at, got, seed))
			return;
		at += got;
	}
	string_result("right");
}

/* Copies a file with its holes. */
void do_copy(struct word *w, int count)
{
	int from = open(w[0].text, O_RDONLY | O_CLOEXEC);
	int to = open(w[1].text, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	off_t data = 0, end;

	(void)count;
	if (from < 0 || to < 0 || ftruncate(to, lseek(from, 0, SEEK_END))) {
		call_result(-1);
		return;
	}
	while ((data = lseek(from, data, SEEK_DATA)) >= 0) {
		end = lseek(from, data, SEEK_HOLE);
		while (data < end) {
			size_t part = end - data < CHUNK ? end - data : CHUNK;
			ssize_t got = pread(from, chunk, part, data);

			if (got <= 0 || pwrite(to, chunk, got, data) != got)
				die("copying %s: %s", w[0].text, strerror(errno));
			data += got;
		}
	}
	close(from);
	close(to);
	call_result(0);
}

/* -------- mappings -------- */

void do_map(struct word *w, int count)
{
	struct named *n = find_or_add(w[0].text);

	(void)count;
	n->map_offset = number(&w[2]);
	n->map_length = number(&w[3]);
	n->map = mmap(NULL, n->map_length, PROT_READ | PROT_WRITE, MAP_SHARED, fd_of(&w[1]),
		      n->map_offset);
	if (n->map == MAP_FAILED) {
		n->map = NULL;
		call_result(-1);
	} else {
		call_result(0);
	}
}

void do_unmap(struct word *w, int count)
{
	struct named *n = map_of(&w[0]);

	(void)count;
	call_result(munmap(n->map, n->map_length));
	n->map = NULL;
}

/* A fault that can't be served is SIGBUS; it must not end the whole script. */
static volatile sig_atomic_t catching;

void on_bus(int signal)
{
	static const char text[] = "steps: SIGBUS\n";

	(void)signal;
	(void)!write(2, text, sizeof(text) - 1);
	_exit(catching ? 42 : 3);
}

void do_mcheck(struct word *w, int count)
{
	struct named *n = map_of(&w[0]);

	(void)count;
	if (compare(n->map, n->map_offset, n->map_length, number(&w[1])))
		string_result("right");
}

void do_mpattern(struct word *w, int count)
{
	struct named *n = map_of(&w[0]);
	unsigned int seed = number(&w[1]);
	size_t i;

	(void)count;
	for (i = 0; i < n->map_length; i++)
		n->map[i] = pattern_byte(n->map_offset + i, seed);
	call_result(0);
}

void do_msync(struct word *w, int count)
{
	struct named *n = map_of(&w[0]);

	(void)count;
	call_result(msync(n->map, n->map_length, MS_SYNC));
}

/* Whether a store through the mapping is served: "written" or "SIGBUS". */
void do_mstore(struct word *w, int count)
{
	struct named *n = map_of(&w[0]);
	pid_t child = fork();
	int status;

	(void)count;
	if (!child) {
		catching = 1;
		n->map[0] = 0x5a;
		_exit(0);
	}
	waitpid(child, &status, 0);
	string_result(WIFEXITED(status) && !WEXITSTATUS(status) ? "written" : "SIGBUS");
}

/* Pins the pages of a mapping for writing, as a network card's ring would. */
void do_pin(struct word *w, int count)
{
	struct named *n = find_or_add(w[0].text), *map = map_of(&w[1]);
	struct xdp_umem_reg reg = {
		.addr = (uintptr_t)map->map,
		.len = map->map_length,
		.chunk_size = 4096,
	};
	int fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);

	(void)count;
	if (fd < 0 || setsockopt(fd, SOL_XDP, XDP_UMEM_REG, &reg, sizeof(reg))) {
		call_result(-1);
		return;
	}
	n->fd = fd;
	call_result(0);
}
