// SPDX-License-Identifier: GPL-2.0-only
/* Claims, once with literal cases and with random files against a count of each block. */
#include <stdlib.h>
#include <string.h>

#include "survey/claims.h"
#include "tap.h"

static void append(void *to, uint32_t block)
{
	uint32_t *list = to;

	list[++list[0]] = block;
}

static void literal(void)
{
	uint32_t told[8] = { 0 };
	struct claims claims;
	struct layout a, b;

	claims_init(&claims);
	layout_init(&a);
	layout_init(&b);
	layout_add_extent(&a, 0, 100, 12);
	layout_add_indirect(&a, 1, 12, 112);
	layout_add_extent(&a, 12, 113, 20);
	layout_add_extent(&b, 0, 4294967290U, 5);
	claims_add(&claims, &a);
	claims_add(&claims, &b);
	is(claims.count, 0, "files that share nothing claim nothing again");
	layout_add_extent(&b, 5, 111, 3);
	claims_add(&claims, &b);
	claims_sort(&claims);
	is(claims.count, 8, "each block that is claimed again, data or indirect");
	is(claims.again[0], 111, "in order");
	is(claims.again[7], 4294967294U, "up to the largest number");
	claims_each(&claims, &a, append, told);
	ok(told[0] == 3 && told[1] == 111 && told[2] == 113 && told[3] == 112,
	   "a file's own blocks among them, data first");
	is(layout_has(&a, 112), 1, "an indirect block is a file's");
	is(layout_has(&a, 133), 0, "what comes behind an extent is not");
	layout_add_extent(&a, 40, 112, 1);
	is(layout_has(&a, 112), 2, "a file that has its own indirect block as data has it twice");
	claims_free(&claims);
	claims_init(&claims);
	claims_add(&claims, &a);
	is(claims.count, 1, "which is claimed again");
	claims_add_free(&claims, 0, 100);
	claims_add_free(&claims, 133, 4294967162U);
	is(claims.count, 1, "what is free and nobody's is not");
	claims_add_free(&claims, 131, 4294967164U);
	claims_add_free(&claims, 99, 2);
	is(claims.count, 4, "what is free and a file's is");
	claims_free(&claims);
	layout_free(&a);
	layout_free(&b);
}

#define BLOCKS 3000000U /* more than a part has */

static void random_files(void)
{
	uint8_t *count = calloc(BLOCKS, 1);
	int round, wrong = 0, found = 0;
	struct claims claims;
	struct layout l;
	uint32_t i, want;

	layout_init(&l);
	for (round = 0; round < 20; round++) {
		uint32_t files = 1 + random_below(30);

		claims_init(&claims);
		memset(count, 0, BLOCKS);
		while (files--) {
			uint32_t extents = random_below(20), at = 0;

			layout_clear(&l);
			while (extents--) {
				uint32_t length = 1 + random_below(300);
				uint32_t physical = 1 + random_below(BLOCKS - 300);

				layout_add_extent(&l, at, physical, length);
				at += length + 1;
				for (i = 0; i < length; i++)
					count[physical + i]++;
			}
			i = 1 + random_below(BLOCKS - 1);
			layout_add_indirect(&l, 1, 12, i);
			count[i]++;
			claims_add(&claims, &l);
		}
		claims_sort(&claims);
		for (i = 0, want = 0; i < BLOCKS; i++) {
			if (count[i] < 2)
				continue;
			wrong += want >= claims.count || claims.again[want] != i;
			want++;
		}
		wrong += want != claims.count;
		found += want;
		claims_free(&claims);
	}
	ok(found > 100, "random files share blocks (%d)", found);
	is(wrong, 0, "and exactly these are found");
	layout_free(&l);
	free(count);
}

void test_claims(void)
{
	literal();
	random_files();
}
