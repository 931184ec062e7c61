// SPDX-License-Identifier: GPL-2.0-only
#include "survey/claims.h"

#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

#define PART_BITS 18 /* blocks of one part, as a power of two: its bits take 32 KiB */
#define PART_WORDS ((1U << PART_BITS) / 64)

void claims_init(struct claims *claims)
{
	memset(claims, 0, sizeof(*claims));
}

void claims_free(struct claims *claims)
{
	size_t i;

	for (i = 0; i < claims->parts; i++)
		free(claims->part[i]);
	free(claims->part);
	free(claims->again);
	claims_init(claims);
}

static uint64_t *part_of(struct claims *claims, uint32_t block)
{
	size_t number = block >> PART_BITS, i;

	if (number >= claims->parts) {
		claims->part = xreallocarray(claims->part, number + 1, sizeof(*claims->part));
		for (i = claims->parts; i <= number; i++)
			claims->part[i] = NULL;
		claims->parts = number + 1;
	}
	if (!claims->part[number]) {
		claims->part[number] = xreallocarray(NULL, PART_WORDS, sizeof(uint64_t));
		memset(claims->part[number], 0, PART_WORDS * sizeof(uint64_t));
	}
	return claims->part[number];
}

static void claimed_again(struct claims *claims, uint32_t block)
{
	vec_more(claims->again, claims->count, claims->room);
	claims->again[claims->count++] = block;
}

/* Claim @length blocks from @block on, a word of bits at a time, since files can be large. */
static void claim(struct claims *claims, uint32_t block, uint32_t length)
{
	while (length) {
		uint32_t bit = block & ((1U << PART_BITS) - 1), some = 64 - bit % 64;
		uint64_t *word = part_of(claims, block) + bit / 64, mask, again;

		if (some > length)
			some = length;
		mask = (some == 64 ? UINT64_MAX : (1ULL << some) - 1) << bit % 64;
		for (again = *word & mask; again; again &= again - 1)
			claimed_again(claims, (block & ~63U) + (uint32_t)__builtin_ctzll(again));
		*word |= mask;
		block += some;
		length -= some;
	}
}

void claims_add(struct claims *claims, const struct layout *layout)
{
	size_t i;

	for (i = 0; i < layout->extents; i++)
		claim(claims, layout->extent[i].physical, layout->extent[i].length);
	for (i = 0; i < layout->indirects; i++)
		claim(claims, layout->indirect[i].physical, 1);
}

void claims_add_free(struct claims *claims, uint32_t start, uint32_t length)
{
	uint64_t end = (uint64_t)start + length, block, next;

	for (block = start; block < end; block = next) {
		size_t number = block >> PART_BITS;
		uint32_t bit = block & ((1U << PART_BITS) - 1);

		/* Most free blocks are not claimed: skip whole parts and whole words of them. */
		if (number >= claims->parts)
			return;
		next = (block | ((1U << PART_BITS) - 1)) + 1;
		if (!claims->part[number])
			continue;
		next = (block | 63) + 1;
		if (!claims->part[number][bit / 64])
			continue;
		next = block + 1;
		if (claims->part[number][bit / 64] & 1ULL << bit % 64)
			claimed_again(claims, block);
	}
}

static int by_block(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

void claims_sort(struct claims *claims)
{
	size_t i, kept = 0;

	if (claims->count)
		qsort(claims->again, claims->count, sizeof(*claims->again), by_block);
	for (i = 0; i < claims->count; i++)
		if (!kept || claims->again[kept - 1] != claims->again[i])
			claims->again[kept++] = claims->again[i];
	claims->count = kept;
}

/* The index of the first block in claims->again that is not below @block. */
static size_t again_from(const struct claims *claims, uint32_t block)
{
	size_t low = 0, high = claims->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (claims->again[middle] < block)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void claims_each(const struct claims *claims, const struct layout *layout,
		 void (*fn)(void *to, uint32_t block), void *to)
{
	size_t i, at;

	for (i = 0; i < layout->extents; i++) {
		const struct extent *e = &layout->extent[i];

		for (at = again_from(claims, e->physical);
		     at < claims->count && claims->again[at] - e->physical < e->length; at++)
			fn(to, claims->again[at]);
	}
	for (i = 0; i < layout->indirects; i++) {
		at = again_from(claims, layout->indirect[i].physical);
		if (at < claims->count && claims->again[at] == layout->indirect[i].physical)
			fn(to, claims->again[at]);
	}
}

unsigned int layout_has(const struct layout *layout, uint32_t block)
{
	unsigned int count = 0;
	size_t i;

	for (i = 0; i < layout->extents; i++)
		count += block - layout->extent[i].physical < layout->extent[i].length;
	for (i = 0; i < layout->indirects; i++)
		count += block == layout->indirect[i].physical;
	return count;
}
