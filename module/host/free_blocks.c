// SPDX-License-Identifier: GPL-2.0-only
/*
 * allocation/free_blocks: the blocks that the allocator would give out now. They
 * are read from its buddy bitmaps and not from the bitmaps on disk: blocks that
 * were freed in a transaction that has not committed yet are free in the latter,
 * but can't be allocated.
 */
#include <linux/fs.h>
#include <linux/sched/signal.h>

#include "host.h"

struct free_walk {
	struct meta_list *list;
	unsigned int cluster_bits;
	u64 group_first;
	u64 from;  /* nothing below is reported */
	u64 start; /* the extent that still grows */
	u64 length;
};

static bool free_flush(struct free_walk *walk)
{
	const u64 numbers[] = { walk->start, walk->length };

	return !walk->length ||
	       meta_list_numbers(walk->list, walk->start + walk->length, "", numbers, 2);
}

static int free_extent(struct super_block *sb, unsigned int group, int cluster, int clusters,
		       void *priv)
{
	struct free_walk *walk = priv;
	u64 start = walk->group_first + ((u64)cluster << walk->cluster_bits);
	u64 end = start + ((u64)clusters << walk->cluster_bits);

	start = max(start, walk->from);
	if (start >= end)
		return 0;
	if (walk->length && walk->start + walk->length == start) {
		walk->length += end - start;
		return 0;
	}
	if (!free_flush(walk))
		return 1;
	walk->start = start;
	walk->length = end - start;
	return 0;
}

int e3m_free_blocks(struct super_block *sb, struct meta_list *list)
{
	struct free_walk walk = { .list = list, .cluster_bits = ext4_abi_cluster_bits(sb) };
	struct meta_geometry geo;
	unsigned int group;
	int ret;

	ext4_abi_geometry(sb, &geo);
	walk.from = max(list->pos, geo.first_block);
	if (walk.from >= geo.blocks)
		return 0;
	group = div_u64(walk.from - geo.first_block, geo.blocks_per_group);
	for (;; group++) {
		u64 skip;

		walk.group_first = geo.first_block + (u64)group * geo.blocks_per_group;
		if (walk.group_first >= geo.blocks)
			break;
		if (fatal_signal_pending(current))
			return -EINTR;
		skip = walk.from > walk.group_first ? walk.from - walk.group_first : 0;
		ret = ext4_abi_query_free(sb, group, skip >> walk.cluster_bits,
					  geo.blocks_per_group >> walk.cluster_bits, free_extent,
					  &walk);
		if (ret)
			return ret < 0 ? ret : 0;
		cond_resched();
	}
	free_flush(&walk);
	return 0;
}
