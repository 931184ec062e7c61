// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tree of indirect blocks of one inode. A branch is the way from the inode
 * through the indirect blocks to the pointer, or slot, of one logical block.
 *
 * The caller holds i_data_sem, shared to read and exclusive to change. Every
 * pointer is checked before it is followed. A pointer to an indirect block of
 * the same branch is an error: a change of that block would change two levels
 * of the tree at once.
 */
#include <linux/buffer_head.h>
#include <linux/fs.h>

#include "indirect.h"

/* The number of blocks that a pointer maps which is @levels above the data. */
static u64 blocks_below(const struct super_block *sb, int levels)
{
	u64 blocks = 1;

	while (levels--)
		blocks *= e3m_addr_per_block(sb);
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

/* The slot of the branch in its k-th block; 0 is the inode. */
__le32 *e3m_branch_slot(const struct e3m_branch *branch, int k)
{
	__le32 *slots = k ? (__le32 *)branch->bh[k]->b_data : ext4_abi_i_data(branch->inode);

	return slots + branch->offset[k];
}

/* Whether a block is one of the first @last indirect blocks of the branch. */
static bool branch_has(const struct e3m_branch *branch, int last, u64 block)
{
	int k;

	for (k = 1; k <= last; k++)
		if (branch->bh[k]->b_blocknr == block)
			return true;
	return false;
}

/**
 * e3m_branches_disjoint - whether branches of two files have no block in common
 * @a: a branch of one file
 * @b: a branch of the other
 *
 * Return: 0, or -EUCLEAN after a report: an indirect block is in both, so that
 * a change of one file would change the other.
 */
int e3m_branches_disjoint(const struct e3m_branch *a, const struct e3m_branch *b)
{
	int k;

	for (k = 1; k <= a->found; k++)
		if (branch_has(b, b->found, a->bh[k]->b_blocknr))
			return ext4_abi_report(b->inode, a->bh[k]->b_blocknr,
					       "indirect block of two files");
	return 0;
}

/**
 * e3m_check_blockrefs - whether the blocks that slots point at may become another file's
 * @branch: the branch that the slots lie on
 * @k: in its k-th block
 * @slots: the first of them
 * @count: how many
 * @other: the branch to the same place in the other file
 *
 * Return: 0, or -EUCLEAN after a report: a pointer can't be right, or it leads
 * to an indirect block above it, or to one of the other file. Such a block would
 * be freed with the donor while a file still uses it as an indirect block.
 */
int e3m_check_blockrefs(const struct e3m_branch *branch, int k, __le32 *slots, unsigned int count,
			const struct e3m_branch *other)
{
	unsigned int i;
	int err;

	err = ext4_abi_check_pointers(branch->inode, slots, count);
	for (i = 0; !err && i < count; i++) {
		u32 block = le32_to_cpu(slots[i]);

		if (block &&
		    (branch_has(branch, k, block) || branch_has(other, other->found, block)))
			err = ext4_abi_report(branch->inode, block, "indirect block below itself");
	}
	return err;
}

/* Goes on from branch->found as far as the tree does. */
static int branch_read_down(struct e3m_branch *branch)
{
	while (branch->found < branch->depth) {
		__le32 *slot = e3m_branch_slot(branch, branch->found);
		struct buffer_head *bh;
		int err;

		if (!*slot)
			return 0;
		err = ext4_abi_check_pointers(branch->inode, slot, 1);
		if (err)
			return err;
		if (branch_has(branch, branch->found, le32_to_cpu(*slot)))
			return ext4_abi_report(branch->inode, le32_to_cpu(*slot),
					       "indirect block below itself");
		bh = e3m_bread(branch->inode->i_sb, le32_to_cpu(*slot));
		if (!bh)
			return -EIO;
		branch->bh[++branch->found] = bh;
	}
	return 0;
}

/**
 * e3m_branch_read - read the branch to the slot of a logical block
 * @inode: a block-mapped file, its i_data_sem held
 * @lblk: logical block, less than e3m_max_blocks()
 * @branch: filled in; to be given back with e3m_branch_release(), also on error
 *
 * Return: 0, branch->found then says how far the tree goes; -EIO; -EUCLEAN after
 * a report where a pointer on the way can't be right.
 */
int e3m_branch_read(struct inode *inode, u64 lblk, struct e3m_branch *branch)
{
	struct super_block *sb = inode->i_sb;
	u64 rest;
	int k;

	memset(branch, 0, sizeof(*branch));
	branch->inode = inode;
	branch->lblk = lblk;
	while (lblk >= depth_first(sb, branch->depth + 1))
		branch->depth++;
	rest = lblk - depth_first(sb, branch->depth);
	branch->offset[0] = branch->depth ? EXT4_ABI_NDIR + branch->depth - 1 : rest;
	for (k = branch->depth; k > 0; k--) {
		branch->offset[k] = rest & (e3m_addr_per_block(sb) - 1);
		rest >>= ilog2(e3m_addr_per_block(sb));
	}
	return branch_read_down(branch);
}

void e3m_branch_release(struct e3m_branch *branch)
{
	int k;

	for (k = 1; k <= branch->found; k++) {
		brelse(branch->bh[k]);
		branch->bh[k] = NULL;
	}
	branch->found = 0;
}

/* First logical block of the leaf that maps branch->lblk, there or not. */
u64 e3m_branch_leaf_first(const struct e3m_branch *branch)
{
	return branch->depth ? branch->lblk - branch->offset[branch->depth] : 0;
}

/* How many slots that leaf has. */
unsigned int e3m_branch_leaf_count(const struct e3m_branch *branch)
{
	return branch->depth ? e3m_addr_per_block(branch->inode->i_sb) : EXT4_ABI_NDIR;
}

/* The end of the hole: of the subtree that is missing below the last block found. */
u64 e3m_branch_hole_end(const struct e3m_branch *branch)
{
	struct super_block *sb = branch->inode->i_sb;
	u64 first = depth_first(sb, branch->depth);
	/* The number of blocks that the empty pointer would map. */
	u64 span = blocks_below(sb, branch->depth - branch->found);

	return first + ((branch->lblk - first) & ~(span - 1)) + span;
}
