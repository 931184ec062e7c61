// SPDX-License-Identifier: GPL-2.0-only
/*
 * The files of one value or one small record: features, super/, and a node's
 * info and alloc_goal.
 */
#include <linux/fs.h>
#include <linux/fileattr.h>
#include <linux/user_namespace.h>
#include <linux/uuid.h>

#include "ext3meta.h"

static int features_text(struct meta_host *host, struct inode *inode, struct meta_list *list)
{
	meta_list_add(list, 0, "compat 0x%x\nincompat 0x%x\nro_compat 0x%x\n", EXT3META_COMPAT,
		      EXT3META_INCOMPAT, EXT3META_RO_COMPAT);
	return 0;
}

const struct meta_file meta_features = { .text = features_text };

static int id_text(struct meta_host *host, struct inode *inode, struct meta_list *list)
{
	meta_list_add(list, 0, "%pUb\n", &host->sb->s_uuid);
	return 0;
}

const struct meta_file meta_super_id = { .text = id_text };

static int blocksize_text(struct meta_host *host, struct inode *inode, struct meta_list *list)
{
	meta_list_add(list, 0, "%lu\n", host->sb->s_blocksize);
	return 0;
}

const struct meta_file meta_super_blocksize = { .text = blocksize_text };

#define GEOMETRY_FILE(field)                                                 \
	static int field##_text(struct meta_host *host, struct inode *inode, \
				struct meta_list *list)                      \
	{                                                                    \
		struct meta_geometry geo;                                    \
                                                                             \
		host->ops->geometry(host->sb, &geo);                         \
		meta_list_add(list, 0, "%llu\n", (u64)geo.field);            \
		return 0;                                                    \
	}                                                                    \
                                                                             \
	const struct meta_file meta_super_##field = { .text = field##_text }

GEOMETRY_FILE(blocks);
GEOMETRY_FILE(first_block);
GEOMETRY_FILE(blocks_per_group);
GEOMETRY_FILE(inodes);
GEOMETRY_FILE(inodes_per_group);

const char *meta_type_name(umode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return "regular";
	case S_IFDIR:
		return "directory";
	case S_IFLNK:
		return "symlink";
	case S_IFBLK:
		return "block";
	case S_IFCHR:
		return "char";
	case S_IFIFO:
		return "fifo";
	default:
		return "socket";
	}
}

/* The flags as FS_IOC_GETFLAGS gives them, by the same call; 0 where it has none. */
static u32 inode_flags_value(struct inode *inode)
{
	struct dentry *dentry = d_obtain_alias(igrab(inode));
	struct fileattr fa = { .flags_valid = true };
	int err;

	if (IS_ERR(dentry))
		return 0;
	err = vfs_fileattr_get(dentry, &fa);
	dput(dentry);
	return err ? 0 : fa.flags;
}

static int info_text(struct meta_host *host, struct inode *inode, struct meta_list *list)
{
	struct meta_info info = {};

	host->ops->info(host, inode, &info);
	meta_list_add(list, 0,
		      "type %s\nsize %lld\nblocks %llu\nlinks %u\ngeneration %u\nflags %u\n"
		      "mapping %s\nrelocatable %s\nuid %u\n",
		      meta_type_name(inode->i_mode), i_size_read(inode), info.blocks,
		      inode->i_nlink, inode->i_generation, inode_flags_value(inode), info.mapping,
		      info.relocatable, from_kuid(&init_user_ns, inode->i_uid));
	return 0;
}

const struct meta_file meta_node_info = { .text = info_text };

static int goal_text(struct meta_host *host, struct inode *inode, struct meta_list *list)
{
	struct meta_state *state = meta_state_get(host, inode, false);

	if (IS_ERR(state))
		return PTR_ERR(state);
	meta_list_add(list, 0, "%llu\n", state ? READ_ONCE(state->goal) : 0);
	meta_state_put(state);
	return 0;
}

static int goal_request(struct meta_request *req)
{
	struct meta_geometry geo;
	u64 goal;
	int err;

	err = meta_parse_u64(&req->line, &goal);
	if (!err)
		err = meta_parse_end(req->line);
	if (err)
		return err;
	req->host->ops->geometry(req->host->sb, &geo);
	if (goal && (goal < geo.first_block || goal >= geo.blocks))
		return -EINVAL;
	WRITE_ONCE(req->state->goal, goal);
	return 0;
}

const struct meta_file meta_node_alloc_goal = {
	.text = goal_text,
	.request = goal_request,
	.scalar_request = true,
};
