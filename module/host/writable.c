// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which hosts may be changed at all: those whose features and mount options are
 * all on a list of what was proven to work. What a later ext4 adds is not on the
 * list, and is refused.
 */
#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "host.h"

/* Features by their names in ext4(5), as they stand on the disk. */
enum {
	COMPAT_DIR_PREALLOC = 0x0001,
	COMPAT_IMAGIC_INODES = 0x0002,
	COMPAT_HAS_JOURNAL = 0x0004,
	COMPAT_EXT_ATTR = 0x0008,
	COMPAT_RESIZE_INODE = 0x0010,
	COMPAT_DIR_INDEX = 0x0020,
	COMPAT_SPARSE_SUPER2 = 0x0200,
	COMPAT_STABLE_INODES = 0x0800,
	COMPAT_ORPHAN_FILE = 0x1000,

	INCOMPAT_FILETYPE = 0x0002,
	INCOMPAT_RECOVER = 0x0004,
	INCOMPAT_META_BG = 0x0010,
	INCOMPAT_EXTENT = 0x0040,
	INCOMPAT_64BIT = 0x0080,
	INCOMPAT_MMP = 0x0100,
	INCOMPAT_FLEX_BG = 0x0200,
	INCOMPAT_EA_INODE = 0x0400,
	INCOMPAT_CSUM_SEED = 0x2000,
	INCOMPAT_LARGEDIR = 0x4000,
	INCOMPAT_INLINE_DATA = 0x8000,
	INCOMPAT_ENCRYPT = 0x10000,
	INCOMPAT_CASEFOLD = 0x20000,

	RO_COMPAT_SPARSE_SUPER = 0x0001,
	RO_COMPAT_LARGE_FILE = 0x0002,
	RO_COMPAT_BTREE_DIR = 0x0004,
	RO_COMPAT_HUGE_FILE = 0x0008,
	RO_COMPAT_UNINIT_BG = 0x0010,
	RO_COMPAT_DIR_NLINK = 0x0020,
	RO_COMPAT_EXTRA_ISIZE = 0x0040,
	RO_COMPAT_QUOTA = 0x0100,
	RO_COMPAT_BIGALLOC = 0x0200,
	RO_COMPAT_METADATA_CSUM = 0x0400,
	RO_COMPAT_PROJECT = 0x2000,
	RO_COMPAT_VERITY = 0x8000,
	RO_COMPAT_ORPHAN_PRESENT = 0x10000,
};

/*
 * Those that the tests run with, and those that say nothing of where a file's data and indirect
 * blocks lie, how they are journaled and when they are durable: of directories, names, inodes and
 * their numbers, attributes, quota, the superblock's copies. Inline data, encryption, verity,
 * clusters and attributes' inodes concern single files, which are refused (refuse.c).
 */
#define COMPAT_PROVEN                                                                           \
	(COMPAT_DIR_PREALLOC | COMPAT_IMAGIC_INODES | COMPAT_HAS_JOURNAL | COMPAT_EXT_ATTR |    \
	 COMPAT_RESIZE_INODE | COMPAT_DIR_INDEX | COMPAT_SPARSE_SUPER2 | COMPAT_STABLE_INODES | \
	 COMPAT_ORPHAN_FILE)
#define INCOMPAT_PROVEN                                                                     \
	(INCOMPAT_FILETYPE | INCOMPAT_RECOVER | INCOMPAT_META_BG | INCOMPAT_EXTENT |        \
	 INCOMPAT_64BIT | INCOMPAT_MMP | INCOMPAT_FLEX_BG | INCOMPAT_EA_INODE |             \
	 INCOMPAT_CSUM_SEED | INCOMPAT_LARGEDIR | INCOMPAT_INLINE_DATA | INCOMPAT_ENCRYPT | \
	 INCOMPAT_CASEFOLD)
#define RO_COMPAT_PROVEN                                                                           \
	(RO_COMPAT_SPARSE_SUPER | RO_COMPAT_LARGE_FILE | RO_COMPAT_BTREE_DIR |                     \
	 RO_COMPAT_HUGE_FILE | RO_COMPAT_UNINIT_BG | RO_COMPAT_DIR_NLINK | RO_COMPAT_EXTRA_ISIZE | \
	 RO_COMPAT_QUOTA | RO_COMPAT_BIGALLOC | RO_COMPAT_METADATA_CSUM | RO_COMPAT_PROJECT |      \
	 RO_COMPAT_VERITY | RO_COMPAT_ORPHAN_PRESENT)

/*
 * Mount options as ext4 shows them: by the whole word, or by what stands before the "=". Not
 * noblock_validity, which has a word of its own in `info`.
 */
/* clang-format off */
static const char *const options_proven[] = {
	"rw",
	"bsddf", "minixdf",
	"grpid", "nogrpid",
	"block_validity",
	"dioread_nolock", "nodioread_nolock", "dioread_lock",
	"discard", "nodiscard",
	"delalloc", "nodelalloc",
	"warn_on_error", "nowarn_on_error",
	"journal_checksum", "nojournal_checksum", "journal_async_commit",
	"barrier", "nobarrier",
	"auto_da_alloc", "noauto_da_alloc",
	"init_itable", "noinit_itable",
	"user_xattr", "acl",
	"nouid32", "debug", "nombcache", "no_mbcache",
	"quota", "noquota", "usrquota", "grpquota", "prjquota",
	"usrjquota", "grpjquota", "jqfmt",
	"no_prefetch_block_bitmaps", "mb_optimize_scan",
	"sb", "resuid", "resgid", "errors", "commit", "min_batch_time", "max_batch_time", "stripe",
	"data=ordered", "data=writeback", "data=journal", "data_err=abort", "data_err=ignore",
	"inode_readahead_blks", "journal_ioprio", "max_dir_size_kb",
	/* files in DAX are refused one by one */
	"dax=always", "dax=never", "dax=inode",
};
/* clang-format on */

static bool option_proven(const char *option)
{
	size_t name = strcspn(option, "=");
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(options_proven); i++) {
		const char *proven = options_proven[i];

		if (!strcmp(option, proven) ||
		    (strlen(proven) == name && !strncmp(option, proven, name)))
			return true;
	}
	return false;
}

static bool options_right(struct super_block *sb, bool *discards)
{
	char *text, *rest, *option;
	bool right;

	text = kmalloc(PAGE_SIZE, GFP_KERNEL);
	if (!text)
		return false;
	right = !ext4_abi_options(sb, text, PAGE_SIZE);
	rest = text;
	*discards = false;
	while (right && (option = strsep(&rest, "\n"))) {
		right = !*option || option_proven(option);
		*discards |= !strcmp(option, "discard");
	}
	kfree(text);
	return right;
}

/* A remount changes them; what was found right is remembered by the bits it was found with. */
static bool options_proven_now(struct meta_host *host)
{
	u64 bits = ext4_abi_option_bits(host->sb);
	bool discards;

	/* A remount changes it, and no bit says so. */
	if (host->sb->s_flags & SB_INLINECRYPT)
		return false;
	if (atomic64_read(&host->memory->proven) == bits)
		return true;
	if (!options_right(host->sb, &discards))
		return false;
	WRITE_ONCE(host->memory->discards, discards);
	atomic64_set(&host->memory->proven, bits);
	return true;
}

/* Whether ext4 may discard what was freed; in doubt it does. */
bool e3m_discards(struct meta_host *host)
{
	return !options_proven_now(host) || READ_ONCE(host->memory->discards);
}

/**
 * e3m_writable - whether requests of a host may change anything
 * @host: the host
 * @why: set to the word for `info`, "yes" where nothing speaks against it
 *
 * Return: 0, or the errno for each of them.
 */
int e3m_writable(struct meta_host *host, const char **why)
{
	struct super_block *sb = host->sb;

	*why = "read-only";
	if (sb_rdonly(sb) || __mnt_is_readonly(host->path.mnt))
		return -EROFS;
	/* Without a journal a swap of two pointers could be cut in half. */
	*why = "no-journal";
	if (!ext4_abi_journal(sb))
		return -EOPNOTSUPP;
	/* Nothing that is changed from now on reaches the disk, which ext4 doesn't always show. */
	*why = "read-only";
	if (is_journal_aborted(ext4_abi_journal(sb)))
		return -EROFS;
	/* A pointer that leads into the filesystem's own tables would be taken for a file's. */
	*why = "unchecked";
	if (!ext4_abi_knows_metadata(sb))
		return -EOPNOTSUPP;
	/*
	 * With fast commits ext4 takes an inode for durable of which no fast commit has anything to
	 * log, as after a swap: on a disk with FUA an O_DSYNC overwrite then commits nothing.
	 */
	*why = "fast-commit";
	if (ext4_abi_fast_commit(sb))
		return -EOPNOTSUPP;
	/* A page and its blocks are looked at as one page of one or more blocks. */
	*why = "block-size";
	if (sb->s_blocksize > PAGE_SIZE)
		return -EOPNOTSUPP;
	*why = "features";
	if (!ext4_abi_features_within(sb, COMPAT_PROVEN, INCOMPAT_PROVEN, RO_COMPAT_PROVEN))
		return -EOPNOTSUPP;
	*why = "options";
	if (!options_proven_now(host))
		return -EOPNOTSUPP;
	*why = "yes";
	return 0;
}
