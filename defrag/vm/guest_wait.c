// SPDX-License-Identifier: GPL-2.0-only
#include "vm/guest_wait.h"

#include <stddef.h>
#include <string.h>

#include "lib/clock.h"

/* An emulated processor on a busy machine boots in less than a minute. */
#define BOOT (300 * CLOCK_SECOND)
/* A guest that says nothing for so long hangs, or its host has no time for it at all. */
#define SILENCE (300 * CLOCK_SECOND)
/*
 * After it was told to end: what is missing is ended so early that the program still ends within
 * five seconds; one that gives signs of life may take its time to write and to unmount.
 */
#define SILENCE_AT_THE_END (4 * CLOCK_SECOND)
#define END (60 * CLOCK_SECOND)

void guest_wait_start(struct guest_wait *wait, uint64_t seconds)
{
	memset(wait, 0, sizeof(*wait));
	wait->started = clock_now();
	if (seconds)
		wait->limit = wait->started + seconds * CLOCK_SECOND;
}

uint64_t guest_wait_left(const struct guest_wait *wait)
{
	const uint64_t now = clock_now();

	if (!wait->limit)
		return 0;
	return now + CLOCK_SECOND > wait->limit ? 1 : (wait->limit - now) / CLOCK_SECOND;
}

void guest_wait_begin(struct guest_wait *wait)
{
	wait->begun = true;
	wait->heard = clock_now();
}

void guest_wait_heard(struct guest_wait *wait)
{
	wait->heard = clock_now();
}

void guest_wait_close(struct guest_wait *wait)
{
	if (!wait->closing)
		wait->closing = clock_now();
}

void guest_wait_forget(struct guest_wait *wait)
{
	wait->forgotten = true;
}

const char *guest_wait_overdue(struct guest_wait *wait)
{
	const uint64_t now = clock_now();
	uint64_t last = wait->heard;

	if (wait->forgotten)
		return NULL;
	/* Not by another look at the clock: what is later than now can't be taken off it. */
	if (!wait->closing && wait->limit && now > wait->limit)
		wait->closing = now;
	if (!wait->begun) {
		if (wait->closing)
			return "was not ready before the time of the run was over";
		return now - wait->started > BOOT ? "did not start within five minutes" : NULL;
	}
	if (!wait->closing)
		return now - last > SILENCE ? "gave no sign of life for five minutes" : NULL;
	if (now - wait->closing > END)
		return "did not end within a minute";
	if (last < wait->closing)
		last = wait->closing;
	return now - last > SILENCE_AT_THE_END ? "does not answer" : NULL;
}
