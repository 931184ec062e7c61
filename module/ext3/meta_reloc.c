// SPDX-License-Identifier: GPL-2.0-only
/*
 * metadata/reloc: two indirect blocks change places. Each file keeps its own
 * pointers; contents and places are swapped in one transaction. Both blocks
 * are journaled, so there is no order of writes to keep.
 */
#include <linux/buffer_head.h>
#include <linux/fs.h>
#include <linux/slab.h>

#include "ext3.h"

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

static int side_write_access(handle_t *handle, struct side *side)
{
	int err;

	err = jbd2_journal_get_write_access(handle, side->path.bh[side->k]);
	if (!err && side->k > 1)
		err = jbd2_journal_get_write_access(handle, side->path.bh[side->k - 1]);
	return err;
}

static int side_dirty(handle_t *handle, struct side *side)
{
	int err;

	err = jbd2_journal_dirty_metadata(handle, side->path.bh[side->k]);
	if (!err && side->k > 1)
		err = jbd2_journal_dirty_metadata(handle, side->path.bh[side->k - 1]);
	return err;
}

static int swap_blocks(handle_t *handle, struct side *a, struct side *b, void *spare)
{
	size_t size = a->inode->i_sb->s_blocksize;
	char *data_a = a->path.bh[a->k]->b_data;
	char *data_b = b->path.bh[b->k]->b_data;
	__le32 *slot_a = ext3_path_slot(&a->path, a->k - 1);
	__le32 *slot_b = ext3_path_slot(&b->path, b->k - 1);
	unsigned int pointers = ext3_pointers(a->inode->i_sb);
	int err, err2;

	/* What is no indirect block at all, since another file wrote its data to it, shows here. */
	err = ext3_paths_apart(&a->path, &b->path);
	if (!err)
		err = ext3_slots_sound(&a->path, a->k, (__le32 *)data_a, pointers, &b->path);
	if (!err)
		err = ext3_slots_sound(&b->path, b->k, (__le32 *)data_b, pointers, &a->path);
	if (!err)
		err = side_write_access(handle, a);
	if (!err)
		err = side_write_access(handle, b);
	if (err)
		return err;

	memcpy(spare, data_a, size);
	memcpy(data_a, data_b, size);
	memcpy(data_b, spare, size);
	swap(*slot_a, *slot_b);
	ext4_abi_fc_ineligible(handle, a->inode->i_sb);

	err = side_dirty(handle, a);
	/* cppcheck-suppress unreadVariable ; it doesn't know a ?: b */
	err2 = side_dirty(handle, b);
	return err ?: err2;
}

int ext3_metadata_reloc(struct meta_request *req, struct inode *donor,
			struct meta_state *donor_state, u32 level)
{
	struct side a = { .inode = req->inode };
	struct side b = { .inode = donor };
	handle_t *handle;
	void *spare;
	int err, err2;

	if (!level)
		return -EINVAL;
	spare = kmalloc(req->inode->i_sb->s_blocksize, GFP_KERNEL);
	if (!spare)
		return -ENOMEM;
	err = ext3_pair_lock(req, donor, donor_state);
	if (err)
		goto err_spare;
	handle = ext4_abi_journal_start(a.inode, META_RELOC_CREDITS);
	if (IS_ERR(handle)) {
		err = PTR_ERR(handle);
		goto err_pair;
	}
	ext3_lock_maps(a.inode, b.inode);
	err = side_walk(&a, req->pos, level);
	if (!err)
		err = side_walk(&b, req->pos, level);
	if (!err)
		err = swap_blocks(handle, &a, &b, spare);
	ext3_unlock_maps(a.inode, b.inode);
	/* The pointers to the topmost blocks stand in the inodes. */
	if (!err && a.k == 1) {
		err = ext4_abi_mark_inode_dirty(handle, a.inode);
		err2 = ext4_abi_mark_inode_dirty(handle, b.inode);
		err = err ?: err2;
	}
	ext3_path_release(&a.path);
	ext3_path_release(&b.path);
	err2 = ext4_abi_journal_stop(handle);
	err = err ?: err2;
err_pair:
	ext3_pair_unlock(req, donor);
err_spare:
	kfree(spare);
	return err;
}
