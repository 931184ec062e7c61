// SPDX-License-Identifier: GPL-2.0-only
/*
 * The locks of a request: of the file of an alloc, or of both files of a reloc.
 * Each file is checked again under its locks. A reloc may also have to wait for
 * a commit before it gives back the donor: e3m_pair_settle().
 */
#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/quotaops.h>

#include "host.h"

/**
 * e3m_alloc_lock - lock the file of an alloc and look at it again
 * @req: the request; blocks are to be added to its inode from its position on
 * @count: how many the request still wants
 * @step: how many of them are added under these locks
 * @zero: set to whether they must be zeroed before they are mapped
 *
 * Return: 0; otherwise nothing is locked and the errno says why.
 */
int e3m_alloc_lock(struct meta_request *req, u64 count, u64 step, bool *zero)
{
	struct inode *inode = req->inode;
	u8 bits = inode->i_blkbits;
	const char *why;
	int err;

	/* The locks of directories have another class. */
	err = e3m_refuse(inode, req->state, E3M_ALLOCATEE, &why);
	if (!err)
		err = e3m_wait_write_access(req);
	if (err)
		return err;
	err = e3m_wait_inode_lock(req, inode);
	if (err)
		goto err_write;
	err = e3m_refuse(inode, req->state, E3M_ALLOCATEE, &why);
	if (err)
		goto err_inode;
	err = ext4_abi_never_inline(inode);
	if (!err)
		err = dquot_initialize(inode);
	if (err)
		goto err_inode;
	*zero = !e3m_is_donor(inode);
	/*
	 * A named file keeps no blocks past its end: e2fsck would take them for
	 * a size that was lost.
	 */
	err = -EINVAL;
	if (inode->i_nlink &&
	    req->pos + count > DIV_ROUND_UP_ULL(i_size_read(inode), i_blocksize(inode)))
		goto err_inode;
	err = e3m_wait_no_dio(req, inode);
	if (!err)
		err = e3m_wait_mapping_lock(req, inode);
	if (err)
		goto err_inode;
	/* Delayed allocation has reserved blocks for this range, and must allocate them itself. */
	err = filemap_write_and_wait_range(inode->i_mapping, req->pos << bits,
					   ((req->pos + step) << bits) - 1);
	if (err)
		goto err_mapping;
	return 0;

err_mapping:
	filemap_invalidate_unlock(inode->i_mapping);
err_inode:
	inode_unlock(inode);
err_write:
	mnt_drop_write(req->host->path.mnt);
	return err;
}

void e3m_alloc_unlock(struct meta_request *req)
{
	filemap_invalidate_unlock(req->inode->i_mapping);
	inode_unlock(req->inode);
	mnt_drop_write(req->host->path.mnt);
}

/* Both locks of one kind, or none. Neither is queued for, so that their order does not matter. */
static int pair_lock_inodes(struct meta_request *req, struct inode *donor)
{
	int err;

	err = e3m_wait_inode_lock(req, req->inode);
	if (err)
		return err;
	err = e3m_wait_inode_lock(req, donor);
	if (err)
		inode_unlock(req->inode);
	return err;
}

static int pair_lock_mappings(struct meta_request *req, struct inode *donor)
{
	int err;

	err = e3m_wait_mapping_lock(req, req->inode);
	if (err)
		return err;
	err = e3m_wait_mapping_lock(req, donor);
	if (err)
		filemap_invalidate_unlock(req->inode->i_mapping);
	return err;
}

/**
 * e3m_pair_lock - lock the files of a reloc and look at them again
 * @req: the request; its inode is the original
 * @donor: another inode of the same host, which the caller has made sure of
 * @donor_state: what is remembered of it
 *
 * Return: 0; otherwise nothing is locked and the errno says why.
 */
int e3m_pair_lock(struct meta_request *req, struct inode *donor,
		  const struct meta_state *donor_state)
{
	struct inode *inode = req->inode;
	const char *why;
	int err;

	/* Only regular files may be locked here: the locks of directories have another class. */
	err = e3m_refuse(inode, req->state, E3M_ORIGINAL, &why);
	if (!err)
		err = e3m_refuse(donor, donor_state, E3M_DONOR, &why);
	if (!err)
		err = e3m_wait_write_access(req);
	if (err)
		return err;

	err = pair_lock_inodes(req, donor);
	if (err)
		goto err_write;
	err = e3m_refuse(inode, req->state, E3M_ORIGINAL, &why);
	if (!err)
		err = e3m_refuse(donor, donor_state, E3M_DONOR, &why);
	if (err)
		goto err_inodes;
	err = e3m_wait_no_dio(req, inode);
	if (!err)
		err = e3m_wait_no_dio(req, donor);
	if (!err)
		err = pair_lock_mappings(req, donor);
	if (err)
		goto err_inodes;
	/* A donor has no size, so nothing can be cached of it. */
	err = -EBUSY;
	if (donor->i_mapping->nrpages)
		goto err_mappings;
	return 0;

err_mappings:
	filemap_invalidate_unlock_two(inode->i_mapping, donor->i_mapping);
err_inodes:
	unlock_two_nondirectories(inode, donor);
err_write:
	mnt_drop_write(req->host->path.mnt);
	return err;
}

void e3m_pair_unlock(struct meta_request *req, struct inode *donor)
{
	filemap_invalidate_unlock_two(req->inode->i_mapping, donor->i_mapping);
	unlock_two_nondirectories(req->inode, donor);
	mnt_drop_write(req->host->path.mnt);
}

/*
 * Preallocations of either file were made for where its blocks lay before the
 * swap; given back after it, never before.
 */
void e3m_pair_discard_preallocations(struct meta_request *req, struct inode *donor)
{
	struct inode *inodes[] = { req->inode, donor };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(inodes); i++) {
		down_write(ext4_abi_i_data_sem(inodes[i]));
		ext4_abi_discard_preallocations(inodes[i]);
		up_write(ext4_abi_i_data_sem(inodes[i]));
	}
}

/**
 * e3m_pair_settle - wait for the commit where the donor must not be freed before
 * @req: the request, which holds the donor until it ends
 * @tid: the transaction of its last swap
 *
 * What a donor held is free for others only when its freeing has committed,
 * with two exceptions. With data=writeback ext4 hands out data blocks at once.
 * And where the transaction can't be committed at all, ext4 takes what it
 * freed for free all the same, and discards it with the mount option discard,
 * while on the disk the file still lies there. With the swap committed first,
 * or the journal aborted so that nothing is freed, neither can happen.
 *
 * Where the commit fails without that option, fstrim(8) does the same to a
 * filesystem that has not been mounted anew: as it does to what any rename
 * over a file, or EXT4_IOC_MOVE_EXT, has freed then.
 */
void e3m_pair_settle(struct meta_request *req, u32 tid)
{
	struct super_block *sb = req->inode->i_sb;

	/* An error is the journal's end: nothing that is freed from now on reaches the disk. */
	if (ext4_abi_writes_back_data(req->inode) || e3m_discards(req->host))
		jbd2_complete_transaction(ext4_abi_journal(sb), tid);
}

/* In the order in which ext4 locks two. */
static void sort_maps(struct inode **a, struct inode **b)
{
	if (ext4_abi_i_data_sem(*a) > ext4_abi_i_data_sem(*b))
		swap(*a, *b);
}

/* Both maps, to be changed. */
void e3m_lock_maps(struct inode *a, struct inode *b)
{
	sort_maps(&a, &b);
	down_write(ext4_abi_i_data_sem(a));
	down_write_nested(ext4_abi_i_data_sem(b), SINGLE_DEPTH_NESTING);
}

void e3m_unlock_maps(struct inode *a, struct inode *b)
{
	up_write(ext4_abi_i_data_sem(a));
	up_write(ext4_abi_i_data_sem(b));
}

/* Both maps, to be read. */
void e3m_lock_maps_shared(struct inode *a, struct inode *b)
{
	sort_maps(&a, &b);
	down_read(ext4_abi_i_data_sem(a));
	down_read_nested(ext4_abi_i_data_sem(b), SINGLE_DEPTH_NESTING);
}

void e3m_unlock_maps_shared(struct inode *a, struct inode *b)
{
	up_read(ext4_abi_i_data_sem(a));
	up_read(ext4_abi_i_data_sem(b));
}
