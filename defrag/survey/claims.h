/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which blocks are claimed by files, to find blocks that are claimed more than once (multiply
 * claimed, as e2fsck says) or claimed although they are free. A sound filesystem has none. On a
 * damaged one, moving one of two such files would free a block that the other still uses.
 */
#ifndef E3DEFRAG_CLAIMS_H
#define E3DEFRAG_CLAIMS_H

#include <stddef.h>
#include <stdint.h>

#include "plan/layout.h"

struct claims {
	uint64_t **part; /* one bit a block; a part is allocated when its first bit is set */
	size_t parts;
	uint32_t *again; /* blocks that were already claimed when they were claimed */
	size_t count, room;
};

void claims_init(struct claims *claims);
void claims_free(struct claims *claims);

/* Claim all blocks of @layout. Those that were claimed before are noted as claimed again. */
void claims_add(struct claims *claims, const struct layout *layout);

/* Note the free blocks from @start on: those that a file claims count as claimed again. */
void claims_add_free(struct claims *claims, uint32_t start, uint32_t length);

/* Sort the blocks that were claimed again, and keep each once. */
void claims_sort(struct claims *claims);

/* Return how many times @layout contains @block. */
unsigned int layout_has(const struct layout *layout, uint32_t block);

/* Call @fn for each block of @layout that was claimed again. Only after claims_sort. */
void claims_each(const struct claims *claims, const struct layout *layout,
		 void (*fn)(void *to, uint32_t block), void *to);

#endif
