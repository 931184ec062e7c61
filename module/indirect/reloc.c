// SPDX-License-Identifier: GPL-2.0-only
/*
 * data/reloc: copy, then commit, at most one leaf at a time.
 *
 * This order is what makes a crash harmless. The data is on the device before
 * the handle starts that makes it reachable, and the device is flushed before
 * the commit record is written. So after a crash a pointer names either the old
 * block, whose data is unchanged, or the new one, which has the data.
 *
 * For the old block's data to be unchanged, and for the new block to have all of
 * it, more is needed:
 *
 * - The donor holds the old blocks from the swap on, but until the commit a
 *   crash gives them back to the file. So they must not be written through the
 *   donor, which is sealed (host/donor.c), and before a further reloc copies
 *   data to them, the commit is waited for. Freeing them is left to ext4, which
 *   doesn't reuse a block before the commit. Where it may do so, the request
 *   ends only after the commit (e3m_pair_settle()).
 *
 * - An fsync between the copy and the swap makes data durable in the old blocks,
 *   and the copy doesn't have that data (host/pages.c).
 *
 * - An fsync after the swap must make data durable in the new blocks
 *   (host/change.c).
 *
 * - Where no flush precedes the commit record (with an external journal or an
 *   asynchronous commit), the device is flushed after the copy.
 *
 * Where data is journaled (data=journal, or the flag of a file), it is written
 * to the journal before it is written to its place. A replay writes it there
 * whatever the block is used for by then: with data=journal ext4 revokes
 * nothing, since all later writes go through the journal, too. A copy doesn't.
 * So the journal is emptied before each copy. Otherwise it could have data of the
 * old blocks that is not yet in its place to be copied, and that a replay would
 * write over the data of the next owner. It could also have an earlier state of
 * the new blocks, which a replay would write over the copy.
 */
#include <linux/buffer_head.h>
#include <linux/fs.h>
#include <linux/lockdep.h>
#include <linux/sched/signal.h>

#include "indirect.h"

/* Both inodes and both leaves; the superblock for the orphan list is not touched. */
#define RELOC_CREDITS 8
/* How often a step is tried whose pages change meanwhile. */
#define RELOC_TRIES 5

/* Of both files the leaf that maps the same place; slots[] is NULL for a file that has none. */
struct leaf_pair {
	struct e3m_branch branch[2]; /* original, donor */
	__le32 *slots[2];
};

/*
 * The buffers found stay the files' own until the files are unlocked: what comes then, write-back
 * of delayed allocation, adds blocks and takes none away. Released also after an error.
 */
static int leaf_pair_get(struct inode *inode, struct inode *donor, u64 lblk,
			 struct leaf_pair *leaves)
{
	struct inode *sides[] = { inode, donor };
	unsigned int i;
	int err = 0;

	lockdep_assert_held(ext4_abi_i_data_sem(inode));
	lockdep_assert_held(ext4_abi_i_data_sem(donor));
	memset(leaves, 0, sizeof(*leaves));
	for (i = 0; i < ARRAY_SIZE(sides) && !err; i++) {
		struct e3m_branch *branch = &leaves->branch[i];

		err = e3m_branch_read(sides[i], lblk, branch);
		if (!err && branch->found == branch->depth)
			leaves->slots[i] = e3m_branch_slot(branch, branch->depth);
	}
	return err ?: e3m_branches_disjoint(&leaves->branch[0], &leaves->branch[1]);
}

static void leaf_pair_release(struct leaf_pair *leaves)
{
	e3m_branch_release(&leaves->branch[0]);
	e3m_branch_release(&leaves->branch[1]);
}

/* The end of the larger hole, where a subtree is missing in one file or in both. */
static u64 leaf_pair_hole_end(const struct leaf_pair *leaves)
{
	u64 end = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(leaves->branch); i++)
		if (!leaves->slots[i])
			end = max(end, e3m_branch_hole_end(&leaves->branch[i]));
	return end;
}

/*
 * What moves in this step, from @pos up to @end at most; step->moved says how
 * many blocks, and step->first + step->count how far was looked: to the end of
 * the leaf, or of the larger hole where a subtree is missing in either file.
 */
static int step_map(struct inode *inode, struct inode *donor, u64 pos, u64 end,
		    struct e3m_step *step, u64 *next)
{
	struct leaf_pair leaves;
	const struct e3m_branch *branch = &leaves.branch[0], *other = &leaves.branch[1];
	unsigned int i;
	u32 duplicate;
	int err;

	step->first = pos;
	step->count = 1;
	step->moved = 0;
	e3m_lock_maps_shared(inode, donor);
	err = leaf_pair_get(inode, donor, pos, &leaves);
	if (err)
		goto out;
	if (!leaves.slots[0] || !leaves.slots[1]) {
		*next = min(leaf_pair_hole_end(&leaves), end);
		goto out;
	}
	*next = min3(end, pos + e3m_step_blocks(inode->i_sb),
		     e3m_branch_leaf_first(branch) + e3m_branch_leaf_count(branch));
	step->count = *next - pos;
	err = e3m_check_blockrefs(branch, branch->depth, leaves.slots[0], step->count, other);
	if (!err)
		err = e3m_check_blockrefs(other, branch->depth, leaves.slots[1], step->count,
					  branch);
	if (err)
		goto out;
	for (i = 0; i < step->count; i++) {
		u32 from = le32_to_cpu(leaves.slots[0][i]);
		u32 to = le32_to_cpu(leaves.slots[1][i]);

		step->from[i] = to ? from : 0;
		step->to[i] = from ? to : 0;
		step->moved += from && to;
	}
	/* A block that one file has twice, or both have, would be freed while in use. */
	duplicate = e3m_find_duplicate_block(step);
	if (duplicate)
		err = ext4_abi_report(inode, duplicate, "block used twice");
out:
	leaf_pair_release(&leaves);
	e3m_unlock_maps_shared(inode, donor);
	return err;
}

/* Whether both leaves still say what was copied. */
static bool leaf_pair_unchanged(const struct e3m_step *step, const struct leaf_pair *leaves)
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

/* The next run of slots that move, from *@i on; its length, 0 behind the last one. */
static unsigned int next_run(const struct e3m_step *step, unsigned int *i)
{
	unsigned int run = 0;

	while (*i < step->count && !step->from[*i])
		++*i;
	while (*i + run < step->count && step->from[*i + run])
		run++;
	return run;
}

/* Only for what moves: what delayed allocation has reserved for a hole must not be removed. */
static int step_forget_places(struct e3m_change *change, const struct e3m_step *step)
{
	unsigned int i, run;
	int err = 0;

	for (i = 0; !err && (run = next_run(step, &i)); i += run)
		err = e3m_change_forget(change, step->first + i, run);
	return err;
}

static void leaf_pair_swap(const struct e3m_step *step, const struct leaf_pair *leaves)
{
	unsigned int i, run;

	for (i = 0; (run = next_run(step, &i)); i += run)
		swap_slots(leaves->slots[0] + i, leaves->slots[1] + i, run);
}

/*
 * Both leaves, with all that is written in a swap: in memory, and the handle may write it. The
 * slots stand in the inodes where there is no other leaf. Before the pages are locked, since all
 * of it may have to be read.
 */
static int leaf_pair_get_write_access(struct e3m_change *change, struct inode *inode,
				      struct inode *donor, u64 lblk, struct leaf_pair *leaves)
{
	int err, leaf;

	e3m_lock_maps_shared(inode, donor);
	err = leaf_pair_get(inode, donor, lblk, leaves);
	e3m_unlock_maps_shared(inode, donor);
	if (!err && (!leaves->slots[0] || !leaves->slots[1]))
		err = -EBUSY;
	if (err)
		return err;
	leaf = leaves->branch[0].depth;
	if (!leaf)
		return e3m_change_inodes(change);
	err = e3m_change_buffer(change, leaves->branch[0].bh[leaf]);
	return err ?: e3m_change_buffer(change, leaves->branch[1].bh[leaf]);
}

/* The one handle of a step: swap the pointers of what was copied. */
static int step_commit(struct meta_request *req, struct inode *donor,
		       struct meta_state *donor_state, struct e3m_step *step, bool insist)
{
	struct inode *inode = req->inode;
	struct e3m_change change;
	struct leaf_pair leaves = {};
	int leaf, err;

	err = e3m_change_start(&change, inode, donor, RELOC_CREDITS);
	if (err)
		return err;
	err = leaf_pair_get_write_access(&change, inode, donor, step->first, &leaves);
	if (err)
		goto err_leaves;
	err = e3m_pages_lock(req, step);
	if (err)
		goto err_leaves;
	err = e3m_pages_agree(inode, step, insist);
	if (err)
		goto err_pages;

	e3m_lock_maps(inode, donor);
	if (!leaf_pair_unchanged(step, &leaves)) {
		err = -EBUSY;
		goto err_maps;
	}
	err = e3m_pages_check(inode, step);
	if (err)
		goto err_maps;
	err = step_forget_places(&change, step);
	if (err)
		goto err_maps;

	e3m_donor_swapped(donor, donor_state, step, change.handle->h_transaction->t_tid);
	e3m_change_begin(&change);
	leaf_pair_swap(step, &leaves);
	e3m_pages_move(inode, step);
	leaf = leaves.branch[0].depth;
	if (leaf) {
		e3m_change_dirty(&change, leaves.branch[0].bh[leaf]);
		e3m_change_dirty(&change, leaves.branch[1].bh[leaf]);
	}
	e3m_unlock_maps(inode, donor);
	e3m_pages_unlock(step);
	leaf_pair_release(&leaves);
	return e3m_change_stop(&change, 0);

err_maps:
	e3m_unlock_maps(inode, donor);
err_pages:
	e3m_pages_unlock(step);
err_leaves:
	leaf_pair_release(&leaves);
	return e3m_change_stop(&change, err);
}

/* Copies the data of one step to the new blocks, durably; the pages are held. */
static int step_copy(struct meta_request *req, struct inode *donor, struct meta_state *donor_state,
		     struct e3m_step *step, u64 end, u64 *next)
{
	struct inode *inode = req->inode;
	loff_t start = step->first << inode->i_blkbits;
	loff_t stop = ((step->first + step->count) << inode->i_blkbits) - 1;
	int err;

	err = filemap_write_and_wait_range(inode->i_mapping, start, stop);
	/* Delayed allocation has allocated its blocks now. */
	if (!err)
		err = step_map(inode, donor, req->pos, end, step, next);
	if (!err && ext4_abi_journals_data(inode)) {
		step->synced_tid = ext4_abi_datasync_tid(inode);
		err = e3m_empty_journal(inode->i_sb);
	}
	if (!err)
		err = e3m_donor_settle(donor, donor_state, step);
	if (!err)
		err = e3m_change_possible(inode->i_sb);
	if (!err)
		err = e3m_step_copy(step);
	return err ?: e3m_change_flush(step->sb);
}

/* One step, the files locked. @insist: it is the last try. */
static int reloc_step(struct meta_request *req, struct inode *donor, struct meta_state *donor_state,
		      struct e3m_step *step, u64 end, bool insist, u64 *next)
{
	int err;

	err = step_map(req->inode, donor, req->pos, end, step, next);
	if (err || !step->moved)
		return err;
	err = e3m_pages_hold(req, step);
	if (!err)
		err = step_copy(req, donor, donor_state, step, end, next);
	if (!err)
		err = step_commit(req, donor, donor_state, step, insist);
	e3m_pages_release(step);
	return err;
}

int e3m_indirect_reloc(struct meta_request *req, struct inode *donor,
		       struct meta_state *donor_state, u64 count)
{
	u64 max = e3m_max_blocks(req->inode->i_sb);
	u64 end = req->pos + count;
	u64 last = req->pos; /* behind the last block that moved */
	struct e3m_step *step;
	bool pending = false;
	u32 tid = 0;
	int tries = 0;
	int err = 0;

	step = e3m_step_get(req->host);
	if (!step)
		return -ENOMEM;
	while (req->pos < end) {
		u64 next = end;

		if (fatal_signal_pending(current)) {
			err = -EINTR;
			break;
		}
		err = e3m_pair_lock(req, donor, donor_state);
		if (err)
			break;
		err = reloc_step(req, donor, donor_state, step, end, tries == RELOC_TRIES - 1,
				 &next);
		if (!err && step->moved)
			e3m_pair_discard_preallocations(req, donor);
		/* Also where the step ended with an error, or another request moved something. */
		if (donor_state->pending_end > donor_state->pending_first) {
			pending = true;
			tid = donor_state->pending_tid;
		}
		e3m_pair_unlock(req, donor);
		if (err == -EBUSY && ++tries < RELOC_TRIES) {
			/* The page is held by a process that waits for our locks. */
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
	e3m_step_put(req->host, step);
	if (pending)
		e3m_pair_settle(req, tid);
	if (req->moved) {
		/* Behind the last block that both have, there is only a hole up to the limit. */
		if (!err && end == max)
			req->pos = last;
		return 0;
	}
	return err ?: -ENODATA;
}
