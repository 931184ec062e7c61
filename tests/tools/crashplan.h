/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which crash points of a log are looked at. Between two flushes of the journal's device at most
 * one transaction can become committed; that is an epoch. Points are ends of epochs, with all
 * writes done, and cuts inside of them.
 */
#ifndef TESTS_CRASHPLAN_H
#define TESTS_CRASHPLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crashlog.h"

struct crash_epoch {
	size_t first, last; /* events; the last one is the flush */
	uint64_t sectors;   /* written in it */
	unsigned int cuts;
	bool wanted;
};

struct crash_plan {
	struct crash_epoch *epochs;
	size_t count;
};

void crash_plan_make(struct crash_plan *plan, const struct crash_log *log);
/* About @points of them: all ends where that many are asked for, and otherwise some, by @seed. */
void crash_plan_choose(struct crash_plan *plan, uint64_t points, uint64_t seed);

#endif
