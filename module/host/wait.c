// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bounded waits for what other tasks hold.
 *
 * Whoever may write to a file decides how long its locks are held: a write(2)
 * keeps the inode lock while its source is faulted in, and the source can be a
 * mapping of a FUSE file whose server never answers. So nothing that a user can
 * hold is waited for in a queue, where no time limit exists and for most locks
 * not even SIGKILL helps. It is tried again until the request has waited for
 * E3M_WAIT_MOST in all, or is killed. The price: where several tasks always
 * queue for a lock, a request may not get it at all, and the file is busy.
 *
 * Other waits are in the queue, which is fair: for the device, the journal and the
 * memory management. No process holds what they wait for while it copies from or
 * to its own memory: i_data_sem, handles, buffers, write-back. SECURITY.md lists
 * them all.
 */
#include <linux/fs.h>
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/mount.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>

#include "host.h"

/* With a handle: as long as one is held, the journal can't commit. */
#define E3M_WAIT_HANDLE (50 * USEC_PER_MSEC)
/* Most locks are held for microseconds; what is held for longer is asked for less often. */
#define E3M_PAUSE_FIRST 50U
#define E3M_PAUSE_MOST (8U * USEC_PER_MSEC)

/* Sleep before the next try; *@pause is how long, 0 the first time. */
static int wait_a_pause(struct meta_request *req, unsigned int *pause, u64 most)
{
	ktime_t start = ktime_get(), timeout;

	if (fatal_signal_pending(current))
		return -EINTR;
	if (req->waited >= most)
		return -EBUSY;
	*pause = clamp(2 * *pause, E3M_PAUSE_FIRST, E3M_PAUSE_MOST);
	timeout = ns_to_ktime((u64)*pause * NSEC_PER_USEC);
	set_current_state(TASK_KILLABLE);
	schedule_hrtimeout_range(&timeout, *pause * NSEC_PER_USEC / 4, HRTIMER_MODE_REL);
	req->waited += ktime_us_delta(ktime_get(), start);
	return fatal_signal_pending(current) ? -EINTR : 0;
}

/* Ask again until @taken is true: 0, or what wait_a_pause() ended with. */
#define wait_until(req, most, taken)                                   \
	({                                                             \
		unsigned int __pause = 0;                              \
		int __err = 0;                                         \
                                                                       \
		while (!__err && !(taken))                             \
			__err = wait_a_pause((req), &__pause, (most)); \
		__err;                                                 \
	})

/**
 * e3m_wait_write_access - mnt_want_write() without a wait for a thaw
 * @req: the request; 0 must be followed by mnt_drop_write()
 *
 * Only a process with CAP_SYS_ADMIN can freeze a filesystem, but what thaws it
 * may take its time. Where the freeze begins between the check and the call, the
 * request waits for the thaw all the same: there is no call for both at once.
 *
 * Return: 0; -EROFS; -EAGAIN where it stays frozen; -EINTR.
 */
int e3m_wait_write_access(struct meta_request *req)
{
	struct super_block *sb = req->host->sb;
	int err;

	err = wait_until(req, E3M_WAIT_MOST, sb_start_write_trylock(sb));
	if (err)
		return err == -EBUSY ? -EAGAIN : err;
	sb_end_write(sb);
	return mnt_want_write(req->host->path.mnt);
}

/**
 * e3m_wait_inode_lock - inode_lock()
 * @req: the request
 * @inode: the file; other inode locks may be held, since this one is not queued for
 *
 * Return: 0; -EBUSY; -EINTR.
 */
int e3m_wait_inode_lock(struct meta_request *req, struct inode *inode)
{
	return wait_until(req, E3M_WAIT_MOST, inode_trylock(inode));
}

/**
 * e3m_wait_no_dio - inode_dio_wait()
 * @req: the request
 * @inode: the file, locked, so that no further direct I/O begins
 *
 * Return: 0; -EBUSY; -EINTR.
 */
int e3m_wait_no_dio(struct meta_request *req, struct inode *inode)
{
	return wait_until(req, E3M_WAIT_MOST, !atomic_read(&inode->i_dio_count));
}

/**
 * e3m_wait_mapping_lock - filemap_invalidate_lock()
 * @req: the request
 * @inode: the file, locked; the lock of another file may be held, since this one is not queued for
 *
 * Reads hold it shared while they add pages to the cache. Each page is charged
 * to a memory control group, where a limit that its user has set can make the
 * process sleep for seconds.
 *
 * Return: 0; -EBUSY; -EINTR.
 */
int e3m_wait_mapping_lock(struct meta_request *req, struct inode *inode)
{
	return wait_until(req, E3M_WAIT_MOST,
			  down_write_trylock(&inode->i_mapping->invalidate_lock));
}

/**
 * e3m_wait_page_lock - folio_lock()
 * @req: the request
 * @folio: the page, held
 * @most: how long the request may have waited in all, in microseconds: E3M_WAIT_MOST,
 *	or what e3m_wait_most_with_handle() returned
 *
 * Return: 0; -EBUSY; -EINTR.
 */
int e3m_wait_page_lock(struct meta_request *req, struct folio *folio, u64 most)
{
	return wait_until(req, most, folio_trylock(folio));
}

/* @most for all pages that are locked with one handle, before the first of them is. */
u64 e3m_wait_most_with_handle(const struct meta_request *req)
{
	return min_t(u64, E3M_WAIT_MOST, req->waited + E3M_WAIT_HANDLE);
}
