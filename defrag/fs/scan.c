// SPDX-License-Identifier: GPL-2.0-only
#include "fs/scan.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "fs/readahead.h"

/* Read one inode from its own files in ext3meta. */
static void scan_node(struct meta *meta, struct scan_result *result)
{
	struct node node;

	layout_clear(&result->layout);
	result->err = node_open(&node, meta, result->ino, NULL, &result->info);
	if (result->err)
		return;
	if (result->info.mapping == MAPPING_INDIRECT)
		result->err = node_layout(&node, &result->layout, result->info.blocks);
	node_close(&node);
}

/*
 * Bytes of one read of `inodes`, which returns some hundred inodes. A list of inodes is read in
 * this way only where they are so close together that most of what is read is wanted: where
 * LISTED_MANY of them lie within LISTED_RANGE numbers.
 */
#define RECORDS_READ 65536
#define GENTLE_READ 2048
#define LISTED_READ 8192
#define LISTED_MANY 32
#define LISTED_RANGE 128

/* The state of reading `inodes`. */
struct records {
	struct meta *meta;
	int fd[AHEAD_THREADS];
	unsigned int fds;
	struct readahead *ahead; /* NULL: this module has no `inodes` */
	const char *at, *end;	 /* the part of the last read that is not parsed yet */
	uint64_t below;		 /* records from this inode on belong to another read */
	uint32_t last;		 /* the number of the last record */
	struct scan_result result;
};

/* Parse the next record into r->result. Returns 1; 0 if the read has no more; or -errno. */
static int next_record(struct records *r)
{
	struct record record;
	int err;

	if (r->at == r->end)
		return 0;
	err = meta_text_record(&r->at, r->end, &r->meta->geo, &record, &r->result.layout);
	if (err)
		return err;
	if (record.ino <= r->last)
		return -EPROTO;
	if (record.ino >= r->below)
		return 0;
	r->last = record.ino;
	r->result.ino = record.ino;
	r->result.info = record.info;
	r->result.err = r->result.layout.data > r->meta->geo.blocks ? -EUCLEAN : 0;
	if (!record.whole)
		scan_node(r->meta, &r->result);
	return 1;
}

/* Read from the file position on. Returns 1; 0 at the end of the file; or -errno. */
static int read_records(struct records *r)
{
	ssize_t got = readahead_next(r->ahead, &r->at, &r->below);

	if (got < 0)
		return (int)got;
	r->end = r->at + got;
	return got > 0;
}

static int scan_all(struct records *r, const volatile int *stop, scan_fn fn, void *to)
{
	int more;

	while (!*stop) {
		more = read_records(r);
		if (more <= 0)
			return more;
		while ((more = next_record(r)) > 0)
			fn(to, &r->result);
		if (more < 0)
			return more;
	}
	return 0;
}

/*
 * Pass to @fn those inodes of the list that one read returns, beginning with the first. *@done is
 * set to how many of the list are done. Returns 0 or -errno.
 */
static int scan_some(struct records *r, const uint32_t *inodes, size_t count, size_t *done,
		     scan_fn fn, void *to)
{
	off_t end;
	int more;

	if (lseek(r->fd[0], inodes[0], SEEK_SET) < 0)
		return -errno;
	r->last = 0;
	more = read_records(r);
	end = lseek(r->fd[0], 0, SEEK_CUR);
	if (more < 0 || end < 0)
		return more < 0 ? more : -errno;
	while ((more = next_record(r)) > 0) {
		while (*done < count && inodes[*done] < r->result.ino)
			(*done)++;
		if (*done < count && inodes[*done] == r->result.ino) {
			fn(to, &r->result);
			(*done)++;
		}
	}
	/* Inodes that the read covered but did not list are no longer in use. */
	while (*done < count && inodes[*done] < end)
		(*done)++;
	return more;
}

static int scan_listed(struct records *r, const uint32_t *inodes, size_t count,
		       const volatile int *stop, scan_fn fn, void *to)
{
	size_t i = 0, done;
	int err = 0;

	while (!err && i < count && !*stop) {
		done = 0;
		if (r->ahead && count - i >= LISTED_MANY &&
		    inodes[i + LISTED_MANY - 1] - inodes[i] < LISTED_RANGE)
			err = scan_some(r, inodes + i, count - i, &done, fn, to);
		if (!err && !done) {
			r->result.ino = inodes[i];
			scan_node(r->meta, &r->result);
			fn(to, &r->result);
			done = 1;
		}
		i += done;
	}
	return err;
}

/*
 * A run that yields the disk to other processes must look for their I/O before each read of its
 * own, so a gentle scan doesn't read ahead by threads.
 */
static int open_records(struct records *r, bool gentle, bool listed)
{
	size_t size = gentle ? GENTLE_READ : listed ? LISTED_READ : RECORDS_READ;
	const struct geometry *geo = &r->meta->geo;
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	unsigned int threads = 0;

	if (!gentle && !listed)
		threads = processors < AHEAD_THREADS ? 1 : AHEAD_THREADS;
	do {
		int fd = meta_open_inodes(r->meta);

		if (fd < 0)
			return fd;
		r->fd[r->fds++] = fd;
	} while (r->fds < threads);
	r->ahead = readahead_start(r->fd, threads, size, geo->inodes_per_group, geo->inodes);
	return 0;
}

static void close_records(struct records *r)
{
	if (r->ahead)
		readahead_stop(r->ahead);
	while (r->fds)
		close(r->fd[--r->fds]);
}

int scan(struct meta *meta, const uint32_t *inodes, size_t count, bool gentle,
	 const volatile int *stop, scan_fn fn, void *to)
{
	struct records r = { .meta = meta };
	uint32_t *all = NULL;
	int err = 0;

	layout_init(&r.result.layout);
	if (meta->features.compat & META_INODES)
		err = open_records(&r, gentle, inodes);
	else if (!inodes)
		err = meta_list_inodes(meta, &all, &count);
	if (!err && (inodes || all))
		err = scan_listed(&r, inodes ? inodes : all, count, stop, fn, to);
	else if (!err && r.ahead)
		err = scan_all(&r, stop, fn, to);
	close_records(&r);
	layout_free(&r.result.layout);
	free(all);
	return err;
}
