// SPDX-License-Identifier: GPL-2.0-only
/*
 * Both files of a reloc, locked and looked at, and held until nothing can
 * happen any more to what they gave each other.
 */
#include <linux/fs.h>
#include <linux/mount.h>

#include "host.h"

/**
 * e3m_pair_lock - lock the files of a reloc and look at them again
 * @req: the request; its inode is the original
 * @donor: another inode of the same host
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

	if (inode == donor)
		return -EINVAL;
	/* Directories have locks of another class: nothing else than files is locked here. */
	err = e3m_refuse(inode, req->state, E3M_ORIGINAL, &why);
	if (!err)
		err = e3m_refuse(donor, donor_state, E3M_DONOR, &why);
	if (!err)
		err = mnt_want_write(req->host->path.mnt);
	if (err)
		return err;

	lock_two_nondirectories(inode, donor);
	err = e3m_refuse(inode, req->state, E3M_ORIGINAL, &why);
	if (!err)
		err = e3m_refuse(donor, donor_state, E3M_DONOR, &why);
	if (err)
		goto err_inodes;
	inode_dio_wait(inode);
	inode_dio_wait(donor);
	filemap_invalidate_lock_two(inode->i_mapping, donor->i_mapping);
	/* A donor has no size, so nothing can be cached of it. */
	err = -EBUSY;
	if (donor->i_mapping->nrpages)
		goto err_mappings;
	return 0;

err_mappings:
	filemap_invalidate_unlock_two(inode->i_mapping, donor->i_mapping);
err_inodes:
	unlock_two_nondirectories(inode, donor);
	mnt_drop_write(req->host->path.mnt);
	return err;
}

void e3m_pair_unlock(struct meta_request *req, struct inode *donor)
{
	filemap_invalidate_unlock_two(req->inode->i_mapping, donor->i_mapping);
	unlock_two_nondirectories(req->inode, donor);
	mnt_drop_write(req->host->path.mnt);
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
