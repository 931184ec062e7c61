// SPDX-License-Identifier: GPL-2.0-only
/*
 * The blocks of a step are copied on the device through pages of our own, so
 * that a nightly run neither fills the page cache nor evicts anything from it.
 * All reads are queued at once in physical order; on a rotational disk small
 * gaps between them are read, too. Then all writes are queued, which are few
 * and large, since the blocks of a donor are contiguous.
 */
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/completion.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include "host.h"

/* Blocks that follow each other on the device and in the step. */
struct e3m_run {
	u32 block;
	u16 slot;
	u16 count;
};

struct copy_wait {
	atomic_t left;
	int err;
	struct completion done;
};

static void step_free(struct e3m_step *step)
{
	unsigned int i;

	for (i = 0; step->pages && i < step->nr_pages && step->pages[i]; i++)
		__free_page(step->pages[i]);
	for (i = 0; i < step->nr_spare; i++)
		__free_page(step->spare[i]);
	kvfree(step->pages);
	kvfree(step->folios);
	kvfree(step->spare);
	kvfree(step->runs);
	kvfree(step);
}

static struct e3m_step *step_alloc(struct super_block *sb)
{
	unsigned int blocks = e3m_step_blocks(sb);
	struct e3m_step *step;
	unsigned int i;

	step = kvzalloc(sizeof(*step), GFP_KERNEL);
	if (!step)
		return NULL;
	step->sb = sb;
	step->nr_pages = (blocks << sb->s_blocksize_bits) >> PAGE_SHIFT;
	step->pages = kvcalloc(step->nr_pages, sizeof(*step->pages), GFP_KERNEL);
	/* A step can begin within a page and end within another. */
	step->folios = kvcalloc(step->nr_pages + 1, sizeof(*step->folios), GFP_KERNEL);
	/* Of both sides at once, for e3m_find_duplicate_block(). */
	step->runs = kvcalloc(2 * blocks, sizeof(*step->runs), GFP_KERNEL);
	if (!step->pages || !step->folios || !step->runs)
		goto err;
	for (i = 0; i < step->nr_pages; i++) {
		step->pages[i] = alloc_page(GFP_KERNEL);
		if (!step->pages[i])
			goto err;
	}
	return step;

err:
	step_free(step);
	return NULL;
}

/*
 * A rotational disk takes as long to pass over a small gap as to read it, and
 * one more request costs the disk, or the layers above it, more than that. So
 * gaps up to this size are read, too, into pages that are not used otherwise,
 * and in all at most as many bytes as a step can move.
 */
#define GAP_MAX (64U << 10)

/* Pages for the gaps; none where requests cost little, and fewer where memory does. */
static void step_spare(struct e3m_step *step)
{
	struct block_device *bdev = step->sb->s_bdev;

	/* Where requests aren't merged, reading a gap is one more request. */
	step->gaps = !bdev_nonrot(bdev) && !blk_queue_nomerges(bdev_get_queue(bdev));
	if (!step->gaps)
		return;
	if (!step->spare)
		step->spare =
			kvcalloc(step->nr_pages, sizeof(*step->spare), GFP_KERNEL | __GFP_NOWARN);
	while (step->spare && step->nr_spare < step->nr_pages) {
		struct page *page = alloc_page(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);

		if (!page)
			break;
		step->spare[step->nr_spare++] = page;
	}
}

/**
 * e3m_step_get - what a reloc needs at hand
 * @host: the host
 *
 * Requests mostly come one after the other, and some thousand pages are a good
 * part of what one of them takes to allocate and to clear: so the last one's
 * wait for the next, until ext3meta is unmounted. Nobody but the device ever
 * looks at what is in them.
 *
 * Return: the step, to be given back with e3m_step_put(); NULL where there is
 * no memory.
 */
struct e3m_step *e3m_step_get(struct meta_host *host)
{
	struct e3m_step *step = xchg(&host->memory->kept, NULL);

	if (!step)
		step = step_alloc(host->sb);
	if (step)
		step_spare(step);
	return step;
}

void e3m_step_put(struct meta_host *host, struct e3m_step *step)
{
	/* Where several requests run at the same time, one step is kept. */
	if (cmpxchg(&host->memory->kept, NULL, step))
		step_free(step);
}

void e3m_step_free_kept(struct meta_memory *memory)
{
	if (memory->kept)
		step_free(memory->kept);
	memory->kept = NULL;
}

static int run_cmp(const void *a, const void *b)
{
	const struct e3m_run *l = a, *r = b;

	return l->block < r->block ? -1 : l->block > r->block;
}

/*
 * The runs of the blocks that move, from where they are or to where they go, behind @n others; of
 * all of them, or of those in @some.
 */
static unsigned int runs_add(struct e3m_step *step, const u32 *blocks, const unsigned long *some,
			     unsigned int n)
{
	unsigned int i, first = n;

	for (i = 0; i < step->count; i++) {
		struct e3m_run *last = n > first ? &step->runs[n - 1] : NULL;

		if (!step->from[i] || (some && !test_bit(i, some)))
			continue;
		if (last && last->slot + last->count == i &&
		    last->block + last->count == blocks[i]) {
			last->count++;
			continue;
		}
		step->runs[n++] = (struct e3m_run){ .block = blocks[i], .slot = i, .count = 1 };
	}
	return n;
}

static unsigned int copy_runs(struct e3m_step *step, const u32 *blocks, const unsigned long *some)
{
	unsigned int n = runs_add(step, blocks, some, 0);

	sort(step->runs, n, sizeof(*step->runs), run_cmp, NULL);
	return n;
}

/* A block that occurs more than once in from[] and to[] together; 0: there is none. */
u32 e3m_find_duplicate_block(struct e3m_step *step)
{
	unsigned int i, n = runs_add(step, step->to, NULL, runs_add(step, step->from, NULL, 0));

	sort(step->runs, n, sizeof(*step->runs), run_cmp, NULL);
	for (i = 1; i < n; i++)
		if (step->runs[i].block - step->runs[i - 1].block < step->runs[i - 1].count)
			return step->runs[i].block;
	return 0;
}

static void copy_put(struct copy_wait *wait)
{
	if (atomic_dec_and_test(&wait->left))
		complete(&wait->done);
}

static void copy_end_io(struct bio *bio)
{
	struct copy_wait *wait = bio->bi_private;

	if (bio->bi_status)
		cmpxchg(&wait->err, 0, blk_status_to_errno(bio->bi_status));
	bio_put(bio);
	copy_put(wait);
}

/* @left bytes from @sector on, at @offset bytes into @pages. */
static void copy_submit(struct super_block *sb, struct page **pages, size_t offset, size_t left,
			sector_t sector, blk_opf_t opf, struct copy_wait *wait)
{
	while (left) {
		unsigned int vecs = min_t(size_t,
					  DIV_ROUND_UP(offset_in_page(offset) + left, PAGE_SIZE),
					  BIO_MAX_VECS);
		struct bio *bio = bio_alloc(sb->s_bdev, vecs, opf, GFP_NOIO);

		bio->bi_iter.bi_sector = sector;
		bio->bi_private = wait;
		bio->bi_end_io = copy_end_io;
		while (left) {
			size_t in_page = offset_in_page(offset);
			unsigned int len = min_t(size_t, left, PAGE_SIZE - in_page);

			if (bio_add_page(bio, pages[offset >> PAGE_SHIFT], len, in_page) < len)
				break;
			offset += len;
			left -= len;
			sector += len >> SECTOR_SHIFT;
		}
		atomic_inc(&wait->left);
		submit_bio(bio);
	}
}

/* What lies between two runs, if it is worth reading, too, and there is room for it; else 0. */
static size_t gap_between(const struct e3m_step *step, const struct e3m_run *run, size_t used)
{
	size_t gap = (size_t)(run[1].block - run[0].block - run[0].count)
		     << step->sb->s_blocksize_bits;

	return gap <= GAP_MAX && used + gap <= (size_t)step->nr_spare << PAGE_SHIFT ? gap : 0;
}

/* @some: these slots only, where not NULL. @gaps: what lies between two runs may be read, too. */
static int copy_all(struct e3m_step *step, const u32 *blocks, const unsigned long *some,
		    blk_opf_t opf, bool gaps)
{
	struct copy_wait wait = { .left = ATOMIC_INIT(1) };
	unsigned int i, n = copy_runs(step, blocks, some);
	u8 bits = step->sb->s_blocksize_bits;
	size_t spare = 0;
	struct blk_plug plug;

	init_completion(&wait.done);
	/* While plugged, contiguous bios become one request. */
	blk_start_plug(&plug);
	for (i = 0; i < n; i++) {
		const struct e3m_run *run = &step->runs[i];
		sector_t sector = (sector_t)run->block << (bits - SECTOR_SHIFT);
		size_t gap = gaps && i + 1 < n ? gap_between(step, run, spare) : 0;

		copy_submit(step->sb, step->pages, (size_t)run->slot << bits,
			    (size_t)run->count << bits, sector, opf, &wait);
		sector += (sector_t)run->count << (bits - SECTOR_SHIFT);
		copy_submit(step->sb, step->spare, spare, gap, sector, opf, &wait);
		spare += gap;
	}
	blk_finish_plug(&plug);
	copy_put(&wait);
	wait_for_completion_io(&wait.done);
	return wait.err;
}

/**
 * e3m_step_copy - copy what moves, and wait until the device has it
 * @step: the step; from[] and to[] are filled in
 *
 * Inode locks are held, so memory must not be waited for through a filesystem.
 * The device may still hold the blocks in a volatile cache: the commit that
 * makes them reachable has to flush it.
 *
 * Return: 0, or the first error that a bio ended with.
 */
int e3m_step_copy(struct e3m_step *step)
{
	unsigned int flags = memalloc_nofs_save();
	int err = -EIO;

	/* An error may be that of a gap, which isn't needed. */
	if (step->gaps)
		err = copy_all(step, step->from, NULL, REQ_OP_READ | REQ_SYNC, true);
	if (err)
		err = copy_all(step, step->from, NULL, REQ_OP_READ | REQ_SYNC, false);
	if (!err)
		err = copy_all(step, step->to, NULL, REQ_OP_WRITE | REQ_SYNC, false);
	memalloc_nofs_restore(flags);
	return err;
}

/* Write those of a copied step that have changed since, and wait; as above. */
int e3m_step_write_again(struct e3m_step *step)
{
	unsigned int flags = memalloc_nofs_save();
	int err = copy_all(step, step->to, step->again, REQ_OP_WRITE | REQ_SYNC, false);

	memalloc_nofs_restore(flags);
	return err;
}
