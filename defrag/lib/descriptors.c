// SPDX-License-Identifier: GPL-2.0-only
#include "lib/descriptors.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

bool write_all(int fd, const char *text, size_t size)
{
	while (size) {
		const ssize_t wrote = write(fd, text, size);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			return false;
		text += wrote;
		size -= (size_t)wrote;
	}
	return true;
}

static int ascending(const void *a, const void *b)
{
	const int x = *(const int *)a, y = *(const int *)b;

	return x < y ? -1 : x > y;
}

void close_others(unsigned int from, int *keep, size_t count)
{
	size_t i;

	qsort(keep, count, sizeof(*keep), ascending);
	for (i = 0; i < count; i++) {
		if (keep[i] < (int)from)
			continue;
		if ((unsigned int)keep[i] > from)
			close_range(from, (unsigned int)keep[i] - 1, 0);
		from = (unsigned int)keep[i] + 1;
	}
	close_range(from, ~0U, 0);
}
