// SPDX-License-Identifier: GPL-2.0-only
/*
 * data/extents: where a file's blocks lie, holes named too; metadata/blocks:
 * where its indirect blocks lie. Read only, a leaf at a time under i_data_sem,
 * so a file in use is never held up for longer than one leaf takes to read.
 */
#include <linux/fs.h>
#include <linux/sched/signal.h>

#include "ext3.h"

/* Whether there is a tree of indirect blocks to read: 1, 0 for no blocks at all, or an errno. */
static int has_tree(struct inode *inode)
{
	const char *mapping = ext3_mapping(inode);

	if (!strcmp(mapping, "none"))
		return 0;
	return strcmp(mapping, "indirect") ? -EOPNOTSUPP : 1;
}

/* The extent that grows until something does not continue it. Physical 0: a hole. */
struct pending {
	u64 logical;
	u64 physical;
	u64 length;
};

static bool pending_flush(struct pending *p, struct meta_list *list)
{
	if (p->length && !meta_list_add(list, p->logical + p->length, "%llu %llu %llu\n",
					p->logical, p->physical, p->length))
		return false;
	p->length = 0;
	return true;
}

/* False: the list is full. */
static bool pending_add(struct pending *p, struct meta_list *list, u64 logical, u64 physical,
			u64 length)
{
	u64 next = p->physical ? p->physical + p->length : 0;

	if (p->length && physical == next) {
		p->length += length;
		return true;
	}
	if (!pending_flush(p, list))
		return false;
	p->logical = logical;
	p->physical = physical;
	p->length = length;
	return true;
}

/* One leaf, or the hole where there is none; *lblk moves past it. 1: the list is full. */
static int extents_leaf(struct inode *inode, u64 *lblk, u64 end, struct pending *p,
			struct meta_list *list)
{
	struct ext3_path path;
	unsigned int count, i;
	u64 first, next;
	__le32 *slots;
	int err;

	err = ext3_path_walk(inode, *lblk, &path);
	if (err)
		goto out;
	if (path.found < path.depth) {
		next = min(ext3_path_hole_end(&path), end);
		err = !pending_add(p, list, *lblk, 0, next - *lblk);
		*lblk = next;
		goto out;
	}
	first = ext3_path_leaf_first(&path);
	count = ext3_path_leaf_count(&path);
	slots = ext3_path_slot(&path, path.depth) - path.offset[path.depth];
	i = *lblk - first;
	err = ext4_abi_check_pointers(inode, slots + i, count - i);
	for (; !err && i < count; i++)
		err = !pending_add(p, list, first + i, le32_to_cpu(slots[i]), 1);
	*lblk = first + count;
out:
	ext3_path_release(&path);
	return err;
}

int ext3_extents(struct inode *inode, struct meta_list *list)
{
	u64 size = DIV_ROUND_UP_ULL(i_size_read(inode), i_blocksize(inode));
	u64 end = ext3_max_blocks(inode->i_sb);
	struct pending p = {};
	u64 lblk = list->pos;
	int ret;

	ret = has_tree(inode);
	if (ret <= 0)
		return ret;
	while (lblk < end) {
		if (fatal_signal_pending(current))
			return -EINTR;
		down_read(ext4_abi_i_data_sem(inode));
		ret = extents_leaf(inode, &lblk, end, &p, list);
		up_read(ext4_abi_i_data_sem(inode));
		if (ret)
			return ret < 0 ? ret : 0;
		cond_resched();
	}
	/* A hole at the very end is told only as far as the size goes. */
	if (p.length && !p.physical)
		p.length = size > p.logical ? min(p.length, size - p.logical) : 0;
	pending_flush(&p, list);
	return 0;
}

/*
 * The indirect blocks that begin at one logical block: at the start of the
 * double or triple indirect part there are two or three. Their lines go out
 * together or not at all, since the position can't tell them apart.
 */
static int metadata_at(struct inode *inode, u64 *lblk, struct meta_list *list)
{
	struct ext3_path path;
	char text[3 * sizeof("3 4294967295 4294967295\n")];
	unsigned int len = 0;
	int err, k;

	err = ext3_path_walk(inode, *lblk, &path);
	if (err)
		goto out;
	for (k = 1; k <= path.found; k++) {
		bool begins = true;
		int m;

		/* The k-th block begins here if every slot from it down is its first. */
		for (m = k; m <= path.depth; m++)
			begins &= !path.offset[m];
		if (begins)
			len += scnprintf(text + len, sizeof(text) - len, "%d %llu %llu\n",
					 path.depth - k + 1, *lblk, (u64)path.bh[k]->b_blocknr);
	}
	if (len && !meta_list_add(list, *lblk + 1, "%s", text))
		err = 1;
	if (path.found < path.depth)
		*lblk = ext3_path_hole_end(&path);
	else
		*lblk += ext3_path_leaf_count(&path);
out:
	ext3_path_release(&path);
	return err;
}

int ext3_metadata_blocks(struct inode *inode, struct meta_list *list)
{
	u64 end = ext3_max_blocks(inode->i_sb);
	u64 lblk = max_t(u64, list->pos, EXT4_ABI_NDIR);
	int ret;

	ret = has_tree(inode);
	if (ret <= 0)
		return ret;
	/* Leaves, and all that lies above them, begin a whole number of leaves behind the first. */
	if (lblk < end)
		lblk = EXT4_ABI_NDIR + round_up(lblk - EXT4_ABI_NDIR, ext3_pointers(inode->i_sb));
	while (lblk < end) {
		if (fatal_signal_pending(current))
			return -EINTR;
		down_read(ext4_abi_i_data_sem(inode));
		ret = metadata_at(inode, &lblk, list);
		up_read(ext4_abi_i_data_sem(inode));
		if (ret)
			return ret < 0 ? ret : 0;
		cond_resched();
	}
	return 0;
}
