// SPDX-License-Identifier: GPL-2.0-only
/*
 * verifywriter: uses files in every way there is (buffered, mapped and direct writes, appends,
 * truncates, punches, fsyncs, replacing) and knows at any time what each of their cells must
 * contain. It reads them back as it goes, and once more from the disk at the end. Besides files of
 * its own in DIR it uses the FILEs given, which fill(1) or an earlier run of itself must have
 * written. The last line counts cells: "N writes, N verified, 0 bad".
 */
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "pattern.h"

#define OWN_FILES 6
#define OWN_CELLS (4 << 20 >> 9)    /* an own file's greatest length */
#define ADOPT_CELLS (64 << 20 >> 9) /* of a given file, no more than this is used */
#define SPAN 128		    /* cells touched by one operation, at most */
#define PAGE_CELLS 8
#define MAX_SEEDS 16
#define MAX_REPORTS 10

enum { ZERO, WRITTEN };

struct state {
	uint32_t generation;
	uint16_t valid; /* bytes; the cell's rest reads as zeros */
	uint8_t seed;
	uint8_t kind;
};

struct file {
	char *path;
	bool own, whole; /* whole: all of it is known, so it may change its size */
	int fd, direct;
	uint64_t inode, size, limit;
	struct state *cells; /* limit of them */
};

static struct file *files;
static unsigned int file_count;
static uint64_t seeds[MAX_SEEDS];
static unsigned int seed_count;
static uint64_t state, written, verified, bad;
static uint32_t generation;
static volatile sig_atomic_t stop;
static struct cell *buffer, *expected;

static void on_signal(int signal)
{
	(void)signal;
	stop = 1;
}

static uint8_t seed_index(uint64_t seed)
{
	unsigned int i;

	for (i = 0; i < seed_count; i++)
		if (seeds[i] == seed)
			return i;
	if (seed_count == MAX_SEEDS)
		error(2, 0, "the files given were written with too many seeds");
	seeds[seed_count] = seed;
	return seed_count++;
}

static uint64_t end_cell(const struct file *file)
{
	uint64_t end = (file->size + CELL - 1) / CELL;

	return end < file->limit ? end : file->limit;
}

static void report(const struct file *file, uint64_t index, const char *what)
{
	if (++bad <= MAX_REPORTS)
		printf("BAD %s cell %" PRIu64 ": %s\n", file->path, index, what);
	fflush(stdout);
}

/* An operation that fails for anything but a full disk is as bad as a wrong byte. */
static void failed(const struct file *file, uint64_t index, const char *operation)
{
	char text[128];

	if (errno == ENOSPC)
		return;
	snprintf(text, sizeof(text), "%s: %s", operation, strerror(errno));
	report(file, index, text);
}

static void expect(const struct file *file, uint64_t index, struct cell *cell)
{
	const struct state *is = &file->cells[index];

	if (is->kind == ZERO) {
		memset(cell, 0, CELL);
		return;
	}
	cell_fill(cell, seeds[is->seed], file->inode, index, is->generation);
	memset((char *)cell + is->valid, 0, CELL - is->valid);
}

static void compare(const struct file *file, uint64_t first, const struct cell *got, size_t bytes)
{
	uint64_t i;

	for (i = 0; i * CELL < bytes; i++) {
		size_t length = bytes - i * CELL < CELL ? bytes - i * CELL : CELL;
		char is[160], text[300];
		struct cell want;

		verified++;
		expect(file, first + i, &want);
		if (!memcmp(&want, &got[i], length))
			continue;
		cell_describe(&got[i], is, sizeof(is));
		snprintf(text, sizeof(text), "is %s; expected %s generation %u valid %u", is,
			 file->cells[first + i].kind == ZERO ? "zeros," : "written,",
			 file->cells[first + i].generation, file->cells[first + i].valid);
		report(file, first + i, text);
	}
}

static void check(struct file *file, uint64_t first, uint64_t count, int how)
{
	uint64_t offset = first * CELL, bytes = count * CELL;
	struct stat st;
	ssize_t got;
	char *map;

	if (fstat(file->fd, &st) || (uint64_t)st.st_size != file->size) {
		report(file, first, "wrong size");
		return;
	}
	if (offset >= file->size)
		return;
	if (bytes > file->size - offset)
		bytes = file->size - offset;
	switch (how) {
	case 0: /* from the disk: drop the clean pages first */
		posix_fadvise(file->fd, offset, bytes, POSIX_FADV_DONTNEED);
		/* fall through */
	case 1:
		got = read_fully(file->fd, buffer, bytes, offset);
		break;
	case 2: /* direct; the end of the file need not be aligned, the request must be */
		first -= first % PAGE_CELLS;
		offset = first * CELL;
		bytes = (count + PAGE_CELLS - 1) / PAGE_CELLS * PAGE_CELLS * CELL;
		got = pread(file->direct, buffer, bytes, offset);
		if (bytes > file->size - offset)
			bytes = file->size - offset;
		if (first + (bytes + CELL - 1) / CELL > file->limit)
			bytes = (file->limit - first) * CELL;
		if (got > (ssize_t)bytes)
			got = bytes;
		break;
	default:
		first -= first % PAGE_CELLS;
		offset = first * CELL;
		bytes = count * CELL < file->size - offset ? count * CELL : file->size - offset;
		map = mmap(NULL, bytes, PROT_READ, MAP_SHARED, file->fd, offset);
		if (map == MAP_FAILED) {
			failed(file, first, "mmap");
			return;
		}
		memcpy(buffer, map, bytes);
		munmap(map, bytes);
		got = bytes;
	}
	if (got != (ssize_t)bytes) {
		if (got >= 0)
			errno = EIO;
		failed(file, first, "read");
		return;
	}
	compare(file, first, buffer, bytes);
}

static void note_written(struct file *file, uint64_t first, uint64_t bytes)
{
	uint64_t i;

	/* a disk that was full at once: the file doesn't even grow to where it would have been */
	if (!bytes)
		return;
	for (i = 0; i * CELL < bytes; i++)
		file->cells[first + i] = (struct state){
			.generation = generation,
			.kind = WRITTEN,
			.valid = bytes - i * CELL < CELL ? bytes - i * CELL : CELL,
		};
	if (first * CELL + bytes > file->size)
		file->size = first * CELL + bytes;
	written += i;
}

static void make_cells(struct file *file, uint64_t first, uint64_t count)
{
	uint64_t i;

	generation++;
	for (i = 0; i < count; i++)
		cell_fill(&buffer[i], seeds[0], file->inode, first + i, generation);
}

static void write_cells(struct file *file, uint64_t first, uint64_t bytes, bool direct)
{
	ssize_t got;

	make_cells(file, first, (bytes + CELL - 1) / CELL);
	errno = 0;
	got = write_fully(direct ? file->direct : file->fd, buffer, bytes, first * CELL);
	if (got != (ssize_t)bytes)
		failed(file, first, direct ? "direct write" : "write");
	note_written(file, first, got);
}

static void map_cells(struct file *file, uint64_t first, uint64_t count, bool sync)
{
	struct statvfs fs;
	char *map;

	/* a store into a hole of a full filesystem would be a SIGBUS, and rightly */
	if (fstatvfs(file->fd, &fs) || fs.f_bavail * fs.f_frsize < 16 << 20)
		return;
	first -= first % PAGE_CELLS;
	if (first * CELL >= file->size)
		return;
	if (count > file->size / CELL - first)
		count = file->size / CELL - first;
	if (!count)
		return;
	map = mmap(NULL, count * CELL, PROT_READ | PROT_WRITE, MAP_SHARED, file->fd, first * CELL);
	if (map == MAP_FAILED) {
		failed(file, first, "mmap");
		return;
	}
	make_cells(file, first, count);
	memcpy(map, buffer, count * CELL);
	if (sync && msync(map, count * CELL, MS_SYNC))
		failed(file, first, "msync");
	munmap(map, count * CELL);
	note_written(file, first, count * CELL);
}

static void zero_cells(struct file *file, uint64_t from, uint64_t to)
{
	for (; from < to && from < file->limit; from++)
		file->cells[from] = (struct state){ .kind = ZERO };
}

static void set_size(struct file *file, uint64_t size)
{
	uint64_t last = size / CELL;

	if (ftruncate(file->fd, size)) {
		failed(file, last, "truncate");
		return;
	}
	if (size < file->size) {
		if (size % CELL && last < file->limit && file->cells[last].valid > size % CELL)
			file->cells[last].valid = size % CELL;
		zero_cells(file, (size + CELL - 1) / CELL, end_cell(file));
	}
	file->size = size;
}

static void punch(struct file *file, uint64_t first, uint64_t count)
{
	if (fallocate(file->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, first * CELL,
		      count * CELL))
		failed(file, first, "punch");
	else
		zero_cells(file, first, first + count);
}

static void open_file(struct file *file, int flags)
{
	struct stat st;

	file->fd = open(file->path, O_RDWR | O_CLOEXEC | flags, 0644);
	if (file->fd < 0 || fstat(file->fd, &st))
		error(2, errno, "%s", file->path);
	file->direct = open(file->path, O_RDWR | O_DIRECT | O_CLOEXEC);
	if (file->direct < 0)
		error(2, errno, "%s: O_DIRECT", file->path);
	file->inode = st.st_ino;
	file->size = st.st_size;
}

static void replace(struct file *file)
{
	uint64_t end = end_cell(file);

	if (unlink(file->path)) {
		failed(file, 0, "unlink");
		return;
	}
	/* gone from its directory and still in use */
	check(file, below(&state, end), SPAN, 0);
	close(file->direct);
	close(file->fd);
	zero_cells(file, 0, file->limit);
	open_file(file, O_CREAT | O_EXCL);
}

static void adopt(struct file *file)
{
	uint64_t first, i;
	ssize_t got;

	for (first = 0; first < end_cell(file); first += SPAN) {
		got = read_fully(file->fd, buffer, SPAN * CELL, first * CELL);
		if (got < 0)
			error(2, errno, "%s", file->path);
		for (i = 0; (ssize_t)(i * CELL) < got && first + i < file->limit; i++) {
			struct state *is = &file->cells[first + i];

			if (got - i * CELL < CELL)
				memset((char *)&buffer[i] + got % CELL, 0, CELL - got % CELL);
			if (all_zero(&buffer[i], CELL))
				continue;
			*is = (struct state){ .generation = buffer[i].generation,
					      .kind = WRITTEN,
					      .valid = CELL,
					      .seed = seed_index(buffer[i].seed) };
			if (cell_valid(&buffer[i], file->inode, first + i))
				continue;
			/* a cut cell: as long as the file if it is the last, or truncated and
			 * extended */
			expect(file, first + i, expected);
			while (is->valid && ((char *)&buffer[i])[is->valid - 1] == 0)
				is->valid--;
			if (memcmp(&buffer[i], expected, is->valid))
				error(2, 0,
				      "%s: cell %" PRIu64
				      " was not written by fill or verifywriter",
				      file->path, first + i);
		}
	}
}

static void prepare(struct file *file, const char *path, bool own)
{
	file->own = own;
	file->path = strdup(path);
	open_file(file, own ? O_CREAT | O_TRUNC : 0);
	file->limit = own ? OWN_CELLS : ADOPT_CELLS;
	if (!own && end_cell(file) + SPAN < file->limit)
		file->limit = end_cell(file) + SPAN;
	file->whole = own || file->limit * CELL >= file->size;
	file->cells = calloc(file->limit, sizeof(*file->cells));
	if (!file->path || !file->cells)
		error(2, ENOMEM, "%s", path);
	if (!own)
		adopt(file);
}

static void step(struct file *file)
{
	uint64_t end = end_cell(file), first = below(&state, end), count = 1 + below(&state, SPAN);
	uint64_t what = below(&state, 100);

	if (count > file->limit - first)
		count = file->limit - first;
	if (what < 22) {
		if (!file->whole && first + count > end)
			count = end - first;
		if (count)
			write_cells(file, first, count * CELL, false);
	} else if (what < 34) {
		map_cells(file, first, count, what < 26);
	} else if (what < 44) {
		first -= first % PAGE_CELLS;
		count -= count % PAGE_CELLS;
		if (count && (first + count) * CELL <= file->size)
			write_cells(file, first, count * CELL, true);
	} else if (what < 56) {
		if (file->whole && end + count <= file->limit)
			write_cells(file, end, count * CELL - below(&state, CELL), false);
	} else if (what < 60) {
		if (file->whole)
			set_size(file, file->size - below(&state, file->size / 4 + 1));
	} else if (what < 62) {
		if (file->whole && end + count <= file->limit)
			set_size(file, file->size + below(&state, count * CELL));
	} else if (what < 65) {
		punch(file, first, count);
	} else if (what < 70) {
		if (what % 2 ? fsync(file->fd) : fdatasync(file->fd))
			failed(file, 0, "fsync");
	} else if (what == 70 && file->own) {
		replace(file);
	} else {
		check(file, first, count, what % 4);
	}
}

static void check_all(int how)
{
	unsigned int i;
	uint64_t first;

	for (i = 0; i < file_count; i++)
		for (first = 0; first < end_cell(&files[i]); first += SPAN) {
			uint64_t left = files[i].limit - first;

			check(&files[i], first, left < SPAN ? left : SPAN, how);
		}
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_signal };
	unsigned int i;
	uint64_t seconds;
	time_t until;
	char *path;

	if (argc < 4) {
		fprintf(stderr, "usage: verifywriter DIR SECONDS SEED [FILE]...\n");
		return 2;
	}
	seconds = parse_number(argv[2], "SECONDS");
	state = parse_number(argv[3], "SEED");
	seed_index(state);
	/* a generation that no earlier run on a given file has used */
	generation = (uint32_t)time(NULL) << 8;
	file_count = OWN_FILES + argc - 4;
	files = calloc(file_count, sizeof(*files));
	if (!files || posix_memalign((void **)&buffer, 4096, 2 * SPAN * CELL) ||
	    posix_memalign((void **)&expected, 4096, CELL))
		error(2, ENOMEM, "verifywriter");
	for (i = 0; i < OWN_FILES; i++) {
		if (asprintf(&path, "%s/verifywriter.%s.%u", argv[1], argv[3], i) < 0)
			error(2, ENOMEM, "verifywriter");
		prepare(&files[i], path, true);
		free(path);
	}
	for (; i < file_count; i++)
		prepare(&files[i], argv[4 + i - OWN_FILES], false);

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	until = time(NULL) + seconds;
	while (!stop && time(NULL) < until)
		step(&files[below(&state, file_count)]);

	check_all(1);
	for (i = 0; i < file_count; i++)
		if (fsync(files[i].fd))
			failed(&files[i], 0, "fsync");
	check_all(0);
	check_all(2);
	printf("%" PRIu64 " writes, %" PRIu64 " verified, %" PRIu64 " bad\n", written, verified,
	       bad);
	return bad ? 1 : 0;
}
