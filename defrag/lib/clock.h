/* SPDX-License-Identifier: GPL-2.0-only */
/* The two clocks of the tool: a monotonic one for intervals, and the wall clock. */
#ifndef E3DEFRAG_CLOCK_H
#define E3DEFRAG_CLOCK_H

#include <stdint.h>

#define CLOCK_SECOND 1000000ULL

/* Microseconds of the monotonic clock: it never jumps, and its zero has no meaning. */
uint64_t clock_now(void);

/* Seconds since 1970, 0 if the clock is set before that. Times of two runs can be compared. */
uint64_t clock_wall(void);

#endif
