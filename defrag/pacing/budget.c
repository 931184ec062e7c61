// SPDX-License-Identifier: GPL-2.0-only
#include "pacing/budget.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "progress/progress.h"

/* In a run with a time limit: the size of the first step, and the bounds of all steps, in bytes. */
#define STEP_FIRST (1U << 20)
#define STEP_LEAST (64U << 10)
#define STEP_MOST (16U << 20)
/* A step must not take longer than this, so that the limit is kept within a second or two. */
#define STEP_TIME (CLOCK_SECOND / 2)
/* With a rate, the number of steps a second. */
#define STEPS 4

static volatile int *flag;

const char *stop_key(enum stop stop)
{
	static const char *const key[] = {
		[STOP_NOT] = NULL,
		[STOP_SIGNAL] = "signal",
		[STOP_TIME] = "time",
		[STOP_BYTES] = "max-bytes",
	};

	return key[stop];
}

static void time_is_up(int number)
{
	(void)number;
	/* If there are two causes, the first one is reported. */
	if (!*flag)
		*flag = STOP_TIME;
}

void budget_start(struct budget *budget, uint64_t seconds, uint64_t bytes, uint64_t rate,
		  volatile int *stop)
{
	struct sigaction action = { .sa_handler = time_is_up, .sa_flags = SA_RESTART };

	*budget = (struct budget){ .stop = stop, .bytes = bytes, .rate = rate };
	if (!seconds)
		return;
	budget->step = STEP_FIRST;
	flag = stop;
	sigemptyset(&action.sa_mask);
	sigaction(SIGALRM, &action, NULL);
	alarm((unsigned int)seconds);
}

uint32_t budget_step(const struct budget *budget, uint32_t most, uint32_t blocksize)
{
	uint64_t step = most;

	if (budget->step && budget->step < step)
		step = budget->step;
	if (budget->rate && budget->rate / STEPS < step)
		step = budget->rate / STEPS;
	if (budget->bytes && budget->bytes - budget->moved < step)
		step = budget->bytes - budget->moved;
	return step > blocksize ? (uint32_t)step : blocksize;
}

static void wait_until(const struct budget *budget, uint64_t due)
{
	uint64_t now;

	while (!*budget->stop && (now = clock_now()) < due) {
		/* If the flag is set between the check and the sleep, it is noticed this soon. */
		const uint64_t slice = due - now < CLOCK_SECOND / 5 ? due - now : CLOCK_SECOND / 5;
		const struct timespec pause = { 0, (long)(slice * 1000) };

		progress_point();
		nanosleep(&pause, NULL);
	}
}

void budget_stepped(struct budget *budget, uint64_t moved, uint64_t took)
{
	const uint64_t now = clock_now();

	budget->moved += moved;
	if (budget->bytes && budget->moved >= budget->bytes) {
		budget->moved = budget->bytes;
		if (!*budget->stop)
			*budget->stop = STOP_BYTES;
	}
	if (budget->step && took > STEP_TIME && budget->step > STEP_LEAST)
		budget->step /= 2;
	else if (budget->step && took < STEP_TIME / 4 && budget->step < STEP_MOST)
		budget->step *= 2;
	if (!budget->rate)
		return;
	/* Time in which nothing was moved must not allow a higher rate afterwards. */
	if (budget->due + took < now)
		budget->due = now - took;
	budget->due += moved * CLOCK_SECOND / budget->rate;
	wait_until(budget, budget->due);
}
