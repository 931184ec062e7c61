// SPDX-License-Identifier: GPL-2.0-only
/*
 * data/reloc: copy, then commit, a leaf's worth at a time.
 *
 * The order is what makes a crash harmless. The data is on the device before
 * the handle begins that makes it reachable, and the commit record flushes the
 * device first; so after a crash a pointer says either the old block, whose
 * data nobody has touched, or the new one, whose data is there.
 *
 * "Nobody has touched" needs three things that are easy to miss:
 *
 * - The donor holds the old blocks from the swap on, but until the commit they
 *   are still what a crash brings back. So they must not be written through
 *   the donor: it is sealed (immutable to everybody else), and before its
 *   blocks take the data of a further reloc, the commit is waited for. Freeing
 *   them is ext4's business, and it reuses no block before the commit, except
 *   with data=writeback: there a request ends only when it is committed, and
 *   until then the request's reference keeps the donor from being freed.
 *
 * - An overwrite that is synced after the swap goes to the new block and
 *   changes no metadata. The inode's sync tids name the swap's transaction, so
 *   that fsync commits it; otherwise a crash would bring back the old block
 *   with the data from before.
 *
 * - A commit record that is written without a flush before it (an external
 *   journal, an asynchronous commit) needs one of its own.
 *
 * Where data is journaled (data=journal, or a file's own flag), it is in the
 * journal before it is in its place, and a replay puts it there whatever has
 * become of the block: with data=journal ext4 revokes nothing, for all that is
 * ever written comes by the same way. A copy does not. So the journal is
 * emptied before each: nothing is in it then of the old blocks, whose data
 * would not yet be there to be copied and would come back over their next
 * owner's, and nothing of what the new ones were before.
 */
#include <linux/blkdev.h>
#include <linux/buffer_head.h>
#include <linux/fs.h>
#include <linux/lockdep.h>
#include <linux/mount.h>
#include <linux/sched/signal.h>

#include "ext3.h"

/* Both inodes and both leaves; the superblock for the orphan list is not touched. */
#define RELOC_CREDITS 8
/* How often a page that is under I/O again is waited for. */
#define RELOC_TRIES 5

/**
 * ext3_pair_lock - lock the files of a reloc and look at them again
 * @req: the request; its inode is the original
 * @donor: another inode of the same host
 * @donor_state: what is remembered of it
 *
 * Return: 0; otherwise nothing is locked and the errno says why.
 */
int ext3_pair_lock(struct meta_request *req, struct inode *donor,
		   const struct meta_state *donor_state)
{
	struct inode *inode = req->inode;
	const char *why;
	int err;

	if (inode == donor)
		return -EINVAL;
	/* Directories have locks of another class: nothing else than files is locked here. */
	err = ext3_refuse(inode, req->state, EXT3_ORIGINAL, &why);
	if (!err)
		err = ext3_refuse(donor, donor_state, EXT3_DONOR, &why);
	if (!err)
		err = mnt_want_write(req->host->path.mnt);
	if (err)
		return err;

	lock_two_nondirectories(inode, donor);
	err = ext3_refuse(inode, req->state, EXT3_ORIGINAL, &why);
	if (!err)
		err = ext3_refuse(donor, donor_state, EXT3_DONOR, &why);
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

void ext3_pair_unlock(struct meta_request *req, struct inode *donor)
{
	filemap_invalidate_unlock_two(req->inode->i_mapping, donor->i_mapping);
	unlock_two_nondirectories(req->inode, donor);
	mnt_drop_write(req->host->path.mnt);
}

/*
 * The blocks that the donor was given by an earlier reloc are its own only after the commit. Most
 * steps go where the donor still has blocks that it allocated, and wait for nothing.
 */
static int donor_settle(struct inode *donor, struct meta_state *state, const struct ext3_step *step)
{
	int err;

	if (step->first >= state->pending_end || step->first + step->count <= state->pending_first)
		return 0;
	err = jbd2_complete_transaction(ext4_abi_journal(donor->i_sb), state->pending_tid);
	if (!err)
		state->pending_end = state->pending_first;
	return err;
}

/* This step's blocks of the donor are the original's until @tid has committed. */
static void donor_pend(struct meta_state *state, const struct ext3_step *step, u32 tid)
{
	u64 end = step->first + step->count;

	if (state->pending_end <= state->pending_first) {
		state->pending_first = step->first;
		state->pending_end = end;
	}
	state->pending_first = min(state->pending_first, step->first);
	state->pending_end = max(state->pending_end, end);
	/* The latest: commits come in order. */
	state->pending_tid = tid;
}

/* The leaves of one place in both files; slots[] of a side is NULL where that side has none. */
struct leaves {
	struct ext3_path path[2]; /* original, donor */
	__le32 *slots[2];
};

/*
 * The buffers found stay the files' own until the files are unlocked: what comes then, write-back
 * of delayed allocation, adds blocks and takes none away. Released also after an error.
 */
static int leaves_get(struct inode *inode, struct inode *donor, u64 lblk, struct leaves *leaves)
{
	struct inode *sides[] = { inode, donor };
	unsigned int i;
	int err = 0;

	lockdep_assert_held(ext4_abi_i_data_sem(inode));
	lockdep_assert_held(ext4_abi_i_data_sem(donor));
	memset(leaves, 0, sizeof(*leaves));
	for (i = 0; i < ARRAY_SIZE(sides) && !err; i++) {
		struct ext3_path *path = &leaves->path[i];

		err = ext3_path_walk(sides[i], lblk, path);
		if (!err && path->found == path->depth)
			leaves->slots[i] = ext3_path_slot(path, path->depth);
	}
	return err ?: ext3_paths_apart(&leaves->path[0], &leaves->path[1]);
}

static void leaves_release(struct leaves *leaves)
{
	ext3_path_release(&leaves->path[0]);
	ext3_path_release(&leaves->path[1]);
}

/* Where the larger hole ends, of the subtrees that are missing in either file. */
static u64 leaves_hole_end(const struct leaves *leaves)
{
	u64 end = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(leaves->path); i++)
		if (!leaves->slots[i])
			end = max(end, ext3_path_hole_end(&leaves->path[i]));
	return end;
}

/*
 * What moves in this step, from @pos up to @end at most; step->moved says how
 * many blocks, and step->first + step->count how far was looked: to the end of
 * the leaf, or of the larger hole where a subtree is missing in either file.
 */
static int step_map(struct inode *inode, struct inode *donor, u64 pos, u64 end,
		    struct ext3_step *step, u64 *next)
{
	struct leaves leaves;
	const struct ext3_path *path = &leaves.path[0], *other = &leaves.path[1];
	unsigned int i;
	u32 twice;
	int err;

	step->first = pos;
	step->count = 1;
	step->moved = 0;
	ext3_lock_maps_shared(inode, donor);
	err = leaves_get(inode, donor, pos, &leaves);
	if (err)
		goto out;
	if (!leaves.slots[0] || !leaves.slots[1]) {
		*next = min(leaves_hole_end(&leaves), end);
		goto out;
	}
	*next = min3(end, pos + EXT3_STEP_MAX,
		     ext3_path_leaf_first(path) + ext3_path_leaf_count(path));
	step->count = *next - pos;
	err = ext3_slots_sound(path, path->depth, leaves.slots[0], step->count, other);
	if (!err)
		err = ext3_slots_sound(other, path->depth, leaves.slots[1], step->count, path);
	if (err)
		goto out;
	for (i = 0; i < step->count; i++) {
		u32 from = le32_to_cpu(leaves.slots[0][i]);
		u32 to = le32_to_cpu(leaves.slots[1][i]);

		step->from[i] = to ? from : 0;
		step->to[i] = from ? to : 0;
		step->moved += from && to;
	}
	/* The one that holds a block twice would free it twice, and one that both hold under us. */
	twice = ext3_step_twice(step);
	if (twice)
		err = ext4_abi_report(inode, twice, "block used twice");
out:
	leaves_release(&leaves);
	ext3_unlock_maps_shared(inode, donor);
	return err;
}

/* Whether both leaves still say what was copied. */
static bool leaves_same(const struct ext3_step *step, const struct leaves *leaves)
{
	unsigned int i;

	for (i = 0; i < step->count; i++) {
		if (!step->from[i])
			continue;
		if (le32_to_cpu(leaves->slots[0][i]) != step->from[i] ||
		    le32_to_cpu(leaves->slots[1][i]) != step->to[i])
			return false;
	}
	return true;
}

static void swap_slots(__le32 *a, __le32 *b, unsigned int count)
{
	while (count--)
		swap(a[count], b[count]);
}

/* Swaps the pointers, and has both files forget where those blocks were. */
static void leaves_swap(struct inode *inode, struct inode *donor, const struct ext3_step *step,
			const struct leaves *leaves)
{
	unsigned int i, run;

	for (i = 0; i < step->count; i += run) {
		run = 1;
		if (!step->from[i])
			continue;
		while (i + run < step->count && step->from[i + run])
			run++;
		swap_slots(leaves->slots[0] + i, leaves->slots[1] + i, run);
		/* Never more than moved: what is still promised to a hole must stay known. */
		ext4_abi_es_remove(inode, step->first + i, run);
		ext4_abi_es_remove(donor, step->first + i, run);
	}
}

/* The one handle of a step: swap the pointers of what was copied. */
static int step_commit(struct inode *inode, struct inode *donor, struct meta_state *donor_state,
		       const struct ext3_step *step)
{
	struct super_block *sb = inode->i_sb;
	struct buffer_head *bh, *donor_bh;
	struct ext3_pages pages;
	struct leaves leaves;
	journal_t *journal;
	handle_t *handle;
	int leaf, err, err2;

	handle = ext4_abi_journal_start(inode, RELOC_CREDITS);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	journal = handle->h_transaction->t_journal;

	/* Before the pages are locked, since the buffers may have to be read. */
	ext3_lock_maps_shared(inode, donor);
	err = leaves_get(inode, donor, step->first, &leaves);
	ext3_unlock_maps_shared(inode, donor);
	if (!err && (!leaves.slots[0] || !leaves.slots[1]))
		err = -EBUSY;
	if (err)
		goto err_leaves;
	/* None where the slots stand in the inodes. */
	leaf = leaves.path[0].depth;
	bh = leaves.path[0].bh[leaf];
	donor_bh = leaves.path[1].bh[leaf];
	if (leaf) {
		err = jbd2_journal_get_write_access(handle, bh);
		if (!err)
			err = jbd2_journal_get_write_access(handle, donor_bh);
		if (err)
			goto err_leaves;
	}
	err = ext3_pages_lock(inode, step, &pages);
	if (err)
		goto err_leaves;

	ext3_lock_maps(inode, donor);
	err = leaves_same(step, &leaves) ? 0 : -EBUSY;
	if (!err)
		err = ext3_pages_check(inode, step, &pages);
	if (err)
		goto err_maps;

	/* From here on nothing can fail but the journal itself. */
	leaves_swap(inode, donor, step, &leaves);
	ext3_pages_move(inode, step, &pages);
	ext4_abi_set_sync_tids(handle, inode);
	ext4_abi_set_sync_tids(handle, donor);
	ext4_abi_fc_ineligible(handle, sb);
	if (journal->j_fs_dev != journal->j_dev)
		handle->h_transaction->t_need_data_flush = 1;
	inode_set_flags(donor, S_IMMUTABLE, S_IMMUTABLE);
	WRITE_ONCE(donor_state->sealed, true);
	donor_pend(donor_state, step, handle->h_transaction->t_tid);

	if (leaf) {
		err = jbd2_journal_dirty_metadata(handle, bh);
		err2 = jbd2_journal_dirty_metadata(handle, donor_bh);
		err = err ?: err2;
	}
err_maps:
	ext3_unlock_maps(inode, donor);
	ext3_pages_unlock(&pages);
	if (!err && !leaf) {
		err = ext4_abi_mark_inode_dirty(handle, inode);
		err2 = ext4_abi_mark_inode_dirty(handle, donor);
		err = err ?: err2;
	}
err_leaves:
	leaves_release(&leaves);
	/* cppcheck-suppress unreadVariable ; it doesn't know a ?: b */
	err2 = ext4_abi_journal_stop(handle);
	return err ?: err2;
}

/* Nobody else can update anything meanwhile: only so does the journal come to an end. */
static int empty_journal(journal_t *journal)
{
	int err;

	jbd2_journal_lock_updates(journal);
	err = jbd2_journal_flush(journal, 0);
	jbd2_journal_unlock_updates(journal);
	return err;
}

/* One step, the files locked. */
static int reloc_step(struct meta_request *req, struct inode *donor, struct meta_state *donor_state,
		      struct ext3_step *step, u64 end, u64 *next)
{
	struct inode *inode = req->inode;
	struct super_block *sb = inode->i_sb;
	loff_t start, stop;
	int err;

	err = step_map(inode, donor, req->pos, end, step, next);
	if (err || !step->moved)
		return err;
	start = step->first << inode->i_blkbits;
	stop = ((step->first + step->count) << inode->i_blkbits) - 1;
	err = filemap_write_and_wait_range(inode->i_mapping, start, stop);
	/* Delayed allocation has found places now. */
	if (!err)
		err = step_map(inode, donor, req->pos, end, step, next);
	if (!err && ext4_abi_journals_data(inode))
		err = empty_journal(ext4_abi_journal(sb));
	if (!err)
		err = donor_settle(donor, donor_state, step);
	if (!err)
		err = ext3_step_copy(step);
	if (!err && jbd2_has_feature_async_commit(ext4_abi_journal(sb)))
		err = blkdev_issue_flush(sb->s_bdev);
	if (!err)
		err = step_commit(inode, donor, donor_state, step);
	return err;
}

/*
 * Preallocations of either file were made for where its blocks lay before the
 * swap; given back after it, never before.
 */
static void reloc_discard(struct meta_request *req, struct inode *donor)
{
	struct inode *inodes[] = { req->inode, donor };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(inodes); i++) {
		down_write(ext4_abi_i_data_sem(inodes[i]));
		ext4_abi_discard_preallocations(inodes[i]);
		up_write(ext4_abi_i_data_sem(inodes[i]));
	}
}

/* With data=writeback the donor must not be freed before what was moved has committed. */
static void reloc_settle(struct inode *donor, u32 tid)
{
	/* An error is the journal's end: nothing that is freed from now on reaches the disk. */
	if (ext4_abi_writes_back_data(donor))
		jbd2_complete_transaction(ext4_abi_journal(donor->i_sb), tid);
}

int ext3_reloc(struct meta_request *req, struct inode *donor, struct meta_state *donor_state,
	       u64 count)
{
	u64 max = ext3_max_blocks(req->inode->i_sb);
	u64 end = req->pos + count;
	u64 last = req->pos; /* behind the last block that moved */
	struct ext3_step *step;
	bool pending = false;
	u32 tid = 0;
	int tries = 0;
	int err = 0;

	step = ext3_step_get(req->host);
	if (!step)
		return -ENOMEM;
	while (req->pos < end) {
		u64 next = end;

		if (fatal_signal_pending(current)) {
			err = -EINTR;
			break;
		}
		err = ext3_pair_lock(req, donor, donor_state);
		if (err)
			break;
		err = reloc_step(req, donor, donor_state, step, end, &next);
		if (!err && step->moved)
			reloc_discard(req, donor);
		/* Also where the step ended with an error, or another request moved something. */
		if (donor_state->pending_end > donor_state->pending_first) {
			pending = true;
			tid = donor_state->pending_tid;
		}
		ext3_pair_unlock(req, donor);
		if (err == -EBUSY && ++tries < RELOC_TRIES) {
			/* Whoever waits for our locks is what holds the page. */
			schedule_timeout_killable(msecs_to_jiffies(tries * 10));
			continue;
		}
		if (err)
			break;
		tries = 0;
		req->moved += step->moved;
		req->pos = next;
		if (step->moved)
			last = next;
		cond_resched();
	}
	ext3_step_put(req->host, step);
	if (pending)
		reloc_settle(donor, tid);
	if (req->moved) {
		/* Behind the common part there is no end to what is not there. */
		if (!err && end == max)
			req->pos = last;
		return 0;
	}
	return err ?: -ENODATA;
}
