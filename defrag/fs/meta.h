/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Access to the files of ext3meta(5); no other part of the tool opens them. Positions and counts
 * are filesystem blocks. Functions return 0 or -errno: the error of ext3meta, or -EPROTO if a text
 * of ext3meta breaks the rules of its format.
 */
#ifndef E3DEFRAG_META_H
#define E3DEFRAG_META_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/meta_text.h"
#include "plan/freemap.h"
#include "plan/layout.h"

/* Bits of `features` that the tool uses. */
#define META_GEOMETRY 0x1U /* the geometry files in super/ */
#define META_LISTING 0x2U  /* nodes/ can be listed */
#define META_INFO 0x4U	   /* nodes/<ident>/info */
#define META_COUNT 0x8U	   /* "<ident> COUNT" in data/reloc */
#define META_IDENT 0x10U   /* INODE:GENERATION */
#define META_INODES 0x20U  /* the file inodes; without it each node is opened */
#define META_UID 0x40U	   /* the owner in info; without it all files have one owner */
#define META_NEEDED (META_GEOMETRY | META_LISTING | META_INFO | META_COUNT | META_IDENT)
#define META_INCOMPAT_KNOWN 0x0U
#define META_RO_COMPAT_KNOWN 0x0U

struct meta {
	int root;
	struct geometry geo;
	struct features features;
	char *buffer;
	size_t buffer_size;
	/*
	 * Called when a request can't be served because the host is frozen: waits, and returns
	 * false if the request is not to be made again. NULL: it is not. -EAGAIN is returned then.
	 */
	bool (*frozen)(void *arg);
	void *frozen_arg;
};

/*
 * Mount ext3meta for the filesystem that @host_fd is open on. The mount is detached: only this
 * process can use it, and it ends with the process, even if that is killed. Until then the host
 * can't be unmounted.
 *
 * Returns 0, or -errno with a line about it in @why (@size bytes), which may be empty. -ENODEV: the
 * module does not support this filesystem; -ENOPKG: there is no module; -EPROTONOSUPPORT: the
 * module has features that this version can't use.
 */
int meta_open(struct meta *meta, int host_fd, char *why, size_t size);
void meta_close(struct meta *meta);

/*
 * Read the list of the blocks that are free for the allocator now into @map, which is cleared
 * first, and index it. On an error @map is empty.
 */
int meta_free_blocks(struct meta *meta, struct freemap *map);
/*
 * Return how many blocks are free now from @block on; 0 if @block is in use, or on an error. The
 * free run may be longer than the result: to find out, ask again for the first block after it.
 */
uint32_t meta_free_from(struct meta *meta, uint32_t block);
bool meta_block_is_free(struct meta *meta, uint32_t block);

/* List the inodes in use, ascending. The caller frees *@inodes, which is NULL on an error. */
int meta_list_inodes(struct meta *meta, uint32_t **inodes, size_t *count);

/*
 * Open the file `inodes`, which exists if features.compat has META_INODES. Its file position is an
 * inode number. Returns a descriptor or -errno.
 */
int meta_open_inodes(struct meta *meta);

/* One inode of the host; its files in ext3meta are opened when they are first needed. */
struct node {
	struct meta *meta;
	int dir;
	int fd[5];
	uint32_t ino, generation;
};

/*
 * Open the inode @ino, if its generation is *@generation; NULL accepts any. Fills in @info and
 * node->generation.
 */
int node_open(struct node *node, struct meta *meta, uint32_t ino, const uint32_t *generation,
	      struct info *info);
void node_close(struct node *node);
int node_info(struct node *node, struct info *info);

/*
 * Read where the blocks of the inode are now into @layout, which is cleared first. @blocks is its
 * block count from info: if that many are data, the list of indirect blocks is not read. With
 * UINT64_MAX it is always read.
 */
int node_layout(struct node *node, struct layout *layout, uint64_t blocks);

/* Set the goal of the next allocation to @block; 0 removes the goal. */
int node_goal(struct node *node, uint32_t block);

/*
 * Allocate @count blocks from file block @logical on. On an error some of them may have been
 * allocated.
 */
int node_alloc(struct node *node, uint32_t logical, uint32_t count);
/* Allocate the indirect block of @level above file block @logical. */
int node_alloc_indirect(struct node *node, uint32_t logical, uint32_t level);

/*
 * Exchange blocks with @donor from file block *@at on, at most @count of them. *@moved is set to
 * how many were exchanged, *@at to the file block to continue from. -ENODATA: from *@at on no file
 * block is mapped in both.
 */
int node_reloc(struct node *node, uint32_t *at, const struct node *donor, uint32_t count,
	       uint32_t *moved);
/* Exchange with @donor the indirect block of @level above file block @logical. */
int node_reloc_indirect(struct node *node, uint32_t logical, const struct node *donor,
			uint32_t level);

#endif
