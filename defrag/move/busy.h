/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Requests that can't be served now. EBUSY: another program uses the file, in a way that it may
 * never end; ext3meta has waited for some time before it says so. EAGAIN: the filesystem is frozen,
 * which is no file's fault.
 */
#ifndef E3DEFRAG_BUSY_H
#define E3DEFRAG_BUSY_H

#include <stdbool.h>
#include <stdint.h>

#include "job.h"

/* How long a file is asked again, in microseconds. The last request may take ext3meta 2 s more. */
#define BUSY_LONGEST 1000000ULL

/* The requests about one file that were answered with EBUSY, one after the other. */
struct busy {
	uint64_t since; /* of clock_now(), when the first of them was made; 0: there is none */
	unsigned int tries;
};

/*
 * A request that was made at @start got EBUSY: wait before it is made again, longer each time.
 * Returns false if the file was asked for long enough, or *@stop is set, unless @stop is NULL.
 */
bool busy_wait(struct busy *busy, const volatile int *stop, uint64_t start);

/* Another answer than EBUSY came: the file has its full time again. */
void busy_over(struct busy *busy);

/*
 * The filesystem is frozen: wait a little. Returns false if the run is to end. It is what struct
 * meta calls as `frozen`; @arg is a struct job, whose time of waiting is counted.
 */
bool busy_frozen(void *arg);

#endif
