// SPDX-License-Identifier: GPL-2.0-only
/*
 * metafuzz DIR META SEED STEPS PROCESSES [damaged]: asks ext3meta for everything, mostly nonsense.
 *
 * It opens files of the tree for numbers of files, donors, directories, reserved inodes and
 * anything else, reads and writes them at all positions with all sizes, several processes at once,
 * while donors come and go under them. Whatever comes back must be an errno, whole lines or a short
 * count; what it does to the files of DIR, metafiles tells. "damaged": EUCLEAN may be an answer.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pattern.h"

#define NODES 64 /* numbers that all processes know */
#define DONORS 6 /* of each process */
#define HANDLES 24
#define READ_MOST (2 << 20)
#define ERRNOS 134

/* What all processes share: donors of others are asked for, too. */
static struct shared {
	struct known {
		uint32_t ino, generation;
	} known[NODES];
	unsigned int reads, requests[ERRNOS]; /* by what came back; 0: something was done */
} * shared;

static struct known *known;
static uint64_t state;
static int dir, meta;
static uint32_t blocksize, pointers;
static uint64_t blocks;
static char *buffer;
static bool damaged; /* the filesystem may really be corrupt */

static unsigned int chance(unsigned int limit)
{
	return below(&state, limit);
}

static void __attribute__((noreturn)) wrong(const char *what, const char *file, long long got)
{
	printf("WRONG: %s: %s: %lld, errno %d\n", file, what, got, errno);
	exit(1);
}

static struct donor {
	int fd;
	unsigned int slot; /* in known[] */
} donor[DONORS];

static struct handle {
	int fd;
	char name[80];
	bool list, text, request, words;
} handle[HANDLES];

static const struct {
	const char *name;
	bool list, request, node;
} files[] = {
	{ "features", false, false, false },	  { "super/id", false, false, false },
	{ "super/blocks", false, false, false },  { "allocation/free_blocks", true, false, false },
	{ "inodes", true, false, false },	  { "info", false, false, true },
	{ "alloc_goal", false, true, true },	  { "data/extents", true, false, true },
	{ "data/alloc", false, true, true },	  { "data/reloc", false, true, true },
	{ "metadata/blocks", true, false, true }, { "metadata/alloc", false, true, true },
	{ "metadata/reloc", false, true, true },
};

static void open_donor(struct donor *d, unsigned int slot)
{
	struct stat st;
	int flags;

	/* a vanished one's number and generation stay known */
	if (d->fd > 0)
		close(d->fd);
	d->fd = openat(dir, ".", O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
	d->slot = slot;
	if (d->fd < 0)
		return;
	if (!ioctl(d->fd, FS_IOC_GETFLAGS, &flags) && flags & FS_EXTENT_FL && chance(10)) {
		flags &= ~FS_EXTENT_FL;
		ioctl(d->fd, FS_IOC_SETFLAGS, &flags);
	}
	if (fstat(d->fd, &st) || ioctl(d->fd, FS_IOC_GETVERSION, &known[slot].generation))
		error(1, errno, "donor");
	known[slot].ino = st.st_ino;
}

static uint64_t position(void)
{
	uint64_t first[] = {
		0,	12,	    12 + pointers, 12 + pointers + (uint64_t)pointers * pointers,
		blocks, 1ULL << 31, 1ULL << 32,	   INT64_MAX
	};
	uint64_t base = first[chance(8)];

	switch (chance(8)) {
	case 0:
		return base;
	case 1:
		return base - chance(4);
	case 2:
		return base + chance(pointers * 3);
	case 3:
		return next_random(&state) >> chance(64);
	default:
		return chance(12 + 2 * pointers);
	}
}

static uint64_t number(void)
{
	switch (chance(7)) {
	case 0:
		return chance(3);
	case 1:
		return next_random(&state) >> chance(64);
	case 2:
		return below(&state, blocks + 10);
	default:
		return chance(300);
	}
}

static int ident(char *to, size_t size)
{
	const struct known *k = &known[chance(NODES)];
	uint32_t ino = k->ino, generation = k->generation;

	if (!chance(10))
		ino = chance(3) ? chance(40) : next_random(&state);
	if (!chance(12))
		generation += chance(2) ? 1 : next_random(&state);
	if (chance(2))
		return snprintf(to, size, "%" PRIu32, ino);
	return snprintf(to, size, "%" PRIu32 ":%" PRIu32, ino, generation);
}

/* What a file might be asked, right, nearly right or neither. */
static size_t make_request(char *to)
{
	static const char odd[] = "0123456789 :-+\n\t\0x";
	size_t length;
	unsigned int i;

	switch (chance(5)) {
	case 0:
		length = snprintf(to, 90, "%" PRIu64, number());
		break;
	case 1:
		length = snprintf(to, 90, "%u", 1 + chance(4));
		break;
	case 2:
		length = ident(to, 40);
		break;
	default:
		length = ident(to, 40);
		length += snprintf(to + length, 40, " %" PRIu64,
				   chance(2) ? number() : 1 + chance(3));
	}
	if (chance(2))
		to[length++] = '\n';
	if (chance(8))
		return length;
	for (i = 1 + chance(3); i; i--) {
		size_t at = chance(length + 1);

		if (chance(2))
			to[at] = chance(3) ? odd[chance(sizeof(odd) - 1)] : (int)chance(256);
		else
			length = chance(2) ? chance(length + 1) : length + chance(20);
	}
	return length;
}

static void check_read(const struct handle *h, size_t size, ssize_t got)
{
	ssize_t i;

	if (got > (ssize_t)size)
		wrong("read more than asked", h->name, got);
	__atomic_add_fetch(&shared->reads, 1, __ATOMIC_RELAXED);
	if (got <= 0 || !h->list)
		return;
	if (buffer[got - 1] != '\n')
		wrong("half a line", h->name, got);
	for (i = 0; i < got; i++)
		if (!buffer[i] || (!strchr("0123456789 \n", buffer[i]) &&
				   !(h->words && (islower(buffer[i]) || buffer[i] == '-'))))
			wrong("no number", h->name, buffer[i]);
}

static void do_read(struct handle *h)
{
	static const size_t sizes[] = { 0, 1, 5, 16, 63, 64, 100, 1000, 4096, 65536, READ_MOST };
	size_t size = sizes[chance(11)];
	ssize_t got;

	if (chance(2))
		lseek(h->fd, position(), chance(3) ? SEEK_SET : SEEK_CUR);
	got = chance(2) ? read(h->fd, buffer, size) : pread(h->fd, buffer, size, position());
	check_read(h, size, got);
}

static void check_write(const char *text, size_t length, const char *file, ssize_t got)
{
	int why = got < 0 ? errno : 0;

	if (!got && length)
		wrong("wrote nothing", file, got);
	if (got < 0 && !damaged && (errno == EIO || errno == EUCLEAN))
		wrong(text, file, got);
	__atomic_add_fetch(&shared->requests[why < ERRNOS ? why : EIO], 1, __ATOMIC_RELAXED);
}

static void do_write(struct handle *h)
{
	char text[256] = "", more[256] = "";
	size_t length = make_request(text);
	ssize_t got;

	if (chance(2))
		lseek(h->fd, position(), chance(5) ? SEEK_SET : SEEK_CUR);
	switch (chance(6)) {
	case 0: {
		struct iovec two[] = { { text, length }, { more, make_request(more) } };

		got = writev(h->fd, two, 2);
		break;
	}
	case 1:
		got = write(h->fd, chance(2) ? text : (char *)8, chance(2) ? READ_MOST : length);
		break;
	case 2:
	case 3:
		got = pwrite(h->fd, text, length, position());
		break;
	default:
		got = write(h->fd, text, length);
	}
	check_write(text, length, h->name, got);
}

/* One request to nodes/INO/NAME. */
static void ask(uint32_t ino, const char *name, uint64_t at, const char *text)
{
	char path[64];
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "nodes/%" PRIu32 "/%s", ino, name);
	fd = openat(meta, path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	got = pwrite(fd, text, strlen(text), at);
	check_write(text, strlen(text), path, got);
	close(fd);
}

/* What the requests are for: a donor is given blocks, and a file changes places with it. */
static void do_move(void)
{
	uint32_t file = known[chance(NODES / 2)].ino, count = 1 + chance(60);
	uint32_t with = known[chance(4) ? NODES - 1 - chance(DONORS) : chance(NODES)].ino;
	uint64_t at = chance(4) ? chance(400) : position();
	char text[64];

	snprintf(text, sizeof(text), "%" PRIu64, 1 + below(&state, blocks));
	if (chance(2))
		ask(with, "alloc_goal", 0, text);
	snprintf(text, sizeof(text), "%" PRIu32, count);
	ask(with, "data/alloc", at, text);
	snprintf(text, sizeof(text), "%" PRIu32 " %" PRIu32, with, 1 + chance(count));
	ask(file, "data/reloc", chance(4) ? at : at + chance(count), text);
	snprintf(text, sizeof(text), "%" PRIu32 " %u", with, 1 + chance(2));
	if (chance(2))
		ask(file, "metadata/reloc", at, text);
}

static void do_open(struct handle *h)
{
	static const int flags[] = { O_RDONLY,
				     O_WRONLY,
				     O_RDWR,
				     O_WRONLY | O_TRUNC,
				     O_WRONLY | O_APPEND,
				     O_RDONLY | O_DIRECT,
				     O_RDWR | O_NONBLOCK };
	unsigned int file = chance(sizeof(files) / sizeof(files[0]));
	int length = 0;

	if (h->fd > 0)
		close(h->fd);
	if (files[file].node) {
		length = snprintf(h->name, sizeof(h->name), "nodes/");
		length += ident(h->name + length, 40);
		h->name[length++] = '/';
	}
	snprintf(h->name + length, sizeof(h->name) - length, "%s", files[file].name);
	h->list = files[file].list;
	h->words = h->list && !strcmp(files[file].name, "inodes");
	h->request = files[file].request;
	/* mostly as it is meant */
	h->fd = openat(meta, h->name,
		       O_CLOEXEC | (!chance(8)		? flags[chance(7)] :
				    files[file].request ? O_WRONLY :
							  O_RDONLY));
}

/* All that a tree of files allows or not. */
static void do_odd(struct handle *h)
{
	struct stat st;
	void *map;
	DIR *names;
	int fd;

	switch (chance(9)) {
	case 0:
		fd = openat(meta, chance(2) ? "nodes" : "super", O_RDONLY | O_DIRECTORY);
		names = fd < 0 ? NULL : fdopendir(fd);
		if (!names)
			wrong("can't list", "nodes", fd);
		seekdir(names, chance(3) ? 0 : (long)position());
		for (fd = chance(40); fd && readdir(names); fd--)
			;
		closedir(names);
		break;
	case 1:
		map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, h->fd, 0);
		if (map != MAP_FAILED)
			wrong("mapped", h->name, 0);
		break;
	case 2:
		if (!ftruncate(h->fd, 1 + chance(100)))
			wrong("truncated", h->name, 0);
		break;
	case 3:
		if (!unlinkat(meta, h->name, 0) || !renameat(meta, h->name, meta, "x") ||
		    !mkdirat(meta, "nodes/77777", 0700))
			wrong("changed", h->name, 0);
		break;
	case 4:
		if (!fchmodat(meta, h->name, 0666, 0) || !fchownat(meta, h->name, 1, 1, 0))
			wrong("changed", h->name, 0);
		break;
	case 5:
		if (!fallocate(h->fd, 0, 0, 4096))
			wrong("allocated", h->name, 0);
		break;
	case 6:
		fstat(h->fd, &st);
		fstatat(meta, h->name, &st, 0);
		break;
	case 7:
		fsync(h->fd);
		break;
	default:
		lseek(h->fd, -(off_t)chance(1000), chance(2) ? SEEK_CUR : SEEK_END);
	}
}

static void step(unsigned int process)
{
	struct handle *h = &handle[chance(HANDLES)];
	unsigned int d = chance(DONORS);

	switch (chance(20)) {
	case 0:
		open_donor(&donor[d], NODES - 1 - process * DONORS - d);
		return;
	case 1:
	case 2:
		do_open(h);
		return;
	case 3:
	case 4:
		do_move();
		return;
	}
	if (h->fd <= 0)
		do_open(h);
	else if (!chance(12))
		do_odd(h);
	else if (h->request && chance(12))
		do_write(h);
	else
		do_read(h);
}

static uint64_t read_number(const char *name)
{
	char text[64] = "";
	int fd = openat(meta, name, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		error(1, errno, "%s", name);
	close(fd);
	return strtoull(text, NULL, 10);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Everything that has a name, and what nobody may touch. */
static void know_files(const char *path)
{
	unsigned int slot = 0;
	struct dirent **entry;
	int count = scandir(path, &entry, NULL, by_name), i, fd;

	for (i = 0; i < count && slot < NODES / 2; i++) {
		struct stat st;

		if (fstatat(dir, entry[i]->d_name, &st, AT_SYMLINK_NOFOLLOW))
			continue;
		known[slot].ino = st.st_ino;
		if (S_ISREG(st.st_mode)) {
			fd = openat(dir, entry[i]->d_name, O_RDONLY | O_CLOEXEC);
			if (fd >= 0 && ioctl(fd, FS_IOC_GETVERSION, &known[slot].generation))
				known[slot].generation = 0;
			close(fd);
		}
		slot++;
	}
	for (; slot < NODES; slot++)
		known[slot].ino = slot % 12;
}

static int run(const char *path, uint64_t seed, uint64_t steps, unsigned int processes)
{
	unsigned int i, bad = 0;
	uint64_t at;
	int status;

	blocksize = read_number("super/blocksize");
	pointers = blocksize / 4;
	blocks = read_number("super/blocks");
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED)
		error(1, errno, "mmap");
	known = shared->known;
	know_files(path);
	fflush(stdout);
	for (i = 0; i < processes; i++) {
		if (fork())
			continue;
		state = seed * 1000003 + i;
		for (at = 0; at < DONORS; at++)
			open_donor(&donor[at], NODES - 1 - i * DONORS - at);
		for (at = 0; at < steps; at++)
			step(i);
		exit(0);
	}
	while (wait(&status) > 0)
		bad += status != 0;
	printf("%u reads, requests: %u done", shared->reads, shared->requests[0]);
	for (i = 1; i < ERRNOS; i++)
		if (shared->requests[i])
			printf(", %u %s", shared->requests[i], strerrorname_np(i));
	putchar('\n');
	return bad != 0;
}

int main(int argc, char **argv)
{
	if (argc != 6 && argc != 7) {
		fprintf(stderr, "usage: metafuzz DIR META SEED STEPS PROCESSES [damaged]\n");
		return 2;
	}
	damaged = argc == 7;
	buffer = malloc(READ_MOST);
	dir = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	meta = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!buffer || dir < 0 || meta < 0)
		error(1, errno, "%s, %s", argv[1], argv[2]);
	return run(argv[1], parse_number(argv[3], "SEED"), parse_number(argv[4], "STEPS"),
		   parse_number(argv[5], "PROCESSES"));
}
