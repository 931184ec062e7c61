// SPDX-License-Identifier: GPL-2.0-only
/*
 * metadata/reloc: two indirect blocks change places. Each file keeps its own
 * pointers; contents and places are swapped in one transaction. Both blocks
 * are journaled, so there is no order of writes to keep.
 */
#include <linux/buffer_head.h>
#include <linux/fs.h>
#include <linux/slab.h>

#include "../host/host.h"

/* Two indirect blocks, two parents, and the inodes where those are the parents. */
#define META_RELOC_CREDITS 8

struct side {
	struct inode *inode;
	struct ext3_path path;
	int k; /* the block is path.bh[k]; its pointer stands in block k - 1 */
};

static int side_walk(struct side *side, u64 lblk, u32 level)
{
	int err;

	err = ext3_path_walk(side->inode, lblk, &side->path);
	if (err)
		return err;
	if (level > side->path.depth)
		return -EINVAL;
	side->k = side->path.depth - level + 1;
	return side->path.found >= side->k ? 0 : -ENOENT;
}

/* The block itself, and the one with its pointer in it, where that is not the inode. */
static int side_access(struct ext3_change *change, struct side *side)
{
	int err;

	err = ext3_change_buffer(change, side->path.bh[side->k]);
	if (!err && side->k > 1)
		err = ext3_change_buffer(change, side->path.bh[side->k - 1]);
	return err;
}

static void side_dirty(struct ext3_change *change, struct side *side)
{
	ext3_change_dirty(change, side->path.bh[side->k]);
	if (side->k > 1)
		ext3_change_dirty(change, side->path.bh[side->k - 1]);
}

static int swap_blocks(struct ext3_change *change, struct side *a, struct side *b, void *spare)
{
	size_t size = a->inode->i_sb->s_blocksize;
	char *data_a = a->path.bh[a->k]->b_data;
	char *data_b = b->path.bh[b->k]->b_data;
	__le32 *slot_a = ext3_path_slot(&a->path, a->k - 1);
	__le32 *slot_b = ext3_path_slot(&b->path, b->k - 1);
	unsigned int pointers = ext3_pointers(a->inode->i_sb);
	int err;

	/* What is no indirect block at all, since another file wrote its data to it, shows here. */
	err = ext3_paths_apart(&a->path, &b->path);
	if (!err)
		err = ext3_slots_sound(&a->path, a->k, (__le32 *)data_a, pointers, &b->path);
	if (!err)
		err = ext3_slots_sound(&b->path, b->k, (__le32 *)data_b, pointers, &a->path);
	if (!err)
		err = side_access(change, a);
	if (!err)
		err = side_access(change, b);
	/* The pointers to the topmost blocks stand in the inodes. */
	if (!err && a->k == 1)
		err = ext3_change_inodes(change);
	if (err)
		return err;

	ext3_change_begin(change);
	memcpy(spare, data_a, size);
	memcpy(data_a, data_b, size);
	memcpy(data_b, spare, size);
	swap(*slot_a, *slot_b);
	side_dirty(change, a);
	side_dirty(change, b);
	return 0;
}

int ext3_metadata_reloc(struct meta_request *req, struct inode *donor,
			struct meta_state *donor_state, u32 level)
{
	struct side a = { .inode = req->inode };
	struct side b = { .inode = donor };
	struct ext3_change change;
	void *spare;
	u32 tid;
	int err;

	if (!level)
		return -EINVAL;
	spare = kmalloc(req->inode->i_sb->s_blocksize, GFP_KERNEL);
	if (!spare)
		return -ENOMEM;
	err = ext3_pair_lock(req, donor, donor_state);
	if (err)
		goto out_spare;
	err = ext3_change_start(&change, a.inode, b.inode, META_RELOC_CREDITS);
	if (err)
		goto out_pair;
	ext3_lock_maps(a.inode, b.inode);
	err = side_walk(&a, req->pos, level);
	if (!err)
		err = side_walk(&b, req->pos, level);
	if (!err)
		err = swap_blocks(&change, &a, &b, spare);
	ext3_unlock_maps(a.inode, b.inode);
	ext3_path_release(&a.path);
	ext3_path_release(&b.path);
	tid = change.handle->h_transaction->t_tid;
	err = ext3_change_stop(&change, err);
out_pair:
	ext3_pair_unlock(req, donor);
	if (!err)
		ext3_pair_settle(req, tid);
out_spare:
	kfree(spare);
	return err;
}
