// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the common half calls: whether a superblock is ext4's, its geometry, its
 * inodes, and a node's info. What depends on how a file's blocks are mapped is
 * done by the operations of that mapping, which are chosen here and nowhere
 * else.
 */
#include <linux/fs.h>
#include <linux/sched/signal.h>

#include "../indirect/indirect.h"
#include "host.h"

/* All mappings that are known. Other files can be neither listed nor changed. */
static const struct e3m_mapping_ops *const mappings[] = {
	&e3m_indirect_ops,
};

/* NULL where there is no mapping of that name. */
static const struct e3m_mapping_ops *mapping_by_name(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(mappings); i++)
		if (!strcmp(mappings[i]->name, name))
			return mappings[i];
	return NULL;
}

static const struct e3m_mapping_ops *mapping_of(struct inode *inode)
{
	return mapping_by_name(e3m_mapping(inode));
}

/*
 * How many blocks a file can have. A position is checked before anything of the file is looked at,
 * so this is the host's, for whichever mapping.
 */
u64 e3m_max_blocks(struct super_block *sb)
{
	return ext4_abi_bitmap_maxbytes(sb) >> sb->s_blocksize_bits;
}

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
	const struct e3m_mapping_ops *mapping;
	int err;

	err = e3m_disk_inode(host->sb, ino, record);
	if (err)
		return err;
	mapping = mapping_by_name(record->info.mapping);
	if (!mapping || !mapping->record_complete(host->sb, record))
		return -EAGAIN;
	if (S_ISREG(record->mode))
		e3m_writable(host, &record->info.relocatable);
	return 0;
}

static int host_map_record(const struct meta_record *record, struct meta_list *list)
{
	return mapping_by_name(record->info.mapping)->map_record(record, list);
}

/* A list of a file without a mapping from the table: empty where it has no blocks at all. */
static int list_unmapped(struct inode *inode)
{
	return strcmp(e3m_mapping(inode), "none") ? -EOPNOTSUPP : 0;
}

static int host_extents(struct inode *inode, struct meta_list *list)
{
	const struct e3m_mapping_ops *mapping = mapping_of(inode);

	return mapping ? mapping->extents(inode, list) : list_unmapped(inode);
}

static int host_metadata_blocks(struct inode *inode, struct meta_list *list)
{
	const struct e3m_mapping_ops *mapping = mapping_of(inode);

	return mapping ? mapping->metadata_blocks(inode, list) : list_unmapped(inode);
}

/* Files without such a mapping have no lines in `inodes` but the first. */
static int host_map(struct inode *inode, struct meta_list *list)
{
	const struct e3m_mapping_ops *mapping = mapping_of(inode);

	return mapping ? mapping->map(inode, list) : 0;
}

static void host_read_ahead(struct inode *inode)
{
	const struct e3m_mapping_ops *mapping = mapping_of(inode);

	if (mapping)
		mapping->read_ahead(inode);
}

static int host_alloc(struct meta_request *req, u64 count)
{
	const struct e3m_mapping_ops *mapping = mapping_of(req->inode);

	return mapping ? mapping->alloc(req, count) : -EOPNOTSUPP;
}

static int host_metadata_alloc(struct meta_request *req, u32 level)
{
	const struct e3m_mapping_ops *mapping = mapping_of(req->inode);

	/* Level 0 would be the data. */
	if (!level)
		return -EINVAL;
	return mapping ? mapping->metadata_alloc(req, level) : -EOPNOTSUPP;
}

static int host_reloc(struct meta_request *req, struct inode *donor, struct meta_state *donor_state,
		      u64 count)
{
	const struct e3m_mapping_ops *mapping = mapping_of(req->inode);

	if (req->inode == donor)
		return -EINVAL;
	return mapping ? mapping->reloc(req, donor, donor_state, count) : -EOPNOTSUPP;
}

static int host_metadata_reloc(struct meta_request *req, struct inode *donor,
			       struct meta_state *donor_state, u32 level)
{
	const struct e3m_mapping_ops *mapping = mapping_of(req->inode);

	if (!level || req->inode == donor)
		return -EINVAL;
	return mapping ? mapping->metadata_reloc(req, donor, donor_state, level) : -EOPNOTSUPP;
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
	.map_record = host_map_record,
	.read_ahead = host_read_ahead,
	.info = host_info,
	.extents = host_extents,
	.map = host_map,
	.alloc = host_alloc,
	.reloc = host_reloc,
	.metadata_blocks = host_metadata_blocks,
	.metadata_alloc = host_metadata_alloc,
	.metadata_reloc = host_metadata_reloc,
	.writable = host_writable,
	.forget = e3m_step_free_kept,
	.max_blocks = e3m_max_blocks,
};
