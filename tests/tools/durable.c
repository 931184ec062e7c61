// SPDX-License-Identifier: GPL-2.0-only
/*
 * durable: a writer that says what it was promised, and the judge of that promise.
 * durable write DIR SECONDS SEED [FILE]...   writes records into files of its own in DIR and into
 *	FILEs (names below DIR, written by fill) and makes them durable in the ways there are; only
 *	when the kernel has returned it prints "durable NAME CELL COUNT GENERATION"
 * durable datasync DIR SECONDS SEED FILE...   the same, but overwrites only, with what commits no
 *	transaction by itself: fdatasync and O_DSYNC, which may leave changed times behind
 * durable check DIR LOG [FILE]...   after the crash: each record of the log must be there, or a
 *	later one in its place; each other cell of a FILE must be whole
 */
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "pattern.h"

#define OWN_FILES 2
#define OWN_CELLS (4 << 20 >> 9)
#define MAX_CELLS (64 << 20 >> 9)
#define MAX_REPORTS 10
#define PAGE_CELLS 8

struct file {
	char *name;
	bool own;
	int fd, direct, sync;
	uint64_t inode, cells;
	uint64_t *promised; /* check: least generation of each cell, 0: none was promised */
};

static struct file *files;
static unsigned int file_count;
static int top;
static bool datasync;

static struct file *add_file(const char *name, bool own)
{
	struct file *file;

	files = realloc(files, (file_count + 1) * sizeof(*files));
	if (!files)
		error(2, ENOMEM, "%s", name);
	file = &files[file_count++];
	memset(file, 0, sizeof(*file));
	file->name = strdup(name);
	file->own = own;
	if (!file->name)
		error(2, ENOMEM, "%s", name);
	return file;
}

static void own_name(char *name, size_t size, unsigned int number)
{
	snprintf(name, size, "durable.%u", number);
}

static void open_file(struct file *file)
{
	int create = file->own ? O_CREAT : 0;
	struct stat st;

	file->fd = openat(top, file->name, O_RDWR | O_CLOEXEC | create, 0644);
	if (file->fd < 0 || fstat(file->fd, &st))
		error(2, errno, "%s", file->name);
	file->direct = openat(top, file->name, O_RDWR | O_DIRECT | O_DSYNC | O_CLOEXEC);
	file->sync = openat(top, file->name, O_RDWR | O_SYNC | O_CLOEXEC);
	if (file->direct < 0 || file->sync < 0)
		error(2, errno, "%s", file->name);
	file->inode = st.st_ino;
	file->cells = st.st_size / CELL;
}

static void write_record(struct file *file, uint64_t *state, uint64_t generation,
			 struct cell *cells)
{
	uint64_t count = 1 + below(state, PAGE_CELLS), how = below(state, 5), first, i;
	char *map;
	bool ok;

	if (datasync)
		how = how & 1 ? 3 : 1;
	if (file->own && file->cells + count <= OWN_CELLS && below(state, 3)) {
		first = file->cells;
		how = 0; /* the size has to become durable, too */
	} else {
		first = below(state, file->cells);
		first -= first % PAGE_CELLS;
	}
	if (how == 3)
		count = PAGE_CELLS;
	if (!file->own && first + count > file->cells)
		return;
	if (file->own && how && first + count > file->cells)
		return;

	for (i = 0; i < count; i++)
		cell_fill(&cells[i], 0, file->inode, first + i, generation);
	switch (how) {
	case 0:
	case 1:
		ok = write_fully(file->fd, cells, count * CELL, first * CELL) ==
			     (ssize_t)(count * CELL) &&
		     (how ? fdatasync(file->fd) : fsync(file->fd)) == 0;
		break;
	case 2:
		map = mmap(NULL, count * CELL, PROT_READ | PROT_WRITE, MAP_SHARED, file->fd,
			   first * CELL);
		ok = map != MAP_FAILED;
		if (ok) {
			memcpy(map, cells, count * CELL);
			ok = msync(map, count * CELL, MS_SYNC) == 0;
			munmap(map, count * CELL);
		}
		break;
	default:
		ok = write_fully(how == 3 ? file->direct : file->sync, cells, count * CELL,
				 first * CELL) == (ssize_t)(count * CELL);
	}
	if (!ok && errno != ENOSPC)
		error(1, errno, "%s", file->name);
	if (!ok)
		return;
	if (first + count > file->cells)
		file->cells = first + count;
	printf("durable %s %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", file->name, first, count,
	       generation);
	fflush(stdout);
}

static int do_write(uint64_t seconds, uint64_t seed)
{
	uint64_t generation = 0;
	struct cell *cells;
	time_t until = time(NULL) + seconds;
	unsigned int i;

	if (posix_memalign((void **)&cells, 4096, PAGE_CELLS * CELL))
		error(2, ENOMEM, "durable");
	for (i = 0; i < file_count; i++)
		open_file(&files[i]);
	while (time(NULL) < until) {
		struct file *file = &files[below(&seed, file_count)];

		if (file->own || file->cells)
			write_record(file, &seed, ++generation, cells);
	}
	return 0;
}

static void read_log(const char *name)
{
	FILE *log = fopen(name, "re");
	char *line = NULL, path[256], end;
	uint64_t first, count, generation, i;
	size_t size = 0;

	if (!log)
		error(2, errno, "%s", name);
	while (getline(&line, &size, log) > 0) {
		struct file *file = files, *last = files + file_count;

		/* the last line may have been cut off with the machine */
		if (sscanf(line, "durable %255s %" SCNu64 " %" SCNu64 " %" SCNu64 "%c", path,
			   &first, &count, &generation, &end) != 5 ||
		    (end != '\n' && end != '\r'))
			continue;
		while (file < last && strcmp(file->name, path))
			file++;
		if (file == last || first + count > MAX_CELLS)
			error(2, 0, "%s: a record of %s", name, path);
		if (!file->promised)
			file->promised = calloc(MAX_CELLS, sizeof(*file->promised));
		if (!file->promised)
			error(2, ENOMEM, "%s", name);
		for (i = first; i < first + count; i++)
			if (file->promised[i] < generation)
				file->promised[i] = generation;
	}
	free(line);
	fclose(log);
}

static int do_check(const char *log)
{
	uint64_t promises = 0, cells = 0, bad = 0, index, limit;
	struct cell cell;
	unsigned int i;

	read_log(log);
	for (i = 0; i < file_count; i++) {
		struct file *file = &files[i];
		struct stat st;
		int fd = openat(top, file->name, O_RDONLY | O_CLOEXEC);

		if (fd < 0 && file->own && !file->promised && errno == ENOENT)
			continue;
		if (fd < 0 || fstat(fd, &st)) {
			printf("BAD %s: %s\n", file->name, strerror(errno));
			bad++;
			continue;
		}
		limit = MAX_CELLS;
		while (file->promised && limit && !file->promised[limit - 1])
			limit--;
		if (!file->promised || limit < (uint64_t)(st.st_size / CELL))
			limit = st.st_size / CELL;
		for (index = 0; index < limit; index++) {
			uint64_t promised =
				file->promised && index < MAX_CELLS ? file->promised[index] : 0;
			char is[160];

			memset(&cell, 0, sizeof(cell));
			if (read_fully(fd, &cell, CELL, index * CELL) < 0)
				error(0, errno, "%s", file->name);
			cells++;
			promises += promised != 0;
			if (cell_valid(&cell, st.st_ino, index) && cell.generation >= promised)
				continue;
			/* data not promised may be missing from a file that was growing */
			if (file->own && !promised && all_zero(&cell, CELL))
				continue;
			cell_describe(&cell, is, sizeof(is));
			if (++bad <= MAX_REPORTS)
				printf("BAD %s cell %" PRIu64
				       ": is %s; promised generation %" PRIu64 "\n",
				       file->name, index, is, promised);
		}
		close(fd);
	}
	printf("%u files, %" PRIu64 " cells, %" PRIu64 " promised, %" PRIu64 " bad\n", file_count,
	       cells, promises, bad);
	return bad ? 1 : 0;
}

int main(int argc, char **argv)
{
	bool write = argc >= 5 && (!strcmp(argv[1], "write") || !strcmp(argv[1], "datasync"));
	unsigned int i;
	char name[32];
	int arg;

	if (!write && (argc < 4 || strcmp(argv[1], "check"))) {
		fprintf(stderr, "usage: durable write DIR SECONDS SEED [FILE]...\n"
				"       durable datasync DIR SECONDS SEED FILE...\n"
				"       durable check DIR LOG [FILE]...\n");
		return 2;
	}
	top = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (top < 0)
		error(2, errno, "%s", argv[2]);
	datasync = write && !strcmp(argv[1], "datasync");
	for (i = 0; !datasync && i < OWN_FILES; i++) {
		own_name(name, sizeof(name), i);
		add_file(name, true);
	}
	for (arg = write ? 5 : 4; arg < argc; arg++)
		add_file(argv[arg], false);
	if (write)
		return do_write(parse_number(argv[3], "SECONDS"), parse_number(argv[4], "SEED"));
	return do_check(argv[3]);
}
