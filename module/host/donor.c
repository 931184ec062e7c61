// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a donor: a file without a name and with a size of 0, whose blocks
 * are exchanged for those of another file, the original.
 *
 *   stage    what it holds                     who can reach it
 *   fresh    nothing, or empty indirect        its owner, as any file
 *            blocks
 *   sealed   blocks with what they had when    nobody: it is immutable, except to
 *            they were free: others' old data  requests of this module
 *   pending  old blocks of a file, which are   nobody; what a further reloc puts
 *            still that file's after a crash   into them waits for the commit
 *            that comes before the commit
 *   settled  old blocks of a file, committed   nobody
 *
 * It is freed when it is closed for the last time, whatever its stage.
 *
 * Sealed means that the immutable flag is set in ext4's own inode, not only in
 * the VFS's: ext4 derives the latter from the former whenever a flag is set, and
 * the former can't be cleared without CAP_LINUX_IMMUTABLE. Size and data change
 * only under the inode lock, after a check of that flag under the lock. There
 * are exceptions, which are ruled out before a donor is sealed (e3m_refuse()):
 *
 * - link(2) checks the flag before it waits for the lock, so that a donor could
 *   get a name while it is being sealed. So a donor must have been opened with
 *   O_EXCL, after which a file can't get a name.
 * - fallocate(2) and the ioctl that enables verity also check before they wait,
 *   but they do nothing to a file that is mapped by blocks.
 * - EXT4_IOC_MIGRATE, which converts a file to extents, never checks the flag.
 *   The owner of a file may call it where the filesystem has extents; so a donor
 *   must belong to root there. With an idmapped mount that can be the root of a
 *   container, which then acts as root of that filesystem in any case.
 *
 * An owner can change the generation of a file (FS_IOC_SETVERSION). Then the
 * state of the donor is lost, but not the flag: the file is refused like any
 * other immutable file.
 */
#include <linux/fs.h>
#include <linux/lockdep.h>

#include "host.h"

/* What happens to a donor. */
enum event {
	GIVEN,	   /* a block that was not zeroed */
	SWAPPED,   /* its blocks for those of a file */
	COMMITTED, /* the last swap is on the disk */
	EVENTS,
};

/* The stage that follows. Nothing is committed that was not swapped. */
static const u8 next_stage[META_DONOR_STAGES][EVENTS] = {
	[META_DONOR_FRESH] = { META_DONOR_SEALED, META_DONOR_PENDING, META_DONOR_FRESH },
	[META_DONOR_SEALED] = { META_DONOR_SEALED, META_DONOR_PENDING, META_DONOR_SEALED },
	[META_DONOR_PENDING] = { META_DONOR_PENDING, META_DONOR_PENDING, META_DONOR_SETTLED },
	[META_DONOR_SETTLED] = { META_DONOR_SETTLED, META_DONOR_PENDING, META_DONOR_SETTLED },
};

/* The one place that moves a donor on. */
static void donor_advance(struct inode *donor, struct meta_state *state, enum event event)
{
	u8 stage = next_stage[state->stage][event];

	lockdep_assert_held_write(&donor->i_rwsem);
	/* Each time: a process that may do so has perhaps cleared the flag meanwhile. */
	if (stage != META_DONOR_FRESH)
		ext4_abi_set_immutable(donor);
	WRITE_ONCE(state->stage, stage);
}

/* No name and no size: nobody finds it, and nothing can be read of it. */
bool e3m_is_donor(const struct inode *inode)
{
	return !inode->i_nlink && !i_size_read(inode);
}

/* Whether an immutable file is so because it was sealed here. */
bool e3m_is_sealed(const struct inode *inode, const struct meta_state *state)
{
	/* One with a name is another file, whose owner gave it the donor's generation. */
	return !inode->i_nlink && state && READ_ONCE(state->stage) != META_DONOR_FRESH;
}

/* It is about to get a block that was not zeroed. */
void e3m_donor_given(struct inode *donor, struct meta_state *state)
{
	donor_advance(donor, state, GIVEN);
}

/**
 * e3m_donor_swapped - some of its blocks are about to be another file's
 * @donor: the donor, locked
 * @state: what is remembered of it
 * @step: where in both files
 * @tid: the transaction of the swap
 */
void e3m_donor_swapped(struct inode *donor, struct meta_state *state, const struct e3m_step *step,
		       u32 tid)
{
	u64 end = step->first + step->count;

	donor_advance(donor, state, SWAPPED);
	if (state->pending_end <= state->pending_first) {
		state->pending_first = step->first;
		state->pending_end = end;
	}
	state->pending_first = min(state->pending_first, step->first);
	state->pending_end = max(state->pending_end, end);
	/* The latest: commits come in order. */
	state->pending_tid = tid;
}

/**
 * e3m_donor_settle - wait until blocks of a donor are its own
 * @donor: the donor, locked
 * @state: what is remembered of it
 * @step: where they lie
 *
 * Blocks that it was given by an earlier swap are its own only after the
 * commit. Most steps go where the donor still has blocks that it allocated,
 * and wait for nothing.
 *
 * Return: 0, or the journal's error.
 */
int e3m_donor_settle(struct inode *donor, struct meta_state *state, const struct e3m_step *step)
{
	int err;

	if (step->first >= state->pending_end || step->first + step->count <= state->pending_first)
		return 0;
	err = jbd2_complete_transaction(ext4_abi_journal(donor->i_sb), state->pending_tid);
	if (err)
		return err;
	state->pending_end = state->pending_first;
	donor_advance(donor, state, COMMITTED);
	return 0;
}
