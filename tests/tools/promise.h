/* SPDX-License-Identifier: GPL-2.0-only */
/* What promise's writers share. */
#ifndef TESTS_PROMISE_H
#define TESTS_PROMISE_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PAGE_CELLS 8

extern volatile sig_atomic_t stopped;
extern bool twice, fast;
extern uint64_t seed;

/* promise.c */
void put_mark(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Later is higher, also in the next process. */
uint64_t next_generation(void);

/* promise_ways.c: each way that there is to write and to have it made durable */
struct over {
	const char *name;
	int buffered;  /* the first of: */
	int fds[2][3]; /* by direct, and by nothing, O_DSYNC, O_SYNC */
	char *map;     /* shared, and never unmapped */
	uint64_t inode, cells;
	bool ranged; /* rather than the whole file, a part of it is made durable */
};

void over_open(struct over *over, const char *name);
/*
 * Overwrites @cells from the page's first one @first on, has that made durable, and puts down the
 * promise. @direct: direct I/O is one of the ways.
 */
void over_write(struct over *over, uint64_t first, uint64_t cells, bool direct);
/* Says that the mapping will be written to. */
void over_store(struct over *over, uint64_t first, uint64_t cells, uint64_t generation);
/* The end of over_write(), of what was written already. */
void over_sync(struct over *over, uint64_t first, uint64_t cells, uint64_t generation);
void over_fill(const struct over *over, void *data, uint64_t first, uint64_t cells,
	       uint64_t generation);

/* promise_async.c: without waiting, by AIO or io_uring; all of it at once, a request a page */
enum submission { BY_AIO, BY_URING };

/* False where the kernel has none of it. */
bool async_start(enum submission by);
/* 0, or -1 and errno. */
int async_write(enum submission by, int fd, const void *data, size_t length, off_t offset);
int async_sync(enum submission by, int fd, bool datasync);

/* promise_over.c, promise_new.c: the writers */
void overwrite(struct over *files, unsigned int count);
void pin(const char *source, struct over *files, unsigned int count);
void fill_holes(const char *meta, struct over *files, unsigned int count);
void reuse(const char *path, uint64_t kib);

#endif
