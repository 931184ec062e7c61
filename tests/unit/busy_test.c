// SPDX-License-Identifier: GPL-2.0-only
/* How long a request is made again that can't be served now. */
#include "lib/clock.h"
#include "move/busy.h"
#include "pacing/budget.h"

#include "tap.h"

void test_busy(void)
{
	volatile int stop = STOP_NOT;
	struct job job = { .stop = &stop };
	uint64_t start = clock_now(), request;
	struct busy busy = { 0 };
	int tries = 0;

	while (busy_wait(&busy, &stop, clock_now()))
		tries++;
	ok(clock_now() - start >= BUSY_LONGEST, "a busy file is asked for a second");
	ok(clock_now() - start < 3 * BUSY_LONGEST, "and not for much longer");
	ok(tries >= 4 && tries < 20, "a few times (%d)", tries);
	ok(!busy_wait(&busy, &stop, clock_now()), "then no more");
	busy_over(&busy);
	ok(busy_wait(&busy, &stop, clock_now()), "once it answers it has its time again");

	busy_over(&busy);
	request = clock_now() - 2 * BUSY_LONGEST;
	start = clock_now();
	ok(!busy_wait(&busy, &stop, request), "a request that took two seconds is not made again");
	ok(clock_now() - start < BUSY_LONGEST / 2, "and nobody waits then");

	busy_over(&busy);
	stop = STOP_TIME;
	ok(!busy_wait(&busy, &stop, clock_now()), "a run that is to end asks no more");
	ok(busy_wait(&busy, NULL, clock_now()), "but on the way back it does");

	ok(!busy_frozen(&job), "a run that is to end does not wait for a thaw");
	stop = STOP_NOT;
	ok(busy_frozen(&job), "another one does");
	ok(job.frozen > 100000 && job.frozen < 3000000, "which counts as time of the filesystem");
}
