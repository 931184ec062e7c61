/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ext3meta: files that are mapped by indirect blocks, as every file of an ext3
 * is, and some of an ext4.
 *
 *   indirect.c     what the host's half calls
 *   branch.c       the tree of indirect blocks: walk it, reach a slot
 *   list.c         data/extents, metadata/blocks, and both in a record of inodes
 *   alloc.c        data/alloc and metadata/alloc
 *   reloc.c        data/reloc: copy, then commit
 *   meta_reloc.c   metadata/reloc
 */
#ifndef E3M_INDIRECT_H
#define E3M_INDIRECT_H

#include "../host/host.h"

/* indirect.c */
extern const struct e3m_mapping_ops e3m_indirect_ops;

/* branch.c */

/* The branch from an inode to the slot of one logical block. */
struct e3m_branch {
	struct inode *inode;
	u32 lblk;
	int depth;		   /* indirect blocks on it: 0 to 3 */
	int found;		   /* how many of them exist */
	unsigned int offset[4];	   /* slot in the inode, then in each indirect block */
	struct buffer_head *bh[4]; /* [0] is NULL: the inode; [k] is of level depth - k + 1 */
};

int e3m_branch_read(struct inode *inode, u64 lblk, struct e3m_branch *branch);
void e3m_branch_release(struct e3m_branch *branch);
int e3m_branches_disjoint(const struct e3m_branch *a, const struct e3m_branch *b);
int e3m_check_blockrefs(const struct e3m_branch *branch, int k, __le32 *slots, unsigned int count,
			const struct e3m_branch *other);
__le32 *e3m_branch_slot(const struct e3m_branch *branch, int k);
u64 e3m_branch_leaf_first(const struct e3m_branch *branch);
unsigned int e3m_branch_leaf_count(const struct e3m_branch *branch);
u64 e3m_branch_hole_end(const struct e3m_branch *branch);

static inline unsigned int e3m_addr_per_block(const struct super_block *sb)
{
	return sb->s_blocksize / sizeof(__le32);
}

/* list.c */
int e3m_indirect_extents(struct inode *inode, struct meta_list *list);
int e3m_indirect_metadata_blocks(struct inode *inode, struct meta_list *list);
int e3m_indirect_map(struct inode *inode, struct meta_list *list);
void e3m_indirect_read_ahead(struct inode *inode);
bool e3m_indirect_record_complete(struct super_block *sb, const struct meta_record *record);
int e3m_indirect_map_record(const struct meta_record *record, struct meta_list *list);

/* alloc.c */
int e3m_indirect_alloc(struct meta_request *req, u64 count);
int e3m_indirect_metadata_alloc(struct meta_request *req, u32 level);

/* reloc.c */
int e3m_indirect_reloc(struct meta_request *req, struct inode *donor,
		       struct meta_state *donor_state, u64 count);

/* meta_reloc.c */
int e3m_indirect_metadata_reloc(struct meta_request *req, struct inode *donor,
				struct meta_state *donor_state, u32 level);

#endif
