/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How long to wait for the machine. A guest that works sends a sign of life each second, so one
 * that hangs is told from one that is slow.
 */
#ifndef E3DEFRAG_GUEST_WAIT_H
#define E3DEFRAG_GUEST_WAIT_H

#include <stdbool.h>
#include <stdint.h>

struct guest_wait {
	uint64_t started, heard; /* by clock_now(), as all times here */
	uint64_t limit;		 /* when --time is over; 0: never */
	uint64_t closing;	 /* when it was to come to its end; 0: not yet */
	bool begun, forgotten;
};

/* @seconds is the limit of --time, 0 if there is none. */
void guest_wait_start(struct guest_wait *wait, uint64_t seconds);
/* What is left of --time, in seconds, 1 at least; 0 if there is no limit. */
uint64_t guest_wait_left(const struct guest_wait *wait);
/* The guest has answered, and begins its work. */
void guest_wait_begin(struct guest_wait *wait);
/* Something has come from the guest. */
void guest_wait_heard(struct guest_wait *wait);
/* The guest was told to end, or says that it does. */
void guest_wait_close(struct guest_wait *wait);
/* It is ended now: nothing more is expected. */
void guest_wait_forget(struct guest_wait *wait);
/* What the guest has failed to do in time, or NULL. */
const char *guest_wait_overdue(struct guest_wait *wait);

#endif
