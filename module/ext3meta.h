/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ext3meta: the half that any filesystem could share.
 *
 * A request runs through the files in this order:
 *
 *   super.c   the mount, and its reference to the host
 *   tree.c    the files of the tree, look-up and listing
 *   file.c    open, position, read and write of one file
 *   text.c    a line is split into fields, records become lines
 *   node.c    from an ident to the host's inode; what is remembered after close(2)
 *   attr.c    features, super/, info, alloc_goal
 *   inodes.c  inodes: many nodes in one read
 *   request.c lists and requests
 *
 * and goes on through struct meta_host_ops to the half that knows the
 * filesystem (host/). Nothing in these files depends on a host's layout.
 */
#ifndef EXT3META_H
#define EXT3META_H

#include <linux/atomic.h>
#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/path.h>
#include <linux/types.h>
#include <linux/xarray.h>

#define EXT3META_NAME "ext3meta"
#define EXT3META_MAGIC 0x6d337865 /* "ex3m" on disk order, as statfs(2) shows it */

/* Bits of the file `features`; ext2's rule says what an unknown one means. */
#define EXT3META_COMPAT_SUPER_GEOMETRY 0x01 /* super/ beyond id and blocksize */
#define EXT3META_COMPAT_NODE_LISTING 0x02   /* nodes/ can be listed */
#define EXT3META_COMPAT_NODE_INFO 0x04	    /* nodes/<ident>/info */
#define EXT3META_COMPAT_RELOC_COUNT 0x08    /* "<ident> COUNT" in data/reloc */
#define EXT3META_COMPAT_GENERATION 0x10	    /* INODE:GENERATION as an ident */
#define EXT3META_COMPAT_INODES 0x20	    /* inodes */
#define EXT3META_COMPAT_UID 0x40	    /* uid in info */
#define EXT3META_COMPAT 0x7f
#define EXT3META_INCOMPAT 0x0
#define EXT3META_RO_COMPAT 0x0

/* The largest request, without the byte that ends the string. */
#define META_REQUEST_MAX 64
/* The most text one read(2) returns; a larger buffer gets this much. */
#define META_READ_MAX (1U << 20)

struct meta_host_ops;

/*
 * What is remembered of a host as long as any mount of ext3meta shows it; see node.c. A host can
 * be mounted in several places, one of them read-only perhaps, and shown through each.
 */
struct meta_memory {
	struct list_head all;
	struct super_block *sb;
	unsigned int users;

	/* What outlives close(2), by inode number. */
	struct mutex states_lock;
	struct xarray states;
	struct list_head states_age;

	/* The host half's: what it keeps from one request for the next, and what it looked up. */
	void *kept;
	atomic64_t proven;
	bool discards;
};

/* A host as one of its mounts has it; the superblock's s_fs_info. */
struct meta_host {
	struct path path; /* holds the mount: umount of the host is EBUSY */
	struct super_block *sb;
	const struct meta_host_ops *ops;
	struct meta_memory *memory;
	struct rcu_head rcu;
};

/* The life of a donor; see host/donor.c. */
enum meta_donor_stage {
	META_DONOR_FRESH,
	META_DONOR_SEALED,
	META_DONOR_PENDING,
	META_DONOR_SETTLED,
	META_DONOR_STAGES,
};

/*
 * What is remembered of an inode between two requests: from the first time
 * something was set until the inode is deleted or ext3meta is unmounted.
 */
struct meta_state {
	struct kref ref;
	struct list_head age;
	u32 ino;
	u32 generation;
	u64 goal; /* block number, 0: none */

	/*
	 * The host half's: how far a donor has come, and between which logical blocks it holds
	 * what is still another file's until the transaction commits.
	 */
	u8 stage; /* enum meta_donor_stage */
	u32 pending_tid;
	u64 pending_first;
	u64 pending_end; /* not past pending_first: nothing */
};

struct meta_ident {
	u32 ino;
	u32 generation;
	bool any_generation;
};

/* Geometry of a host, in filesystem blocks where not said otherwise. */
struct meta_geometry {
	u64 blocks;
	u64 first_block;
	u32 blocks_per_group;
	u32 inodes;
	u32 inodes_per_group;
};

struct meta_info {
	const char *mapping;	 /* indirect, extents, inline or none */
	const char *relocatable; /* yes, or the reason why not */
	u64 blocks;
};

/* The part of its map that an inode has in itself, as words. */
#define META_RECORD_MAP 15

/* What a record in `inodes` says, but for its map. */
struct meta_record {
	u32 ino;
	u32 generation;
	u32 links;
	umode_t mode;
	u64 size; /* bytes */
	struct meta_info info;
	__le32 map[META_RECORD_MAP]; /* the host half's own: for map_record() */
};

/*
 * A list file being read. The position is in blocks and always that of the
 * first block that no line given out so far has reported.
 */
struct meta_list {
	char *text;
	size_t size;
	size_t used;
	u64 pos;
	bool full;
};

/*
 * A request being carried out. @pos (in blocks) moves past what was done;
 * @moved is what write(2) returns instead of the bytes taken, where not 0.
 */
struct meta_request {
	struct meta_host *host;
	struct inode *inode; /* the host's; NULL outside nodes/ */
	struct meta_state *state;
	char *line;
	u64 pos;
	u64 moved;
	u64 waited; /* microseconds, for what others hold */
};

typedef int (*meta_ino_fn)(u64 ino, void *priv);

/* What a host must be able to do. Errors are negative errnos. */
struct meta_host_ops {
	/* -ENODEV where another driver serves @sb. */
	int (*accepts)(struct super_block *sb);
	void (*geometry)(struct super_block *sb, struct meta_geometry *geo);
	/* Lines of free extents from list->pos on. */
	int (*free_blocks)(struct super_block *sb, struct meta_list *list);
	/* Calls @fn for each inode in use from @from on, ascending, until it returns non-zero. */
	int (*inodes)(struct super_block *sb, u64 from, meta_ino_fn fn, void *priv);
	/* One of these, referenced; -ENOENT or -ESTALE where a look-up would not find it. */
	struct inode *(*inode)(struct super_block *sb, u32 ino);
	/*
	 * A record of one of these without bringing it into memory, where nobody else has:
	 * -EAGAIN where it takes the inode to tell.
	 */
	int (*record)(struct meta_host *host, u32 ino, struct meta_record *record);
	/* Its lines in `inodes`, as map() has them for an inode in memory. */
	int (*map_record)(const struct meta_record *record, struct meta_list *list);
	/* Begin to read what map() will need of an inode, without waiting. */
	void (*read_ahead)(struct inode *inode);
	void (*info)(struct meta_host *host, struct inode *inode, struct meta_info *info);
	int (*extents)(struct inode *inode, struct meta_list *list);
	/* All of an inode's lines in `inodes`, as far as they fit; list->full tells. */
	int (*map)(struct inode *inode, struct meta_list *list);
	int (*alloc)(struct meta_request *req, u64 count);
	int (*reloc)(struct meta_request *req, struct inode *donor, struct meta_state *donor_state,
		     u64 count);
	int (*metadata_blocks)(struct inode *inode, struct meta_list *list);
	int (*metadata_alloc)(struct meta_request *req, u32 level);
	int (*metadata_reloc)(struct meta_request *req, struct inode *donor,
			      struct meta_state *donor_state, u32 level);
	/* -EROFS, -EOPNOTSUPP … where the host takes no request at all now. */
	int (*writable)(struct meta_host *host);
	/* Nobody asks any more: what is kept goes. */
	void (*forget)(struct meta_memory *memory);
	/* The first block past the largest file, in blocks: -EFBIG from there on. */
	u64 (*max_blocks)(struct super_block *sb);
};

/* super.c */
int meta_super_register(void);
void meta_super_unregister(void);
struct meta_host *meta_host(const struct super_block *sb);

/* tree.c */
struct meta_entry;
struct meta_inode {
	const struct meta_entry *entry;
	u32 ino; /* the node's, 0 outside nodes/ */
	u32 generation;
	struct inode vfs_inode;
};

/*
 * One file of the tree; exactly one way to read it is set, or none. @inode is
 * the host's, NULL outside nodes/.
 */
struct meta_file {
	int (*text)(struct meta_host *host, struct inode *inode, struct meta_list *list);
	int (*list)(struct meta_host *host, struct inode *inode, struct meta_list *list);
	int (*request)(struct meta_request *req);
	bool scalar_request; /* the position means nothing to it */
};

struct meta_entry {
	const char *name;
	umode_t mode;
	const struct meta_entry *children; /* a directory's, ended by a NULL name */
	const struct meta_file *file;
};

static inline struct meta_inode *meta_inode(struct inode *inode)
{
	return container_of(inode, struct meta_inode, vfs_inode);
}

int meta_tree_init(void);
void meta_tree_exit(void);
struct inode *meta_tree_root(struct super_block *sb);
struct inode *meta_alloc_inode(struct super_block *sb);
void meta_free_inode(struct inode *inode);
extern const struct dentry_operations meta_dentry_ops;

/* file.c */
extern const struct file_operations meta_file_ops;
extern const struct inode_operations meta_file_iops;

/* text.c */
#define META_DIGITS 20 /* of the largest number */
#define META_WORD 8    /* letters, at most, before a line's numbers */
char *meta_put_number(char *to, u64 value);
bool meta_list_add(struct meta_list *list, u64 next_pos, const char *fmt, ...) __printf(3, 4);
bool meta_list_put(struct meta_list *list, u64 next_pos, const char *line, size_t len);
bool meta_list_numbers(struct meta_list *list, u64 next_pos, const char *word, const u64 *numbers,
		       unsigned int count);
int meta_parse_u64(char **line, u64 *value);
int meta_parse_u32(char **line, u32 *value);
int meta_parse_ident(char **line, struct meta_ident *ident);
bool meta_parse_more(char **line);
int meta_parse_end(char *line);

/* node.c */
struct inode *meta_node_get(struct meta_host *host, const struct meta_ident *ident);
struct meta_state *meta_state_get(struct meta_host *host, struct inode *inode, bool create);
void meta_state_put(struct meta_state *state);
struct meta_memory *meta_memory_get(struct super_block *sb);
void meta_memory_put(struct meta_host *host);

/* attr.c */
extern const struct meta_file meta_features, meta_super_id, meta_super_blocksize;
extern const struct meta_file meta_super_blocks, meta_super_first_block;
extern const struct meta_file meta_super_blocks_per_group, meta_super_inodes;
extern const struct meta_file meta_super_inodes_per_group;
extern const struct meta_file meta_node_info, meta_node_alloc_goal;

const char *meta_type_name(umode_t mode);

/* inodes.c */
extern const struct meta_file meta_inodes;

/* request.c */
extern const struct meta_file meta_free_blocks, meta_data_extents, meta_data_alloc, meta_data_reloc;
extern const struct meta_file meta_metadata_blocks, meta_metadata_alloc, meta_metadata_reloc;

/* host/host.c */
extern const struct meta_host_ops e3m_host_ops;
int e3m_host_init(void);
void e3m_host_exit(void);

#endif
