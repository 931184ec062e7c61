// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tree: its files, look-up and listing.
 *
 * Nothing of it is cached after its use. A dentry is freed with its last user.
 * So a program that has looked at a million inodes leaves no names in memory,
 * and when a new file gets the number of a deleted one, no old dentry answers.
 */
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/namei.h>
#include <linux/slab.h>

#include "compat.h"
#include "ext3meta.h"

static struct kmem_cache *meta_inode_cache;

/* clang-format off */
#define FILE_RO(n, f) { .name = n, .mode = S_IFREG | 0400, .file = &f }
#define FILE_WO(n, f) { .name = n, .mode = S_IFREG | 0200, .file = &f }
#define FILE_RW(n, f) { .name = n, .mode = S_IFREG | 0600, .file = &f }
#define FOLDER(n, c)  { .name = n, .mode = S_IFDIR | 0500, .children = c }
/* clang-format on */

static const struct meta_entry super_files[] = {
	FILE_RO("id", meta_super_id),
	FILE_RO("blocksize", meta_super_blocksize),
	FILE_RO("blocks", meta_super_blocks),
	FILE_RO("first_block", meta_super_first_block),
	FILE_RO("blocks_per_group", meta_super_blocks_per_group),
	FILE_RO("inodes", meta_super_inodes),
	FILE_RO("inodes_per_group", meta_super_inodes_per_group),
	{},
};

static const struct meta_entry allocation_files[] = {
	FILE_RO("free_blocks", meta_free_blocks),
	{},
};

static const struct meta_entry data_files[] = {
	FILE_RO("extents", meta_data_extents),
	FILE_WO("alloc", meta_data_alloc),
	FILE_WO("reloc", meta_data_reloc),
	{},
};

static const struct meta_entry metadata_files[] = {
	FILE_RO("blocks", meta_metadata_blocks),
	FILE_WO("alloc", meta_metadata_alloc),
	FILE_WO("reloc", meta_metadata_reloc),
	{},
};

static const struct meta_entry node_files[] = {
	FILE_RO("info", meta_node_info),
	FILE_RW("alloc_goal", meta_node_alloc_goal),
	FOLDER("data", data_files),
	FOLDER("metadata", metadata_files),
	{},
};

/* A directory an inode; its name is the ident. */
static const struct meta_entry node_entry = FOLDER("", node_files);

static const struct meta_entry no_files[] = { {} };

static const struct meta_entry root_files[] = {
	FILE_RO("features", meta_features),	FOLDER("super", super_files),
	FOLDER("allocation", allocation_files), FOLDER("nodes", no_files),
	FILE_RO("inodes", meta_inodes),		{},
};

static const struct meta_entry root_entry = FOLDER("", root_files);
static const struct meta_entry *const nodes_entry = &root_files[3];

static const struct inode_operations meta_dir_iops;
static const struct file_operations meta_dir_ops;

struct inode *meta_alloc_inode(struct super_block *sb)
{
	struct meta_inode *mi = alloc_inode_sb(sb, meta_inode_cache, GFP_KERNEL);

	if (!mi)
		return NULL;
	mi->entry = NULL;
	mi->ino = 0;
	mi->generation = 0;
	return &mi->vfs_inode;
}

void meta_free_inode(struct inode *inode)
{
	kmem_cache_free(meta_inode_cache, meta_inode(inode));
}

static void meta_inode_once(void *p)
{
	inode_init_once(&((struct meta_inode *)p)->vfs_inode);
}

int meta_tree_init(void)
{
	meta_inode_cache = kmem_cache_create("ext3meta_inode", sizeof(struct meta_inode), 0,
					     SLAB_RECLAIM_ACCOUNT, meta_inode_once);
	return meta_inode_cache ? 0 : -ENOMEM;
}

void meta_tree_exit(void)
{
	/* Inodes are freed after a grace period; the cache must outlive them. */
	rcu_barrier();
	kmem_cache_destroy(meta_inode_cache);
}

/*
 * Inode numbers: the address of the entry in its table, as a small number, and
 * the node above it. They need only be stable while the tree is mounted.
 */
static unsigned long meta_ino(const struct meta_entry *entry, u32 ino)
{
	static const struct meta_entry *const tables[] = { root_files,	     super_files,
							   allocation_files, data_files,
							   metadata_files,   node_files };
	unsigned int i, k, n = 3;

	for (i = 0; i < ARRAY_SIZE(tables); i++)
		for (k = 0; tables[i][k].name; k++, n++)
			if (&tables[i][k] == entry)
				return ((u64)ino << 6) | n;
	return ((u64)ino << 6) | (entry == &root_entry ? 1 : 2);
}

static struct inode *meta_make_inode(struct super_block *sb, const struct meta_entry *entry,
				     u32 ino, u32 generation)
{
	struct inode *inode = new_inode(sb);

	if (!inode)
		return NULL;
	meta_inode(inode)->entry = entry;
	meta_inode(inode)->ino = ino;
	meta_inode(inode)->generation = generation;
	inode->i_ino = meta_ino(entry, ino);
	inode->i_mode = entry->mode;
	inode->i_uid = GLOBAL_ROOT_UID;
	inode->i_gid = GLOBAL_ROOT_GID;
	compat_inode_init_times(inode);
	if (S_ISDIR(entry->mode)) {
		inode->i_op = &meta_dir_iops;
		inode->i_fop = &meta_dir_ops;
		set_nlink(inode, 2);
	} else {
		inode->i_op = &meta_file_iops;
		inode->i_fop = &meta_file_ops;
	}
	return inode;
}

struct inode *meta_tree_root(struct super_block *sb)
{
	return meta_make_inode(sb, &root_entry, 0, 0);
}

static int meta_parse_name(const struct qstr *qname, struct meta_ident *ident)
{
	char name[sizeof("4294967295:4294967295")];
	char *s = name;

	if (qname->len >= sizeof(name))
		return -ENOENT;
	memcpy(name, qname->name, qname->len);
	name[qname->len] = '\0';
	return meta_parse_ident(&s, ident) || meta_parse_end(s) ? -ENOENT : 0;
}

static struct inode *meta_lookup_node(struct super_block *sb, const struct qstr *name)
{
	struct meta_ident ident;
	struct inode *host_inode, *inode;
	int err;

	err = meta_parse_name(name, &ident);
	if (err)
		return ERR_PTR(err);
	host_inode = meta_node_get(meta_host(sb), &ident);
	if (IS_ERR(host_inode))
		return host_inode;
	inode = meta_make_inode(sb, &node_entry, ident.ino, host_inode->i_generation);
	iput(host_inode);
	return inode ?: ERR_PTR(-ENOMEM);
}

static struct dentry *meta_lookup(struct inode *dir, struct dentry *dentry, unsigned int flags)
{
	const struct meta_inode *mi = meta_inode(dir);
	const struct meta_entry *entry;
	struct inode *inode = ERR_PTR(-ENOENT);

	if (mi->entry == nodes_entry) {
		inode = meta_lookup_node(dir->i_sb, &dentry->d_name);
		return d_splice_alias(inode, dentry);
	}
	for (entry = mi->entry->children; entry->name; entry++) {
		if (strlen(entry->name) != dentry->d_name.len ||
		    memcmp(entry->name, dentry->d_name.name, dentry->d_name.len))
			continue;
		inode = meta_make_inode(dir->i_sb, entry, mi->ino, mi->generation);
		if (!inode)
			inode = ERR_PTR(-ENOMEM);
		break;
	}
	return d_splice_alias(inode, dentry);
}

static const struct inode_operations meta_dir_iops = {
	.lookup = meta_lookup,
};

static int meta_list_node(u64 ino, void *priv)
{
	struct dir_context *ctx = priv;
	char name[24];
	int len = snprintf(name, sizeof(name), "%llu", ino);

	ctx->pos = ino + 2;
	if (!dir_emit(ctx, name, len, meta_ino(&node_entry, ino), DT_DIR))
		return 1;
	ctx->pos++;
	return 0;
}

static int meta_readdir(struct file *file, struct dir_context *ctx)
{
	const struct meta_inode *mi = meta_inode(file_inode(file));
	struct meta_host *host = meta_host(file_inode(file)->i_sb);
	const struct meta_entry *entry;
	loff_t i;
	int err;

	if (!dir_emit_dots(file, ctx))
		return 0;
	if (mi->entry == nodes_entry) {
		/* Position: 2 more than the inode number that comes next. */
		err = host->ops->inodes(host->sb, ctx->pos - 2, meta_list_node, ctx);
		return err < 0 ? err : 0;
	}
	for (i = 2, entry = mi->entry->children; entry->name; i++, entry++) {
		if (i < ctx->pos)
			continue;
		if (!dir_emit(ctx, entry->name, strlen(entry->name), meta_ino(entry, mi->ino),
			      S_ISDIR(entry->mode) ? DT_DIR : DT_REG))
			return 0;
		ctx->pos++;
	}
	return 0;
}

static const struct file_operations meta_dir_ops = {
	.owner = THIS_MODULE,
	.llseek = generic_file_llseek,
	.read = generic_read_dir,
	.iterate_shared = meta_readdir,
};

/* The number of a node that is in use may have gone to another file since. */
static int meta_revalidate(struct dentry *dentry, unsigned int flags)
{
	struct inode *inode = d_inode_rcu(dentry);
	struct meta_ident ident = {};
	struct inode *host_inode;

	if (!inode || meta_inode(inode)->entry != &node_entry)
		return 1;
	if (flags & LOOKUP_RCU)
		return -ECHILD;
	ident.ino = meta_inode(inode)->ino;
	ident.generation = meta_inode(inode)->generation;
	host_inode = meta_node_get(meta_host(dentry->d_sb), &ident);
	if (IS_ERR(host_inode))
		return 0;
	iput(host_inode);
	return 1;
}

const struct dentry_operations meta_dentry_ops = {
	.d_revalidate = meta_revalidate,
	.d_delete = always_delete_dentry,
};
