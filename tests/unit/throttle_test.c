// SPDX-License-Identifier: GPL-2.0-only
/* When a run steps aside: each rule by itself, then a night with others on the disk. */
#include <string.h>

#include "lib/clock.h"
#include "pacing/budget.h"
#include "pacing/throttle.h"
#include "tap.h"

static struct pacer pacer;
static struct throttle_sample sample;

static void fresh(void)
{
	sample = (struct throttle_sample){ .now = 7000000, .read = 5000, .own = 300, .other = 40 };
	pacer_start(&pacer, &sample);
	sample.now += THROTTLE_QUIET_WRITE;
}

static void work(uint64_t us)
{
	sample.now += us;
	pacer.work += us;
}

/* What @us of rest come to, others reading @reads and writing @writes at each look of it. */
static uint64_t rest(unsigned int reads, unsigned int writes)
{
	uint64_t from = sample.now, wait;

	while ((wait = pacer_rest(&pacer, &sample))) {
		sample.now += wait;
		sample.read += reads;
		sample.other += writes;
	}
	return sample.now - from;
}

static void quiet(void)
{
	uint64_t rested = 0, longest = 0, first;
	int i;

	sample = (struct throttle_sample){ .now = 7000000 };
	pacer_start(&pacer, &sample);
	work(THROTTLE_WORK_BUSY);
	ok(pacer_due(&pacer, sample.now), "a run begins carefully");
	first = THROTTLE_WORK_BUSY + rest(0, 0);
	ok(first >= THROTTLE_QUIET_WRITE && first < THROTTLE_QUIET_WRITE + THROTTLE_SLICE,
	   "until the disk was found quiet");

	fresh();
	work(THROTTLE_WORK_QUIET - 1);
	ok(!pacer_due(&pacer, sample.now), "no rest before 100 ms of work");
	work(1);
	ok(pacer_due(&pacer, sample.now), "then a rest");
	is(rest(0, 0), THROTTLE_GLANCE, "a glance on a quiet disk");
	ok(!pacer_due(&pacer, sample.now), "after which the work begins anew");

	fresh();
	for (i = 0; i < 1000; i++) {
		uint64_t now;

		work(30000);
		sample.own += 800;
		sample.read += 800;
		sample.other += 20;
		if (!pacer_due(&pacer, sample.now))
			continue;
		now = rest(0, 0);
		rested += now;
		longest = now > longest ? now : longest;
	}
	ok(rested <= 30000 * 1000 / 25, "30 s of work alone cost less than 4%% more");
	is(longest, THROTTLE_GLANCE, "what we read and write ourselves makes no rest longer");
}

static void reads(void)
{
	uint64_t now;

	fresh();
	sample.own += 256; /* asked for ahead */
	work(200000);
	is(rest(0, 0), THROTTLE_GLANCE, "read-ahead is under way");
	sample.read += 256;
	work(200000);
	is(rest(0, 0), THROTTLE_GLANCE, "and done: ours, too");
	sample.read += 1;
	work(30000);
	work(70000);
	is(rest(0, 0), THROTTLE_QUIET_READ,
	   "a sector more is somebody's: rest until it has been quiet");
	work(100000);
	is(rest(0, 0), THROTTLE_GLANCE, "and then no more");

	fresh();
	work(50000);
	sample.read += 8;
	is(rest(8, 0), 50000 * THROTTLE_REST_TIMES, "while others read: 199 times the work");
	ok(!pacer_due(&pacer, sample.now), "then work");
	work(THROTTLE_WORK_BUSY);
	ok(pacer_due(&pacer, sample.now), "a shorter piece of it, as long as the disk is busy");
	is(rest(8, 0), THROTTLE_WORK_BUSY * THROTTLE_REST_TIMES, "and a rest in proportion");
	pacer.wrote = THROTTLE_WORK_BUSY / 4;
	work(THROTTLE_WORK_BUSY);
	is(rest(8, 0), THROTTLE_WORK_BUSY * 3 / 2 * THROTTLE_REST_TIMES,
	   "of which what was written counts three times");
	work(THROTTLE_WORK_BUSY);
	is(rest(8, 0), THROTTLE_WORK_BUSY * THROTTLE_REST_TIMES, "once");
	work(THROTTLE_REST_MOST);
	is(rest(8, 0), THROTTLE_REST_MOST,
	   "which has an end: the run goes on, however busy the disk");

	/* Read where this disk doesn't see it: others are still heard. */
	fresh();
	work(100000);
	sample.own += 1000000;
	rest(0, 0);
	work(100000);
	sample.read += 3000;
	now = rest(0, 0);
	ok(now == THROTTLE_QUIET_READ, "what we asked for elsewhere hides nobody");
}

static void writes(void)
{
	fresh();
	work(100000);
	sample.other += 100;
	is(rest(0, 0), THROTTLE_GLANCE, "what is written while we work is ours");
	work(100000);
	is(rest(0, 1), 100000 * THROTTLE_REST_TIMES, "what is written while we rest is somebody's");

	fresh();
	work(100000);
	sample.writing = 2;
	pacer_rest(&pacer, &sample);
	sample.now += THROTTLE_GLANCE;
	ok(pacer_rest(&pacer, &sample), "a write under way, too");
	sample.writing = 0;
	is(rest(0, 0), THROTTLE_QUIET_WRITE, "the rest ends when nothing more is written");
}

static void sizes(void)
{
	uint32_t size = 1 << 20;
	int i;

	is(pacer_size(size, size, 30000, true), size, "a step that took 30 ms stays as it is");
	is(pacer_size(size, size, 10000, true), 2 << 20, "a faster one grows");
	is(pacer_size(size, size - 1, 10000, true), size, "not if there was less to move");
	is(pacer_size(size, size, 60000, true), 512 << 10, "a slower one shrinks");
	is(pacer_size(4 << 20, 4 << 20, 190000, true), 1 << 20, "in proportion");
	is(pacer_size(4 << 20, 4 << 20, 190000, false), 4 << 20, "but not on a quiet disk");
	is(pacer_size(4 << 20, 4 << 20, 700000, false), 1 << 20, "where it may take 200 ms");
	is(pacer_size(size, size, 3600 * 1000000ULL, true), 64 << 10, "to no less than 64 KiB");
	is(pacer_size(size, size, 3600 * 1000000ULL, false), 256 << 10, "256 on a quiet disk");
	for (i = 0; i < 10; i++)
		size = pacer_size(size, size, 1, i % 2);
	is(size, THROTTLE_STEP_MOST, "and grows to no more than 4 MiB");
}

/* What a quiet disk allows is nothing for those who come back to it. */
static void states(void)
{
	const volatile int stop = 1;
	struct throttle throttle = { .on = true, .stop = &stop, .stat = -1, .inflight = -1 };

	throttle.size[false] = THROTTLE_STEP_FIRST_QUIET;
	throttle.size[true] = THROTTLE_STEP_LEAST_BUSY;
	is(throttle_step(&throttle, THROTTLE_STEP_MOST), 1 << 20, "a quiet disk's first step");
	throttle.pacer.busy = UINT64_MAX;
	throttle_stepped(&throttle, THROTTLE_STEP_MOST);
	is(throttle.size[false], 256 << 10, "which took too long, whatever the disk is by now");
	is(throttle_step(&throttle, THROTTLE_STEP_MOST), 64 << 10, "a busy one's is small");
	throttle.since = clock_now();
	throttle_stepped(&throttle, 0);
	throttle.pacer.busy = 0;
	is(throttle_step(&throttle, THROTTLE_STEP_MOST), 256 << 10,
	   "and tells nothing of a quiet one");
	is(throttle_step(&throttle, 32 << 10), 32 << 10, "never more than there is to move");
	throttle.on = false;
	is(throttle_step(&throttle, THROTTLE_STEP_MOST), THROTTLE_STEP_MOST,
	   "without --nice all of it");
}

static void texts(void)
{
	struct throttle_sample got = { .now = 1, .own = 2 };

	ok(throttle_parse("    1483      112    94210     1410      732      580    17330     2210"
			  "        1     2100     3790        5        0    40960       13       91"
			  "      157\n",
			  "       3        4\n", &got),
	   "the disk's own words");
	is(got.read, 94210, "sectors read");
	is(got.other, 732 + 5 + 91, "writes, discards and flushes");
	is(got.writing, 4, "writes under way");
	ok(got.now == 1 && got.own == 2, "and nothing else");
	ok(throttle_parse("1 2 3 4 5 6 7 8 9 10 11\n", "0 0\n", &got), "an older kernel's");
	is(got.other, 5, "which counts no flushes");
	ok(!throttle_parse("1 2 3 4 5 6 7 8 9 10\n", "0 0\n", &got), "too few fields");
	ok(!throttle_parse("", "0 0\n", &got) &&
		   !throttle_parse("1 2 x 4 5 6 7 8 9 10 11", "0 0\n", &got),
	   "no fields");
	ok(!throttle_parse("1 2 3 4 5 6 7 8 9 10 11\n", "0\n", &got),
	   "nothing about what is under way");
}

/*
 * Others ask @rate times a second, at any moment, for an hour, of a disk that we would have all the
 * time. Tells the share of their requests, in 1000ths, that met a step of ours, and the one of the
 * time that we got.
 */
static void night(uint32_t rate, unsigned int *met, unsigned int *share)
{
	const uint64_t hour = 3600 * 1000000ULL;
	uint64_t next, requests = 0, hit = 0, worked = 0, until;

	fresh();
	next = sample.now;
	while (sample.now < hour) {
		uint64_t step = 15000 + random_below(35000);

		for (until = sample.now + step; next < until; hit++, requests++) {
			sample.read += 8;
			next += random_below(2 * 1000000 / rate);
		}
		sample.own += 100;
		sample.read += 100;
		sample.other += 3;
		work(step);
		worked += step;
		while (pacer_due(&pacer, sample.now) || pacer.rest) {
			uint64_t wait = pacer_rest(&pacer, &sample);

			if (!wait)
				break;
			for (until = sample.now + wait; next < until; requests++) {
				sample.read += 8;
				next += random_below(2 * 1000000 / rate);
			}
			sample.now = until;
		}
	}
	*met = (unsigned int)(1000 * hit / requests);
	*share = (unsigned int)(1000 * worked / hour);
}

void test_pace(void)
{
	static const uint32_t rates[] = { 2, 5, 20, 100, 1000 };
	unsigned int met, share;
	size_t i;

	quiet();
	reads();
	writes();
	sizes();
	states();
	texts();
	for (i = 0; i < sizeof(rates) / sizeof(*rates); i++) {
		night(rates[i], &met, &share);
		ok(met <= 8, "of %u requests a second %u in 1000 meet ours", rates[i], met);
		ok(share >= 4, "and we get %u in 1000 of the time", share);
	}
}
