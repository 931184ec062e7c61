// SPDX-License-Identifier: GPL-2.0-only
/*
 * data/alloc and metadata/alloc: blocks for a donor, from its goal on.
 *
 * Each indirect block is allocated right before the first block below it, so
 * that one request on an empty donor gives the layout in which a file is read:
 * 12 data, IND, data, DIND, IND, data. Each is linked as soon as it is allocated.
 * An empty indirect block is valid, so a request that ends early, wherever that
 * is, leaves a valid tree.
 *
 * What a block held before must never be seen. The blocks of a donor are not
 * zeroed, since a reloc overwrites them with its copy; so a donor is sealed when
 * it gets the first of them (host/donor.c). For any other file the blocks are
 * zeroed on disk before they are mapped.
 */
#include <linux/blkdev.h>
#include <linux/buffer_head.h>
#include <linux/fs.h>
#include <linux/sched/signal.h>

#include "indirect.h"

/*
 * Credits of one allocation step: bitmap and group descriptor for up to three
 * indirect blocks and one run of data (8); the three new indirect blocks and
 * one that was there (4); the inode and the superblock (2); three kinds of
 * quota, with the blocks that a new entry in the quota tree may take (18).
 */
#define ALLOC_CREDITS 32

/* From the goal on, within the goal's group: the allocator gives no more at once. */
static u64 alloc_run(handle_t *handle, struct meta_request *req, unsigned long *count, int *err)
{
	struct inode *inode = req->inode;
	struct meta_geometry geo;
	u64 goal = READ_ONCE(req->state->goal);
	u64 block, left;

	ext4_abi_geometry(inode->i_sb, &geo);
	if (!goal)
		goal = ext4_abi_default_goal(inode);
	if (goal >= geo.first_block && goal < geo.blocks) {
		left = geo.blocks_per_group - (u32)(goal - geo.first_block) % geo.blocks_per_group;
		*count = min_t(u64, *count, min(left, geo.blocks - goal));
	}
	*err = 0;
	block = ext4_abi_new_blocks(handle, inode, goal, count, err);
	if (*err)
		return 0;
	/* A pointer has 32 bits. */
	if (WARN_ON_ONCE(block + *count > (u64)U32_MAX + 1)) {
		ext4_abi_free_blocks(handle, inode, block, *count);
		*err = -ENOSPC;
		return 0;
	}
	goal = block + *count;
	WRITE_ONCE(req->state->goal, goal < geo.blocks ? goal : 0);
	return block;
}

/* The block that holds slot k of the branch is about to change. */
static int slot_access(struct e3m_change *change, struct e3m_branch *branch, int k)
{
	return k ? e3m_change_buffer(change, branch->bh[k]) : 0;
}

/* It has changed. The inode's own slots go with the inode. */
static void slot_dirty(struct e3m_change *change, struct e3m_branch *branch, int k)
{
	if (k)
		e3m_change_dirty(change, branch->bh[k]);
}

/* A new indirect block, empty, below the last one that is there. */
static int alloc_level(struct e3m_change *change, struct meta_request *req,
		       struct e3m_branch *branch)
{
	struct super_block *sb = req->inode->i_sb;
	unsigned long count = 1;
	int k = branch->found;
	struct buffer_head *bh;
	u64 block;
	int err;

	err = slot_access(change, branch, k);
	if (err)
		return err;
	block = alloc_run(change->handle, req, &count, &err);
	if (err)
		return err;
	bh = sb_getblk(sb, block);
	if (!bh) {
		err = -ENOMEM;
		goto err_block;
	}
	lock_buffer(bh);
	err = jbd2_journal_get_create_access(change->handle, bh);
	if (err) {
		unlock_buffer(bh);
		goto err_bh;
	}
	memset(bh->b_data, 0, sb->s_blocksize);
	set_buffer_uptodate(bh);
	unlock_buffer(bh);

	e3m_change_begin(change);
	*e3m_branch_slot(branch, k) = cpu_to_le32(block);
	branch->bh[++branch->found] = bh;
	e3m_change_dirty(change, bh);
	slot_dirty(change, branch, k);
	return 0;

err_bh:
	brelse(bh);
err_block:
	ext4_abi_free_blocks(change->handle, req->inode, block, 1);
	return err;
}

/* Zeroes reach the disk before the pointers that make them readable. */
static int zero_blocks(struct super_block *sb, u64 block, unsigned long count)
{
	int err;

	err = e3m_change_possible(sb);
	if (!err)
		err = sb_issue_zeroout(sb, block, count, GFP_NOFS);
	return err ?: e3m_change_flush(sb);
}

/* Data blocks from req->pos on, in one run within one leaf. *got: how many. */
static int alloc_data(struct e3m_change *change, struct meta_request *req,
		      struct e3m_branch *branch, u64 want, bool zero, unsigned long *got)
{
	struct inode *inode = req->inode;
	int leaf = branch->depth;
	unsigned int room =
		e3m_branch_leaf_count(branch) - (req->pos - e3m_branch_leaf_first(branch));
	__le32 *slots = e3m_branch_slot(branch, leaf);
	unsigned long count = 0;
	unsigned long i;
	u64 block;
	int err;

	while (count < min_t(u64, want, room) && !slots[count])
		count++;
	if (!count)
		return -EEXIST;
	err = slot_access(change, branch, leaf);
	if (err)
		return err;
	block = alloc_run(change->handle, req, &count, &err);
	if (err)
		return err;
	/* The block device's cache may still have the block from when it was metadata. */
	clean_bdev_aliases(inode->i_sb->s_bdev, block, count);
	if (zero)
		err = zero_blocks(inode->i_sb, block, count);
	if (!err)
		err = e3m_change_forget(change, req->pos, count);
	if (err) {
		ext4_abi_free_blocks(change->handle, inode, block, count);
		return err;
	}

	/* What is not zeroed must be out of reach before it can be found. */
	if (!zero)
		e3m_donor_given(inode, req->state);
	e3m_change_begin(change);
	for (i = 0; i < count; i++)
		slots[i] = cpu_to_le32(block + i);
	slot_dirty(change, branch, leaf);
	*got = count;
	return 0;
}

/* Exactly the indirect block of @level, above req->pos. */
static int alloc_one_level(struct e3m_change *change, struct meta_request *req,
			   struct e3m_branch *branch, u32 level)
{
	int k = branch->depth - (int)level;

	if (level > branch->depth)
		return -EINVAL;
	if (branch->found > k)
		return -EEXIST;
	if (branch->found < k)
		return -ENOENT;
	return alloc_level(change, req, branch);
}

/*
 * One transaction's worth. @level 0 allocates data and what is missing above
 * it; any other level exactly that indirect block.
 */
static int alloc_step(struct meta_request *req, u32 level, u64 want, bool zero, unsigned long *got)
{
	struct inode *inode = req->inode;
	struct e3m_change change;
	struct e3m_branch branch;
	int err;

	err = e3m_change_start(&change, inode, NULL, ALLOC_CREDITS);
	if (err)
		return err;
	/* What is allocated is charged to the inode. */
	err = e3m_change_inodes(&change);
	if (err)
		goto out;
	down_write(ext4_abi_i_data_sem(inode));
	err = e3m_branch_read(inode, req->pos, &branch);
	if (!err && level)
		err = alloc_one_level(&change, req, &branch, level);
	while (!err && !level && branch.found < branch.depth)
		err = alloc_level(&change, req, &branch);
	if (!err && !level)
		err = alloc_data(&change, req, &branch, want, zero, got);
	e3m_branch_release(&branch);
	up_write(ext4_abi_i_data_sem(inode));
out:
	return e3m_change_stop(&change, err);
}

int e3m_indirect_alloc(struct meta_request *req, u64 count)
{
	u64 done = 0;
	int err = 0;

	while (done < count) {
		unsigned long got = 0;
		u64 want = min_t(u64, count - done, E3M_STEP_MAX);
		bool zero;

		if (fatal_signal_pending(current)) {
			err = -EINTR;
			break;
		}
		err = e3m_alloc_lock(req, count - done, want, &zero);
		if (err)
			break;
		err = alloc_step(req, 0, want, zero, &got);
		e3m_alloc_unlock(req);
		req->pos += got;
		done += got;
		if (err)
			break;
		cond_resched();
	}
	/* A request that was done in part succeeds; the next one gets the error again. */
	return done ? 0 : err;
}

int e3m_indirect_metadata_alloc(struct meta_request *req, u32 level)
{
	unsigned long got;
	bool zero;
	int err;

	err = e3m_alloc_lock(req, 1, 1, &zero);
	if (err)
		return err;
	err = alloc_step(req, level, 0, zero, &got);
	e3m_alloc_unlock(req);
	return err;
}
