// SPDX-License-Identifier: GPL-2.0-only
/*
 * Inodes that are not in memory are read from the inode tables. To bring each
 * into memory and to free it again would be most of the time that a list of a
 * whole filesystem takes.
 *
 * ext4 copies every change of an inode into the block of the inode table when
 * it makes the change, so the block is current for an inode that is not in
 * memory. The caller looks for the inode in memory before and after. If the
 * inode was brought into memory, changed and freed in between, the record is
 * that of a moment earlier or later, and the map in it may be partly either.
 * That does no harm: no pointer is followed here, and nothing is changed on the
 * strength of what is read here.
 *
 * Anything unusual is left to ext4, which knows what is wrong and reports it:
 * only regular files and directories that are mapped by blocks are read. What
 * the map in the inode says is for that mapping to judge (host.c).
 */
#include <linux/blkdev.h>
#include <linux/buffer_head.h>
#include <linux/fs.h>

#include "host.h"

/* An inode on disk: ext2's fields, and those that were defined later. */
struct disk_inode {
	__le16 mode;
	__le16 uid;
	__le32 size;
	__le32 times[4];
	__le16 gid;
	__le16 links;
	__le32 sectors; /* of 512 bytes */
	__le32 flags;
	__le32 version;
	__le32 block[EXT4_ABI_NDIR + EXT4_ABI_LEVELS];
	__le32 generation;
	__le32 file_acl;
	__le32 size_high;
	__le32 fragment;
	__le16 sectors_high;
	__le16 file_acl_high;
	__le16 ids_high[2];
	__le16 checksum;
	__le16 reserved;
	__le16 extra_size; /* from here on only where inodes are larger than this */
};

#define SMALL_INODE 128
static_assert(offsetof(struct disk_inode, extra_size) == SMALL_INODE);
static_assert(META_RECORD_MAP == EXT4_ABI_NDIR + EXT4_ABI_LEVELS);

/*
 * Flags that change nothing of what is said here: secrm, unrm, compr, sync,
 * nodump, noatime, the three of compression, index, imagic, journal-data,
 * notail, dirsync, topdir, and those of projects.
 */
#define HARMLESS_FLAGS 0x2003f7cf

/* This many blocks of a table are read at a time, and as many more are read ahead. */
#define TABLE_AHEAD 32

static void table_ahead(struct super_block *sb, u64 table, unsigned int from, unsigned int blocks)
{
	unsigned int i, end = min(from + TABLE_AHEAD, blocks);
	struct blk_plug plug;

	blk_start_plug(&plug);
	for (i = from; i < end; i++)
		e3m_breadahead(sb, table + i);
	blk_finish_plug(&plug);
}

/* Whether a block is in memory, or on its way there. */
static bool is_wanted(struct super_block *sb, u64 block)
{
	struct buffer_head *bh = sb_find_get_block(sb, block);
	bool wanted = bh && (buffer_uptodate(bh) || buffer_locked(bh));

	brelse(bh);
	return wanted;
}

/* Reads the table ahead, from the block of an inode on. */
static void read_table(struct super_block *sb, u64 table, unsigned int i, unsigned int blocks)
{
	unsigned int first = round_down(i, TABLE_AHEAD), next = first + TABLE_AHEAD;

	if (!is_wanted(sb, table + i))
		table_ahead(sb, table, first, blocks);
	else if (i != first)
		return;
	if (next < blocks && !is_wanted(sb, table + next))
		table_ahead(sb, table, next, blocks);
}

/* An inode as it is in the table; -EAGAIN where it must be left to ext4. */
static int read_inode(struct super_block *sb, u32 ino, struct disk_inode *di)
{
	unsigned int size = ext4_abi_inode_size(sb), per_block = sb->s_blocksize / size;
	struct meta_geometry geo;
	struct buffer_head *bh;
	unsigned int index;
	u64 table, block;

	ext4_abi_geometry(sb, &geo);
	table = ext4_abi_inode_table(sb, (ino - 1) / geo.inodes_per_group);
	index = (ino - 1) % geo.inodes_per_group;
	block = table + index / per_block;
	if (table <= geo.first_block || block >= geo.blocks)
		return -EAGAIN;
	read_table(sb, table, index / per_block, geo.inodes_per_group / per_block);
	bh = e3m_bread(sb, block);
	if (!bh)
		return -EAGAIN;
	memcpy(di, bh->b_data + index % per_block * size, min_t(size_t, size, sizeof(*di)));
	brelse(bh);
	return 0;
}

static u64 inode_size(const struct disk_inode *di)
{
	return (u64)le32_to_cpu(di->size_high) << 32 | le32_to_cpu(di->size);
}

static bool is_plain(struct super_block *sb, const struct disk_inode *di)
{
	unsigned int room = ext4_abi_inode_size(sb) - SMALL_INODE;
	umode_t mode = le16_to_cpu(di->mode);

	if (!S_ISREG(mode) && !(S_ISDIR(mode) && !di->size_high))
		return false;
	if (le32_to_cpu(di->flags) & ~HARMLESS_FLAGS)
		return false;
	if (inode_size(di) > ext4_abi_bitmap_maxbytes(sb) || di->sectors_high || di->file_acl_high)
		return false;
	if (room && (le16_to_cpu(di->extra_size) > room || le16_to_cpu(di->extra_size) & 3))
		return false;
	return !di->file_acl || ext4_abi_blocks_valid(sb, le32_to_cpu(di->file_acl), 1);
}

/**
 * e3m_disk_inode - a record of an inode that is not in memory
 * @sb: the host
 * @ino: its number, from the bitmap
 * @record: filled in; the caller checks the map, and says whether a regular file is relocatable
 *
 * Return: 0; -ESTALE where it is in use by the bitmap only; -EAGAIN where it
 * must be looked at by ext4.
 */
int e3m_disk_inode(struct super_block *sb, u32 ino, struct meta_record *record)
{
	struct disk_inode di;
	int err;

	if (!ext4_abi_plain_inodes(sb))
		return -EAGAIN;
	err = read_inode(sb, ino, &di);
	if (err)
		return err;
	if (!di.links)
		return -ESTALE;
	if (!is_plain(sb, &di))
		return -EAGAIN;

	record->generation = le32_to_cpu(di.generation);
	record->links = le16_to_cpu(di.links);
	record->mode = le16_to_cpu(di.mode);
	record->size = inode_size(&di);
	record->info.mapping = "indirect";
	record->info.relocatable = "type";
	record->info.blocks = (u64)le32_to_cpu(di.sectors) << 9 >> sb->s_blocksize_bits;
	memcpy(record->map, di.block, sizeof(record->map));
	return 0;
}
