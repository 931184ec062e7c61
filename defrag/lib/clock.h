/* SPDX-License-Identifier: GPL-2.0-only */
/* Time, in the only two forms that are in use here. */
#ifndef E3DEFRAG_CLOCK_H
#define E3DEFRAG_CLOCK_H

#include <stdint.h>

#define CLOCK_SECOND 1000000ULL

/* Microseconds of a clock that never jumps; its zero means nothing. */
uint64_t clock_now(void);

/* Seconds since 1970, at least 0: what can be compared between two runs. */
uint64_t clock_wall(void);

#endif
