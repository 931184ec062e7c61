/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stepping aside for others (--nice): between two pieces of work, how long to wait.
 *
 * Priorities are not enough: they mean nothing to most I/O schedulers, and nothing to a disk that
 * already has our requests. So the disk itself is asked who else uses it. While somebody does, a
 * piece of work is followed by a rest two hundred times as long, so that of everybody's requests
 * one in two hundred meets ours, and the slowest one in a hundred is not slower than without us; on
 * a quiet disk there is only a glance now and then, of milliseconds.
 */
#ifndef E3DEFRAG_THROTTLE_H
#define E3DEFRAG_THROTTLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* --- what to do: pure ------------------------------------------------------------------------ */

/* Times are in microseconds. */
#define THROTTLE_MS 1000ULL

/* So much work on a quiet disk, and on a busy one, before the disk is looked at again. */
#define THROTTLE_WORK_QUIET (100 * THROTTLE_MS)
#define THROTTLE_WORK_BUSY (20 * THROTTLE_MS)
/* How long a look at a quiet disk takes, and the time between two looks in a rest. */
#define THROTTLE_GLANCE (3 * THROTTLE_MS)
#define THROTTLE_SLICE (50 * THROTTLE_MS)
/*
 * On a busy disk a rest is this many times as long as the work before, and no longer than that.
 * Work that changed something counts for more: its metadata is written while we rest, into the
 * journal with the next fsync of others, and to its places some seconds later.
 */
#define THROTTLE_REST_TIMES 199
#define THROTTLE_WRITE_COUNTS 3
#define THROTTLE_REST_MOST (60000 * THROTTLE_MS)
/*
 * A disk is busy until others have read nothing for the first, and nothing was written in a rest
 * for the second of these. Reads are somebody else's for sure; writes may be the journal's, for us.
 */
#define THROTTLE_QUIET_READ (2000 * THROTTLE_MS)
#define THROTTLE_QUIET_WRITE (300 * THROTTLE_MS)
/*
 * A step that moves data shall take this long, within these bounds of its size. Where files lie in
 * small pieces smaller steps mean more requests, so they are taken only where somebody gains by it:
 * 64 KiB in pieces of 4 KiB keep a disk of 150 requests a second for a tenth of a second. What was
 * learned on the quiet disk would keep the first ones who come back waiting for four times as long
 * as they should, so a busy one has a size of its own, and begins with the least.
 */
#define THROTTLE_STEP_QUIET (200 * THROTTLE_MS)
#define THROTTLE_STEP_BUSY (50 * THROTTLE_MS)
#define THROTTLE_STEP_LEAST_QUIET (256U << 10)
#define THROTTLE_STEP_LEAST_BUSY (64U << 10)
#define THROTTLE_STEP_FIRST_QUIET (1U << 20)
#define THROTTLE_STEP_MOST (4U << 20)

/* The disk at one moment; the counters only grow. */
struct throttle_sample {
	uint64_t now;	  /* of a clock that doesn't jump */
	uint64_t read;	  /* sectors read, by anyone */
	uint64_t own;	  /* sectors that this process has asked to be read */
	uint64_t other;	  /* requests done that were no reads: writes, discards, flushes */
	uint64_t writing; /* writes under way */
};

struct pacer {
	struct throttle_sample last;
	uint64_t ahead; /* sectors asked for and not read yet: read-ahead */
	uint64_t work;	/* since the last rest */
	uint64_t wrote; /* of that, what changed something */
	uint64_t rest;	/* when the rest began; 0 at work */
	uint64_t busy;	/* until when the disk counts as busy */
};

void pacer_start(struct pacer *pacer, const struct throttle_sample *sample);

/* Is it time for a rest? */
bool pacer_due(const struct pacer *pacer, uint64_t now);

/*
 * How long to rest before the next look; 0: go back to work. The first call after work begins
 * the rest.
 */
uint64_t pacer_rest(struct pacer *pacer, const struct throttle_sample *sample);

/* The size for the next step after one of @size bytes at most moved @moved and took @took. */
uint32_t pacer_size(uint32_t size, uint64_t moved, uint64_t took, bool busy);

/* The counters in the texts of /sys/dev/block/N:M/stat and inflight. False for any other text. */
bool throttle_parse(const char *stat, const char *inflight, struct throttle_sample *sample);

/* --- doing it -------------------------------------------------------------------------------- */

struct throttle {
	bool on; /* without --nice nothing here does anything */
	const volatile int *stop;
	int stat, inflight; /* of the disk; -1: not known, which is taken for busy */
	uint64_t since;	    /* the end of the last rest, or the last work accounted for */
	uint64_t own;	    /* sectors asked for until then */
	uint32_t size[2];   /* bytes to move in one step, on a quiet disk and on a busy one */
	bool busy;	    /* the disk, when the step began */
	struct pacer pacer;
};

/*
 * Lower this process's priorities, and watch the disk that the filesystem on @dev lies on. What
 * keeps it from that is complained about, with @name. Waits end early when *@stop is set.
 */
void throttle_open(struct throttle *throttle, dev_t dev, const char *name,
		   const volatile int *stop);
void throttle_close(struct throttle *throttle);

/*
 * Between two pieces of work: rest if it is time to. Work that can only have read counts where
 * it really did; work that @wrote always counts.
 */
void throttle_point(struct throttle *throttle, bool wrote);

/* The same after a step that has moved @moved bytes. */
void throttle_stepped(struct throttle *throttle, uint64_t moved);

/* How many bytes the next step may move, @most without --nice. To be asked before each. */
uint32_t throttle_step(struct throttle *throttle, uint32_t most);

#endif
