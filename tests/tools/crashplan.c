// SPDX-License-Identifier: GPL-2.0-only
/* Chooses crash points, more of them where more is written. */
#include <errno.h>
#include <error.h>
#include <stdlib.h>
#include <string.h>

#include "crashplan.h"
#include "disklog.h"
#include "pattern.h"

#define CUTS_TOGETHER 6 /* as many as there is to gain from the two ends they need */
#define BLOCK_SECTORS 8
#define WEIGHT_MAX 64

void crash_plan_make(struct crash_plan *plan, const struct crash_log *log)
{
	struct crash_epoch epoch = { .first = log->base };
	size_t i;

	memset(plan, 0, sizeof(*plan));
	plan->epochs = calloc(log->count + 1, sizeof(*plan->epochs));
	if (!plan->epochs)
		error(2, ENOMEM, "plan");
	for (i = log->base; i < log->count; i++) {
		const struct crash_event *event = &log->events[i];

		if (event->kind == CRASH_WRITE)
			epoch.sectors += event->length / DISKLOG_SECTOR;
		if (event->kind != CRASH_FLUSH || event->part != log->journal_part)
			continue;
		epoch.last = i;
		if (epoch.sectors)
			plan->epochs[plan->count++] = epoch;
		/* One without writes is none: the next begins where it began, but for marks. */
		epoch = (struct crash_epoch){ .first = i + 1 };
	}
}

/* A single block, such as that of a commit, has hardly more than two states. */
static uint64_t weight(const struct crash_epoch *epoch)
{
	if (epoch->sectors <= BLOCK_SECTORS)
		return 1;
	return epoch->sectors < WEIGHT_MAX ? epoch->sectors : WEIGHT_MAX;
}

static size_t draw(const struct crash_plan *plan, uint64_t total, uint64_t *seed)
{
	uint64_t at = below(seed, total);
	size_t i;

	for (i = 0; at >= weight(&plan->epochs[i]); i++)
		at -= weight(&plan->epochs[i]);
	return i;
}

void crash_plan_choose(struct crash_plan *plan, uint64_t points, uint64_t seed)
{
	uint64_t total = 0, chosen = 0, cuts = 1;
	size_t i;

	for (i = 0; i < plan->count; i++)
		total += weight(&plan->epochs[i]);
	if (!total)
		error(2, 0, "nothing was written");
	if (points >= 3 * plan->count) {
		for (i = 0; i < plan->count; i++)
			plan->epochs[i].wanted = true;
		chosen = plan->count;
	} else {
		cuts = CUTS_TOGETHER;
	}
	while (chosen < points) {
		struct crash_epoch *epoch = &plan->epochs[draw(plan, total, &seed)];

		chosen += cuts + (epoch->wanted ? 0 : 2);
		epoch->cuts += cuts;
		epoch->wanted = true;
	}
}
