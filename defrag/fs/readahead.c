// SPDX-License-Identifier: GPL-2.0-only
#include "fs/readahead.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/util.h"

#define BUFFERS 2 /* of a thread: one is filled while the other is used */
/* The usual 8 MiB would be a huge page, and with it a third of what a survey takes. */
#define STACK (256 << 10)

/* What became of one read. */
struct part {
	char *text;
	ssize_t got;
	uint64_t below;
	bool nothing; /* this part is empty, but not all that follows */
	bool last;    /* of its group */
};

/*
 * The parts of a reader take turns. `filled` were read and `used` are done with, of all there have
 * been.
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
	uint64_t empty_from, empty_to; /* groups known to be empty, up to but not the second */
	unsigned int turn;	       /* whose group is being used */
	bool using;		       /* the part that is handed out, of that reader */
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

/* The inode of a text's first record, which is "LETTER NUMBER..." */
static uint64_t first_inode(const char *text, ssize_t got)
{
	uint64_t ino = 0;
	ssize_t i;

	for (i = 2; i < got && text[i] >= '0' && text[i] <= '9'; i++)
		ino = ino * 10 + (uint64_t)(text[i] - '0');
	return ino;
}

/* A free part of the reader's, NULL when it is to stop. With the lock. */
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

/* One read of @group, from its start or from where the last one ended. Without the lock. */
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
	/* Others will read this, or have; but nobody needs to look at what lies between. */
	part->nothing = true;
	part->last = true;
	pthread_mutex_lock(&r->readahead->lock);
	r->readahead->empty_from = group;
	r->readahead->empty_to = (first - 1) / size;
	pthread_mutex_unlock(&r->readahead->lock);
}

/* A group. With the lock, which is given up while reading. False: there is no more. */
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
	/* Its turn may come once more, when all groups have been used. */
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
	/* A signal is for who looks at the flag that it sets. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	/* None begins before it is known how many there are. */
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

/* The part that comes next, when it has been read; with the lock. */
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
