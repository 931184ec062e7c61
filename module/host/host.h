/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ext3meta: the half that knows the kernel's ext4 driver, however a file is
 * mapped. By stage:
 *
 *   host.c         the operations the common half calls, and the table of mappings
 *   writable.c     which hosts may be changed
 *   refuse.c       which of their files: the table of refusals
 *   buffers.c      metadata blocks, read as ext4 reads them
 *   disk_inode.c   inodes that are not in memory, from the inode tables
 *   free_blocks.c  allocation/free_blocks
 *   change.c       what each change of a map demands of ext4 and the journal
 *   donor.c        the life of a donor, and why nobody reads or writes what it holds
 *   wait.c         bounded waits for what other tasks hold
 *   lock.c         the locks of an alloc, of both files of a reloc, and of both maps
 *   copy.c         a step's blocks from device to device
 *   pages.c        the original's cached pages follow their blocks
 *   ext4_abi.c     ext4's internals
 *
 * These files don't depend on how a file's blocks are mapped. Each mapping has
 * a folder of its own beside this one, which uses what is declared here, and
 * offers its struct e3m_mapping_ops to the table in host.c. To add a mapping,
 * add its folder and its line in that table, and take the line that refuses its
 * files out of the table in refuse.c.
 *
 * Locks, outermost first, as ext4 itself takes them:
 *   the host mount's write access, inode locks (both files), no direct I/O in
 *   flight, invalidate locks, HANDLE, page locks, i_data_sem
 *   (both, by address), buffers.
 * No handle is ever started with a page locked: the commit of an ordered
 * transaction waits for that page, and the handle for the commit.
 */
#ifndef E3M_HOST_H
#define E3M_HOST_H

#include <linux/bitmap.h>
#include <linux/buffer_head.h>
#include <linux/fs.h>
#include <linux/jbd2.h>

#include "../ext3meta.h"
#include "ext4_abi.h"

/* A step moves this many blocks at most: 4 MiB where blocks have 4 KiB. */
#define E3M_STEP_MAX 1024

/* How a file's blocks are mapped: what a mapping does for the files that have it. */
struct e3m_mapping_ops {
	const char *name; /* as e3m_mapping() says it */

	/* As in struct meta_host_ops. */
	int (*extents)(struct inode *inode, struct meta_list *list);
	int (*metadata_blocks)(struct inode *inode, struct meta_list *list);
	int (*map)(struct inode *inode, struct meta_list *list);
	void (*read_ahead)(struct inode *inode);
	int (*map_record)(const struct meta_record *record, struct meta_list *list);
	int (*alloc)(struct meta_request *req, u64 count);
	int (*reloc)(struct meta_request *req, struct inode *donor, struct meta_state *donor_state,
		     u64 count);
	/* @level is not 0 in these. */
	int (*metadata_alloc)(struct meta_request *req, u32 level);
	int (*metadata_reloc)(struct meta_request *req, struct inode *donor,
			      struct meta_state *donor_state, u32 level);

	/* Whether a record has all of its inode's map, and nothing that can't be right. */
	bool (*record_complete)(struct super_block *sb, const struct meta_record *record);
};

/* host.c */
u64 e3m_max_blocks(struct super_block *sb);

/* refuse.c */
enum e3m_role {
	E3M_ORIGINAL,  /* of a reloc: has a name */
	E3M_DONOR,     /* of a reloc: has neither name nor size */
	E3M_ALLOCATEE, /* of an alloc */
};
int e3m_refuse(struct inode *inode, const struct meta_state *state, enum e3m_role role,
	       const char **why);
const char *e3m_mapping(struct inode *inode);

/* writable.c */
int e3m_writable(struct meta_host *host, const char **why);
bool e3m_discards(struct meta_host *host);

/* buffers.c */
struct buffer_head *e3m_bread(struct super_block *sb, u64 block);
void e3m_breadahead(struct super_block *sb, u64 block);

/* disk_inode.c */
int e3m_disk_inode(struct super_block *sb, u32 ino, struct meta_record *record);

/* free_blocks.c */
int e3m_free_blocks(struct super_block *sb, struct meta_list *list);

/* copy.c */

/*
 * The blocks of one step. Slot i is logical block first + i; it moves from
 * from[i] to to[i], or stays where from[i] is 0. Its bytes lie at i blocks
 * into pages[].
 */
struct e3m_step {
	struct super_block *sb;
	u64 first;
	unsigned int count;
	unsigned int moved;
	u32 from[E3M_STEP_MAX];
	u32 to[E3M_STEP_MAX];
	struct page **pages;
	unsigned int nr_pages;
	struct page **spare; /* for what is read and not wanted */
	unsigned int nr_spare;
	bool gaps; /* what lies between is read, too */
	struct e3m_run *runs;
	struct folio **folios; /* the original's cached pages; one more than nr_pages at most */
	unsigned int nr_folios;
	/* Of journaled data: what the journal had of it last, before it was emptied. */
	u32 synced_tid;
	/* Slots whose copy has changed since it was written. */
	DECLARE_BITMAP(again, E3M_STEP_MAX);
};

/* The same for this host: as many blocks as one block can hold the numbers of. */
static inline unsigned int e3m_step_blocks(const struct super_block *sb)
{
	return min_t(unsigned int, sb->s_blocksize / sizeof(u32), E3M_STEP_MAX);
}

struct e3m_step *e3m_step_get(struct meta_host *host);
void e3m_step_put(struct meta_host *host, struct e3m_step *step);
void e3m_step_free_kept(struct meta_memory *memory);
u32 e3m_find_duplicate_block(struct e3m_step *step);
int e3m_step_copy(struct e3m_step *step);
int e3m_step_write_again(struct e3m_step *step);

/* pages.c */
int e3m_pages_hold(struct meta_request *req, struct e3m_step *step);
void e3m_pages_release(struct e3m_step *step);
int e3m_pages_lock(struct meta_request *req, struct e3m_step *step);
void e3m_pages_unlock(struct e3m_step *step);
int e3m_pages_agree(struct inode *inode, struct e3m_step *step, bool insist);
int e3m_pages_check(struct inode *inode, const struct e3m_step *step);
void e3m_pages_move(struct inode *inode, const struct e3m_step *step);

/* donor.c */
bool e3m_is_donor(const struct inode *inode);
bool e3m_is_sealed(const struct inode *inode, const struct meta_state *state);
void e3m_donor_given(struct inode *donor, struct meta_state *state);
void e3m_donor_swapped(struct inode *donor, struct meta_state *state, const struct e3m_step *step,
		       u32 tid);
int e3m_donor_settle(struct inode *donor, struct meta_state *state, const struct e3m_step *step);

/* wait.c */

/* In microseconds, what a request waits for others in all. */
#define E3M_WAIT_MOST (2 * USEC_PER_SEC)

int e3m_wait_write_access(struct meta_request *req);
int e3m_wait_inode_lock(struct meta_request *req, struct inode *inode);
int e3m_wait_no_dio(struct meta_request *req, struct inode *inode);
int e3m_wait_mapping_lock(struct meta_request *req, struct inode *inode);
int e3m_wait_page_lock(struct meta_request *req, struct folio *folio, u64 most);
u64 e3m_wait_most_with_handle(const struct meta_request *req);

/* lock.c */
int e3m_alloc_lock(struct meta_request *req, u64 count, u64 step, bool *zero);
void e3m_alloc_unlock(struct meta_request *req);
int e3m_pair_lock(struct meta_request *req, struct inode *donor,
		  const struct meta_state *donor_state);
void e3m_pair_unlock(struct meta_request *req, struct inode *donor);
void e3m_pair_discard_preallocations(struct meta_request *req, struct inode *donor);
void e3m_pair_settle(struct meta_request *req, u32 tid);
void e3m_lock_maps(struct inode *a, struct inode *b);
void e3m_unlock_maps(struct inode *a, struct inode *b);
void e3m_lock_maps_shared(struct inode *a, struct inode *b);
void e3m_unlock_maps_shared(struct inode *a, struct inode *b);

/* change.c */

/* A change of the maps of one file, or of two, in one handle. */
struct e3m_change_side {
	struct inode *inode;
	struct ext4_abi_iloc iloc;
	bool reserved; /* iloc is held */
};

struct e3m_change {
	handle_t *handle;
	struct e3m_change_side side[2];
	unsigned int sides;
	bool begun;
	int err; /* the journal's, after which it was aborted */
};

int e3m_change_possible(struct super_block *sb);
int e3m_change_flush(struct super_block *sb);
int e3m_empty_journal(struct super_block *sb);
int e3m_change_start(struct e3m_change *change, struct inode *inode, struct inode *other,
		     int credits);
int e3m_change_inodes(struct e3m_change *change);
int e3m_change_buffer(struct e3m_change *change, struct buffer_head *bh);
int e3m_change_forget(struct e3m_change *change, u64 lblk, unsigned int count);
void e3m_change_begin(struct e3m_change *change);
void e3m_change_dirty(struct e3m_change *change, struct buffer_head *bh);
int e3m_change_stop(struct e3m_change *change, int err);

#endif
