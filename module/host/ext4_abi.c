// SPDX-License-Identifier: GPL-2.0-only
/*
 * The only file that depends on the internals of ext4.
 *
 * Addresses of functions come from kprobes that are registered and removed
 * again. Functions are called by static calls, which are patched into direct
 * calls: where indirect branch tracking is on, an indirect call to a function
 * that was never exported faults. Offsets and prototypes come from
 * ext4_abi_generated.h.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/buffer_head.h>
#include <linux/elf.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/jbd2.h>
#include <linux/kprobes.h>
#include <linux/magic.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/static_call.h>

#include "../ext4_abi_generated.h"
#include "ext4_abi.h"

#define OFFSET(structure, member) EXT4_ABI_OFF_##structure##__##member
#define FIELD(type, base, structure, member)                    \
	((type *)((char *)(base) + OFFSET(structure, member)) + \
	 BUILD_BUG_ON_ZERO(sizeof(type) != EXT4_ABI_SIZE_##structure##__##member))

/* The headers the module is compiled against must be those of the ext4 that was read. */
#ifndef __CHECKER__ /* sparse lays out struct inode of 6.12 in its own way */
static_assert(EXT4_ABI_SIZE_ext4_inode_info__vfs_inode == sizeof(struct inode));
#endif
static_assert(EXT4_ABI_SIZE_ext4_inode_info__i_data_sem == sizeof(struct rw_semaphore));
static_assert(EXT4_ABI_SIZE_ext4_inode_info__i_data == 15 * sizeof(__le32));
static_assert(EXT4_ABI_SIZE_ext4_iloc <= sizeof(struct ext4_abi_iloc));

/* ext4's names for what is not in BTF, since they are macros: on-disk or long-lived. */
#define COMPAT_FAST_COMMIT 0x0400
#define RO_COMPAT_BIGALLOC 0x0200
#define RO_COMPAT_METADATA_CSUM 0x0400
#define INCOMPAT_EXTENTS 0x0040
#define INCOMPAT_64BIT 0x0080
#define JOURNAL_DATA_MODE 0x01
#define WRITEBACK_DATA_MODE 0x04
#define HINT_MERGE 0x0001    /* take what there is at the goal, if less than asked for */
#define HINT_TRY_GOAL 0x0200 /* look at the goal first */
#define HT_MISC 0

/*
 * The functions: name, result, parameters. Where a prototype has more than one
 * known shape, the build picked the target's.
 */
#if EXT4_ABI_SHAPE___ext4_journal_start_sb == 1
#define START_PARAMETERS struct super_block *, unsigned int, int, int, int, int
#else
#define START_PARAMETERS struct inode *, struct super_block *, unsigned int, int, int, int, int
#endif

#if EXT4_ABI_SHAPE_ext4_es_remove_extent == 1
#define ES_REMOVE_RESULT int
#else
#define ES_REMOVE_RESULT void
#endif

#if EXT4_ABI_SHAPE_ext4_discard_preallocations == 1
#define DISCARD_PARAMETERS struct inode *, unsigned int
#else
#define DISCARD_PARAMETERS struct inode *
#endif

struct ext4_iloc;

/* clang-format off */
#define EXT4_FUNCTIONS(X)                                                                          \
	X(ext4_new_meta_blocks, unsigned long long,                                                \
	  handle_t *, struct inode *, unsigned long long, unsigned int, unsigned long *, int *)    \
	X(ext4_free_blocks, void,                                                                  \
	  handle_t *, struct inode *, struct buffer_head *, unsigned long long, unsigned long, int)\
	X(ext4_mballoc_query_range, int,                                                           \
	  struct super_block *, unsigned int, int, int, ext4_abi_free_fn, ext4_abi_free_fn, void *)\
	X(__ext4_journal_start_sb, handle_t *, START_PARAMETERS)                                   \
	X(__ext4_journal_stop, int, const char *, unsigned int, handle_t *)                        \
	X(ext4_reserve_inode_write, int, handle_t *, struct inode *, struct ext4_iloc *)           \
	X(ext4_mark_iloc_dirty, int, handle_t *, struct inode *, struct ext4_iloc *)               \
	X(ext4_convert_inline_data, int, struct inode *)                                           \
	X(ext4_seq_options_show, int, struct seq_file *, void *)                                   \
	X(ext4_es_remove_extent, ES_REMOVE_RESULT, struct inode *, u32, u32)                       \
	X(ext4_check_blockref, int,                                                                \
	  const char *, unsigned int, struct inode *, __le32 *, unsigned int)                      \
	X(ext4_fc_mark_ineligible, void, struct super_block *, int, handle_t *)                    \
	X(ext4_discard_preallocations, void, DISCARD_PARAMETERS)                                   \
	X(ext4_read_inode_bitmap, struct buffer_head *, struct super_block *, unsigned int)        \
	X(ext4_get_group_desc, struct ext4_group_desc *,                                           \
	  struct super_block *, unsigned int, struct buffer_head **)                               \
	X(ext4_inode_table, unsigned long long, struct super_block *, struct ext4_group_desc *)    \
	X(ext4_sb_block_valid, int,                                                                \
	  struct super_block *, struct inode *, unsigned long long, unsigned int)                  \
	X(ext4_inode_journal_mode, int, struct inode *)                                            \
	X(ext4_inode_to_goal_block, unsigned long long, struct inode *)                            \
	X(ext4_inode_is_fast_symlink, int, struct inode *)                                         \
	X(__ext4_iget, struct inode *,                                                             \
	  struct super_block *, unsigned long, unsigned int, const char *, unsigned int)           \
	X(__ext4_error_inode, void, struct inode *, const char *, unsigned int,                    \
	  unsigned long long, int, const char *, ...)
/* clang-format on */

#define DEFINE_CALL(name, result, ...)        \
	result abi_proto_##name(__VA_ARGS__); \
	DEFINE_STATIC_CALL_NULL(abi_##name, abi_proto_##name);
EXT4_FUNCTIONS(DEFINE_CALL)

#define CALL(name) static_call(abi_##name)

static struct file_system_type *ext4_type;
static void *ext4_evict_inode_addr;

/* The address of an ext4 function by name, NULL where there is none. */
static void *ext4_abi_address(const char *name)
{
	struct kprobe kp = {};
	void *addr = NULL;
	char *symbol;

	/* With the module's name, so that no other module's symbol is taken for ext4's. */
	symbol = kasprintf(GFP_KERNEL, "%s%s", EXT4_ABI_BUILTIN ? "" : "ext4:", name);
	if (!symbol)
		return NULL;
	kp.symbol_name = symbol;
	if (!register_kprobe(&kp)) {
		addr = kp.addr;
		unregister_kprobe(&kp);
	}
	kfree(symbol);
	if (!addr)
		pr_err("%s: not found in the running ext4\n", name);
	return addr;
}

static int ext4_abi_resolve(void)
{
	void *addr;

#define RESOLVE_CALL(name, ...)         \
	addr = ext4_abi_address(#name); \
	if (!addr)                      \
		return -ENOENT;         \
	static_call_update(abi_##name, (typeof(&abi_proto_##name))addr);
	EXT4_FUNCTIONS(RESOLVE_CALL)

	ext4_evict_inode_addr = ext4_abi_address("ext4_evict_inode");
	return ext4_evict_inode_addr ? 0 : -ENOENT;
}

/* Looks for the build-id among ELF notes. */
static bool ext4_abi_note_matches(const u8 *notes, size_t len)
{
	static const u8 want[EXT4_ABI_BUILD_ID_LEN] = EXT4_ABI_BUILD_ID;

	while (len >= sizeof(struct elf_note)) {
		const struct elf_note *note = (const void *)notes;
		size_t name = ALIGN((size_t)note->n_namesz, 4);
		size_t desc = ALIGN((size_t)note->n_descsz, 4);

		len -= sizeof(*note);
		notes += sizeof(*note);
		if (name > len || desc > len - name)
			return false;
		if (note->n_type == 3 /* NT_GNU_BUILD_ID */ && note->n_namesz == 4 &&
		    !memcmp(notes, "GNU", 4))
			return note->n_descsz == sizeof(want) &&
			       !memcmp(notes + name, want, sizeof(want));
		notes += name + desc;
		len -= name + desc;
	}
	return false;
}

/*
 * Debian replaces kernels under the same release name: only the build-id says
 * whether the running ext4 is the one whose layout this module knows.
 */
static int ext4_abi_check_build(void)
{
	const char *path = EXT4_ABI_BUILTIN ? "/sys/kernel/notes" :
					      "/sys/module/ext4/notes/.note.gnu.build-id";
	struct file *file;
	loff_t pos = 0;
	ssize_t len;
	u8 *notes;
	int err;

	notes = kmalloc(PAGE_SIZE, GFP_KERNEL);
	if (!notes)
		return -ENOMEM;
	file = filp_open(path, O_RDONLY, 0);
	if (IS_ERR(file)) {
		err = PTR_ERR(file);
		pr_err("%s: can't open: %d; the build of ext4 can't be checked\n", path, err);
		goto out_notes;
	}
	/* A file put in its place must not answer for the kernel. */
	if (file_inode(file)->i_sb->s_magic != SYSFS_MAGIC) {
		pr_err("%s: not in sysfs\n", path);
		err = -ENODEV;
		goto out_file;
	}
	len = kernel_read(file, notes, PAGE_SIZE, &pos);
	err = len < 0 ? len : 0;
	if (!err && !ext4_abi_note_matches(notes, len)) {
		pr_err("built for the ext4 of %s with another build-id than the "
		       "running one's; rebuild ext3meta for this kernel\n",
		       EXT4_ABI_RELEASE);
		err = -ENODEV;
	}
out_file:
	filp_close(file, NULL);
out_notes:
	kfree(notes);
	return err;
}

int ext4_abi_init(void)
{
	int err;

	/* Loads ext4 where it isn't there, and keeps it: the addresses must stay good. */
	ext4_type = get_fs_type("ext4");
	if (!ext4_type) {
		pr_err("the kernel has no ext4\n");
		return -ENODEV;
	}
	err = ext4_abi_check_build();
	if (!err)
		err = ext4_abi_resolve();
	if (err)
		module_put(ext4_type->owner);
	return err;
}

void ext4_abi_exit(void)
{
	module_put(ext4_type->owner);
}

bool ext4_abi_owns(const struct super_block *sb)
{
	void *evict = sb->s_op->evict_inode;

	if (evict == ext4_evict_inode_addr)
		return true;
#ifdef CONFIG_X86_KERNEL_IBT
	/* There a kprobe sits behind the ENDBR, which a function pointer points at. */
	if (evict && evict + ENDBR_INSN_SIZE == ext4_evict_inode_addr)
		return true;
#endif
	return false;
}

static void *sbi_of(struct super_block *sb)
{
	return sb->s_fs_info;
}

static void *es_of(struct super_block *sb)
{
	return *FIELD(void *, sbi_of(sb), ext4_sb_info, s_es);
}

#define ES32(sb, member) le32_to_cpu(*FIELD(__le32, es_of(sb), ext4_super_block, member))

void ext4_abi_geometry(struct super_block *sb, struct meta_geometry *geo)
{
	geo->blocks = ES32(sb, s_blocks_count_lo);
	if (ES32(sb, s_feature_incompat) & INCOMPAT_64BIT)
		geo->blocks |= (u64)ES32(sb, s_blocks_count_hi) << 32;
	geo->first_block = ES32(sb, s_first_data_block);
	geo->blocks_per_group = ES32(sb, s_blocks_per_group);
	geo->inodes = ES32(sb, s_inodes_count);
	geo->inodes_per_group = ES32(sb, s_inodes_per_group);
}

journal_t *ext4_abi_journal(struct super_block *sb)
{
	return *FIELD(journal_t *, sbi_of(sb), ext4_sb_info, s_journal);
}

bool ext4_abi_knows_metadata(struct super_block *sb)
{
	return READ_ONCE(*FIELD(void *, sbi_of(sb), ext4_sb_info, s_system_blks));
}

bool ext4_abi_fast_commit(struct super_block *sb)
{
	return ES32(sb, s_feature_compat) & COMPAT_FAST_COMMIT;
}

bool ext4_abi_extents_feature(struct super_block *sb)
{
	return ES32(sb, s_feature_incompat) & INCOMPAT_EXTENTS;
}

bool ext4_abi_features_within(struct super_block *sb, u32 compat, u32 incompat, u32 ro_compat)
{
	return !(ES32(sb, s_feature_compat) & ~compat) &&
	       !(ES32(sb, s_feature_incompat) & ~incompat) &&
	       !(ES32(sb, s_feature_ro_compat) & ~ro_compat);
}

u64 ext4_abi_option_bits(struct super_block *sb)
{
	u64 bits = READ_ONCE(*FIELD(unsigned int, sbi_of(sb), ext4_sb_info, s_mount_opt));

	return bits << 32 | READ_ONCE(*FIELD(unsigned int, sbi_of(sb), ext4_sb_info, s_mount_opt2));
}

int ext4_abi_options(struct super_block *sb, char *text, size_t size)
{
	struct seq_file seq = { .buf = text, .size = size - 1, .private = sb };
	int err = CALL(ext4_seq_options_show)(&seq, NULL);

	if (!err && seq_has_overflowed(&seq))
		err = -EOVERFLOW;
	text[err ? 0 : seq.count] = '\0';
	return err;
}

bool ext4_abi_bigalloc(struct super_block *sb)
{
	return ES32(sb, s_feature_ro_compat) & RO_COMPAT_BIGALLOC;
}

unsigned int ext4_abi_cluster_bits(struct super_block *sb)
{
	return *FIELD(unsigned int, sbi_of(sb), ext4_sb_info, s_cluster_bits);
}

u64 ext4_abi_bitmap_maxbytes(struct super_block *sb)
{
	return *FIELD(loff_t, sbi_of(sb), ext4_sb_info, s_bitmap_maxbytes);
}

u32 ext4_abi_first_ino(struct super_block *sb)
{
	return *FIELD(int, sbi_of(sb), ext4_sb_info, s_first_ino);
}

bool ext4_abi_reserved_ino(struct super_block *sb, u32 ino)
{
#ifdef EXT4_ABI_OFF_ext4_super_block__s_orphan_file_inum
	if (ino == ES32(sb, s_orphan_file_inum))
		return true;
#endif
	return ino == ES32(sb, s_usr_quota_inum) || ino == ES32(sb, s_grp_quota_inum) ||
	       ino == ES32(sb, s_prj_quota_inum) || ino == ES32(sb, s_journal_inum);
}

struct inode *ext4_abi_iget(struct super_block *sb, u32 ino)
{
	return CALL(__ext4_iget)(sb, ino, EXT4_ABI_ENUM_EXT4_IGET_HANDLE, EXT3META_NAME, __LINE__);
}

static void *ei_of(struct inode *inode)
{
	return (char *)inode - OFFSET(ext4_inode_info, vfs_inode);
}

__le32 *ext4_abi_i_data(struct inode *inode)
{
	return (__le32 *)((char *)ei_of(inode) + OFFSET(ext4_inode_info, i_data));
}

struct rw_semaphore *ext4_abi_i_data_sem(struct inode *inode)
{
	return FIELD(struct rw_semaphore, ei_of(inode), ext4_inode_info, i_data_sem);
}

static bool ei_flag(struct inode *inode, unsigned int bit)
{
	return READ_ONCE(*FIELD(unsigned long, ei_of(inode), ext4_inode_info, i_flags)) & BIT(bit);
}

bool ext4_abi_has_extents(struct inode *inode)
{
	return ei_flag(inode, EXT4_ABI_ENUM_EXT4_INODE_EXTENTS);
}

bool ext4_abi_is_inline(struct inode *inode)
{
	return ei_flag(inode, EXT4_ABI_ENUM_EXT4_INODE_INLINE_DATA);
}

int ext4_abi_never_inline(struct inode *inode)
{
	return CALL(ext4_convert_inline_data)(inode);
}

bool ext4_abi_is_ea_inode(struct inode *inode)
{
	return ei_flag(inode, EXT4_ABI_ENUM_EXT4_INODE_EA_INODE);
}

void ext4_abi_set_immutable(struct inode *inode)
{
	set_bit(EXT4_ABI_ENUM_EXT4_INODE_IMMUTABLE,
		FIELD(unsigned long, ei_of(inode), ext4_inode_info, i_flags));
	inode_set_flags(inode, S_IMMUTABLE, S_IMMUTABLE);
}

bool ext4_abi_fast_symlink(struct inode *inode)
{
	return CALL(ext4_inode_is_fast_symlink)(inode);
}

bool ext4_abi_journals_data(struct inode *inode)
{
	return (CALL(ext4_inode_journal_mode)(inode) & JOURNAL_DATA_MODE) ||
	       ei_flag(inode, EXT4_ABI_ENUM_EXT4_INODE_JOURNAL_DATA);
}

bool ext4_abi_writes_back_data(struct inode *inode)
{
	return CALL(ext4_inode_journal_mode)(inode) & WRITEBACK_DATA_MODE;
}

/*
 * An overwrite followed by fdatasync changes no metadata, so ext4 would see no
 * reason to commit. But the data went to the new blocks, and until the swap is
 * committed a crash brings the old ones back: fsync must wait for it.
 */
void ext4_abi_set_sync_tids(handle_t *handle, struct inode *inode)
{
	tid_t tid = handle->h_transaction->t_tid;

	*FIELD(tid_t, ei_of(inode), ext4_inode_info, i_sync_tid) = tid;
	*FIELD(tid_t, ei_of(inode), ext4_inode_info, i_datasync_tid) = tid;
}

u32 ext4_abi_datasync_tid(struct inode *inode)
{
	return READ_ONCE(*FIELD(tid_t, ei_of(inode), ext4_inode_info, i_datasync_tid));
}

u64 ext4_abi_default_goal(struct inode *inode)
{
	return CALL(ext4_inode_to_goal_block)(inode);
}

handle_t *ext4_abi_journal_start(struct inode *inode, int credits)
{
#if EXT4_ABI_SHAPE___ext4_journal_start_sb == 1
	return CALL(__ext4_journal_start_sb)(inode->i_sb, __LINE__, HT_MISC, credits, 0, 0);
#else
	return CALL(__ext4_journal_start_sb)(inode, inode->i_sb, __LINE__, HT_MISC, credits, 0, 0);
#endif
}

int ext4_abi_journal_stop(handle_t *handle)
{
	return CALL(__ext4_journal_stop)(EXT3META_NAME, __LINE__, handle);
}

int ext4_abi_inode_reserve(handle_t *handle, struct inode *inode, struct ext4_abi_iloc *iloc)
{
	return CALL(ext4_reserve_inode_write)(handle, inode, (struct ext4_iloc *)iloc);
}

int ext4_abi_inode_dirty(handle_t *handle, struct inode *inode, struct ext4_abi_iloc *iloc)
{
	return CALL(ext4_mark_iloc_dirty)(handle, inode, (struct ext4_iloc *)iloc);
}

void ext4_abi_inode_release(struct ext4_abi_iloc *iloc)
{
	brelse(*FIELD(struct buffer_head *, iloc, ext4_iloc, bh));
}

void ext4_abi_fc_ineligible(handle_t *handle, struct super_block *sb)
{
	CALL(ext4_fc_mark_ineligible)(sb, EXT4_ABI_ENUM_EXT4_FC_REASON_SWAP_BOOT, handle);
}

u64 ext4_abi_new_blocks(handle_t *handle, struct inode *inode, u64 goal, unsigned long *count,
			int *err)
{
	return CALL(ext4_new_meta_blocks)(handle, inode, goal, HINT_TRY_GOAL | HINT_MERGE, count,
					  err);
}

void ext4_abi_free_blocks(handle_t *handle, struct inode *inode, u64 block, unsigned long count)
{
	CALL(ext4_free_blocks)(handle, inode, NULL, block, count, 0);
}

void ext4_abi_discard_preallocations(struct inode *inode)
{
#if EXT4_ABI_SHAPE_ext4_discard_preallocations == 1
	CALL(ext4_discard_preallocations)(inode, 0);
#else
	CALL(ext4_discard_preallocations)(inode);
#endif
}

int ext4_abi_query_free(struct super_block *sb, unsigned int group, int first, int end,
			ext4_abi_free_fn fn, void *priv)
{
	return CALL(ext4_mballoc_query_range)(sb, group, first, end, NULL, fn, priv);
}

bool ext4_abi_plain_inodes(struct super_block *sb)
{
	return !*FIELD(void *, sbi_of(sb), ext4_sb_info, s_daxdev) &&
	       !(ES32(sb, s_feature_ro_compat) & (RO_COMPAT_METADATA_CSUM | RO_COMPAT_BIGALLOC));
}

unsigned int ext4_abi_inode_size(struct super_block *sb)
{
	return *FIELD(int, sbi_of(sb), ext4_sb_info, s_inode_size);
}

u64 ext4_abi_inode_table(struct super_block *sb, unsigned int group)
{
	struct ext4_group_desc *desc = CALL(ext4_get_group_desc)(sb, group, NULL);

	return desc ? CALL(ext4_inode_table)(sb, desc) : 0;
}

bool ext4_abi_blocks_valid(struct super_block *sb, u64 start, unsigned int count)
{
	return CALL(ext4_sb_block_valid)(sb, NULL, start, count);
}

struct buffer_head *ext4_abi_inode_bitmap(struct super_block *sb, unsigned int group)
{
	return CALL(ext4_read_inode_bitmap)(sb, group);
}

int ext4_abi_es_remove(struct inode *inode, u32 lblk, u32 len)
{
#if EXT4_ABI_SHAPE_ext4_es_remove_extent == 1
	return CALL(ext4_es_remove_extent)(inode, lblk, len);
#else
	CALL(ext4_es_remove_extent)(inode, lblk, len);
	return 0;
#endif
}

int ext4_abi_check_pointers(struct inode *inode, __le32 *pointers, unsigned int count)
{
	return CALL(ext4_check_blockref)(EXT3META_NAME, __LINE__, inode, pointers, count);
}

int ext4_abi_report(struct inode *inode, u64 block, const char *what)
{
	CALL(__ext4_error_inode)(inode, EXT3META_NAME, __LINE__, block, EUCLEAN, "%s", what);
	return -EUCLEAN;
}
