/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * strangers.c brings a donor into each state of its life and judges; strangers_scene.c has the host
 * and those who act on it; strangers_data.c and strangers_rest.c have the calls.
 */
#ifndef STRANGERS_H
#define STRANGERS_H

#include <errno.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#define FOLDER "/tmp/strangers"
#define BLOCKS 16	  /* of a donor, and of root's file: 12 direct ones and some behind */
#define HALF (BLOCKS / 2) /* what one reloc moves */

/* One donor, as the stranger has it; all that a call may use. */
struct cell {
	int fd;		       /* to read and write */
	int own;	       /* a file of the stranger's there, with BLOCKS of his bytes */
	int dir;	       /* a folder there where he may make files */
	char path[32];	       /* a path to the donor: /proc/self/fd/N */
	size_t block, size;    /* the filesystem's block, and BLOCKS of them, in bytes */
	unsigned char *buffer; /* size bytes; what a call reads goes here and is searched */
	unsigned char *room;   /* size bytes that are nobody's */
	const char *device;    /* the host's */
	const struct call *call;
};

/*
 * One call, and the answers that the kernel's sources and ext3meta(5) promise.
 *
 * An answer is the name of an errno, or a number, or "ok" for any number; A|B: either; A/B: A where
 * the donor is the stranger's own, on a host as ext3 was, B where it is root's, on one with ext4's
 * features.
 */
struct call {
	const char *name;
	int (*run)(struct cell *cell); /* not negative, or the negative errno */
	unsigned long arg;
	const char *fresh;
	/* From the first block on: sealed, pending, settled, and while a reloc holds the lock. */
	const char *sealed;
	/* While the first data/alloc holds the inode's lock; NULL: as sealed. */
	const char *under_alloc;
	/* What a reloc with this donor gets afterwards; NULL: all of its blocks move. */
	const char *fresh_use, *sealed_use;
	bool commits; /* nothing is pending after it */
};

extern const struct call calls_data[], calls_rest[];
extern const size_t calls_data_count, calls_rest_count;
int stranger_migrate(struct cell *cell);

static inline int answer(long got)
{
	return got < 0 ? -errno : (int)got;
}

/* The answer, and the descriptor closed. */
static inline int answer_close(int fd, long got)
{
	int value = answer(got);

	close(fd);
	return value;
}

/* Threads, so that they have their descriptors in common; each has its own credentials. */
struct agent {
	sem_t begin, end;
	int (*run)(struct cell *cell);
	struct cell *cell;
	int value;
	volatile bool busy;
	pid_t tid;
	bool stranger;
};

extern struct agent root, stranger, second; /* a second stranger */

void agent_start(struct agent *agent, int (*run)(struct cell *cell), struct cell *cell);
/* Until it sleeps, or is done: true where it sleeps. */
bool agent_waits(const struct agent *agent);
int agent_end(struct agent *agent);
int agent_do(struct agent *agent, int (*run)(struct cell *cell), struct cell *cell);

/* Mounts a new host of @type, and makes the files; or ends the program. */
void scene_begin(const char *type, struct cell *cell);
void scene_end(void);

/* How many bytes of root's file, or of what was free, are among these. */
unsigned int foreign(const unsigned char *bytes, size_t length);

int donor_new(struct cell *cell);
/* Requests of root's: blocks for the donor; his file's first half to there, and the second half. */
int root_alloc(struct cell *cell);
int root_reloc(struct cell *cell);
int root_reloc_rest(struct cell *cell);
int root_sync(void);

/* Where the blocks of root's file lie; whether all have what they should on the device. */
void find_blocks(uint64_t *places);
bool secret_whole(const uint64_t *places);
/* How many of those that it left have not what they had. */
unsigned int blocks_changed(const uint64_t *before, const uint64_t *after);
/* Read from its descriptor, past the cache. */
bool secret_reads(void);
/* How many transactions the journal has had. */
unsigned long transactions(void);

/* The next allocation has to read; the device answers no read; one waits; all are answered. */
void evict(void);
void hold(void);
bool held(void);
void let_go(void);

/* The device as a crash would leave it. */
void keep_crash(const char *name);

#endif
