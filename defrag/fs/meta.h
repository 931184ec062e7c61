/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only door to ext3meta. Positions and counts are filesystem blocks. Functions return 0 or
 * -errno: what ext3meta answered, or -EPROTO for an answer that breaks the rules of its texts.
 */
#ifndef E3DEFRAG_META_H
#define E3DEFRAG_META_H

#include <stddef.h>
#include <stdint.h>

#include "fs/meta_text.h"
#include "plan/freemap.h"
#include "plan/layout.h"

/* Bits of `features` that the tool builds on. */
#define META_GEOMETRY 0x1U /* the geometry files in super/ */
#define META_LISTING 0x2U  /* nodes/ can be listed */
#define META_INFO 0x4U	   /* nodes/<ident>/info */
#define META_COUNT 0x8U	   /* "<ident> COUNT" in data/reloc */
#define META_IDENT 0x10U   /* INODE:GENERATION */
#define META_INODES 0x20U  /* inodes; without it each node is opened */
#define META_NEEDED (META_GEOMETRY | META_LISTING | META_INFO | META_COUNT | META_IDENT)
#define META_INCOMPAT_KNOWN 0x0U
#define META_RO_COMPAT_KNOWN 0x0U

struct meta {
	int root;
	struct geometry geo;
	struct features features;
	char *buffer;
	size_t buffer_size;
};

/*
 * Show the inside of the filesystem that @host_fd is open on. The mount is attached nowhere: it is
 * this process's alone and goes when the process does, however it ends. While it lasts, the
 * host's own mount can't be unmounted. On an error @why (@size bytes) has a line about it. -ENODEV:
 * this filesystem is none for the module; -ENOPKG: there is no module.
 */
int meta_open(struct meta *meta, int host_fd, char *why, size_t size);
void meta_close(struct meta *meta);

/* The free blocks as the allocator sees them now; @map is cleared first, indexed at the end. */
int meta_free_blocks(struct meta *meta, struct freemap *map);
/*
 * How many blocks are free at the moment from @block on; 0: @block isn't. It may be fewer than
 * there are: whoever wants more asks again for the first one behind them.
 */
uint32_t meta_free_from(struct meta *meta, uint32_t block);
bool meta_block_is_free(struct meta *meta, uint32_t block);

/* The inodes in use, ascending. @inodes is malloc'd. */
int meta_list_inodes(struct meta *meta, uint32_t **inodes, size_t *count);

/* `inodes`, where there is META_INODES: a descriptor, its position an inode number. */
int meta_open_inodes(struct meta *meta);

/* One object, its files opened when they are first needed. */
struct node {
	struct meta *meta;
	int dir;
	int fd[5];
	uint32_t ino, generation;
};

/* By number; @generation NULL takes whoever has it. It fills in @info and node->generation. */
int node_open(struct node *node, struct meta *meta, uint32_t ino, const uint32_t *generation,
	      struct info *info);
void node_close(struct node *node);
int node_info(struct node *node, struct info *info);

/*
 * Where it lies now; @layout is cleared first. @blocks is what info said it has: if its data is all
 * of that, indirect blocks are not asked for. UINT64_MAX always asks.
 */
int node_layout(struct node *node, struct layout *layout, uint64_t blocks);

/* 0 is no goal. */
int node_goal(struct node *node, uint32_t block);

/* All @count blocks from file block @logical on, or an error after a part of them. */
int node_alloc(struct node *node, uint32_t logical, uint32_t count);
int node_alloc_indirect(struct node *node, uint32_t logical, uint32_t level);

/*
 * Change places with @donor from file block *@at on, for @count blocks at most. *@moved is how
 * many went, *@at where to go on. -ENODATA: nothing in common from there on.
 */
int node_reloc(struct node *node, uint32_t *at, const struct node *donor, uint32_t count,
	       uint32_t *moved);
int node_reloc_indirect(struct node *node, uint32_t logical, const struct node *donor,
			uint32_t level);

#endif
