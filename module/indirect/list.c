// SPDX-License-Identifier: GPL-2.0-only
/*
 * data/extents lists where a file's data blocks lie, and its holes;
 * metadata/blocks lists where its indirect blocks lie; `inodes` has both. Nothing
 * is changed. i_data_sem is held for one leaf at a time, so that a file in use
 * is never blocked for longer than it takes to read one leaf.
 */
#include <linux/fs.h>
#include <linux/sched/signal.h>

#include "indirect.h"

/* A walk of a file's blocks, and what of them it gives out. */
struct walk {
	struct inode *inode;
	struct meta_list *list;
	u64 lblk; /* where it has come */
	u64 end;

	/* How the lines begin; NULL: no such lines. */
	const char *data;
	const char *indirect;
	bool holes;

	/* The extent that grows until something does not continue it. Physical 0: a hole. */
	u64 logical;
	u64 physical;
	u64 length;
};

/* False: the list is full. */
static bool walk_flush(struct walk *w)
{
	const u64 numbers[] = { w->logical, w->physical, w->length };

	if (w->length && (w->physical || w->holes) &&
	    !meta_list_numbers(w->list, w->logical + w->length, w->data, numbers, 3))
		return false;
	w->length = 0;
	return true;
}

static bool walk_add(struct walk *w, u64 logical, u64 physical, u64 length)
{
	u64 next = w->physical ? w->physical + w->length : 0;

	if (w->length && physical == next) {
		w->length += length;
		return true;
	}
	if (!walk_flush(w))
		return false;
	w->logical = logical;
	w->physical = physical;
	w->length = length;
	return true;
}

/*
 * The indirect blocks that begin where the walk is: at the start of the double
 * or triple indirect part there are two or three. Their lines go out together
 * or not at all, since the position can't tell them apart.
 */
static bool walk_indirect(struct walk *w, const struct e3m_branch *branch)
{
	char text[3 * sizeof("m 3 4294967295 4294967295\n")];
	unsigned int len = 0;
	int k, m;

	for (k = 1; k <= branch->found; k++) {
		bool begins = true;

		/* The k-th block begins here if every slot from it down is its first. */
		for (m = k; m <= branch->depth; m++)
			begins &= !branch->offset[m];
		if (begins)
			len += scnprintf(text + len, sizeof(text) - len, "%s%d %llu %llu\n",
					 w->indirect, branch->depth - k + 1, w->lblk,
					 (u64)branch->bh[k]->b_blocknr);
	}
	return !len || meta_list_add(w->list, w->lblk + 1, "%s", text);
}

/* What an existing leaf maps, from the walk's position on. */
static int walk_slots(struct walk *w, const struct e3m_branch *branch)
{
	u64 first = e3m_branch_leaf_first(branch);
	unsigned int count = e3m_branch_leaf_count(branch), i = w->lblk - first;
	__le32 *slots = e3m_branch_slot(branch, branch->depth) - branch->offset[branch->depth];
	int err;

	err = ext4_abi_check_pointers(w->inode, slots + i, count - i);
	for (; !err && i < count; i++)
		err = !walk_add(w, first + i, le32_to_cpu(slots[i]), 1);
	return err;
}

/*
 * Begin to read the blocks that these slots point at. Only those that make
 * sense: blocks read by a wrong pointer would stay in memory as the device's.
 */
static void slots_ahead(struct inode *inode, __le32 *slots, unsigned int count)
{
	unsigned int i;

	if (ext4_abi_check_pointers(inode, slots, count))
		return;
	for (i = 0; i < count; i++)
		if (slots[i])
			e3m_breadahead(inode->i_sb, le32_to_cpu(slots[i]));
}

/* This many leaves are read ahead of a walk. */
#define WALK_AHEAD 32

static void walk_ahead(const struct e3m_branch *branch)
{
	int above = branch->depth - 1;
	unsigned int left;

	if (above < 1 || branch->offset[above] % WALK_AHEAD)
		return;
	left = e3m_addr_per_block(branch->inode->i_sb) - branch->offset[above] - 1;
	slots_ahead(branch->inode, e3m_branch_slot(branch, above) + 1,
		    min_t(unsigned int, left, WALK_AHEAD));
}

/* Whether anything lies behind the direct blocks; what comes there meanwhile may be missed. */
static bool has_indirect(struct inode *inode)
{
	const __le32 *slots = ext4_abi_i_data(inode) + EXT4_ABI_NDIR;

	return slots[0] || slots[1] || slots[2];
}

void e3m_indirect_read_ahead(struct inode *inode)
{
	__le32 *slots = ext4_abi_i_data(inode) + EXT4_ABI_NDIR;

	if (!has_indirect(inode))
		return;
	down_read(ext4_abi_i_data_sem(inode));
	slots_ahead(inode, slots, EXT4_ABI_LEVELS);
	up_read(ext4_abi_i_data_sem(inode));
}

/* One leaf, or the hole where there is none; the walk moves past it. 1: the list is full. */
static int walk_leaf(struct walk *w)
{
	struct e3m_branch branch;
	u64 next;
	int err;

	err = e3m_branch_read(w->inode, w->lblk, &branch);
	if (!err && w->indirect)
		err = !walk_indirect(w, &branch);
	if (err)
		goto out;
	if (branch.found < branch.depth) {
		next = min(e3m_branch_hole_end(&branch), w->end);
		if (w->data)
			err = !walk_add(w, w->lblk, 0, next - w->lblk);
	} else {
		walk_ahead(&branch);
		next = e3m_branch_leaf_first(&branch) + e3m_branch_leaf_count(&branch);
		if (w->data)
			err = walk_slots(w, &branch);
	}
	w->lblk = next;
out:
	e3m_branch_release(&branch);
	return err;
}

/* From w->lblk to w->end. 0, 1 where the list is full, or an errno. */
static int walk(struct walk *w)
{
	int ret;

	while (w->lblk < w->end) {
		if (fatal_signal_pending(current))
			return -EINTR;
		down_read(ext4_abi_i_data_sem(w->inode));
		ret = walk_leaf(w);
		up_read(ext4_abi_i_data_sem(w->inode));
		if (ret)
			return ret;
		cond_resched();
	}
	return 0;
}

int e3m_indirect_extents(struct inode *inode, struct meta_list *list)
{
	u64 size = DIV_ROUND_UP_ULL(i_size_read(inode), i_blocksize(inode));
	struct walk w = { .inode = inode, .list = list, .data = "", .holes = true };
	int ret;

	w.lblk = list->pos;
	w.end = e3m_max_blocks(inode->i_sb);
	ret = walk(&w);
	if (ret)
		return ret < 0 ? ret : 0;
	/* A hole at the very end is told only as far as the size goes. */
	if (w.length && !w.physical)
		w.length = size > w.logical ? min(w.length, size - w.logical) : 0;
	walk_flush(&w);
	return 0;
}

int e3m_indirect_metadata_blocks(struct inode *inode, struct meta_list *list)
{
	struct walk w = { .inode = inode, .list = list, .indirect = "" };
	int ret;

	w.lblk = max_t(u64, list->pos, EXT4_ABI_NDIR);
	w.end = e3m_max_blocks(inode->i_sb);
	/* Leaves, and all that lies above them, begin a whole number of leaves behind the first. */
	if (w.lblk < w.end)
		w.lblk = EXT4_ABI_NDIR +
			 round_up(w.lblk - EXT4_ABI_NDIR, e3m_addr_per_block(inode->i_sb));
	ret = walk(&w);
	return ret < 0 ? ret : 0;
}

/* Both in one walk, for the file's record in `inodes`. */
int e3m_indirect_map(struct inode *inode, struct meta_list *list)
{
	struct walk w = { .inode = inode, .list = list, .data = "e ", .indirect = "m " };
	int ret;

	/* Most files are small. */
	w.end = has_indirect(inode) ? e3m_max_blocks(inode->i_sb) : EXT4_ABI_NDIR;
	ret = walk(&w);
	if (!ret)
		walk_flush(&w);
	return ret < 0 ? ret : 0;
}

/* The record has all of the map: there are no indirect blocks, and the pointers can be right. */
bool e3m_indirect_record_complete(struct super_block *sb, const struct meta_record *record)
{
	const __le32 *map = record->map;
	unsigned int i, length;

	for (i = 0; i < EXT4_ABI_LEVELS; i++)
		if (map[EXT4_ABI_NDIR + i])
			return false;
	for (i = 0; i < EXT4_ABI_NDIR; i += length) {
		u32 start = le32_to_cpu(map[i]);

		length = 1;
		if (!start)
			continue;
		while (i + length < EXT4_ABI_NDIR && le32_to_cpu(map[i + length]) == start + length)
			length++;
		if (!ext4_abi_blocks_valid(sb, start, length))
			return false;
	}
	return true;
}

/* As e3m_indirect_map(), for the complete record of an inode that isn't in memory. */
int e3m_indirect_map_record(const struct meta_record *record, struct meta_list *list)
{
	struct walk w = { .list = list, .data = "e " };
	unsigned int i;

	for (i = 0; i < EXT4_ABI_NDIR; i++)
		if (!walk_add(&w, i, le32_to_cpu(record->map[i]), 1))
			return 0;
	walk_flush(&w);
	return 0;
}
