// SPDX-License-Identifier: GPL-2.0-only
/*
 * The original's cached pages follow their blocks.
 *
 * A page that was ever written has buffers, and each remembers the block it
 * lies in; after the swap they must say the new one, or the next write goes to
 * a block that will be another file's. Pages are kept and not dropped: a page
 * that direct I/O has pinned can't be dropped without losing what the device
 * will still put into it, and what is hot in the cache stays hot.
 *
 * All of the step's pages are locked across the swap, so that no write-back
 * and no read uses a buffer in between. The invalidate lock is held: no page
 * can be added, no writable mapping made.
 */
#include <linux/buffer_head.h>
#include <linux/highmem.h>
#include <linux/jbd2.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/pagevec.h>
#include <linux/slab.h>

#include "ext3.h"

static int pages_add(struct ext3_pages *pages, struct folio *folio)
{
	if (pages->count == pages->size)
		return -EBUSY; /* more pages than blocks: can't be */
	pages->folios[pages->count++] = folio;
	return 0;
}

void ext3_pages_unlock(struct ext3_pages *pages)
{
	unsigned int i;

	for (i = 0; i < pages->count; i++) {
		folio_unlock(pages->folios[i]);
		folio_put(pages->folios[i]);
	}
	kvfree(pages->folios);
	pages->folios = NULL;
	pages->count = 0;
}

/**
 * ext3_pages_lock - lock the cached pages of a step
 * @inode: the original; its dirty pages were written back under the locks
 * @step: the step
 * @pages: filled in; to be given back with ext3_pages_unlock() where 0 is returned
 *
 * Return: 0; -ENOMEM; -EBUSY for a page that is being written again: only a
 * pin can have dirtied it, and where its data will be in the end is not known.
 */
int ext3_pages_lock(struct inode *inode, const struct ext3_step *step, struct ext3_pages *pages)
{
	pgoff_t index = (step->first << inode->i_blkbits) >> PAGE_SHIFT;
	pgoff_t end = (((step->first + step->count) << inode->i_blkbits) - 1) >> PAGE_SHIFT;
	struct folio_batch batch;
	unsigned int i;
	int err = 0;

	pages->count = 0;
	pages->size = end - index + 1;
	pages->folios = kvmalloc_array(pages->size, sizeof(*pages->folios), GFP_NOFS);
	if (!pages->folios)
		return -ENOMEM;
	folio_batch_init(&batch);
	while (!err && filemap_get_folios(inode->i_mapping, &index, end, &batch)) {
		for (i = 0; i < folio_batch_count(&batch) && !err; i++) {
			struct folio *folio = batch.folios[i];

			folio_lock(folio);
			if (folio->mapping != inode->i_mapping) {
				folio_unlock(folio);
				continue;
			}
			if (folio_test_writeback(folio)) {
				folio_unlock(folio);
				err = -EBUSY;
				break;
			}
			err = pages_add(pages, folio);
			if (err)
				folio_unlock(folio);
			else
				folio_get(folio);
		}
		folio_batch_release(&batch);
		cond_resched();
	}
	if (err)
		ext3_pages_unlock(pages);
	return err;
}

/* Slot of the block at @pos bytes into the file where it moves, or -1. */
static int moving_slot(const struct inode *inode, const struct ext3_step *step, loff_t pos)
{
	u64 lblk = pos >> inode->i_blkbits;

	if (lblk < step->first || lblk >= step->first + step->count)
		return -1;
	return step->from[lblk - step->first] ? lblk - step->first : -1;
}

/* Whether the page says the same as what was copied, as far as the file goes. */
static bool same_as_copied(struct inode *inode, const struct ext3_step *step, struct folio *folio)
{
	unsigned int blocksize = i_blocksize(inode);
	loff_t size = i_size_read(inode);
	size_t offset;

	for (offset = 0; offset < folio_size(folio); offset += blocksize) {
		loff_t pos = folio_pos(folio) + offset;
		int slot = moving_slot(inode, step, pos);
		size_t copied = (size_t)slot << inode->i_blkbits;
		size_t len;
		char *cached, *copy;
		int diff;

		if (slot < 0 || pos >= size)
			continue;
		len = min_t(loff_t, blocksize, size - pos);
		cached = kmap_local_folio(folio, offset);
		copy = kmap_local_page(step->pages[copied >> PAGE_SHIFT]);
		diff = memcmp(cached, copy + offset_in_page(copied), len);
		kunmap_local(copy);
		kunmap_local(cached);
		if (diff)
			return false;
	}
	return true;
}

/**
 * ext3_pages_check - whether the pages can follow
 * @inode: the original
 * @step: the step, copied
 * @pages: its pages, locked
 *
 * Nothing has been changed yet. -EBUSY where a buffer does not lie in the
 * block that was copied, or the journal has taken it up again; or where a page
 * without buffers differs from the copy, so that it could not be written again.
 */
int ext3_pages_check(struct inode *inode, const struct ext3_step *step,
		     const struct ext3_pages *pages)
{
	unsigned int i;

	for (i = 0; i < pages->count; i++) {
		struct folio *folio = pages->folios[i];
		struct buffer_head *head = folio_buffers(folio);
		struct buffer_head *bh = head;
		loff_t pos = folio_pos(folio);

		if (!head) {
			if (folio_test_dirty(folio) ||
			    (folio_test_uptodate(folio) && !same_as_copied(inode, step, folio)))
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
 * ext3_pages_move - tell the pages where their blocks lie now
 * @inode: the original, its pointers swapped
 * @step: the step
 * @pages: its pages, locked and checked
 *
 * A clean page that differs from the copy was changed through a pin after the
 * write-back, and has perhaps been written to the old block since: it is made
 * dirty, so that the new block gets it too.
 */
void ext3_pages_move(struct inode *inode, const struct ext3_step *step,
		     const struct ext3_pages *pages)
{
	unsigned int i;

	for (i = 0; i < pages->count; i++) {
		struct folio *folio = pages->folios[i];
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
		if (folio_test_uptodate(folio) && !folio_test_dirty(folio) &&
		    !same_as_copied(inode, step, folio)) {
			/* What is dirty goes through the journal only if it is marked so. */
			if (ext4_abi_journals_data(inode))
				folio_set_checked(folio);
			folio_mark_dirty(folio);
		}
	}
}
