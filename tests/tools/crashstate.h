/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The states that a crash can leave a device with a volatile cache in. What was written before a
 * flush of its device is there; of what was written after it, any part may be: each write wholly,
 * in some of its sectors, or not at all, whatever came later. (A write that is there hides an
 * earlier one of the same sector.)
 */
#ifndef TESTS_CRASHSTATE_H
#define TESTS_CRASHSTATE_H

#include <stddef.h>
#include <stdint.h>

#include "crashlog.h"

struct crash_state {
	const struct crash_log *log;
	char *durable; /* what is on the devices for certain, after the events so far */
	char *scratch; /* the state that was built, in the files */
	char files[2][256];
	int fds[2];
	size_t size;
	bool lying;	 /* as if a flush did nothing */
	size_t *pending; /* writes that a crash may lose */
	size_t pending_count, pending_size;
	uint64_t signature; /* of what is durable: equal for equal content */
};

/* The scratch files are made in @folder, best a tmpfs. */
void crash_state_open(struct crash_state *state, const struct crash_log *log, const char *folder);
void crash_state_close(struct crash_state *state);
/* Takes event @number of the log in. */
void crash_state_step(struct crash_state *state, size_t number);
/*
 * Builds a state in the scratch files and returns its signature: nothing lost where @choice is 0,
 * otherwise something that follows from @choice.
 */
uint64_t crash_state_build(struct crash_state *state, uint64_t choice);
/* Undoes that, and whatever was done to the scratch files since. */
void crash_state_restore(struct crash_state *state);
/* Copies the scratch files to FILE and FILE.journal, or from there. */
void crash_state_save(const struct crash_state *state, const char *file);
void crash_state_load(struct crash_state *state, const char *file);

#endif
