// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's metadata blocks in the block device's cache, read as ext4 reads
 * them.
 *
 * When a buffer can't be written, its flag says that it is not up to date. But
 * nothing else has its contents: the disk has an older state, and the journal
 * may have been emptied as if the write had succeeded. To read the block again
 * would replace the contents by that older state, for all users of the buffer.
 */
#include <linux/buffer_head.h>
#include <linux/fs.h>

#include "host.h"

static bool is_current(struct buffer_head *bh)
{
	if (!buffer_uptodate(bh) && buffer_write_io_error(bh))
		set_buffer_uptodate(bh);
	return buffer_uptodate(bh);
}

/**
 * e3m_bread - a block of metadata
 * @sb: the host
 * @block: its number, which has been checked
 *
 * Return: the buffer, to be given back with brelse(); NULL where it can't be
 * read.
 */
struct buffer_head *e3m_bread(struct super_block *sb, u64 block)
{
	struct buffer_head *bh = sb_getblk(sb, block);

	if (!bh || is_current(bh) || bh_read(bh, REQ_META | REQ_PRIO) >= 0)
		return bh;
	brelse(bh);
	return NULL;
}

/* Begin to read a block that e3m_bread() will want, without waiting. */
void e3m_breadahead(struct super_block *sb, u64 block)
{
	struct buffer_head *bh = sb_getblk(sb, block);

	if (!bh)
		return;
	if (!is_current(bh))
		bh_readahead(bh, REQ_META | REQ_RAHEAD);
	brelse(bh);
}
