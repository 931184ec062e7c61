// SPDX-License-Identifier: GPL-2.0-only
#include "survey/leaf_dirs.h"

#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

void leaf_dirs_free(struct leaf_dirs *leaf_dirs)
{
	free(leaf_dirs->ino);
	free(leaf_dirs->wanted);
	memset(leaf_dirs, 0, sizeof(*leaf_dirs));
}

void leaf_dirs_add(struct leaf_dirs *leaf_dirs, uint32_t ino)
{
	vec_more(leaf_dirs->ino, leaf_dirs->count, leaf_dirs->room);
	leaf_dirs->ino[leaf_dirs->count++] = ino;
}

void leaf_dirs_groups(struct leaf_dirs *leaf_dirs, uint32_t inodes, uint32_t per_group)
{
	free(leaf_dirs->wanted);
	leaf_dirs->per_group = per_group;
	leaf_dirs->groups = inodes / per_group + 1;
	leaf_dirs->wanted = xreallocarray(NULL, leaf_dirs->groups, sizeof(*leaf_dirs->wanted));
	memset(leaf_dirs->wanted, 0, leaf_dirs->groups * sizeof(*leaf_dirs->wanted));
}

static bool *group_of(const struct leaf_dirs *leaf_dirs, uint32_t ino)
{
	size_t group = (ino - 1) / leaf_dirs->per_group;

	return group < leaf_dirs->groups ? &leaf_dirs->wanted[group] : NULL;
}

void leaf_dirs_want(struct leaf_dirs *leaf_dirs, uint32_t ino)
{
	bool *wanted = group_of(leaf_dirs, ino);

	if (wanted)
		*wanted = true;
}

bool leaf_dirs_later(const struct leaf_dirs *leaf_dirs, uint32_t ino)
{
	const bool *wanted = group_of(leaf_dirs, ino);

	return wanted && !*wanted && leaf_dirs->count &&
	       bsearch(&ino, leaf_dirs->ino, leaf_dirs->count, sizeof(ino), by_number);
}
