// SPDX-License-Identifier: GPL-2.0-only
#include "survey/order.h"

#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

#define SCORES 101 /* 0 to 100 */
/* Files with fewer fragments than this, nearly all, are ordered by counting; others are sorted. */
#define FEW 256

/*
 * The number of the file's class: one for each pair of score and fragments, the worst first. Files
 * of one score with FEW fragments or more are in one class.
 */
static size_t place(const struct file *file)
{
	uint32_t fragments = file->fragments < FEW ? file->fragments : FEW;

	return (size_t)(SCORES - 1 - file->score) * (FEW + 1) + (FEW - fragments);
}

static int most_first(const void *a, const void *b, void *arg)
{
	const struct file *file = arg;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	if (file[x].fragments != file[y].fragments)
		return file[x].fragments > file[y].fragments ? -1 : 1;
	return x < y ? -1 : x > y;
}

/*
 * A counting sort: two passes over the files. Within a class the files stay in their order, which
 * is that of inode numbers.
 */
uint32_t *order_worst_first(const struct survey *survey, bool (*wanted)(const struct file *),
			    size_t *count)
{
	const size_t places = SCORES * (FEW + 1);
	uint32_t *next = xreallocarray(NULL, places, sizeof(*next)), *order, sum = 0;
	size_t i;

	memset(next, 0, places * sizeof(*next));
	for (i = 0; i < survey->files; i++)
		if (wanted(&survey->file[i]))
			next[place(&survey->file[i])]++;
	for (i = 0; i < places; i++) {
		uint32_t here = next[i];

		next[i] = sum;
		sum += here;
	}
	order = xreallocarray(NULL, sum, sizeof(*order));
	for (i = 0; i < survey->files; i++)
		if (wanted(&survey->file[i]))
			order[next[place(&survey->file[i])]++] = (uint32_t)i;
	/* Now next[] has the end of each class. Sort those that hold FEW fragments and more. */
	for (i = 0; i < places; i += FEW + 1) {
		uint32_t start = i ? next[i - 1] : 0;

		if (next[i] - start > 1)
			qsort_r(order + start, next[i] - start, sizeof(*order), most_first,
				survey->file);
	}
	free(next);
	*count = sum;
	return order;
}
