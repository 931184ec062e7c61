// SPDX-License-Identifier: GPL-2.0-only
#include "move/move.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/md.h"
#include "lib/clock.h"
#include "lib/util.h"
#include "move/attempt.h"
#include "move/busy.h"
#include "move/reserve.h"
#include "progress/progress.h"

/* One request relocates this much at most, so that a signal is handled soon. */
#define CHUNK_BYTES (16U << 20)

/* The state of one move. */
struct move {
	struct job *job;
	struct file *file;
	struct node *node; /* the file */
	struct node donor;
	int donor_fd;
	struct layout layout; /* first of the donor, at the end of the file */
	struct layout after;  /* of a move in parts: the file's, if all goes well */
	struct sequence seq;
	const struct layout *whole; /* of the file, before the move */
	const struct sequence *old; /* the same */
	enum reason spared;	    /* why no further step may be made */
};

/*
 * A file without a name on the same filesystem, mapped by blocks. Where new files are mapped by
 * extents, that is turned off while it is empty.
 */
static int donor_open(struct move *m)
{
	struct info info;
	struct stat st;
	int flags, err;

	m->donor_fd = openat(m->job->host->fd, ".", O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
	if (m->donor_fd < 0)
		return -errno;
	if (fstat(m->donor_fd, &st))
		goto failed;
	if (!ioctl(m->donor_fd, FS_IOC_GETFLAGS, &flags) && flags & FS_EXTENT_FL) {
		flags &= ~FS_EXTENT_FL;
		if (ioctl(m->donor_fd, FS_IOC_SETFLAGS, &flags))
			goto failed;
	}
	err = node_open(&m->donor, &m->job->meta, (uint32_t)st.st_ino, NULL, &info);
	if (!err && info.mapping != MAPPING_INDIRECT) {
		node_close(&m->donor);
		err = -EOPNOTSUPP;
	}
	if (err)
		close(m->donor_fd);
	return err;
failed:
	err = -errno;
	close(m->donor_fd);
	return err;
}

static void donor_close(struct move *m)
{
	node_close(&m->donor);
	close(m->donor_fd);
}

/* Give the donor the blocks that were planned. */
static int donor_fill(struct move *m, const struct plan_requests *requests)
{
	size_t i;
	int err = 0;

	for (i = 0; i < requests->requests && !err; i++) {
		const struct plan_request *r = &requests->request[i];

		if (r->kind == ASK_GOAL)
			err = node_goal(&m->donor, r->value);
		else if (r->kind == ASK_DATA)
			err = node_alloc(&m->donor, r->logical, r->value);
		else
			err = node_alloc_indirect(&m->donor, r->logical, r->value);
		progress_point();
		throttle_point(&m->job->throttle, true);
	}
	return err;
}

/* The first block of @layout from @at on that isn't in a hole; UINT32_MAX if there is none. */
static uint32_t next_block(const struct layout *layout, uint32_t at)
{
	size_t low = 0, high = layout->extents;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct extent *e = &layout->extent[middle];

		if (e->logical + e->length <= at)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == layout->extents)
		return UINT32_MAX;
	return at > layout->extent[low].logical ? at : layout->extent[low].logical;
}

/*
 * Whether the next step may be made. An md array that is assembled during the move remembers where
 * the blocks of its bitmap file are at that time. Steps made before that do no harm, but no step
 * may follow, not even back.
 */
static bool may_step(struct move *m)
{
	struct job *job = m->job;
	char *unknown = md_files_read(job->md);

	if (md_files_have(job->md, job->host->dev, m->file->ino)) {
		m->spared = REASON_MD_BITMAP;
	} else if (unknown) {
		complain(job->host->mountpoint, 0, "nothing more is moved, since %s", unknown);
		job->broken = true;
		m->spared = REASON_STOPPED;
	}
	free(unknown);
	return !m->spared;
}

/* The block behind the last one with data; UINT32_MAX if there is none. */
static uint32_t data_end(const struct layout *layout)
{
	const struct extent *last;

	if (!layout->extents)
		return UINT32_MAX;
	last = &layout->extent[layout->extents - 1];
	return last->logical + last->length;
}

/* What one request moves at most, in blocks. */
static uint32_t step_blocks(const struct move *m, bool back)
{
	const uint32_t blocksize = m->job->meta.geo.blocksize;
	uint32_t bytes = throttle_step(&m->job->throttle, CHUNK_BYTES);

	if (!back)
		bytes = budget_step(m->job->budget, bytes, blocksize);
	return bytes / blocksize;
}

/* One request for @count blocks from *@at on. *@at is set to the block at which it ended. */
static int swap_step(struct move *m, uint32_t *at, uint32_t count, bool back, uint64_t *moved)
{
	const struct sequence *from = back ? &m->seq : m->old, *to = back ? m->old : &m->seq;
	const uint32_t blocksize = m->job->meta.geo.blocksize, began = *at;
	const uint64_t start = clock_now();
	uint64_t took;
	uint32_t step;
	int err;

	progress_step(from, to, began, began + count, 0);
	err = node_reloc(m->node, at, &m->donor, count, &step);
	took = clock_now() - start;
	*moved += step;
	progress_stepped(from, to, began, *at, 0);
	progress_moved(back ? 0 : step);
	throttle_stepped(&m->job->throttle, (uint64_t)step * blocksize);
	if (!back)
		budget_stepped(m->job->budget, (uint64_t)step * blocksize, took);
	return err;
}

/*
 * Swap blocks with the donor, from the first one up to block *@end. *@end is set to the block at
 * which it ended, *@moved to the number of blocks swapped. With @back the blocks return to where
 * they were, and neither signals nor budgets end it.
 */
static int swap_data(struct move *m, const struct layout *old, uint32_t *end, uint64_t *moved,
		     bool back)
{
	const uint32_t last = data_end(old);
	struct busy busy = { 0 };
	uint32_t at = 0, asked, count;
	uint64_t start;
	int err = 0;

	*moved = 0;
	if (*end > last)
		*end = last;
	while (!err && (at = next_block(old, at)) < *end) {
		if ((!back && *m->job->stop) || !may_step(m)) {
			err = -EINTR;
			break;
		}
		count = step_blocks(m, back);
		if (count > *end - at)
			count = *end - at;
		start = clock_now();
		asked = at + count;
		err = swap_step(m, &at, count, back, moved);
		/* A request that met a lock only after it had moved something returns early. */
		if (err == -EBUSY || (!err && at < asked)) {
			err = busy_wait(&busy, back ? NULL : m->job->stop, start) ? 0 : -EBUSY;
		} else if (err == -ENODATA) {
			/* These blocks are the file's no more; there may be others. */
			at += count;
			err = 0;
		} else if (!err) {
			busy_over(&busy);
		}
	}
	*end = at;
	return err;
}

/* The same for the indirect blocks whose first data block is below @end. */
static int swap_indirect(struct move *m, const struct layout *old, uint32_t end, uint64_t *moved,
			 bool back)
{
	const struct sequence *from = back ? &m->seq : m->old, *to = back ? m->old : &m->seq;
	struct busy busy = { 0 };
	uint64_t start;
	size_t i;
	int err;

	for (i = 0; i < old->indirects && old->indirect[i].logical < end;) {
		start = clock_now();
		err = node_reloc_indirect(m->node, old->indirect[i].logical, &m->donor,
					  old->indirect[i].level);
		progress_point();
		throttle_point(&m->job->throttle, true);
		if (err == -EBUSY && busy_wait(&busy, back ? NULL : m->job->stop, start))
			continue;
		/* Truncated away: nothing to swap. A file that is gone shows later. */
		if (err && err != -ENOENT)
			return err;
		if (!err)
			progress_stepped(from, to, old->indirect[i].logical,
					 old->indirect[i].logical + 1, old->indirect[i].level);
		*moved += !err;
		i++;
		busy_over(&busy);
	}
	return 0;
}

/* Read where the file is now. */
static int look_after_move(struct move *m)
{
	struct info info;
	int err = node_info(m->node, &info);

	if (!err)
		err = survey_again(&m->job->survey, m->file, m->node, &info, &m->layout, &m->seq);
	return err;
}

/* Swap all blocks with the donor, which is known to be better. */
static enum reason swap(struct move *m, const struct layout *old, const struct sequence *seq)
{
	uint32_t promised = m->seq.fragments, end = UINT32_MAX;
	uint64_t data = 0, indirect = 0, back = 0;
	enum reason reason = REASON_NONE;
	const char *what = "moving its data stopped";
	int err;

	err = swap_data(m, old, &end, &data, false);
	/* A file that is busy is so for each further request, too. */
	if (err != -EBUSY && (data || !old->data)) {
		int ind_err = swap_indirect(m, old, end, &indirect, false);

		if (!err && ind_err) {
			err = ind_err;
			what = "moving its indirect blocks stopped";
		}
	}
	if (err == -EINTR)
		reason = m->spared ? m->spared : REASON_STOPPED;
	else if (err)
		reason = attempt_failed(m->job, m->file, err, what);

	err = look_after_move(m);
	if (err)
		return attempt_failed(m->job, m->file, err, "can't see where it lies now");
	if (m->file->fragments > seq->fragments && data + indirect && !m->spared) {
		/* A move that ended early can be worse than none: the same swaps undo it. */
		if (!indirect || (!swap_indirect(m, old, end, &back, true) && back == indirect)) {
			indirect = 0;
			if (!swap_data(m, old, &end, &back, true) && back == data)
				data = 0;
		}
		look_after_move(m);
	}
	usage_relayout(&m->job->usage_after, m->whole, seq->fragments, &m->layout,
		       m->file->fragments);
	survey_detail(&m->job->survey, m->file)->moves += data + indirect > 0;
	m->job->moved += data + indirect;
	if (!reason && (m->file->fragments > promised || data != old->data))
		reason = REASON_CHANGED;
	return reason;
}

/* Fill an open, empty donor, and swap blocks with it if the file is better for it. */
static enum reason move_by_donor(struct move *m, const struct layout *layout,
				 const struct sequence *seq, const struct plan_requests *requests,
				 const struct layout *moving, uint32_t most)
{
	int err = donor_fill(m, requests);

	if (!err)
		err = node_layout(&m->donor, &m->layout, UINT64_MAX);
	if (err == -ENOSPC)
		return REASON_NO_ROOM;
	if (err)
		return attempt_failed(m->job, m->file, err, "can't get blocks for it");
	if (moving)
		part_outcome(&m->after, layout, moving, &m->layout);
	sequence_build(&m->seq, moving ? &m->after : &m->layout, &m->job->meta.geo);
	if (m->seq.fragments > most)
		return REASON_OUTCOME;
	/* The file may lie elsewhere by now than when the plan was made. */
	err = node_layout(m->node, &m->layout, UINT64_MAX);
	if (err)
		return attempt_failed(m->job, m->file, err, "can't look at its blocks");
	if (!layout_holds(&m->layout, layout))
		return REASON_CHANGED;
	return swap(m, moving ? moving : layout, seq);
}

/* Move all of the file, or only @moving of it if that isn't NULL. */
static enum reason move(struct move *m, const struct layout *layout, const struct sequence *seq,
			const struct plan_requests *requests, const struct layout *moving,
			uint32_t blocks, uint32_t most)
{
	enum reason reason;
	int err;

	if (!reserve_allows(m->job, blocks))
		return REASON_RESERVE;
	err = donor_open(m);
	if (err == -ENOSPC)
		return REASON_NO_ROOM;
	if (err)
		return attempt_failed(m->job, m->file, err, "can't make a donor file");
	layout_init(&m->layout);
	layout_init(&m->after);
	sequence_init(&m->seq);
	m->job->given_back += blocks;
	reason = move_by_donor(m, layout, seq, requests, moving, most);
	sequence_free(&m->seq);
	layout_free(&m->after);
	layout_free(&m->layout);
	donor_close(m);
	return reason;
}

enum reason move_file(struct job *job, struct file *file, struct node *node,
		      const struct layout *layout, const struct sequence *seq,
		      const struct plan *plan, uint32_t most)
{
	struct move m = { .job = job, .file = file, .node = node, .whole = layout, .old = seq };
	struct plan_requests requests = { 0 };
	enum reason reason;

	plan_requests(&requests, plan, seq);
	reason = move(&m, layout, seq, &requests, NULL, seq->blocks, most);
	plan_requests_free(&requests);
	return reason;
}

enum reason move_parts(struct job *job, struct file *file, struct node *node,
		       const struct layout *layout, const struct sequence *seq,
		       const struct part *parts, size_t count)
{
	struct move m = { .job = job, .file = file, .node = node, .whole = layout, .old = seq };
	const struct geometry *geo = &job->meta.geo;
	struct plan_requests requests = { 0 };
	enum reason reason = REASON_NO_ROOM;
	struct layout moving, planned, after;
	struct sequence best;
	uint32_t above;

	layout_init(&moving);
	layout_init(&planned);
	layout_init(&after);
	sequence_init(&best);
	above = part_requests(&requests, &moving, seq, geo, parts, count, &job->free);
	part_planned(&planned, seq, parts, count);
	part_outcome(&after, layout, &moving, &planned);
	sequence_build(&best, &after, geo);
	/* Half of the planned gain is enough; if no gain was planned, nothing may be lost. */
	if (above != UINT32_MAX && best.fragments <= seq->fragments)
		reason = move(&m, layout, seq, &requests, &moving,
			      (uint32_t)(moving.data + moving.indirects) + above,
			      best.fragments + (seq->fragments - best.fragments) / 2);
	sequence_free(&best);
	layout_free(&after);
	layout_free(&planned);
	layout_free(&moving);
	plan_requests_free(&requests);
	return reason;
}
