// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tree of indirect blocks of one inode: walk it, and reach a slot of it.
 *
 * The caller holds i_data_sem, shared to look and exclusive to change. Every
 * pointer is checked before it is followed, and a tree that bites its own tail
 * is no tree: who changes a block would change one above it, too.
 */
#include <linux/buffer_head.h>
#include <linux/fs.h>
#include <linux/lockdep.h>

#include "../host/host.h"

/* The number of blocks that the largest block-mapped file of this host can have. */
u64 ext3_max_blocks(struct super_block *sb)
{
	return ext4_abi_bitmap_maxbytes(sb) >> sb->s_blocksize_bits;
}

/* Blocks that one pointer maps which stands @levels above the data. */
static u64 blocks_below(const struct super_block *sb, int levels)
{
	u64 blocks = 1;

	while (levels--)
		blocks *= ext3_pointers(sb);
	return blocks;
}

/* Logical block at which the part of the file mapped with @depth begins. */
static u64 depth_first(const struct super_block *sb, int depth)
{
	u64 first = 0;
	int d;

	for (d = 0; d < depth; d++)
		first += d ? blocks_below(sb, d) : EXT4_ABI_NDIR;
	return first;
}

/* The slot on the way to path->lblk in the k-th block; 0 is the inode. */
__le32 *ext3_path_slot(const struct ext3_path *path, int k)
{
	__le32 *slots = k ? (__le32 *)path->bh[k]->b_data : ext4_abi_i_data(path->inode);

	return slots + path->offset[k];
}

/* Whether a block is one of the first @last indirect blocks on the way. */
static bool path_has(const struct ext3_path *path, int last, u64 block)
{
	int k;

	for (k = 1; k <= last; k++)
		if (path->bh[k]->b_blocknr == block)
			return true;
	return false;
}

/**
 * ext3_paths_apart - whether two files can be changed along these ways
 * @a: a way in one file
 * @b: a way in another
 *
 * Return: 0, or -EUCLEAN after a report: an indirect block is both files', so
 * that a change of one would change the other.
 */
int ext3_paths_apart(const struct ext3_path *a, const struct ext3_path *b)
{
	int k;

	for (k = 1; k <= a->found; k++)
		if (path_has(b, b->found, a->bh[k]->b_blocknr))
			return ext4_abi_report(b->inode, a->bh[k]->b_blocknr,
					       "indirect block of two files");
	return 0;
}

/**
 * ext3_slots_sound - whether the blocks that slots point at may change hands
 * @path: a way on which the slots lie
 * @k: in its k-th block
 * @slots: the first of them
 * @count: how many
 * @other: the way to the same place in the other file
 *
 * Return: 0, or -EUCLEAN after a report: a pointer can't be right, or it leads
 * to an indirect block above it, or to one of the other file. As the donor's
 * such a block would be freed while a file still finds its own blocks by it.
 */
int ext3_slots_sound(const struct ext3_path *path, int k, __le32 *slots, unsigned int count,
		     const struct ext3_path *other)
{
	unsigned int i;
	int err;

	err = ext4_abi_check_pointers(path->inode, slots, count);
	for (i = 0; !err && i < count; i++) {
		u32 block = le32_to_cpu(slots[i]);

		if (block && (path_has(path, k, block) || path_has(other, other->found, block)))
			err = ext4_abi_report(path->inode, block, "indirect block below itself");
	}
	return err;
}

/* Goes on from path->found as far as the tree does. */
int ext3_path_down(struct ext3_path *path)
{
	while (path->found < path->depth) {
		__le32 *slot = ext3_path_slot(path, path->found);
		struct buffer_head *bh;
		int err;

		if (!*slot)
			return 0;
		err = ext4_abi_check_pointers(path->inode, slot, 1);
		if (err)
			return err;
		if (path_has(path, path->found, le32_to_cpu(*slot)))
			return ext4_abi_report(path->inode, le32_to_cpu(*slot),
					       "indirect block below itself");
		bh = ext3_bread(path->inode->i_sb, le32_to_cpu(*slot));
		if (!bh)
			return -EIO;
		path->bh[++path->found] = bh;
	}
	return 0;
}

/**
 * ext3_path_walk - find the way to the slot of a logical block
 * @inode: a block-mapped file, its i_data_sem held
 * @lblk: logical block, less than ext3_max_blocks()
 * @path: filled in; to be given back with ext3_path_release(), also on error
 *
 * Return: 0, path->found then says how far the tree goes; -EIO; -EUCLEAN after
 * a report where a pointer on the way can't be right.
 */
int ext3_path_walk(struct inode *inode, u64 lblk, struct ext3_path *path)
{
	struct super_block *sb = inode->i_sb;
	u64 rest;
	int k;

	memset(path, 0, sizeof(*path));
	path->inode = inode;
	path->lblk = lblk;
	while (lblk >= depth_first(sb, path->depth + 1))
		path->depth++;
	rest = lblk - depth_first(sb, path->depth);
	path->offset[0] = path->depth ? EXT4_ABI_NDIR + path->depth - 1 : rest;
	for (k = path->depth; k > 0; k--) {
		path->offset[k] = rest & (ext3_pointers(sb) - 1);
		rest >>= ilog2(ext3_pointers(sb));
	}
	return ext3_path_down(path);
}

void ext3_path_release(struct ext3_path *path)
{
	int k;

	for (k = 1; k <= path->found; k++) {
		brelse(path->bh[k]);
		path->bh[k] = NULL;
	}
	path->found = 0;
}

/* First logical block of the leaf that maps path->lblk, there or not. */
u64 ext3_path_leaf_first(const struct ext3_path *path)
{
	return path->depth ? path->lblk - path->offset[path->depth] : 0;
}

/* How many slots that leaf has. */
unsigned int ext3_path_leaf_count(const struct ext3_path *path)
{
	return path->depth ? ext3_pointers(path->inode->i_sb) : EXT4_ABI_NDIR;
}

/* Where the subtree ends that is missing on the way: all up to there is a hole. */
u64 ext3_path_hole_end(const struct ext3_path *path)
{
	struct super_block *sb = path->inode->i_sb;
	u64 first = depth_first(sb, path->depth);
	/* The missing block's pointer stands this far above the data. */
	u64 span = blocks_below(sb, path->depth - path->found);

	return first + ((path->lblk - first) & ~(span - 1)) + span;
}

/* In the order in which ext4 takes two. */
static void sort_maps(struct inode **a, struct inode **b)
{
	if (ext4_abi_i_data_sem(*a) > ext4_abi_i_data_sem(*b))
		swap(*a, *b);
}

/* Both maps for a change. */
void ext3_lock_maps(struct inode *a, struct inode *b)
{
	sort_maps(&a, &b);
	down_write(ext4_abi_i_data_sem(a));
	down_write_nested(ext4_abi_i_data_sem(b), SINGLE_DEPTH_NESTING);
}

void ext3_unlock_maps(struct inode *a, struct inode *b)
{
	up_write(ext4_abi_i_data_sem(a));
	up_write(ext4_abi_i_data_sem(b));
}

/* Both maps for a look. */
void ext3_lock_maps_shared(struct inode *a, struct inode *b)
{
	sort_maps(&a, &b);
	down_read(ext4_abi_i_data_sem(a));
	down_read_nested(ext4_abi_i_data_sem(b), SINGLE_DEPTH_NESTING);
}

void ext3_unlock_maps_shared(struct inode *a, struct inode *b)
{
	up_read(ext4_abi_i_data_sem(a));
	up_read(ext4_abi_i_data_sem(b));
}
