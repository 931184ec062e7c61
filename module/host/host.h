/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ext3meta: the half that knows ext3, block-mapped files on the kernel's ext4
 * driver. By stage:
 *
 *   host.c         the operations the common half calls
 *   writable.c     which hosts may be changed
 *   refuse.c       which of their files
 *   buffers.c      metadata blocks, read as ext4 reads them
 *   disk_inode.c   inodes that are not in memory, from the inode tables
 *   free_blocks.c  allocation/free_blocks
 *   change.c       what each change of a map demands of ext4 and the journal
 *   donor.c        the life of a donor, and why nobody reads or writes what it holds
 *   pair.c         both files of a reloc, locked
 *   copy.c         a step's blocks from device to device
 *   pages.c        the original's cached pages follow their blocks
 *   ext4_abi.c     ext4's inside
 *
 * and in ../indirect/, for what is mapped by indirect blocks:
 *
 *   branch.c       the tree of indirect blocks: walk it, reach a slot
 *   list.c         data/extents, metadata/blocks, and both in a record of inodes
 *   alloc.c        data/alloc and metadata/alloc
 *   reloc.c        data/reloc: copy, then commit
 *   meta_reloc.c   metadata/reloc
 *
 * Locks, outermost first, as ext4 itself takes them:
 *   the host mount's write access, inode locks (both files, by address), no
 *   direct I/O in flight, invalidate locks, HANDLE, page locks, i_data_sem
 *   (both, by address), buffers.
 * No handle is ever started with a page locked: the commit of an ordered
 * transaction waits for that page, and the handle for the commit.
 */
#ifndef EXT3_H
#define EXT3_H

#include <linux/bitmap.h>
#include <linux/buffer_head.h>
#include <linux/fs.h>
#include <linux/jbd2.h>

#include "../ext3meta.h"
#include "ext4_abi.h"

/* A step is what one leaf maps: this many blocks at most (4 KiB blocks). */
#define EXT3_STEP_MAX 1024

/* refuse.c */
enum ext3_role {
	EXT3_ORIGINAL,	/* of a reloc: has a name */
	EXT3_DONOR,	/* of a reloc: has neither name nor size */
	EXT3_ALLOCATEE, /* of an alloc */
};
int ext3_refuse(struct inode *inode, const struct meta_state *state, enum ext3_role role,
		const char **why);
const char *ext3_mapping(struct inode *inode);

/* writable.c */
int ext3_writable(struct meta_host *host, const char **why);
bool ext3_discards(struct meta_host *host);

/* buffers.c */
struct buffer_head *ext3_bread(struct super_block *sb, u64 block);
void ext3_breadahead(struct super_block *sb, u64 block);

/* disk_inode.c */
int ext3_disk_inode(struct super_block *sb, u32 ino, struct meta_record *record);

/* branch.c */

/* The way from an inode to the slot of one logical block. */
struct ext3_path {
	struct inode *inode;
	u32 lblk;
	int depth;		   /* indirect blocks on the way: 0 to 3 */
	int found;		   /* how many of them are there */
	unsigned int offset[4];	   /* slot in the inode, then in each indirect block */
	struct buffer_head *bh[4]; /* [0] is NULL: the inode; [k] is of level depth - k + 1 */
};

int ext3_path_walk(struct inode *inode, u64 lblk, struct ext3_path *path);
int ext3_path_down(struct ext3_path *path);
void ext3_path_release(struct ext3_path *path);
int ext3_paths_apart(const struct ext3_path *a, const struct ext3_path *b);
int ext3_slots_sound(const struct ext3_path *path, int k, __le32 *slots, unsigned int count,
		     const struct ext3_path *other);
__le32 *ext3_path_slot(const struct ext3_path *path, int k);
u64 ext3_path_leaf_first(const struct ext3_path *path);
unsigned int ext3_path_leaf_count(const struct ext3_path *path);
u64 ext3_path_hole_end(const struct ext3_path *path);
u64 ext3_max_blocks(struct super_block *sb);
void ext3_lock_maps(struct inode *a, struct inode *b);
void ext3_unlock_maps(struct inode *a, struct inode *b);
void ext3_lock_maps_shared(struct inode *a, struct inode *b);
void ext3_unlock_maps_shared(struct inode *a, struct inode *b);

static inline unsigned int ext3_pointers(const struct super_block *sb)
{
	return sb->s_blocksize / sizeof(__le32);
}

/* list.c */
int ext3_extents(struct inode *inode, struct meta_list *list);
int ext3_metadata_blocks(struct inode *inode, struct meta_list *list);
int ext3_map(struct inode *inode, struct meta_list *list);
int ext3_map_record(const struct meta_record *record, struct meta_list *list);
void ext3_read_ahead(struct inode *inode);

/* free_blocks.c */
int ext3_free_blocks(struct super_block *sb, struct meta_list *list);

/* alloc.c */
int ext3_alloc(struct meta_request *req, u64 count);
int ext3_metadata_alloc(struct meta_request *req, u32 level);

/* copy.c */

/*
 * The blocks of one step. Slot i is logical block first + i; it moves from
 * from[i] to to[i], or stays where from[i] is 0. Its bytes lie at i blocks
 * into pages[].
 */
struct ext3_step {
	struct super_block *sb;
	u64 first;
	unsigned int count;
	unsigned int moved;
	u32 from[EXT3_STEP_MAX];
	u32 to[EXT3_STEP_MAX];
	struct page **pages;
	unsigned int nr_pages;
	struct page **spare; /* for what is read and not wanted */
	unsigned int nr_spare;
	bool gaps; /* what lies between is read, too */
	struct ext3_run *runs;
	struct folio **folios; /* the original's cached pages; one more than nr_pages at most */
	unsigned int nr_folios;
	/* Of journaled data: what the journal had of it last, before it was emptied. */
	u32 synced_tid;
	/* Slots whose copy has changed since it was written. */
	DECLARE_BITMAP(again, EXT3_STEP_MAX);
};

struct ext3_step *ext3_step_get(struct meta_host *host);
void ext3_step_put(struct meta_host *host, struct ext3_step *step);
void ext3_forget(struct meta_memory *memory);
u32 ext3_step_twice(struct ext3_step *step);
int ext3_step_copy(struct ext3_step *step);
int ext3_step_write_again(struct ext3_step *step);

/* pages.c */
int ext3_pages_hold(struct inode *inode, struct ext3_step *step);
void ext3_pages_release(struct ext3_step *step);
int ext3_pages_lock(struct inode *inode, struct ext3_step *step);
void ext3_pages_unlock(struct ext3_step *step);
bool ext3_pages_update(struct inode *inode, struct ext3_step *step);
int ext3_pages_check(struct inode *inode, const struct ext3_step *step);
void ext3_pages_move(struct inode *inode, const struct ext3_step *step);

/* donor.c */
bool ext3_is_donor(const struct inode *inode);
bool ext3_is_sealed(const struct inode *inode, const struct meta_state *state);
void ext3_donor_given(struct inode *donor, struct meta_state *state);
void ext3_donor_swapped(struct inode *donor, struct meta_state *state, const struct ext3_step *step,
			u32 tid);
int ext3_donor_settle(struct inode *donor, struct meta_state *state, const struct ext3_step *step);

/* pair.c */
void ext3_pair_settle(struct meta_request *req, u32 tid);
int ext3_pair_lock(struct meta_request *req, struct inode *donor,
		   const struct meta_state *donor_state);
void ext3_pair_unlock(struct meta_request *req, struct inode *donor);

/* change.c */

/* A change of the maps of one file, or of two, in one handle. */
struct ext3_change_side {
	struct inode *inode;
	struct ext4_abi_iloc iloc;
	bool reserved; /* iloc is held */
};

struct ext3_change {
	handle_t *handle;
	struct ext3_change_side side[2];
	unsigned int sides;
	bool begun;
	int err; /* the journal's, after which it was aborted */
};

int ext3_change_possible(struct super_block *sb);
int ext3_change_flush(struct super_block *sb);
int ext3_change_start(struct ext3_change *change, struct inode *inode, struct inode *other,
		      int credits);
int ext3_change_inodes(struct ext3_change *change);
int ext3_change_buffer(struct ext3_change *change, struct buffer_head *bh);
int ext3_change_forget(struct ext3_change *change, u64 lblk, unsigned int count);
void ext3_change_begin(struct ext3_change *change);
void ext3_change_dirty(struct ext3_change *change, struct buffer_head *bh);
int ext3_change_stop(struct ext3_change *change, int err);

/* reloc.c */
int ext3_reloc(struct meta_request *req, struct inode *donor, struct meta_state *donor_state,
	       u64 count);

/* meta_reloc.c */
int ext3_metadata_reloc(struct meta_request *req, struct inode *donor,
			struct meta_state *donor_state, u32 level);

#endif
