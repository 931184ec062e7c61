// SPDX-License-Identifier: GPL-2.0-only
#include "plan/patience.h"

#define STEP_MOST (1U << 30)

static bool is_lost(const struct patience *patience)
{
	return patience->lost > PATIENCE_LOST + patience->useful / PATIENCE_PART;
}

bool patience_tries(struct patience *patience)
{
	if (!patience->skip)
		return true;
	patience->skip--;
	return false;
}

void patience_busy(struct patience *patience, uint64_t took)
{
	patience->lost += took;
	if (!is_lost(patience))
		return;
	if (!patience->step)
		patience->step = 1;
	else if (patience->step < STEP_MOST)
		patience->step *= 2;
	patience->skip = patience->step;
}

/* Only time that was used well brings patience back, or one free file for each would. */
void patience_moved(struct patience *patience, uint64_t took)
{
	patience->useful += took;
	if (!is_lost(patience))
		patience->step = patience->skip = 0;
}
