/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's ext4 driver as this module sees it. Nothing else reaches its
 * internals. ext4 exports nothing, so functions are called by address and fields
 * are reached by offset; both are read from the target kernel's BTF at build
 * time, and ext4_abi_init() refuses to run against another build of ext4.
 *
 * An inode or a superblock that is passed to these functions must be ext4's:
 * ext4_abi_owns() must have been called first.
 */
#ifndef EXT4_ABI_H
#define EXT4_ABI_H

#include <linux/fs.h>
#include <linux/jbd2.h>
#include <linux/rwsem.h>

#include "../ext3meta.h"

#define EXT4_ABI_NDIR 12  /* direct pointers in an inode */
#define EXT4_ABI_LEVELS 3 /* and behind them one for each level of indirection */

int ext4_abi_init(void);
void ext4_abi_exit(void);

/* True where ext4's own driver serves @sb; the ext2 driver has the same magic. */
bool ext4_abi_owns(const struct super_block *sb);

/* Superblock. */
void ext4_abi_geometry(struct super_block *sb, struct meta_geometry *geo);
journal_t *ext4_abi_journal(struct super_block *sb);
/* Whether ext4 has a list of its metadata, for pointers to be checked; noblock_validity: none. */
bool ext4_abi_knows_metadata(struct super_block *sb);
bool ext4_abi_fast_commit(struct super_block *sb);
bool ext4_abi_extents_feature(struct super_block *sb);
/* Whether the superblock has no other feature than these. */
bool ext4_abi_features_within(struct super_block *sb, u32 compat, u32 incompat, u32 ro_compat);
/*
 * Every mount option that is in force, defaults included, as /proc/fs/ext4/DEVICE/options has them,
 * a line each; and a number that changes with those that can change while mounted, never 0.
 */
int ext4_abi_options(struct super_block *sb, char *text, size_t size);
u64 ext4_abi_option_bits(struct super_block *sb);
bool ext4_abi_bigalloc(struct super_block *sb);
unsigned int ext4_abi_cluster_bits(struct super_block *sb);
u64 ext4_abi_bitmap_maxbytes(struct super_block *sb);
u32 ext4_abi_first_ino(struct super_block *sb);
/* Quota and orphan files, where they lie among the ordinary numbers. */
bool ext4_abi_reserved_ino(struct super_block *sb, u32 ino);

/*
 * Whether what the inode table has of an inode says all that ext4 itself goes by, unless its flags
 * say otherwise: no checksums to be verified first, no DAX by mount option, no clusters.
 */
bool ext4_abi_plain_inodes(struct super_block *sb);
unsigned int ext4_abi_inode_size(struct super_block *sb);
/* The first block of a group's inode table; 0 where there is no such group. */
u64 ext4_abi_inode_table(struct super_block *sb, unsigned int group);
/* Whether all of these are blocks that a file can have. Nothing is reported. */
bool ext4_abi_blocks_valid(struct super_block *sb, u64 start, unsigned int count);

/*
 * The inode of a number that comes from outside, by the same call and with the same answers as the
 * export operations have it, -ESTALE where it is free or reserved; without the dentry.
 */
struct inode *ext4_abi_iget(struct super_block *sb, u32 ino);

/* Inode. */
__le32 *ext4_abi_i_data(struct inode *inode);
struct rw_semaphore *ext4_abi_i_data_sem(struct inode *inode);
bool ext4_abi_has_extents(struct inode *inode);
bool ext4_abi_is_inline(struct inode *inode);
/* A file without inline data will have none, either: ext4 would put it where the map is. */
int ext4_abi_never_inline(struct inode *inode);
bool ext4_abi_is_ea_inode(struct inode *inode);
bool ext4_abi_fast_symlink(struct inode *inode);
bool ext4_abi_journals_data(struct inode *inode);
/* data=writeback: data blocks that are freed can be another file's before the commit. */
bool ext4_abi_writes_back_data(struct inode *inode);
void ext4_abi_set_sync_tids(handle_t *handle, struct inode *inode);
/* The last transaction with something of the inode's that fdatasync waits for. */
u32 ext4_abi_datasync_tid(struct inode *inode);
/* As chattr +i does, but that nothing is written yet. */
void ext4_abi_set_immutable(struct inode *inode);
u64 ext4_abi_default_goal(struct inode *inode);

/* Journal. */
handle_t *ext4_abi_journal_start(struct inode *inode, int credits);
int ext4_abi_journal_stop(handle_t *handle);

/*
 * An inode's place in its table, of the size that ext4's own structure has at most. Reserved, its
 * block is in memory and the handle may write it; dirty then writes the inode there and can't fail
 * but with the journal. One of dirty and release follows each reserve that returned 0.
 */
struct ext4_abi_iloc {
	unsigned long ext4s[4];
};

int ext4_abi_inode_reserve(handle_t *handle, struct inode *inode, struct ext4_abi_iloc *iloc);
int ext4_abi_inode_dirty(handle_t *handle, struct inode *inode, struct ext4_abi_iloc *iloc);
void ext4_abi_inode_release(struct ext4_abi_iloc *iloc);
void ext4_abi_fc_ineligible(handle_t *handle, struct super_block *sb);

/* Allocation. */
u64 ext4_abi_new_blocks(handle_t *handle, struct inode *inode, u64 goal, unsigned long *count,
			int *err);
void ext4_abi_free_blocks(handle_t *handle, struct inode *inode, u64 block, unsigned long count);
void ext4_abi_discard_preallocations(struct inode *inode);
typedef int (*ext4_abi_free_fn)(struct super_block *sb, unsigned int group, int start, int len,
				void *priv);
int ext4_abi_query_free(struct super_block *sb, unsigned int group, int first, int end,
			ext4_abi_free_fn fn, void *priv);
struct buffer_head *ext4_abi_inode_bitmap(struct super_block *sb, unsigned int group);

/* Mapping. */
/* Forget where these blocks are; -ENOMEM where that takes memory: then it is still known. */
int ext4_abi_es_remove(struct inode *inode, u32 lblk, u32 len);
/* 0, or -EUCLEAN after an ext4 error report for the first pointer that can't be right. */
int ext4_abi_check_pointers(struct inode *inode, __le32 *pointers, unsigned int count);
/* The same report for what is wrong for a reason that ext4 does not know. */
int ext4_abi_report(struct inode *inode, u64 block, const char *what);

#endif
