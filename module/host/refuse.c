// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which files may be changed. A new reason to refuse a file is a line in the
 * table below, and its word is described in ext3meta(5). A reloc checks both
 * files without locks first, to save the work, and again under their locks.
 */
#include <linux/fs.h>
#include <linux/fscrypt.h>
#include <linux/fsverity.h>
#include <linux/pagemap.h>

#include "../compat.h"
#include "host.h"

/* How the file finds its blocks, as `info` says it. */
const char *e3m_mapping(struct inode *inode)
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

/* Pages of several blocks' size at a time are not proven to follow their blocks (pages.c). */
static bool large_folios(struct inode *inode)
{
	return mapping_large_folio_support(inode->i_mapping);
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
	{ "large-folios", -EOPNOTSUPP, large_folios },
	{ "swapfile", -ETXTBSY, swapfile },
	{ "quota", -EPERM, quota_file },
	{ "append-only", -EPERM, append_only },
};

/* Whether the immutable flag will keep all others from a donor: see donor.c. */
static bool can_be_sealed(struct inode *inode)
{
	return !compat_inode_linkable(inode) &&
	       (uid_eq(inode->i_uid, GLOBAL_ROOT_UID) || !ext4_abi_extents_feature(inode->i_sb));
}

/**
 * e3m_refuse - whether a file may not be changed
 * @inode: the file
 * @state: what is remembered of it, or NULL
 * @role: what it is wanted for
 * @why: set to the word for `info`, "yes" where nothing speaks against it
 *
 * A donor must have neither a name nor a size, since it comes to hold what
 * nobody may read through it, and no way to get either while that is being
 * ruled out (donor.c).
 *
 * Return: 0, or the errno to refuse with.
 */
int e3m_refuse(struct inode *inode, const struct meta_state *state, enum e3m_role role,
	       const char **why)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(refusals); i++) {
		if (refusals[i].applies(inode)) {
			*why = refusals[i].why;
			return refusals[i].err;
		}
	}
	/* A donor that was sealed here is immutable to all others, but not to us. */
	if (IS_IMMUTABLE(inode) && !e3m_is_sealed(inode, state)) {
		*why = "immutable";
		return -EPERM;
	}
	if (role != E3M_ORIGINAL && e3m_is_donor(inode) && !can_be_sealed(inode)) {
		*why = "donor";
		return -EPERM;
	}
	switch (role) {
	case E3M_ORIGINAL:
		if (!inode->i_nlink) {
			*why = "deleted";
			return -ENOENT;
		}
		break;
	case E3M_DONOR:
		if (!e3m_is_donor(inode)) {
			*why = "named";
			return -EPERM;
		}
		break;
	case E3M_ALLOCATEE:
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
