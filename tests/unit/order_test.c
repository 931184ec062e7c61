// SPDX-License-Identifier: GPL-2.0-only
/* The order of files, against a search for the worst of what is left. */
#include <stdlib.h>
#include <string.h>

#include "survey/order.h"
#include "tap.h"

static bool has_blocks(const struct file *file)
{
	return file->blocks;
}

/* Is @a worth looking at before @b? Both have blocks. */
static bool is_worse(const struct file *a, const struct file *b)
{
	if (a->score != b->score)
		return a->score > b->score;
	if (a->fragments != b->fragments)
		return a->fragments > b->fragments;
	return a->ino < b->ino;
}

void test_order(void)
{
	int round, wrong = 0, wrong_count = 0, many = 0;
	struct survey survey = { 0 };
	size_t count = 1;
	uint32_t *order;

	order = order_worst_first(&survey, has_blocks, &count);
	is(count, 0, "of no files none is the worst");
	free(order);

	survey.file = calloc(500, sizeof(*survey.file));
	for (round = 0; round < 200; round++) {
		uint32_t scores = 1 + random_below(101), most = 1 + random_below(600);
		uint32_t ino = 11, left = 0, i, j;

		survey.files = random_below(501);
		for (i = 0; i < survey.files; i++) {
			struct file *file = &survey.file[i];

			ino += 1 + random_below(3);
			memset(file, 0, sizeof(*file));
			file->ino = ino;
			file->blocks = random_below(4);
			file->fragments = random_below(2) ? random_below(4) : random_below(most);
			if (!random_below(20))
				file->fragments = 250 + random_below(12);
			if (!random_below(50))
				file->fragments = UINT32_MAX - random_below(2);
			file->score = (uint8_t)random_below(scores);
			left += file->blocks > 0;
			many += file->fragments > 256;
		}
		order = order_worst_first(&survey, has_blocks, &count);
		wrong_count += count != left;
		for (i = 0; i < count && count == left; i++) {
			struct file *worst = NULL;

			for (j = 0; j < survey.files; j++) {
				struct file *file = &survey.file[j];

				if (file->blocks && (!worst || is_worse(file, worst)))
					worst = file;
			}
			wrong += order[i] >= survey.files || &survey.file[order[i]] != worst;
			worst->blocks = 0;
		}
		free(order);
	}
	ok(many > 1000, "some files have many fragments (%d)", many);
	is(wrong_count, 0, "each file that is wanted");
	is(wrong, 0, "the worst first, of equals the lowest inode number");
	free(survey.file);
}
