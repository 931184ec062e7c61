/* SPDX-License-Identifier: GPL-2.0-only */
/* What a run may take: time, bytes, and bytes a second. */
#ifndef E3DEFRAG_BUDGET_H
#define E3DEFRAG_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

/* Why a run ends early: the value of the flag that all stages look at. */
enum stop { STOP_NOT, STOP_SIGNAL, STOP_TIME, STOP_BYTES };

struct budget {
	volatile int *stop;
	uint64_t bytes; /* to move at most; 0: any number */
	uint64_t rate;	/* bytes a second; 0: as fast as it goes */
	uint64_t moved; /* bytes */
	uint64_t due;	/* in microseconds: when the rate allows the next step */
	uint32_t step;	/* bytes: what takes a fraction of a second; 0: the time doesn't matter */
};

/* One word for programs: "max-bytes"; NULL for STOP_NOT. */
const char *stop_key(enum stop stop);

/* @seconds from now on *@stop is set. 0 stands for no limit, each time. */
void budget_start(struct budget *budget, uint64_t seconds, uint64_t bytes, uint64_t rate,
		  volatile int *stop);

/* How many bytes the next step may move, at most @most; a whole block in any case. */
uint32_t budget_step(const struct budget *budget, uint32_t most, uint32_t blocksize);

/*
 * After a step that moved @moved bytes and took @took microseconds: sets the flag when that was
 * all, and waits for as long as the rate wants it, or until somebody sets the flag.
 */
void budget_stepped(struct budget *budget, uint64_t moved, uint64_t took);

#endif
