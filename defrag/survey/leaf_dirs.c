// SPDX-License-Identifier: GPL-2.0-only
#include "survey/leaf_dirs.h"

#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

void leaves_free(struct leaves *leaves)
{
	free(leaves->ino);
	free(leaves->wanted);
	memset(leaves, 0, sizeof(*leaves));
}

void leaves_add(struct leaves *leaves, uint32_t ino)
{
	vec_more(leaves->ino, leaves->count, leaves->room);
	leaves->ino[leaves->count++] = ino;
}

void leaves_groups(struct leaves *leaves, uint32_t inodes, uint32_t per_group)
{
	free(leaves->wanted);
	leaves->per_group = per_group;
	leaves->groups = inodes / per_group + 1;
	leaves->wanted = xreallocarray(NULL, leaves->groups, sizeof(*leaves->wanted));
	memset(leaves->wanted, 0, leaves->groups * sizeof(*leaves->wanted));
}

static bool *group_of(const struct leaves *leaves, uint32_t ino)
{
	size_t group = (ino - 1) / leaves->per_group;

	return group < leaves->groups ? &leaves->wanted[group] : NULL;
}

void leaves_want(struct leaves *leaves, uint32_t ino)
{
	bool *wanted = group_of(leaves, ino);

	if (wanted)
		*wanted = true;
}

bool leaves_later(const struct leaves *leaves, uint32_t ino)
{
	const bool *wanted = group_of(leaves, ino);

	return wanted && !*wanted && leaves->count &&
	       bsearch(&ino, leaves->ino, leaves->count, sizeof(ino), by_number);
}
