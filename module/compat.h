/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between kernels in the VFS and in mm. No other file depends on
 * the version of the kernel. What differs in ext4 is read from BTF: see
 * host/ext4_abi.h.
 */
#ifndef EXT3META_COMPAT_H
#define EXT3META_COMPAT_H

#include <linux/fs.h>
#include <linux/version.h>

/* What maps a mount's users, as inode operations are handed it. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
#define compat_idmap struct mnt_idmap
#else
#define compat_idmap struct user_namespace
#endif

/* Whether a nameless file may still get a name: it was opened by O_TMPFILE without O_EXCL. */
static inline bool compat_inode_linkable(struct inode *inode)
{
	return READ_ONCE(inode->i_state) & I_LINKABLE;
}

static inline void compat_inode_init_times(struct inode *inode)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	simple_inode_init_ts(inode);
#else
	inode->i_atime = inode->i_mtime = inode->i_ctime = current_time(inode);
#endif
}

#endif
