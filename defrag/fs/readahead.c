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
	struct ahead *ahead;
	unsigned int number;
	int fd;
	pthread_t thread;
	unsigned int filled, used;
	struct part part[BUFFERS];
};

struct ahead {
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
	while (!r->ahead->quit && r->filled - r->used == BUFFERS)
		pthread_cond_wait(&r->ahead->changed, &r->ahead->lock);
	return r->ahead->quit ? NULL : &r->part[r->filled % BUFFERS];
}

static void part_done(struct reader *r)
{
	r->filled++;
	pthread_cond_broadcast(&r->ahead->changed);
}

/* One read of @group, from its start or from where the last one ended. Without the lock. */
static void read_part(struct reader *r, struct part *part, uint64_t group, bool start)
{
	uint64_t size = r->ahead->group, first;
	off_t position = 0;

	part->below = (group + 1) * size + 1;
	if (start)
		position = lseek(r->fd, (off_t)(group * size + 1), SEEK_SET);
	part->got = position < 0 ? -errno : read_some(r->fd, part->text, r->ahead->size);
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
	pthread_mutex_lock(&r->ahead->lock);
	r->ahead->empty_from = group;
	r->ahead->empty_to = (first - 1) / size;
	pthread_mutex_unlock(&r->ahead->lock);
}

/* A group. With the lock, which is given up while reading. False: there is no more. */
static bool read_group(struct reader *r, uint64_t group)
{
	struct ahead *ahead = r->ahead;
	struct part *part;
	bool start = true;

	do {
		part = free_part(r);
		if (!part)
			return false;
		*part = (struct part){ .text = part->text };
		if (start && group >= ahead->empty_from && group < ahead->empty_to) {
			part->nothing = true;
			part->last = true;
		} else {
			pthread_mutex_unlock(&ahead->lock);
			read_part(r, part, group, start);
			pthread_mutex_lock(&ahead->lock);
		}
		start = false;
		part_done(r);
	} while (!part->last);
	return part->nothing || part->got > 0;
}

static void *read_groups(void *arg)
{
	struct reader *r = arg;
	struct ahead *ahead = r->ahead;
	uint64_t group = r->number;
	struct part *part;
	bool more = true;

	pthread_mutex_lock(&ahead->lock);
	for (; more && group * ahead->group < ahead->last; group += ahead->readers)
		more = read_group(r, group);
	/* Its turn may come once more, when all groups have been used. */
	part = more ? free_part(r) : NULL;
	if (part) {
		*part = (struct part){ .text = part->text };
		part_done(r);
	}
	pthread_mutex_unlock(&ahead->lock);
	return NULL;
}

struct ahead *ahead_start(const int *fds, unsigned int threads, size_t size, uint32_t group,
			  uint32_t last)
{
	struct ahead *ahead = xreallocarray(NULL, 1, sizeof(*ahead));
	pthread_attr_t attributes;
	sigset_t all, before;
	unsigned int i, k;

	*ahead = (struct ahead){ .size = size, .group = group, .last = last };
	pthread_mutex_init(&ahead->lock, NULL);
	pthread_cond_init(&ahead->changed, NULL);
	for (i = 0; i < AHEAD_THREADS; i++) {
		struct reader *r = &ahead->reader[i];

		*r = (struct reader){ .ahead = ahead, .number = i, .fd = i ? -1 : fds[0] };
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
	pthread_mutex_lock(&ahead->lock);
	while (ahead->readers < threads &&
	       !pthread_create(&ahead->reader[ahead->readers].thread, &attributes, read_groups,
			       &ahead->reader[ahead->readers]))
		ahead->readers++;
	pthread_mutex_unlock(&ahead->lock);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return ahead;
}

/* The part that comes next, when it has been read; with the lock. */
static struct part *next_part(struct ahead *ahead)
{
	for (;;) {
		struct reader *r = &ahead->reader[ahead->turn];
		struct part *part = &r->part[r->used % BUFFERS];

		while (r->filled == r->used)
			pthread_cond_wait(&ahead->changed, &ahead->lock);
		if (!part->nothing && (!ahead->using || part->got <= 0))
			return part;
		ahead->using = false;
		r->used++;
		pthread_cond_broadcast(&ahead->changed);
		if (part->last)
			ahead->turn = (ahead->turn + 1) % ahead->readers;
	}
}

ssize_t ahead_next(struct ahead *ahead, const char **text, uint64_t *below)
{
	struct part *part;

	if (!ahead->readers) {
		*text = ahead->reader[0].part[0].text;
		*below = UINT64_MAX;
		return read_some(ahead->reader[0].fd, ahead->reader[0].part[0].text, ahead->size);
	}
	pthread_mutex_lock(&ahead->lock);
	part = next_part(ahead);
	ahead->using = true;
	*text = part->text;
	*below = part->below;
	pthread_mutex_unlock(&ahead->lock);
	return part->got;
}

void ahead_stop(struct ahead *ahead)
{
	unsigned int i, k;

	pthread_mutex_lock(&ahead->lock);
	ahead->quit = true;
	pthread_cond_broadcast(&ahead->changed);
	pthread_mutex_unlock(&ahead->lock);
	for (i = 0; i < ahead->readers; i++)
		pthread_join(ahead->reader[i].thread, NULL);
	pthread_cond_destroy(&ahead->changed);
	pthread_mutex_destroy(&ahead->lock);
	for (i = 0; i < AHEAD_THREADS; i++)
		for (k = 0; k < BUFFERS; k++)
			free(ahead->reader[i].part[k].text);
	free(ahead);
}
