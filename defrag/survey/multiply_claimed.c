// SPDX-License-Identifier: GPL-2.0-only
#include "survey/multiply_claimed.h"

#include <inttypes.h>
#include <stdlib.h>

#include "fs/scan.h"
#include "lib/util.h"
#include "progress/progress.h"

struct owner {
	uint32_t block, ino;
};

struct owners {
	struct owner *owner;
	size_t count, room;
	uint32_t ino; /* the file that is being read */
};

/*
 * Read where the blocks of inode @ino are now. Returns false if it is not mapped by indirect
 * blocks, was deleted, or can't be read.
 */
static bool result(struct meta *meta, uint32_t ino, struct layout *layout)
{
	struct info info;
	struct node node;
	bool found;

	if (node_open(&node, meta, ino, NULL, &info))
		return false;
	found = info.mapping == MAPPING_INDIRECT && !node_layout(&node, layout, UINT64_MAX);
	node_close(&node);
	return found;
}

static void add_owner(void *to, uint32_t block)
{
	struct owners *owners = to;

	vec_more(owners->owner, owners->count, owners->room);
	owners->owner[owners->count++] = (struct owner){ block, owners->ino };
}

static int claim_by_block(const void *a, const void *b)
{
	const struct owner *x = a, *y = b;

	if (x->block != y->block)
		return x->block < y->block ? -1 : 1;
	return x->ino < y->ino ? -1 : x->ino > y->ino;
}

/*
 * True if @a->block really belongs to @a->ino and to @other at the same time. Read the first, the
 * second, and the first again: then the block can't just have passed from one to the other.
 */
static bool shares(struct meta *meta, const struct owner *a, uint32_t other, struct layout *layout)
{
	if (a->ino == other)
		return result(meta, a->ino, layout) && layout_has(layout, a->block) > 1;
	return result(meta, a->ino, layout) && layout_has(layout, a->block) &&
	       result(meta, other, layout) && layout_has(layout, a->block) &&
	       result(meta, a->ino, layout) && layout_has(layout, a->block);
}

static bool is_known(const struct survey *survey, uint32_t ino)
{
	const struct file *file = survey_file(survey, ino);

	return !file || file->reason == REASON_MULTIPLY_CLAIMED;
}

static void add_trouble(struct survey *survey, uint32_t ino, uint32_t block, uint32_t other)
{
	vec_more(survey->trouble, survey->troubles, survey->trouble_room);
	survey->trouble[survey->troubles++] =
		(struct trouble){ .ino = ino, .block = block, .other = other, .name = NAME_NONE };
}

/* Directories have no record in the survey and are never moved, so only files are marked. */
static void mark(struct survey *survey, uint32_t ino, uint32_t block, uint32_t other)
{
	struct file *file = survey_file(survey, ino);

	if (!file || file->reason == REASON_MULTIPLY_CLAIMED)
		return;
	add_trouble(survey, ino, block, other);
	file->reason = REASON_MULTIPLY_CLAIMED;
	file->failed = true;
}

/*
 * True if @a->block is free and still belongs to @a->ino. Both are read several times in turn, so
 * that neither a file that has just freed the block nor one that has just allocated it counts.
 */
static bool has_free(struct meta *meta, const struct owner *a, struct layout *layout)
{
	int times;

	for (times = 0; times < 3; times++)
		if (!meta_block_is_free(meta, a->block) || !result(meta, a->ino, layout) ||
		    !layout_has(layout, a->block))
			return false;
	return meta_block_is_free(meta, a->block);
}

/* Report one free block of each inode at most: one is enough to say that it is damaged. */
static void find_free(struct survey *survey, struct meta *meta, const struct owner *a,
		      struct layout *layout)
{
	struct file *file = survey_file(survey, a->ino);

	if ((file && file->failed) || !has_free(meta, a, layout))
		return;
	add_trouble(survey, a->ino, a->block, 0);
	if (file)
		file->failed = true;
}

/* The second scan of all inodes finds which of them claim the blocks that were claimed again. */
struct search {
	const struct claims *claims;
	struct owners owners;
};

static void add_owners(void *to, struct scan_result *result)
{
	struct search *search = to;

	progress_count(result->ino);
	search->owners.ino = result->ino;
	if (!result->err)
		claims_each(search->claims, &result->layout, add_owner, &search->owners);
}

/*
 * Scan the same inodes once more. That is only needed on damaged filesystems, and where files
 * changed so much during the survey that a block was seen in two of them.
 */
static int scan_again(const struct survey *survey, struct meta *meta, bool whole,
		      const volatile int *stop, struct search *search)
{
	uint32_t *inodes = NULL;
	size_t i;
	int err;

	if (!whole) {
		inodes = xreallocarray(NULL, survey->files, sizeof(*inodes));
		for (i = 0; i < survey->files; i++)
			inodes[i] = survey->file[i].ino;
	}
	progress_begin(STAGE_CLAIMED, survey->files, 0);
	err = scan(meta, inodes, survey->files, false, stop, add_owners, search);
	free(inodes);
	return err;
}

void multiply_claimed_find(struct survey *survey, struct meta *meta, bool whole,
			   const struct freemap *map, const volatile int *stop)
{
	struct claims *claims = &survey->claims;
	struct search search = { .claims = claims };
	struct owners *owners = &search.owners;
	struct layout layout;
	size_t i;

	for (i = 0; i < map->runs; i++)
		claims_add_free(claims, map->run[i].start, map->run[i].length);
	if (!claims->count || *stop)
		return;
	claims_sort(claims);
	layout_init(&layout);
	scan_again(survey, meta, whole, stop, &search);
	if (owners->count)
		qsort(owners->owner, owners->count, sizeof(*owners->owner), claim_by_block);
	for (i = 0; i < owners->count && !*stop; i++)
		find_free(survey, meta, &owners->owner[i], &layout);
	for (i = 1; i < owners->count && !*stop; i++) {
		const struct owner *a = &owners->owner[i - 1], *b = &owners->owner[i];

		if (a->block != b->block ||
		    (is_known(survey, a->ino) && is_known(survey, b->ino)) ||
		    !shares(meta, a, b->ino, &layout))
			continue;
		mark(survey, a->ino, a->block, b->ino);
		mark(survey, b->ino, a->block, a->ino);
	}
	free(owners->owner);
	layout_free(&layout);
}
