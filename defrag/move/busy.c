// SPDX-License-Identifier: GPL-2.0-only
#include "move/busy.h"

#include <time.h>

#include "lib/clock.h"
#include "progress/progress.h"

/* Milliseconds between two requests while the filesystem is frozen. */
#define FROZEN_PAUSE 200

/* A signal ends the pause. */
static void pause_for(long ms)
{
	const struct timespec pause = { 0, ms * 1000000 };

	progress_point();
	nanosleep(&pause, NULL);
}

bool busy_wait(struct busy *busy, const volatile int *stop, uint64_t start)
{
	static const long ms[] = { 5, 20, 50, 100, 200 };
	const unsigned int last = sizeof(ms) / sizeof(*ms) - 1;

	if (!busy->since)
		busy->since = start;
	if ((stop && *stop) || clock_now() - busy->since >= BUSY_LONGEST)
		return false;
	pause_for(ms[busy->tries < last ? busy->tries++ : last]);
	return true;
}

void busy_over(struct busy *busy)
{
	*busy = (struct busy){ 0 };
}

bool busy_frozen(void *arg)
{
	struct job *job = arg;
	const uint64_t start = clock_now();

	if (!*job->stop)
		pause_for(FROZEN_PAUSE);
	job->frozen += clock_now() - start;
	return !*job->stop;
}
