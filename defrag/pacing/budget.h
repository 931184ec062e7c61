/* SPDX-License-Identifier: GPL-2.0-only */
/* The limits that the user sets for a run: its time, its bytes, and its bytes a second. */
#ifndef E3DEFRAG_BUDGET_H
#define E3DEFRAG_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

/* Why a run ends early: the value of the flag that all stages check. */
enum stop { STOP_NOT, STOP_SIGNAL, STOP_TIME, STOP_BYTES };

struct budget {
	volatile int *stop;
	uint64_t bytes; /* most bytes to move; 0: no limit */
	uint64_t rate;	/* bytes a second; 0: no limit */
	uint64_t moved; /* bytes moved so far */
	uint64_t due;	/* when the rate allows the next step: microseconds of clock_now() */
	uint32_t step;	/* bytes that take a fraction of a second; 0: there is no time limit */
};

/* A word for programs, like "max-bytes", which never changes; NULL for STOP_NOT. */
const char *stop_key(enum stop stop);

/*
 * Begin to count. After @seconds *@stop is set to STOP_TIME, by SIGALRM; after @bytes were moved,
 * to STOP_BYTES. For each of @seconds, @bytes and @rate, 0 means no limit.
 */
void budget_start(struct budget *budget, uint64_t seconds, uint64_t bytes, uint64_t rate,
		  volatile int *stop);

/* How many bytes the next step may move: at most @most, but at least one block. */
uint32_t budget_step(const struct budget *budget, uint32_t most, uint32_t blocksize);

/*
 * Call this after a step that moved @moved bytes and took @took microseconds. It sets the flag when
 * the limit of bytes is reached, and waits as long as the rate requires, or until the flag is set.
 */
void budget_stepped(struct budget *budget, uint64_t moved, uint64_t took);

#endif
