// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mounting: one superblock for each mount of a host, and the reference to it.
 *
 * A reference to the mount of the host is held, not only to its superblock, so
 * that umount of the host answers EBUSY instead of leaving a filesystem active
 * that no path leads to. A second mount of ext3meta on the same mount of the
 * host gets the superblock of the first. On another mount of the same host it
 * gets a superblock and a reference of its own, since a single mount can be
 * read-only. What is remembered of the host's inodes is shared by all of them.
 */
#include <linux/cred.h>
#include <linux/fs_context.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/slab.h>
#include <linux/statfs.h>

#include "ext3meta.h"

struct meta_host *meta_host(const struct super_block *sb)
{
	return sb->s_fs_info;
}

static void meta_host_free(struct meta_host *host)
{
	if (!host)
		return;
	if (host->memory)
		meta_memory_put(host);
	path_put(&host->path);
	kfree_rcu(host, rcu);
}

static int meta_statfs(struct dentry *dentry, struct kstatfs *buf)
{
	buf->f_type = EXT3META_MAGIC;
	buf->f_bsize = PAGE_SIZE;
	buf->f_namelen = NAME_MAX;
	return 0;
}

static const struct super_operations meta_super_ops = {
	.alloc_inode = meta_alloc_inode,
	.free_inode = meta_free_inode,
	.drop_inode = generic_delete_inode,
	.statfs = meta_statfs,
};

static int meta_same_mount(struct super_block *sb, struct fs_context *fc)
{
	const struct meta_host *wanted = fc->s_fs_info;
	const struct meta_host *host;
	bool same;

	/* A superblock can still be listed here after its kill_sb() has run. */
	rcu_read_lock();
	host = READ_ONCE(sb->s_fs_info);
	same = host && host->path.mnt == wanted->path.mnt;
	rcu_read_unlock();
	return same;
}

static int meta_fill_super(struct super_block *sb)
{
	struct inode *root;

	sb->s_magic = EXT3META_MAGIC;
	sb->s_blocksize = PAGE_SIZE;
	sb->s_blocksize_bits = PAGE_SHIFT;
	/* Positions count blocks: any that a host could have must be reachable. */
	sb->s_maxbytes = MAX_LFS_FILESIZE;
	sb->s_op = &meta_super_ops;
	sb->s_d_op = &meta_dentry_ops;
	sb->s_time_gran = 1;
	sb->s_iflags |= SB_I_NOEXEC | SB_I_NODEV;

	root = meta_tree_root(sb);
	if (!root)
		return -ENOMEM;
	sb->s_root = d_make_root(root);
	return sb->s_root ? 0 : -ENOMEM;
}

static int meta_get_tree(struct fs_context *fc)
{
	struct meta_host *host;
	struct super_block *sb;
	int err;

	/*
	 * The tree shows and changes what lies under any permission of the
	 * host: nobody but the machine's own administrator.
	 */
	if (fc->user_ns != &init_user_ns || !capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (!fc->source)
		return invalf(fc, "no host given as the source");

	host = kzalloc(sizeof(*host), GFP_KERNEL);
	if (!host)
		return -ENOMEM;
	err = kern_path(fc->source, LOOKUP_FOLLOW, &host->path);
	if (err) {
		kfree(host);
		return err;
	}
	host->sb = host->path.mnt->mnt_sb;
	host->ops = &e3m_host_ops;
	err = host->ops->accepts(host->sb);
	if (err) {
		errorf(fc, "%s: served by %s, not by the ext4 driver", fc->source,
		       host->sb->s_type->name);
		goto err_host;
	}
	host->memory = meta_memory_get(host->sb);
	if (!host->memory) {
		err = -ENOMEM;
		goto err_host;
	}

	fc->s_fs_info = host;
	sb = sget_fc(fc, meta_same_mount, set_anon_super_fc);
	if (IS_ERR(sb)) {
		err = PTR_ERR(sb);
		fc->s_fs_info = NULL;
		goto err_host;
	}
	/* sget_fc() took the host for a new superblock and left it for an old one. */
	meta_host_free(fc->s_fs_info);
	fc->s_fs_info = NULL;

	if (!sb->s_root) {
		err = meta_fill_super(sb);
		if (err) {
			deactivate_locked_super(sb);
			return err;
		}
		sb->s_flags |= SB_ACTIVE;
	}
	fc->root = dget(sb->s_root);
	return 0;

err_host:
	meta_host_free(host);
	return err;
}

static const struct fs_context_operations meta_context_ops = {
	.get_tree = meta_get_tree,
};

static int meta_init_context(struct fs_context *fc)
{
	fc->ops = &meta_context_ops;
	return 0;
}

static void meta_kill_super(struct super_block *sb)
{
	struct meta_host *host = meta_host(sb);

	kill_anon_super(sb);
	WRITE_ONCE(sb->s_fs_info, NULL);
	meta_host_free(host);
}

static struct file_system_type meta_fs_type = {
	.owner = THIS_MODULE,
	.name = EXT3META_NAME,
	.init_fs_context = meta_init_context,
	.kill_sb = meta_kill_super,
};

int meta_super_register(void)
{
	return register_filesystem(&meta_fs_type);
}

void meta_super_unregister(void)
{
	unregister_filesystem(&meta_fs_type);
}
