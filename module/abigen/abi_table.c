// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the module needs to know about the target's ext4. A maintainer adds a line here and uses
 * the define in the module.
 *
 * A shape is a prototype with its typedefs resolved and its integers named by size and sign (s32,
 * u64 ...), which is what a caller depends on: handle_t * is struct jbd2_journal_handle *,
 * ext4_fsblk_t is u64, ext4_lblk_t and ext4_group_t are u32, ext4_grpblk_t is s32. When abigen
 * stops with "unknown prototype", what it prints can be pasted here.
 */
#include <stddef.h>

#include "abi_table.h"

/* clang-format off */
#define FIELD(structure, member) { structure, member, false }
#define OPTIONAL_FIELD(structure, member) { structure, member, true }
/* clang-format on */

const struct abi_field abi_fields[] = {
	FIELD("ext4_inode_info", "i_data"),
	FIELD("ext4_inode_info", "i_data_sem"),
	FIELD("ext4_inode_info", "vfs_inode"),
	FIELD("ext4_inode_info", "i_flags"),
	FIELD("ext4_inode_info", "i_sync_tid"),
	FIELD("ext4_inode_info", "i_datasync_tid"),

	FIELD("ext4_iloc", "bh"),

	FIELD("ext4_sb_info", "s_es"),
	FIELD("ext4_sb_info", "s_journal"),
	FIELD("ext4_sb_info", "s_first_ino"),
	FIELD("ext4_sb_info", "s_inode_size"),
	FIELD("ext4_sb_info", "s_daxdev"),
	FIELD("ext4_sb_info", "s_bitmap_maxbytes"),
	FIELD("ext4_sb_info", "s_cluster_bits"),
	FIELD("ext4_sb_info", "s_system_blks"),
	FIELD("ext4_sb_info", "s_mount_opt"),
	FIELD("ext4_sb_info", "s_mount_opt2"),

	FIELD("ext4_super_block", "s_inodes_count"),
	FIELD("ext4_super_block", "s_blocks_count_lo"),
	FIELD("ext4_super_block", "s_blocks_count_hi"),
	FIELD("ext4_super_block", "s_first_data_block"),
	FIELD("ext4_super_block", "s_blocks_per_group"),
	FIELD("ext4_super_block", "s_inodes_per_group"),
	FIELD("ext4_super_block", "s_feature_compat"),
	FIELD("ext4_super_block", "s_feature_incompat"),
	FIELD("ext4_super_block", "s_feature_ro_compat"),
	FIELD("ext4_super_block", "s_journal_inum"),
	FIELD("ext4_super_block", "s_usr_quota_inum"),
	FIELD("ext4_super_block", "s_grp_quota_inum"),
	FIELD("ext4_super_block", "s_prj_quota_inum"),
	OPTIONAL_FIELD("ext4_super_block", "s_orphan_file_inum"),
	{ 0 },
};

const char *const abi_structures[] = { "ext4_iloc", NULL };

/* clang-format off */
const struct abi_enumerator abi_enumerators[] = {
	{ .name = "EXT4_FC_REASON_SWAP_BOOT" },
	{ .name = "EXT4_INODE_IMMUTABLE" },
	{ .name = "EXT4_INODE_JOURNAL_DATA" },
	{ .name = "EXT4_INODE_EXTENTS" },
	{ .name = "EXT4_INODE_EA_INODE" },
	{ .name = "EXT4_INODE_INLINE_DATA" },
	{ .name = "EXT4_IGET_HANDLE" },
	{ 0 },
};
/* clang-format on */

const struct abi_function abi_functions[] = {
	{ .name = "ext4_new_meta_blocks", .shapes = {
		"u64 (struct jbd2_journal_handle *, struct inode *, u64, u32, u64 *, s32 *)",
	} },
	{ .name = "ext4_free_blocks", .shapes = {
		"void (struct jbd2_journal_handle *, struct inode *, struct buffer_head *, "
		"u64, u64, s32)",
	} },
	{ .name = "ext4_mballoc_query_range", .shapes = {
		"s32 (struct super_block *, u32, s32, s32, s32 (*)(struct super_block *, "
		"u32, s32, s32, void *), s32 (*)(struct super_block *, u32, s32, s32, "
		"void *), void *)",
	} },
	{ .name = "__ext4_journal_start_sb", .shapes = {
		"struct jbd2_journal_handle *(struct super_block *, u32, s32, s32, s32, s32)",
		"struct jbd2_journal_handle *(struct inode *, struct super_block *, u32, "
		"s32, s32, s32, s32)",
	} },
	{ .name = "__ext4_journal_stop", .shapes = {
		"s32 (const char *, u32, struct jbd2_journal_handle *)",
	} },
	{ .name = "ext4_reserve_inode_write", .shapes = {
		"s32 (struct jbd2_journal_handle *, struct inode *, struct ext4_iloc *)",
	} },
	{ .name = "ext4_mark_iloc_dirty", .shapes = {
		"s32 (struct jbd2_journal_handle *, struct inode *, struct ext4_iloc *)",
	} },
	{ .name = "ext4_convert_inline_data", .shapes = {
		"s32 (struct inode *)",
	} },
	{ .name = "ext4_seq_options_show", .shapes = {
		"s32 (struct seq_file *, void *)",
	} },
	{ .name = "ext4_es_remove_extent", .shapes = {
		"s32 (struct inode *, u32, u32)",
		"void (struct inode *, u32, u32)",
	} },
	{ .name = "ext4_check_blockref", .shapes = {
		"s32 (const char *, u32, struct inode *, u32 *, u32)",
	} },
	{ .name = "ext4_fc_mark_ineligible", .shapes = {
		"void (struct super_block *, s32, struct jbd2_journal_handle *)",
	} },
	{ .name = "ext4_discard_preallocations", .shapes = {
		"void (struct inode *, u32)",
		"void (struct inode *)",
	} },
	{ .name = "ext4_read_inode_bitmap", .shapes = {
		"struct buffer_head *(struct super_block *, u32)",
	} },
	{ .name = "ext4_get_group_desc", .shapes = {
		"struct ext4_group_desc *(struct super_block *, u32, struct buffer_head **)",
	} },
	{ .name = "ext4_inode_table", .shapes = {
		"u64 (struct super_block *, struct ext4_group_desc *)",
	} },
	{ .name = "ext4_sb_block_valid", .shapes = {
		"s32 (struct super_block *, struct inode *, u64, u32)",
	} },
	{ .name = "ext4_inode_journal_mode", .shapes = {
		"s32 (struct inode *)",
	} },
	{ .name = "ext4_evict_inode", .shapes = {
		"void (struct inode *)",
	} },
	{ .name = "ext4_inode_to_goal_block", .shapes = {
		"u64 (struct inode *)",
	} },
	{ .name = "__ext4_error_inode", .shapes = {
		"void (struct inode *, const char *, u32, u64, s32, const char *, ...)",
	} },
	{ .name = "ext4_inode_is_fast_symlink", .shapes = {
		"s32 (struct inode *)",
	} },
	{ .name = "__ext4_iget", .shapes = {
		"struct inode *(struct super_block *, u64, ext4_iget_flags, const char *, u32)",
	} },
	{ 0 },
};
