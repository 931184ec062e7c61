// SPDX-License-Identifier: GPL-2.0-only
/*
 * The original's cached pages follow their blocks.
 *
 * A page that was ever written has buffers, and each remembers the block it
 * lies in. After the swap the buffers must name the new blocks, or the next
 * write would go to a block that will belong to another file. The pages are kept
 * and not dropped: a page that is pinned for direct I/O can't be dropped without
 * losing what the device will still write to it, and cached data that is in use
 * should stay in the cache.
 *
 * From the write-back before the copy to the swap, the inode lock and the
 * invalidate lock keep out every write, fault and truncate. A page can still be
 * changed meanwhile through a pin: by a device that reads into the page, or by
 * the process that holds the pin. Then the page may be written to the old block,
 * and an fsync may return, all before the swap, and the copy lacks data that was
 * promised to be durable. So all pages of the step are held from before the
 * write-back on, which keeps even clean ones in memory, and before the swap each
 * page is compared with what was copied. No page can be added unseen, since that
 * takes the locks above.
 *
 * A write fault may have passed the invalidate lock and not have marked its page
 * dirty yet. It holds the lock of the page until it has done so. Therefore each
 * page is locked once before the write-back.
 *
 * All pages of the step are locked across the swap, so that no write-back and
 * no read uses a buffer in between.
 */
#include <linux/bitmap.h>
#include <linux/buffer_head.h>
#include <linux/highmem.h>
#include <linux/jbd2.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/pagevec.h>

#include "host.h"

/**
 * e3m_pages_hold - hold the cached pages of a step
 * @req: the request; its inode is the original, with inode lock and invalidate lock held
 * @step: the step, by its range; to be given back with e3m_pages_release()
 *
 * Return: 0; -EINTR; -EBUSY.
 */
int e3m_pages_hold(struct meta_request *req, struct e3m_step *step)
{
	struct inode *inode = req->inode;
	pgoff_t index = (step->first << inode->i_blkbits) >> PAGE_SHIFT;
	pgoff_t end = (((step->first + step->count) << inode->i_blkbits) - 1) >> PAGE_SHIFT;
	struct folio_batch batch;
	unsigned int i;
	int err = 0;

	folio_batch_init(&batch);
	while (!err && filemap_get_folios(inode->i_mapping, &index, end, &batch)) {
		for (i = 0; i < folio_batch_count(&batch) && !err; i++) {
			struct folio *folio = batch.folios[i];

			/* More pages than blocks, or a page of several: can't be. */
			if (step->nr_folios > step->nr_pages || folio_test_large(folio)) {
				err = -EBUSY;
				break;
			}
			err = e3m_wait_page_lock(req, folio, E3M_WAIT_MOST);
			if (err)
				break;
			folio_unlock(folio);
			folio_get(folio);
			step->folios[step->nr_folios++] = folio;
		}
		folio_batch_release(&batch);
		cond_resched();
	}
	return err;
}

void e3m_pages_release(struct e3m_step *step)
{
	while (step->nr_folios)
		folio_put(step->folios[--step->nr_folios]);
}

static void unlock_first(struct e3m_step *step, unsigned int count)
{
	while (count)
		folio_unlock(step->folios[--count]);
}

/**
 * e3m_pages_lock - lock the pages of a step
 * @req: the request; its inode is the original, and a handle is held
 * @step: the step; its pages are held, and were written back and copied
 *
 * Return: 0; -EINTR; -EBUSY for a page whose lock is held by another task for
 * long, that is being written, to the old block, or that was taken out of the
 * cache in spite of all, since its memory failed.
 */
int e3m_pages_lock(struct meta_request *req, struct e3m_step *step)
{
	u64 most = e3m_wait_most_with_handle(req);
	struct inode *inode = req->inode;
	unsigned int i;
	int err;

	for (i = 0; i < step->nr_folios; i++) {
		struct folio *folio = step->folios[i];

		err = e3m_wait_page_lock(req, folio, most);
		if (err) {
			unlock_first(step, i);
			return err;
		}
		if (folio->mapping == inode->i_mapping && !folio_test_writeback(folio))
			continue;
		unlock_first(step, i + 1);
		return -EBUSY;
	}
	return 0;
}

void e3m_pages_unlock(struct e3m_step *step)
{
	unlock_first(step, step->nr_folios);
}

/* Slot of the block at @pos bytes into the file where it moves, or -1. */
static int moving_slot(const struct inode *inode, const struct e3m_step *step, loff_t pos)
{
	u64 lblk = pos >> inode->i_blkbits;

	if (lblk < step->first || lblk >= step->first + step->count)
		return -1;
	return step->from[lblk - step->first] ? lblk - step->first : -1;
}

/* Takes a block's cached bytes for the copy where they differ from it, as far as the file goes. */
static bool update_block(struct inode *inode, struct e3m_step *step, struct folio *folio,
			 size_t offset)
{
	unsigned int blocksize = i_blocksize(inode);
	loff_t size = i_size_read(inode), pos = folio_pos(folio) + offset;
	int slot = moving_slot(inode, step, pos);
	size_t copied = (size_t)slot << inode->i_blkbits;
	char *cached, *copy;
	bool differs;
	size_t len;

	if (slot < 0 || pos >= size)
		return false;
	len = min_t(loff_t, blocksize, size - pos);
	cached = kmap_local_folio(folio, offset);
	copy = kmap_local_page(step->pages[copied >> PAGE_SHIFT]) + offset_in_page(copied);
	differs = memcmp(cached, copy, len);
	if (differs) {
		memcpy(copy, cached, len);
		memset(copy + len, 0, blocksize - len);
		__set_bit(slot, step->again);
	}
	kunmap_local(copy);
	kunmap_local(cached);
	return differs;
}

/*
 * Compares the pages, which are locked, with what was copied. What differs is taken from the page:
 * step->again says which blocks of the copy are not on the device so.
 */
static bool pages_update(struct inode *inode, struct e3m_step *step)
{
	unsigned int i;
	bool differs = false;

	bitmap_zero(step->again, E3M_STEP_MAX);
	for (i = 0; i < step->nr_folios; i++) {
		struct folio *folio = step->folios[i];
		struct buffer_head *head = folio_buffers(folio);
		struct buffer_head *bh = head;
		size_t offset;

		for (offset = 0; offset < PAGE_SIZE; offset += i_blocksize(inode)) {
			if (folio_test_uptodate(folio) || (bh && buffer_uptodate(bh)))
				differs |= update_block(inode, step, folio, offset);
			bh = bh ? bh->b_this_page : NULL;
		}
	}
	return differs;
}

/*
 * Whether the cached pages say what was copied. One that differs was changed through a pin since
 * the write-back, and may have been written to the old block and synced: the step is done again.
 * The last time, with @insist, what the pages say is written to the new blocks instead, under
 * their locks: so nothing is promised of what is changed any later but by the new blocks. It is
 * not left to the commit as ordered data, which is committed also if it can't be written.
 *
 * Journaled data is never taken so. What was written to the old block has then been in the
 * journal, and would be replayed over the block's next owner; also if it was the same as before,
 * so that no page tells. The inode's tid does.
 */
int e3m_pages_agree(struct inode *inode, struct e3m_step *step, bool insist)
{
	bool journaled = ext4_abi_journals_data(inode);
	int err;

	if (journaled && ext4_abi_datasync_tid(inode) != step->synced_tid)
		return -EBUSY;
	if (!pages_update(inode, step))
		return 0;
	if (journaled || !insist)
		return -EBUSY;
	err = e3m_step_write_again(step);
	return err ?: e3m_change_flush(step->sb);
}

/**
 * e3m_pages_check - whether the pages can follow
 * @inode: the original
 * @step: the step, copied; its pages are locked
 *
 * Return: 0; -EBUSY where a buffer does not lie in the block that was copied,
 * or the journal has taken it up again; or where a page is dirty that has no
 * buffers, so that ext4 would not write it.
 */
int e3m_pages_check(struct inode *inode, const struct e3m_step *step)
{
	unsigned int i;

	for (i = 0; i < step->nr_folios; i++) {
		struct folio *folio = step->folios[i];
		struct buffer_head *head = folio_buffers(folio);
		struct buffer_head *bh = head;
		loff_t pos = folio_pos(folio);

		if (!head) {
			if (folio_test_dirty(folio))
				return -EBUSY;
			continue;
		}
		do {
			int slot = moving_slot(inode, step, pos);

			if (slot >= 0 && buffer_mapped(bh) &&
			    (buffer_delay(bh) || buffer_jbd(bh) ||
			     bh->b_blocknr != step->from[slot]))
				return -EBUSY;
			pos += bh->b_size;
			bh = bh->b_this_page;
		} while (bh != head);
	}
	return 0;
}

/**
 * e3m_pages_move - tell the pages where their blocks lie now
 * @inode: the original, its pointers swapped
 * @step: the step; its pages are locked and checked
 */
void e3m_pages_move(struct inode *inode, const struct e3m_step *step)
{
	unsigned int i;

	for (i = 0; i < step->nr_folios; i++) {
		struct folio *folio = step->folios[i];
		struct buffer_head *head = folio_buffers(folio);
		struct buffer_head *bh = head;
		loff_t pos = folio_pos(folio);

		if (!head)
			continue;
		do {
			int slot = moving_slot(inode, step, pos);

			if (slot >= 0 && buffer_mapped(bh)) {
				bh->b_blocknr = step->to[slot];
				/* What was known of a revoke was of the other block. */
				clear_buffer_revoked(bh);
				clear_buffer_revokevalid(bh);
			}
			pos += bh->b_size;
			bh = bh->b_this_page;
		} while (bh != head);
	}
}
