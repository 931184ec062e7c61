/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which blocks files claim, to find those that more than one claims, or that are free all the same.
 * On a sound filesystem there are none; where there are, whoever moves one of the files frees a
 * block under the other.
 */
#ifndef E3DEFRAG_CLAIMS_H
#define E3DEFRAG_CLAIMS_H

#include <stddef.h>
#include <stdint.h>

#include "plan/layout.h"

struct claims {
	uint64_t **part; /* a bit a block, in parts that are made when the first bit is set */
	size_t parts;
	uint32_t *again; /* blocks that were claimed when they were claimed already */
	size_t count, room;
};

void claims_init(struct claims *claims);
void claims_free(struct claims *claims);

/* All blocks of @layout are claimed once more. */
void claims_add(struct claims *claims, const struct layout *layout);

/* Blocks from @start on are free: those of them that a file claims are claimed again. */
void claims_add_free(struct claims *claims, uint32_t start, uint32_t length);

/* Put what was claimed again into order, each block once. */
void claims_sort(struct claims *claims);

/* How many times @layout has block @block. */
unsigned int layout_has(const struct layout *layout, uint32_t block);

/* Call @fn for each block of @layout that was claimed again. Only after claims_sort. */
void claims_each(const struct claims *claims, const struct layout *layout,
		 void (*fn)(void *to, uint32_t block), void *to);

#endif
