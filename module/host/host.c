// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the common half calls: which superblocks are ours, their geometry,
 * their inodes, and a node's info.
 */
#include <linux/fs.h>
#include <linux/sched/signal.h>

#include "host.h"

int e3m_host_init(void)
{
	return ext4_abi_init();
}

void e3m_host_exit(void)
{
	ext4_abi_exit();
}

static int host_accepts(struct super_block *sb)
{
	return ext4_abi_owns(sb) ? 0 : -ENODEV;
}

static void host_info(struct meta_host *host, struct inode *inode, struct meta_info *info)
{
	struct meta_state *state = meta_state_get(host, inode, false);

	if (IS_ERR(state))
		state = NULL;
	/* i_blocks and i_bytes count bytes, extended attribute block included. */
	info->blocks = inode_get_bytes(inode) >> inode->i_blkbits;
	info->mapping = e3m_mapping(inode);
	if (!e3m_refuse(inode, state, E3M_ORIGINAL, &info->relocatable))
		e3m_writable(host, &info->relocatable);
	meta_state_put(state);
}

static int host_record(struct meta_host *host, u32 ino, struct meta_record *record)
{
	int err = e3m_disk_inode(host->sb, ino, record);

	if (!err && S_ISREG(record->mode))
		e3m_writable(host, &record->info.relocatable);
	return err;
}

/* The inode bitmaps, a group at a time. */
static int host_inodes(struct super_block *sb, u64 from, meta_ino_fn fn, void *priv)
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

static int host_writable(struct meta_host *host)
{
	const char *why;

	return e3m_writable(host, &why);
}

const struct meta_host_ops e3m_host_ops = {
	.accepts = host_accepts,
	.geometry = ext4_abi_geometry,
	.free_blocks = e3m_free_blocks,
	.inodes = host_inodes,
	.inode = ext4_abi_iget,
	.record = host_record,
	.map_record = e3m_map_record,
	.read_ahead = e3m_read_ahead,
	.info = host_info,
	.extents = e3m_extents,
	.map = e3m_map,
	.alloc = e3m_alloc,
	.reloc = e3m_reloc,
	.metadata_blocks = e3m_metadata_blocks,
	.metadata_alloc = e3m_metadata_alloc,
	.metadata_reloc = e3m_metadata_reloc,
	.writable = host_writable,
	.forget = e3m_step_free_kept,
	.max_blocks = e3m_max_blocks,
};
