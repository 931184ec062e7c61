// SPDX-License-Identifier: GPL-2.0-only
#include "lib/clock.h"

#include <time.h>

uint64_t clock_now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * CLOCK_SECOND + (uint64_t)time.tv_nsec / 1000;
}

uint64_t clock_wall(void)
{
	const time_t now = time(NULL);

	return now < 0 ? 0 : (uint64_t)now;
}
