// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which files may be changed: one table, asked without locks to spare the
 * work, and again with them, for both files of a pair.
 */
#include <linux/fs.h>
#include <linux/fscrypt.h>
#include <linux/fsverity.h>
#include <linux/mount.h>

#include "ext3.h"

/* How the file finds its blocks, as `info` says it. */
const char *ext3_mapping(struct inode *inode)
{
	if (ext4_abi_is_inline(inode))
		return "inline";
	if (S_ISREG(inode->i_mode) || S_ISDIR(inode->i_mode) ||
	    (S_ISLNK(inode->i_mode) && !ext4_abi_fast_symlink(inode)))
		return ext4_abi_has_extents(inode) ? "extents" : "indirect";
	return "none";
}

struct refusal {
	const char *why; /* the word in `info` */
	int err;
	bool (*applies)(struct inode *inode);
};

static bool not_regular(struct inode *inode)
{
	return !S_ISREG(inode->i_mode);
}

static bool encrypted(struct inode *inode)
{
	return IS_ENCRYPTED(inode);
}

static bool verity(struct inode *inode)
{
	return IS_VERITY(inode);
}

static bool dax(struct inode *inode)
{
	return IS_DAX(inode);
}

static bool bigalloc(struct inode *inode)
{
	return ext4_abi_bigalloc(inode->i_sb);
}

static bool swapfile(struct inode *inode)
{
	return IS_SWAPFILE(inode);
}

static bool quota_file(struct inode *inode)
{
	return IS_NOQUOTA(inode);
}

static bool append_only(struct inode *inode)
{
	return IS_APPEND(inode);
}

/* In the order in which they are answered. */
static const struct refusal refusals[] = {
	{ "type", -EOPNOTSUPP, not_regular },
	{ "inline", -EOPNOTSUPP, ext4_abi_is_inline },
	{ "extents", -EOPNOTSUPP, ext4_abi_has_extents },
	{ "encrypted", -EOPNOTSUPP, encrypted },
	{ "verity", -EOPNOTSUPP, verity },
	{ "dax", -EOPNOTSUPP, dax },
	{ "ea-inode", -EOPNOTSUPP, ext4_abi_is_ea_inode },
	{ "bigalloc", -EOPNOTSUPP, bigalloc },
	{ "swapfile", -ETXTBSY, swapfile },
	{ "quota", -EPERM, quota_file },
	{ "append-only", -EPERM, append_only },
};

/**
 * ext3_refuse - whether a file may not be changed
 * @inode: the file
 * @state: what is remembered of it, or NULL
 * @role: what it is wanted for
 * @why: set to the word for `info`, "yes" where nothing speaks against it
 *
 * A donor must have neither a name nor a size: after a reloc it holds the
 * original's old data, which nobody may come to read through it.
 *
 * Return: 0, or the errno to refuse with.
 */
int ext3_refuse(struct inode *inode, const struct meta_state *state, enum ext3_role role,
		const char **why)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(refusals); i++) {
		if (refusals[i].applies(inode)) {
			*why = refusals[i].why;
			return refusals[i].err;
		}
	}
	/*
	 * A donor that was sealed here is immutable to all others, but not to us. It never has a
	 * name: a file that does is another one, whose owner gave it the donor's generation.
	 */
	if (IS_IMMUTABLE(inode) && (inode->i_nlink || !(state && READ_ONCE(state->sealed)))) {
		*why = "immutable";
		return -EPERM;
	}
	switch (role) {
	case EXT3_ORIGINAL:
		if (!inode->i_nlink) {
			*why = "deleted";
			return -ENOENT;
		}
		break;
	case EXT3_DONOR:
		if (inode->i_nlink || i_size_read(inode)) {
			*why = "named";
			return -EPERM;
		}
		break;
	case EXT3_ALLOCATEE:
		/* Zeros don't go through the journal: a replay could undo them. */
		if (inode->i_nlink && ext4_abi_journals_data(inode)) {
			*why = "journal-data";
			return -EOPNOTSUPP;
		}
		break;
	}
	*why = "yes";
	return 0;
}

/* What keeps every request of a host from being carried out, whatever the file. */
int ext3_writable(struct meta_host *host)
{
	if (sb_rdonly(host->sb) || __mnt_is_readonly(host->path.mnt))
		return -EROFS;
	/* Without a journal a swap of two pointers could be cut in half. */
	if (!ext4_abi_journal(host->sb))
		return -EOPNOTSUPP;
	/* A pointer that leads into the filesystem's own tables would be taken for a file's. */
	if (!ext4_abi_knows_metadata(host->sb))
		return -EOPNOTSUPP;
	return 0;
}
