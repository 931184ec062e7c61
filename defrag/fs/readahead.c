// SPDX-License-Identifier: GPL-2.0-only
#include "fs/readahead.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/util.h"

#define BUFFERS 2 /* for each thread: one is filled while the other is used */
/*
 * Bytes. The usual stack of 8 MiB would be backed by a huge page, and that costs a third of the
 * time that a survey takes.
 */
#define STACK (256 << 10)

/* The result of one read. */
struct part {
	char *text;
	ssize_t got;
	uint64_t below;
	bool nothing; /* no inode of this group, but later groups may have some */
	bool last;    /* the last part of its group */
};

/*
 * One thread and its file. Its parts are used in turn: `filled` counts the reads that it has
 * completed so far, `used` those that the consumer has finished with.
 */
struct reader {
	struct readahead *readahead;
	unsigned int number;
	int fd;
	pthread_t thread;
	unsigned int filled, used;
	struct part part[BUFFERS];
};

struct readahead {
	size_t size;
	uint32_t group, last;
	unsigned int readers; /* 0: there are no threads */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool quit;
	uint64_t empty_from, empty_to; /* groups known to be empty, without the second one */
	unsigned int turn;	       /* the reader whose group is being used */
	bool using;		       /* a part of that reader is in use by the caller */
	struct reader reader[AHEAD_THREADS];
};

static ssize_t read_some(int fd, char *text, size_t size)
{
	ssize_t got;

	do
		got = read(fd, text, size);
	while (got < 0 && errno == EINTR);
	return got < 0 ? -errno : got;
}

/* The inode number of the first record of a text, which begins with "LETTER NUMBER". */
static uint64_t first_inode(const char *text, ssize_t got)
{
	uint64_t ino = 0;
	ssize_t i;

	for (i = 2; i < got && text[i] >= '0' && text[i] <= '9'; i++)
		ino = ino * 10 + (uint64_t)(text[i] - '0');
	return ino;
}

/* Wait for a free part of the reader. NULL if it must stop. The lock is held. */
static struct part *free_part(struct reader *r)
{
	while (!r->readahead->quit && r->filled - r->used == BUFFERS)
		pthread_cond_wait(&r->readahead->changed, &r->readahead->lock);
	return r->readahead->quit ? NULL : &r->part[r->filled % BUFFERS];
}

static void part_done(struct reader *r)
{
	r->filled++;
	pthread_cond_broadcast(&r->readahead->changed);
}

/*
 * Do one read of @group, from its start or, without @start, from the end of the last read. The lock
 * is not held.
 */
static void read_part(struct reader *r, struct part *part, uint64_t group, bool start)
{
	uint64_t size = r->readahead->group, first;
	off_t position = 0;

	part->below = (group + 1) * size + 1;
	if (start)
		position = lseek(r->fd, (off_t)(group * size + 1), SEEK_SET);
	part->got = position < 0 ? -errno : read_some(r->fd, part->text, r->readahead->size);
	position = lseek(r->fd, 0, SEEK_CUR);
	part->last = part->got <= 0 || position < 0 || (uint64_t)position >= part->below;
	if (part->got <= 0)
		return;
	first = first_inode(part->text, part->got);
	if (first < part->below)
		return;
	/*
	 * The first inode found is in a later group, which its own reader reads. The groups between
	 * are empty: tell the other readers, so that they don't read them.
	 */
	part->nothing = true;
	part->last = true;
	pthread_mutex_lock(&r->readahead->lock);
	r->readahead->empty_from = group;
	r->readahead->empty_to = (first - 1) / size;
	pthread_mutex_unlock(&r->readahead->lock);
}

/*
 * Read one group. The lock is held, but released while reading. Returns false at the end of the
 * file, on an error, or if the reader must stop.
 */
static bool read_group(struct reader *r, uint64_t group)
{
	struct readahead *readahead = r->readahead;
	struct part *part;
	bool start = true;

	do {
		part = free_part(r);
		if (!part)
			return false;
		*part = (struct part){ .text = part->text };
		if (start && group >= readahead->empty_from && group < readahead->empty_to) {
			part->nothing = true;
			part->last = true;
		} else {
			pthread_mutex_unlock(&readahead->lock);
			read_part(r, part, group, start);
			pthread_mutex_lock(&readahead->lock);
		}
		start = false;
		part_done(r);
	} while (!part->last);
	return part->nothing || part->got > 0;
}

static void *read_groups(void *arg)
{
	struct reader *r = arg;
	struct readahead *readahead = r->readahead;
	uint64_t group = r->number;
	struct part *part;
	bool more = true;

	pthread_mutex_lock(&readahead->lock);
	for (; more && group * readahead->group < readahead->last; group += readahead->readers)
		more = read_group(r, group);
	/* The consumer may ask this reader once more after the last group: answer with the end. */
	part = more ? free_part(r) : NULL;
	if (part) {
		*part = (struct part){ .text = part->text };
		part_done(r);
	}
	pthread_mutex_unlock(&readahead->lock);
	return NULL;
}

struct readahead *readahead_start(const int *fds, unsigned int threads, size_t size, uint32_t group,
				  uint32_t last)
{
	struct readahead *readahead = xreallocarray(NULL, 1, sizeof(*readahead));
	pthread_attr_t attributes;
	sigset_t all, before;
	unsigned int i, k;

	*readahead = (struct readahead){ .size = size, .group = group, .last = last };
	pthread_mutex_init(&readahead->lock, NULL);
	pthread_cond_init(&readahead->changed, NULL);
	for (i = 0; i < AHEAD_THREADS; i++) {
		struct reader *r = &readahead->reader[i];

		*r = (struct reader){ .readahead = readahead, .number = i, .fd = i ? -1 : fds[0] };
		if (i < threads)
			r->fd = fds[i];
		for (k = 0; k < BUFFERS && (i < threads || !(i + k)); k++)
			r->part[k].text = xreallocarray(NULL, size, 1);
	}
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK);
	/* Signals are for the main thread, which checks the flag that they set. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	/* A thread takes every readers-th group, so none may begin before that count is known. */
	pthread_mutex_lock(&readahead->lock);
	while (readahead->readers < threads &&
	       !pthread_create(&readahead->reader[readahead->readers].thread, &attributes,
			       read_groups, &readahead->reader[readahead->readers]))
		readahead->readers++;
	pthread_mutex_unlock(&readahead->lock);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return readahead;
}

/* Wait until the next part in the order of the inodes has been read. The lock is held. */
static struct part *wait_for_part(struct readahead *readahead)
{
	for (;;) {
		struct reader *r = &readahead->reader[readahead->turn];
		struct part *part = &r->part[r->used % BUFFERS];

		while (r->filled == r->used)
			pthread_cond_wait(&readahead->changed, &readahead->lock);
		if (!part->nothing && (!readahead->using || part->got <= 0))
			return part;
		readahead->using = false;
		r->used++;
		pthread_cond_broadcast(&readahead->changed);
		if (part->last)
			readahead->turn = (readahead->turn + 1) % readahead->readers;
	}
}

ssize_t readahead_next(struct readahead *readahead, const char **text, uint64_t *below)
{
	struct part *part;

	if (!readahead->readers) {
		*text = readahead->reader[0].part[0].text;
		*below = UINT64_MAX;
		return read_some(readahead->reader[0].fd, readahead->reader[0].part[0].text,
				 readahead->size);
	}
	pthread_mutex_lock(&readahead->lock);
	part = wait_for_part(readahead);
	readahead->using = true;
	*text = part->text;
	*below = part->below;
	pthread_mutex_unlock(&readahead->lock);
	return part->got;
}

void readahead_stop(struct readahead *readahead)
{
	unsigned int i, k;

	pthread_mutex_lock(&readahead->lock);
	readahead->quit = true;
	pthread_cond_broadcast(&readahead->changed);
	pthread_mutex_unlock(&readahead->lock);
	for (i = 0; i < readahead->readers; i++)
		pthread_join(readahead->reader[i].thread, NULL);
	pthread_cond_destroy(&readahead->changed);
	pthread_mutex_destroy(&readahead->lock);
	for (i = 0; i < AHEAD_THREADS; i++)
		for (k = 0; k < BUFFERS; k++)
			free(readahead->reader[i].part[k].text);
	free(readahead);
}
