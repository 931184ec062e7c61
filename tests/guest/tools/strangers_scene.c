// SPDX-License-Identifier: GPL-2.0-only
/*
 * The scene of strangers.c: a host on a device that holds reads back when told to, root's file on
 * it, and those who act, root and two strangers, each a thread.
 */
#define _GNU_SOURCE
#include <error.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "../../faults/device.h"
#include "pattern_byte.h"
#include "strangers.h"

#define HOST FOLDER "/host"
#define META FOLDER "/meta"
#define IMAGE FOLDER "/image"
#define STRANGER 1000
#define STALE 0xa5
#define SEED 7
#define IOC_CHECKPOINT _IOW('f', 43, uint32_t)

static struct device device;
static int secret; /* root's file, read past the cache */
static unsigned long secret_ino;
static unsigned char *content; /* what it holds */
static size_t block, size;

struct agent root, stranger, second;

static void *agent_thread(void *data)
{
	struct agent *agent = data;

	/* By the system call: the library's would do it to all threads. */
	if (agent->stranger && (syscall(SYS_setgroups, 0, NULL) ||
				syscall(SYS_setresgid, STRANGER, STRANGER, STRANGER) ||
				syscall(SYS_setresuid, STRANGER, STRANGER, STRANGER)))
		error(2, errno, "becoming a stranger");
	agent->tid = (pid_t)syscall(SYS_gettid);
	for (;;) {
		sem_post(&agent->end);
		sem_wait(&agent->begin);
		agent->value = agent->run(agent->cell);
		agent->busy = false;
	}
	return NULL;
}

static void agent_make(struct agent *agent, bool is_stranger)
{
	pthread_t thread;

	agent->stranger = is_stranger;
	sem_init(&agent->begin, 0, 0);
	sem_init(&agent->end, 0, 0);
	if (pthread_create(&thread, NULL, agent_thread, agent))
		error(2, 0, "no thread");
	sem_wait(&agent->end);
}

void agent_start(struct agent *agent, int (*run)(struct cell *cell), struct cell *c)
{
	agent->run = run;
	agent->cell = c;
	agent->busy = true;
	sem_post(&agent->begin);
}

int agent_end(struct agent *agent)
{
	sem_wait(&agent->end);
	return agent->value;
}

int agent_do(struct agent *agent, int (*run)(struct cell *cell), struct cell *c)
{
	agent_start(agent, run, c);
	return agent_end(agent);
}

/* Twice in a row, so that it is nothing that passes. */
bool agent_waits(const struct agent *agent)
{
	char path[64], text[256];
	unsigned int asleep = 0;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", agent->tid);
	while (asleep < 2 && agent->busy) {
		int fd = open(path, O_RDONLY);
		ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
		const char *state;

		if (got <= 0)
			error(2, errno, "%s", path);
		close(fd);
		text[got] = 0;
		state = strrchr(text, ')') + 2;
		asleep = *state == 'D' || *state == 'S' ? asleep + 1 : 0;
		usleep(1000);
	}
	return agent->busy;
}

/* Words of root's file, to be known again wherever they turn up. */
#define WORDS (1U << 15)
static uint64_t words[WORDS];

static uint64_t *word_slot(uint64_t word)
{
	unsigned int at = (unsigned int)(word * 0x9e3779b97f4a7c15ULL >> 49);

	while (words[at] && words[at] != word)
		at = (at + 1) % WORDS;
	return &words[at];
}

static void words_learn(void)
{
	uint64_t word;
	size_t at;

	for (at = 0; at < size; at += sizeof(word)) {
		memcpy(&word, content + at, sizeof(word));
		*word_slot(word) = word;
	}
	memset(&word, STALE, sizeof(word));
	*word_slot(word) = word;
}

unsigned int foreign(const unsigned char *bytes, size_t length)
{
	unsigned int found = 0;
	uint64_t word;
	size_t at;

	for (at = 0; at + sizeof(word) <= length; at += sizeof(word)) {
		memcpy(&word, bytes + at, sizeof(word));
		/* His own, and zeros, need no search. */
		if (word && word != 0x0101010101010101 * 'S' && *word_slot(word))
			found += sizeof(word);
	}
	return found;
}

/* Root's requests. */

static int ask(unsigned long ino, const char *name, off_t position, const char *text)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), META "/nodes/%lu/%s", ino, name);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return -errno;
	return answer_close(fd, pwrite(fd, text, strlen(text), position));
}

static unsigned long ino_of(int fd)
{
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		error(2, errno, "opening a file");
	return (unsigned long)st.st_ino;
}

int root_alloc(struct cell *c)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", BLOCKS);
	return ask(ino_of(c->fd), "data/alloc", 0, text);
}

static int reloc(struct cell *c, off_t position)
{
	char text[48];

	snprintf(text, sizeof(text), "%lu %u", ino_of(c->fd), HALF);
	return ask(secret_ino, "data/reloc", position, text);
}

int root_reloc(struct cell *c)
{
	return reloc(c, 0);
}

int root_reloc_rest(struct cell *c)
{
	return reloc(c, HALF);
}

void find_blocks(uint64_t *places)
{
	unsigned long long first, place, count, i;
	char path[128], text[1024], *line, *next;
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), META "/nodes/%lu/data/extents", secret_ino);
	fd = open(path, O_RDONLY);
	got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (got < 0)
		error(2, errno, "%s", path);
	close(fd);
	text[got] = 0;
	for (line = text; (next = strchr(line, '\n')); line = next + 1)
		if (sscanf(line, "%llu %llu %llu", &first, &place, &count) == 3)
			for (i = 0; i < count && first + i < BLOCKS; i++)
				places[first + i] = place + i;
}

unsigned int blocks_changed(const uint64_t *before, const uint64_t *after)
{
	unsigned int i, changed = 0;

	for (i = 0; i < BLOCKS; i++)
		if (before[i] != after[i] &&
		    memcmp(device.bytes + before[i] * block, content + i * block, block))
			changed++;
	return changed;
}

bool secret_whole(const uint64_t *places)
{
	unsigned int i;

	for (i = 0; i < BLOCKS; i++)
		if (memcmp(device.bytes + places[i] * block, content + i * block, block))
			return false;
	return true;
}

bool secret_reads(void)
{
	unsigned char *bytes = aligned_alloc(4096, size);
	bool right = bytes && pread(secret, bytes, size, 0) == (ssize_t)size &&
		     !memcmp(bytes, content, size);

	free(bytes);
	return right;
}

unsigned long transactions(void)
{
	char path[64];
	unsigned long count = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/fs/jbd2/%s-8/info", device.name + strlen("/dev/"));
	file = fopen(path, "r");
	if (!file || fscanf(file, "%lu", &count) != 1)
		error(2, errno, "%s", path);
	fclose(file);
	return count;
}

int donor_new(struct cell *c)
{
	int flags;

	c->fd = openat(c->dir, ".", O_TMPFILE | O_EXCL | O_RDWR, 0600);
	if (c->fd < 0 || ioctl(c->fd, FS_IOC_GETFLAGS, &flags))
		return -errno;
	snprintf(c->path, sizeof(c->path), "/proc/self/fd/%d", c->fd);
	if (!(flags & FS_EXTENT_FL))
		return 0;
	flags &= ~FS_EXTENT_FL;
	return answer(ioctl(c->fd, FS_IOC_SETFLAGS, &flags));
}

void hold(void)
{
	device.control->hold_kind = DEVICE_READ;
	device.control->hold_start = 0;
	device.control->hold_end = device.size;
}

bool held(void)
{
	unsigned int tries;

	for (tries = 0; tries < 2000 && !device.control->held; tries++)
		usleep(1000);
	return device.control->held;
}

void let_go(void)
{
	device.control->hold_end = 0;
}

int root_sync(void)
{
	return answer(syncfs(secret));
}

/* With the block bitmaps all else goes that the journal has no need of. */
void evict(void)
{
	uint32_t flags = 0;

	if (ioctl(secret, IOC_CHECKPOINT, &flags) ||
	    posix_fadvise(device.fd, 0, 0, POSIX_FADV_DONTNEED))
		error(2, errno, "evicting what is cached");
}

static int stranger_files(struct cell *c)
{
	c->dir = open(HOST, O_RDONLY | O_DIRECTORY);
	c->own = openat(c->dir, "own", O_RDWR | O_CREAT, 0600);
	memset(c->room, 'S', c->size);
	return answer(pwrite(c->own, c->room, c->size, 0));
}

static void run(const char *command)
{
	if (system(command))
		error(2, 0, "failed: %s", command);
}

static void make_image(const char *type)
{
	size_t length = 24 << 20, at, piece = 1 << 20;
	unsigned char *stale = malloc(piece);
	int fd = open(IMAGE, O_RDWR | O_CREAT | O_TRUNC, 0600);
	char command[256];

	if (fd < 0 || !stale)
		error(2, errno, IMAGE);
	memset(stale, STALE, piece);
	for (at = 0; at < length; at += piece)
		if (write(fd, stale, piece) != (ssize_t)piece)
			error(2, errno, IMAGE);
	close(fd);
	free(stale);
	/* The features that let one ask for more; verity is only where a block is a page. */
	snprintf(command, sizeof(command),
		 "mke2fs -q -F -t %s -O encrypt,project%s -I 256 -b %zu -J size=4 -N 512 "
		 "-E nodiscard,lazy_itable_init=0 " IMAGE,
		 type, block == 4096 ? ",verity" : "", block);
	run(command);
}

static void make_secret(void)
{
	int fd = open(HOST "/secret", O_RDWR | O_CREAT, 0600), flags;
	size_t at;

	content = malloc(size);
	if (fd < 0 || !content || ioctl(fd, FS_IOC_GETFLAGS, &flags))
		error(2, errno, "secret");
	for (at = 0; at < size; at++)
		content[at] = pattern_byte(at, SEED);
	words_learn();
	flags &= ~FS_EXTENT_FL;
	if (ioctl(fd, FS_IOC_SETFLAGS, &flags) || write(fd, content, size) != (ssize_t)size ||
	    fsync(fd))
		error(2, errno, "secret");
	secret_ino = ino_of(fd);
	close(fd);
	secret = open(HOST "/secret", O_RDONLY | O_DIRECT);
	if (secret < 0)
		error(2, errno, "secret");
}

void scene_begin(const char *type, struct cell *c)
{
	block = c->block;
	size = c->size = BLOCKS * block;
	run("modprobe ext3meta && modprobe nbd nbds_max=1 max_part=0");
	run("mkdir -p " HOST " " META);
	make_image(type);
	device_start(&device, 0, IMAGE);
	c->device = device.name;
	/* By this name also what is as ext3 was: ext3 has no such features. */
	if (mount(device.name, HOST, "ext4", MS_NOATIME, "commit=300") ||
	    mount(HOST, META, "ext3meta", 0, NULL) || chmod(HOST, 01777))
		error(2, errno, "mount");
	make_secret();
	c->buffer = aligned_alloc(4096, size);
	c->room = aligned_alloc(4096, size);
	agent_make(&root, false);
	agent_make(&stranger, true);
	agent_make(&second, true);
	if (!c->buffer || !c->room || agent_do(&stranger, stranger_files, c) < 0 || root_sync())
		error(2, errno, "files");
}

/* The threads have files open there; all ends with the program. */
void scene_end(void)
{
	close(secret);
	if (umount(META) || umount2(HOST, MNT_DETACH))
		error(2, errno, "umount");
}

void keep_crash(const char *name)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), FOLDER "/crash-%s", name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, device.bytes, device.size) != (ssize_t)device.size)
		error(2, errno, "%s", path);
	close(fd);
}
