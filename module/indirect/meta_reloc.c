// SPDX-License-Identifier: GPL-2.0-only
/*
 * metadata/reloc: two indirect blocks change places. In one transaction their
 * contents are swapped, and the pointers to them; so each file keeps the
 * pointers that it had, in another block. Both blocks are journaled, so the
 * order of writes doesn't matter.
 */
#include <linux/buffer_head.h>
#include <linux/fs.h>
#include <linux/slab.h>

#include "indirect.h"

/* Two indirect blocks, two parents, and the inodes where those are the parents. */
#define META_RELOC_CREDITS 8

struct side {
	struct inode *inode;
	struct e3m_branch branch;
	int k; /* the block is branch.bh[k]; its pointer stands in block k - 1 */
};

static int side_walk(struct side *side, u64 lblk, u32 level)
{
	int err;

	err = e3m_branch_read(side->inode, lblk, &side->branch);
	if (err)
		return err;
	if (level > side->branch.depth)
		return -EINVAL;
	side->k = side->branch.depth - level + 1;
	return side->branch.found >= side->k ? 0 : -ENOENT;
}

/* The block itself, and the one with its pointer in it, where that is not the inode. */
static int side_access(struct e3m_change *change, struct side *side)
{
	int err;

	err = e3m_change_buffer(change, side->branch.bh[side->k]);
	if (!err && side->k > 1)
		err = e3m_change_buffer(change, side->branch.bh[side->k - 1]);
	return err;
}

static void side_dirty(struct e3m_change *change, struct side *side)
{
	e3m_change_dirty(change, side->branch.bh[side->k]);
	if (side->k > 1)
		e3m_change_dirty(change, side->branch.bh[side->k - 1]);
}

static int swap_blocks(struct e3m_change *change, struct side *a, struct side *b, void *spare)
{
	size_t size = a->inode->i_sb->s_blocksize;
	char *data_a = a->branch.bh[a->k]->b_data;
	char *data_b = b->branch.bh[b->k]->b_data;
	__le32 *slot_a = e3m_branch_slot(&a->branch, a->k - 1);
	__le32 *slot_b = e3m_branch_slot(&b->branch, b->k - 1);
	unsigned int pointers = e3m_addr_per_block(a->inode->i_sb);
	int err;

	/* Here it shows if another file wrote its data over what should be an indirect block. */
	err = e3m_branches_disjoint(&a->branch, &b->branch);
	if (!err)
		err = e3m_check_blockrefs(&a->branch, a->k, (__le32 *)data_a, pointers, &b->branch);
	if (!err)
		err = e3m_check_blockrefs(&b->branch, b->k, (__le32 *)data_b, pointers, &a->branch);
	if (!err)
		err = side_access(change, a);
	if (!err)
		err = side_access(change, b);
	/* The pointers to the topmost blocks stand in the inodes. */
	if (!err && a->k == 1)
		err = e3m_change_inodes(change);
	if (err)
		return err;

	e3m_change_begin(change);
	memcpy(spare, data_a, size);
	memcpy(data_a, data_b, size);
	memcpy(data_b, spare, size);
	swap(*slot_a, *slot_b);
	side_dirty(change, a);
	side_dirty(change, b);
	return 0;
}

int e3m_indirect_metadata_reloc(struct meta_request *req, struct inode *donor,
				struct meta_state *donor_state, u32 level)
{
	struct side a = { .inode = req->inode };
	struct side b = { .inode = donor };
	struct e3m_change change;
	void *spare;
	u32 tid;
	int err;

	spare = kmalloc(req->inode->i_sb->s_blocksize, GFP_KERNEL);
	if (!spare)
		return -ENOMEM;
	err = e3m_pair_lock(req, donor, donor_state);
	if (err)
		goto out_spare;
	err = e3m_change_start(&change, a.inode, b.inode, META_RELOC_CREDITS);
	if (err)
		goto out_pair;
	e3m_lock_maps(a.inode, b.inode);
	err = side_walk(&a, req->pos, level);
	if (!err)
		err = side_walk(&b, req->pos, level);
	if (!err)
		err = swap_blocks(&change, &a, &b, spare);
	e3m_unlock_maps(a.inode, b.inode);
	e3m_branch_release(&a.branch);
	e3m_branch_release(&b.branch);
	tid = change.handle->h_transaction->t_tid;
	err = e3m_change_stop(&change, err);
out_pair:
	e3m_pair_unlock(req, donor);
	if (!err)
		e3m_pair_settle(req, tid);
out_spare:
	kfree(spare);
	return err;
}
