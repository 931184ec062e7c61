/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * I/O throttling (--nice): how long to wait between two units of work, so that other processes
 * hardly notice the run.
 *
 * Priorities are not enough: most I/O schedulers ignore them, and so does a disk that already has
 * our requests. So the statistics of the disk are read to see if others use it. While they do, a
 * unit of work is followed by a rest 199 times as long. Then only one in 200 of the others'
 * requests meets ours, so that their 99th percentile of latency stays as without us. On a quiet
 * disk the statistics are checked now and then, which takes milliseconds.
 */
#ifndef E3DEFRAG_THROTTLE_H
#define E3DEFRAG_THROTTLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* --- the rules, without I/O ------------------------------------------------------------------ */

/* Times are in microseconds. */
#define THROTTLE_MS 1000ULL

/* The time to work on a quiet disk, and on a busy one, before the disk is checked again. */
#define THROTTLE_WORK_QUIET (100 * THROTTLE_MS)
#define THROTTLE_WORK_BUSY (20 * THROTTLE_MS)
/* How long to watch a quiet disk, and the most time between two checks during a rest. */
#define THROTTLE_GLANCE (3 * THROTTLE_MS)
#define THROTTLE_SLICE (50 * THROTTLE_MS)
/*
 * On a busy disk a rest is REST_TIMES as long as the work before it, but at most REST_MOST. Work
 * that wrote counts WRITE_COUNTS times: its metadata is written while we rest, first to the journal
 * with the next fsync of others, and to its final place some seconds later.
 */
#define THROTTLE_REST_TIMES 199
#define THROTTLE_WRITE_COUNTS 3
#define THROTTLE_REST_MOST (60000 * THROTTLE_MS)
/*
 * A disk counts as busy until others have read nothing for QUIET_READ, and nothing was written
 * during a rest for QUIET_WRITE. The second time is shorter, since reads surely are those of other
 * processes, but writes may be the journal's, on our behalf.
 */
#define THROTTLE_QUIET_READ (2000 * THROTTLE_MS)
#define THROTTLE_QUIET_WRITE (300 * THROTTLE_MS)
/*
 * The time that a step that moves data should take, and the bounds of its size in bytes. If
 * fragments are small, smaller steps mean more requests in all, so small steps are used only on a
 * busy disk, where others gain by them: 64 KiB in fragments of 4 KiB occupy a disk of 150 requests
 * a second for a tenth of a second. The size that was found on the quiet disk would make the first
 * requests of others wait four times as long as they should, so the busy disk has a step size of
 * its own, which begins with the least.
 */
#define THROTTLE_STEP_QUIET (200 * THROTTLE_MS)
#define THROTTLE_STEP_BUSY (50 * THROTTLE_MS)
#define THROTTLE_STEP_LEAST_QUIET (256U << 10)
#define THROTTLE_STEP_LEAST_BUSY (64U << 10)
#define THROTTLE_STEP_FIRST_QUIET (1U << 20)
#define THROTTLE_STEP_MOST (4U << 20)

/* The disk at one moment; the counters only grow. */
struct throttle_sample {
	uint64_t now;	  /* of clock_now() */
	uint64_t read;	  /* sectors read by all processes */
	uint64_t own;	  /* sectors that this process has requested to read */
	uint64_t other;	  /* completed requests that aren't reads: writes, discards, flushes */
	uint64_t writing; /* writes in flight */
};

/* The state of the rules: when to rest, and how long. */
struct pacer {
	struct throttle_sample last;
	uint64_t ahead; /* sectors requested and not read yet: read-ahead */
	uint64_t work;	/* time worked since the last rest */
	uint64_t wrote; /* the part of it that wrote */
	uint64_t rest;	/* when the rest began; 0: at work */
	uint64_t busy;	/* until when the disk counts as busy */
};

void pacer_start(struct pacer *pacer, const struct throttle_sample *sample);

/* True if it is time for a rest. */
bool pacer_due(const struct pacer *pacer, uint64_t now);

/*
 * Return how long to sleep before the next call with a new @sample; 0: the rest is over. The first
 * call after work begins the rest.
 */
uint64_t pacer_rest(struct pacer *pacer, const struct throttle_sample *sample);

/*
 * Return the size of the next step in bytes, after a step of at most @size bytes moved @moved bytes
 * and took @took microseconds.
 */
uint32_t pacer_size(uint32_t size, uint64_t moved, uint64_t took, bool busy);

/*
 * Parse the counters in the texts of /sys/dev/block/N:M/stat and inflight. Returns false for any
 * other text.
 */
bool throttle_parse(const char *stat, const char *inflight, struct throttle_sample *sample);

/* --- applying them --------------------------------------------------------------------------- */

struct throttle {
	bool on; /* false without --nice: then no function here has an effect */
	const volatile int *stop;
	int stat, inflight; /* files of the disk in sysfs; -1: not known, which counts as busy */
	uint64_t since;	    /* up to when time was accounted for as work or rest */
	uint64_t own;	    /* sectors requested until then */
	uint32_t size[2];   /* bytes to move in one step, on a quiet disk and on a busy one */
	bool busy;	    /* if the disk was busy when the step began */
	struct pacer pacer;
};

/*
 * Turn throttling on: lower the priorities of this process, and begin to watch the disk of the
 * filesystem on @dev. If that can't be watched a message with @name is printed, and it counts as
 * busy. Rests end early when *@stop is set.
 */
void throttle_open(struct throttle *throttle, dev_t dev, const char *name,
		   const volatile int *stop);
void throttle_close(struct throttle *throttle);

/*
 * Watch the disk from now on. Call this in a process that takes over the work for a while, and in
 * the one that takes it back: each knows only what it has read itself.
 */
void throttle_again(struct throttle *throttle);

/*
 * Call this between two units of work: it rests if it is time to. Work that only reads counts if it
 * really read from the disk; work that @wrote always counts.
 */
void throttle_point(struct throttle *throttle, bool wrote);

/* Call this instead after a step that moved @moved bytes: it also adapts the size of steps. */
void throttle_stepped(struct throttle *throttle, uint64_t moved);

/*
 * Return how many bytes the next step may move, at most @most; without --nice @most. Call it before
 * each step.
 */
uint32_t throttle_step(struct throttle *throttle, uint32_t most);

#endif
