// SPDX-License-Identifier: GPL-2.0-only
#include "planfile/planfile.h"

#include <stdlib.h>
#include <string.h>

void planfile_free(struct planfile *plan)
{
	size_t i;

	for (i = 0; i < plan->moves; i++)
		free(plan->move[i].path);
	free(plan->fs);
	free(plan->move);
	free(plan->piece);
	memset(plan, 0, sizeof(*plan));
}

const struct planfile_fs *planfile_find(const struct planfile *plan, const char *id)
{
	size_t i;

	for (i = 0; i < plan->count; i++)
		if (!strcmp(plan->fs[i].id, id))
			return &plan->fs[i];
	return NULL;
}

/* Add @number to the FNV-1a hash @sum. */
static uint64_t mix(uint64_t sum, uint32_t number)
{
	int i;

	for (i = 0; i < 4; i++) {
		sum ^= number >> 8 * i & 0xff;
		sum *= 0x100000001b3ULL;
	}
	return sum;
}

uint64_t layout_print(const struct layout *layout)
{
	uint64_t sum = 0xcbf29ce484222325ULL;
	size_t i;

	for (i = 0; i < layout->extents; i++) {
		sum = mix(sum, layout->extent[i].logical);
		sum = mix(sum, layout->extent[i].physical);
		sum = mix(sum, layout->extent[i].length);
	}
	/* Separate extents from indirect blocks by a 0, which no extent has as its length. */
	sum = mix(sum, 0);
	for (i = 0; i < layout->indirects; i++) {
		sum = mix(sum, layout->indirect[i].logical);
		sum = mix(sum, layout->indirect[i].physical);
		sum = mix(sum, layout->indirect[i].level);
	}
	return sum;
}
