// SPDX-License-Identifier: GPL-2.0-only
/*
 * A change of block maps in one handle, and all that it demands of ext4 and
 * the journal. data/alloc, metadata/alloc, data/reloc and metadata/reloc all
 * use it, so that none of them can leave out a part.
 *
 * Before anything is changed, all that can fail has been done:
 *
 * - Each buffer that will be written is in memory and the handle has write
 *   access to it. That includes the blocks of the inode tables that hold the
 *   inodes: they may have been evicted, and reading them again can fail. If
 *   that happened after a swap of pointers between two inodes, the inode whose
 *   block is in memory would be committed with the pointers of the other, and
 *   blocks would have two owners.
 * - The extent status of the blocks that will move is removed. It is only a
 *   cache, so that this is harmless if nothing changes in the end. But it can
 *   fail, since splitting an entry takes memory, and ext4 would write to the
 *   old place as long as the entry is there.
 *
 * After the first change there are two outcomes left: the whole change is in
 * the transaction, or the journal is aborted and no transaction with a part of
 * it is ever committed. The error handling of ext4 does not always abort the
 * journal: with errors=continue it only reports the error.
 *
 * What a change means for what others rely on:
 *
 * - fsync and fdatasync commit nothing unless a tid of the inode says that
 *   there is something to commit. Data that is written after a change goes to
 *   the new blocks and changes no metadata, so both tids must name the
 *   transaction of the change: until it is committed, a crash brings the old
 *   map back, with what the old blocks (or a hole) had before.
 * - A fast commit would not log such a change, so the transaction is marked
 *   as one that only a full commit can write. That is necessary, but it is not
 *   enough: filesystems with fast commits are refused altogether (writable.c).
 * - With an external journal the commit record goes to another device than the
 *   data. So the commit must also flush the filesystem's own device, for all
 *   that has been written there and becomes durable by this commit.
 */
#include <linux/blkdev.h>
#include <linux/buffer_head.h>
#include <linux/fs.h>
#include <linux/jbd2.h>

#include "host.h"

/**
 * e3m_change_possible - before data is written to blocks that a change will use
 * @sb: the host
 *
 * A journal that has aborted leaves the disk as the last commit had it, with
 * blocks that were freed, swapped or waited for since still where they were:
 * a wait for a transaction that has failed and is gone says nothing of it, and
 * what that transaction freed is handed out all the same. It aborts before
 * either can be seen, so that it is seen here; then nothing may be written.
 *
 * Return: 0, or -EROFS.
 */
int e3m_change_possible(struct super_block *sb)
{
	return is_journal_aborted(ext4_abi_journal(sb)) ? -EROFS : 0;
}

/**
 * e3m_change_flush - after data was written to blocks that a change will use
 * @sb: the host
 *
 * A commit record is preceded by a flush of the device that it goes to. Where
 * the journal lies elsewhere, jbd2 flushes the filesystem's own device and does
 * not look whether that worked; an asynchronous commit flushes nothing before.
 *
 * Return: 0, or the flush's error.
 */
int e3m_change_flush(struct super_block *sb)
{
	journal_t *journal = ext4_abi_journal(sb);

	if (journal->j_fs_dev == journal->j_dev && !jbd2_has_feature_async_commit(journal))
		return 0;
	return blkdev_issue_flush(sb->s_bdev);
}

/* Updates by others are locked out: otherwise the journal might never become empty. */
int e3m_empty_journal(struct super_block *sb)
{
	journal_t *journal = ext4_abi_journal(sb);
	int err;

	jbd2_journal_lock_updates(journal);
	err = jbd2_journal_flush(journal, 0);
	jbd2_journal_unlock_updates(journal);
	return err;
}

/**
 * e3m_change_start - start the handle of a change
 * @change: filled in; to be ended by e3m_change_stop() where 0 is returned
 * @inode: a file whose map will change
 * @other: another one, or NULL
 * @credits: blocks that will be written, the inodes' included
 *
 * Return: 0, or a negative errno.
 */
int e3m_change_start(struct e3m_change *change, struct inode *inode, struct inode *other,
		     int credits)
{
	*change = (struct e3m_change){
		.side = { { .inode = inode }, { .inode = other } },
		.sides = other ? 2 : 1,
	};
	change->handle = ext4_abi_journal_start(inode, credits);
	return PTR_ERR_OR_ZERO(change->handle);
}

/* The inodes themselves will change: pointers in them, or what they count. */
int e3m_change_inodes(struct e3m_change *change)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < change->sides && !err; i++) {
		struct e3m_change_side *side = &change->side[i];

		err = ext4_abi_inode_reserve(change->handle, side->inode, &side->iloc);
		side->reserved = !err;
	}
	return err;
}

/* A block of a map will change. */
int e3m_change_buffer(struct e3m_change *change, struct buffer_head *bh)
{
	return jbd2_journal_get_write_access(change->handle, bh);
}

/*
 * The places of these blocks will change, in all files of the change. i_data_sem is held for
 * writing until that is done, so that nobody looks them up and remembers them again. They are
 * blocks that have a place, never ones that delayed allocation has yet to find one for: what is
 * promised to those is nowhere else.
 */
int e3m_change_forget(struct e3m_change *change, u64 lblk, unsigned int count)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < change->sides && !err; i++)
		err = ext4_abi_es_remove(change->side[i].inode, lblk, count);
	return err;
}

/* From here on there is no way back. May be called again. */
void e3m_change_begin(struct e3m_change *change)
{
	handle_t *handle = change->handle;
	journal_t *journal = handle->h_transaction->t_journal;
	unsigned int i;

	change->begun = true;
	for (i = 0; i < change->sides; i++)
		ext4_abi_set_sync_tids(handle, change->side[i].inode);
	ext4_abi_fc_ineligible(handle, change->side[0].inode->i_sb);
	if (journal->j_fs_dev != journal->j_dev)
		handle->h_transaction->t_need_data_flush = 1;
}

/* A change that is half done must not be committed. */
static void change_failed(struct e3m_change *change, int err)
{
	jbd2_journal_abort(change->handle->h_transaction->t_journal, err);
	change->err = change->err ?: err;
}

/* A block of a map has changed; its e3m_change_buffer() returned 0. */
void e3m_change_dirty(struct e3m_change *change, struct buffer_head *bh)
{
	int err;

	/* If a write to its place has failed meanwhile, the old state must not be read over it. */
	set_buffer_uptodate(bh);
	err = jbd2_journal_dirty_metadata(change->handle, bh);
	if (err)
		change_failed(change, err);
}

/**
 * e3m_change_stop - end the handle of a change
 * @change: the change
 * @err: why it ended where it did, or 0
 *
 * The inodes are written if e3m_change_inodes() was called and a change has
 * begun, whatever @err is: some of it was done.
 *
 * Return: the journal's error, or @err, or 0.
 */
int e3m_change_stop(struct e3m_change *change, int err)
{
	unsigned int i;
	int err2;

	for (i = 0; i < change->sides; i++) {
		struct e3m_change_side *side = &change->side[i];

		if (!side->reserved)
			continue;
		if (!change->begun) {
			ext4_abi_inode_release(&side->iloc);
			continue;
		}
		err2 = ext4_abi_inode_dirty(change->handle, side->inode, &side->iloc);
		if (err2)
			change_failed(change, err2);
	}
	/* cppcheck-suppress unreadVariable ; it doesn't know a ?: b */
	err2 = ext4_abi_journal_stop(change->handle);
	return change->err ?: err ?: err2;
}
