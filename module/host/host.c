// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the common half calls: which superblocks are ours, their geometry,
 * their inodes, and a node's info.
 */
#include <linux/fs.h>
#include <linux/sched/signal.h>

#include "host.h"

int ext3_host_init(void)
{
	return ext4_abi_init();
}

void ext3_host_exit(void)
{
	ext4_abi_exit();
}

static int ext3_accepts(struct super_block *sb)
{
	return ext4_abi_owns(sb) ? 0 : -ENODEV;
}

static void ext3_info(struct meta_host *host, struct inode *inode, struct meta_info *info)
{
	struct meta_state *state = meta_state_get(host, inode, false);

	if (IS_ERR(state))
		state = NULL;
	/* i_blocks and i_bytes count bytes, extended attribute block included. */
	info->blocks = inode_get_bytes(inode) >> inode->i_blkbits;
	info->mapping = ext3_mapping(inode);
	if (!ext3_refuse(inode, state, EXT3_ORIGINAL, &info->relocatable))
		ext3_writable(host, &info->relocatable);
	meta_state_put(state);
}

static int ext3_record(struct meta_host *host, u32 ino, struct meta_record *record)
{
	int err = ext3_disk_inode(host->sb, ino, record);

	if (!err && S_ISREG(record->mode))
		ext3_writable(host, &record->info.relocatable);
	return err;
}

/* The inode bitmaps, a group at a time. */
static int ext3_inodes(struct super_block *sb, u64 from, meta_ino_fn fn, void *priv)
{
	const u32 root = 2;
	u32 first = ext4_abi_first_ino(sb);
	struct meta_geometry geo;
	u64 ino;
	int ret;

	ext4_abi_geometry(sb, &geo);
	if (from <= root) {
		ret = fn(root, priv);
		if (ret)
			return ret;
	}
	ino = max_t(u64, from, first);
	while (ino <= geo.inodes) {
		unsigned int group = (u32)(ino - 1) / geo.inodes_per_group;
		u64 base = (u64)group * geo.inodes_per_group + 1;
		unsigned int bit = ino - base;
		struct buffer_head *bh;

		if (fatal_signal_pending(current))
			return -EINTR;
		bh = ext4_abi_inode_bitmap(sb, group);
		if (IS_ERR(bh))
			return PTR_ERR(bh);
		while ((bit = find_next_bit_le(bh->b_data, geo.inodes_per_group, bit)) <
		       geo.inodes_per_group) {
			ino = base + bit++;
			if (ext4_abi_reserved_ino(sb, ino))
				continue;
			ret = fn(ino, priv);
			if (ret) {
				brelse(bh);
				return ret;
			}
		}
		brelse(bh);
		ino = base + geo.inodes_per_group;
		cond_resched();
	}
	return 0;
}

static int ext3_host_writable(struct meta_host *host)
{
	const char *why;

	return ext3_writable(host, &why);
}

const struct meta_host_ops ext3_host_ops = {
	.accepts = ext3_accepts,
	.geometry = ext4_abi_geometry,
	.free_blocks = ext3_free_blocks,
	.inodes = ext3_inodes,
	.inode = ext4_abi_iget,
	.record = ext3_record,
	.map_record = ext3_map_record,
	.read_ahead = ext3_read_ahead,
	.info = ext3_info,
	.extents = ext3_extents,
	.map = ext3_map,
	.alloc = ext3_alloc,
	.reloc = ext3_reloc,
	.metadata_blocks = ext3_metadata_blocks,
	.metadata_alloc = ext3_metadata_alloc,
	.metadata_reloc = ext3_metadata_reloc,
	.writable = ext3_host_writable,
	.forget = ext3_forget,
	.max_blocks = ext3_max_blocks,
};
