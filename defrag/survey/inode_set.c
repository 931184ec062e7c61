// SPDX-License-Identifier: GPL-2.0-only
#include "survey/inode_set.h"

#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

#define WORDS 512
#define PAGE_BITS (64 * WORDS)

static uint64_t *page_of(struct inode_set *set, uint32_t ino)
{
	const size_t page = ino / PAGE_BITS;

	if (page >= set->pages) {
		set->page = xreallocarray(set->page, page + 1, sizeof(*set->page));
		memset(set->page + set->pages, 0, (page + 1 - set->pages) * sizeof(*set->page));
		set->pages = page + 1;
	}
	if (!set->page[page]) {
		set->page[page] = xreallocarray(NULL, WORDS, sizeof(**set->page));
		memset(set->page[page], 0, WORDS * sizeof(**set->page));
	}
	return set->page[page];
}

bool inode_set_add(struct inode_set *set, uint32_t ino)
{
	uint64_t *word = page_of(set, ino) + ino % PAGE_BITS / 64;
	const uint64_t bit = 1ULL << ino % 64;

	if (*word & bit)
		return false;
	*word |= bit;
	set->count++;
	return true;
}

uint32_t *inode_set_list(const struct inode_set *set)
{
	uint32_t *list = xreallocarray(NULL, set->count, sizeof(*list)), *at = list;
	size_t page, word;

	for (page = 0; page < set->pages; page++)
		for (word = 0; set->page[page] && word < WORDS; word++) {
			uint64_t bits = set->page[page][word];

			for (; bits; bits &= bits - 1)
				*at++ = (uint32_t)(page * PAGE_BITS + word * 64 +
						   (unsigned int)__builtin_ctzll(bits));
		}
	return list;
}

void inode_set_free(struct inode_set *set)
{
	size_t i;

	for (i = 0; i < set->pages; i++)
		free(set->page[i]);
	free(set->page);
	memset(set, 0, sizeof(*set));
}
