// SPDX-License-Identifier: GPL-2.0-only
#include "move/apply.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "lib/util.h"
#include "move/attempt.h"
#include "move/move.h"
#include "move/reserve.h"
#include "move/turn.h"
#include "planfile/planfile_read.h"
#include "progress/progress.h"
#include "status.h"

int apply_read(struct planfile *plan, const struct options *options, struct hosts *hosts)
{
	int status = planfile_read(plan, options->apply), found;
	size_t i;

	for (i = 0; !options->target[0] && i < plan->count; i++) {
		char *name;

		if (!plan->fs[i].moves)
			continue;
		name = xasprintf("UUID=%s", plan->fs[i].id);
		if (hosts_ambiguous(plan->fs[i].id)) {
			complain(name, 0, "several mounted filesystems have it: name the TARGET");
			found = STATUS_REFUSED;
		} else {
			found = hosts_add(hosts, name);
		}
		if (found)
			status = status_worse(status, found);
		free(name);
	}
	return status;
}

static const struct planfile_fs *planned_fs(const struct job *job)
{
	return planfile_find(job->planned, job->meta.geo.id);
}

bool apply_fits(const struct job *job)
{
	const struct geometry *geo = &job->meta.geo;
	const struct planfile_fs *fs;

	if (!job->planned)
		return true;
	fs = planned_fs(job);
	if (!fs) {
		complain(job->host->mountpoint, 0,
			 "is not what was planned for: the plan has no filesystem with the UUID %s",
			 geo->id);
		return false;
	}
	/* A filesystem that has grown since then is still the same one. */
	if (fs->blocksize != geo->blocksize || fs->blocks > geo->blocks) {
		complain(job->host->mountpoint, 0,
			 "is not what was planned for: it has %" PRIu64 " blocks of %" PRIu32
			 " bytes, not %" PRIu64 " of %" PRIu32,
			 geo->blocks, geo->blocksize, fs->blocks, fs->blocksize);
		return false;
	}
	return true;
}

static int by_inode(const void *a, const void *b)
{
	const struct file *x = a, *y = b;

	return x->ino < y->ino ? -1 : x->ino > y->ino;
}

/* Why the survey lacks a planned file: it was deleted, or it is outside of the targets. */
static enum reason missing(struct job *job, const struct planfile_move *move)
{
	struct node node;
	struct info info;
	int err;

	if (job->host->whole)
		return REASON_VANISHED;
	err = node_open(&node, &job->meta, move->ino, &move->generation, &info);
	if (!err)
		node_close(&node);
	return err == -ENOENT || err == -ESTALE ? REASON_VANISHED : REASON_OUTSIDE;
}

void apply_survey(struct job *job)
{
	const struct planfile_fs *fs = planned_fs(job);
	struct survey *survey = &job->survey;
	const size_t known = survey->files;
	struct file *end = NULL;
	size_t i;

	for (i = fs->first; i < fs->first + fs->moves; i++) {
		const struct planfile_move *move = &job->planned->move[i];
		/* Search only the sorted part: the files added below are not in order yet. */
		struct survey found = *survey;
		struct detail *detail;

		found.files = known;
		if (survey_file(&found, move->ino))
			continue;
		vec_more(survey->file, survey->files, survey->room);
		end = &survey->file[survey->files++];
		*end = (struct file){ .ino = move->ino, .detail = DETAIL_NONE };
		end->reason = (uint8_t)missing(job, move);
		detail = survey_detail(survey, end);
		detail->generation = move->generation;
		detail->name = names_add(&survey->names, NAME_NONE, move->path, move->ino);
	}
	if (end)
		qsort(survey->file, survey->files, sizeof(*survey->file), by_inode);
	for (i = 0; i < survey->files; i++)
		if (survey->file[i].fragments > 1 && survey->file[i].reason == REASON_NONE)
			survey->file[i].reason = REASON_UNPLANNED;
}

/* True if every block of the file is already where the plan would move it. */
static bool in_place(const struct sequence *seq, const struct planfile_piece *piece, size_t pieces)
{
	uint32_t at = 0, length;
	size_t i = 0;

	/* Where an item and a piece overlap, comparing their first common block is enough. */
	while (at < seq->blocks && pieces) {
		const struct seq_item *item = &seq->item[i];
		const uint32_t item_end = item->at + item->length;
		const uint32_t piece_end = piece->at + piece->length;

		if (item->physical + (at - item->at) != piece->goal + (at - piece->at))
			return false;
		length = (item_end < piece_end ? item_end : piece_end) - at;
		at += length;
		i += at == item_end;
		if (at == piece_end) {
			piece++;
			pieces--;
		}
	}
	return at == seq->blocks;
}

/* Ask ext3meta: another program may have allocated blocks of it since the list was read. */
static bool is_free(struct job *job, const struct planfile_piece *piece)
{
	uint32_t done = 0, more;

	while (done < piece->length) {
		more = meta_free_from(&job->meta, piece->goal + done);
		if (!more)
			return false;
		done = more < piece->length - done ? done + more : piece->length;
	}
	return true;
}

/* Whether the planned move of an open file is still possible: REASON_NONE, and @t describes it. */
static enum reason check(struct job *job, struct file *file, struct node *node,
			 const struct planfile_move *move, struct attempt *t)
{
	const struct planfile_piece *piece = &job->planned->piece[move->first];
	const enum reason before = (enum reason)file->reason;
	enum reason reason = attempt_look(job, file, node, t);
	size_t i;

	if (reason)
		return reason;
	if (file->fragments <= 1)
		return file->fragments ? REASON_PERFECT : REASON_EMPTY;
	/*
	 * The survey did not see its blocks, so it is not known whether another file claims them,
	 * too.
	 */
	if (before == REASON_VANISHED)
		return REASON_FAILED;
	if (before == REASON_MULTIPLY_CLAIMED || before == REASON_MD_BITMAP)
		return before;
	if (file->blocks == move->blocks && in_place(&t->seq, piece, move->pieces))
		return REASON_IN_PLACE;
	if (reason_is_choice(before))
		return before;
	if (file->blocks != move->blocks || layout_print(&t->layout) != move->layout)
		return REASON_OUTDATED;
	if (move->after >= file->fragments)
		return REASON_NO_BETTER;
	t->plan.pieces = 0;
	for (i = 0; i < move->pieces; i++) {
		if (!is_free(job, &piece[i]))
			return REASON_TAKEN;
		vec_more(t->plan.piece, t->plan.pieces, t->plan.room);
		t->plan.piece[t->plan.pieces++] = (struct plan_piece){ piece[i].at, piece[i].length,
								       piece[i].goal,
								       FREEMAP_NONE };
	}
	return REASON_NONE;
}

/* Whether the planned file was deleted, or its inode number belongs to another file now. */
static enum reason not_it(struct job *job, const struct planfile_move *move)
{
	struct node node;
	struct info info;

	if (node_open(&node, &job->meta, move->ino, NULL, &info))
		return REASON_VANISHED;
	node_close(&node);
	return REASON_REPLACED;
}

static enum reason carry_out(struct job *job, struct file *file, const struct planfile_move *move,
			     struct attempt *t)
{
	enum reason reason;
	struct info info;
	struct node node;
	int err;

	if (file->reason == REASON_OUTSIDE)
		return REASON_OUTSIDE;
	err = node_open(&node, &job->meta, move->ino, &move->generation, &info);
	if (err == -ENOENT || err == -ESTALE)
		return not_it(job, move);
	if (err)
		return attempt_failed(job, file, err, "can't look at it");
	survey_detail(&job->survey, file)->owner = info.uid;
	reason = check(job, file, &node, move, t);
	if (!reason)
		reason = move_file(job, file, &node, &t->layout, &t->seq, &t->plan, move->after);
	node_close(&node);
	throttle_point(&job->throttle, true);
	return reason;
}

/* False for moves that were made, were unnecessary, or were excluded by the user. */
static bool is_undone(enum reason reason)
{
	switch (reason) {
	case REASON_NONE:
	case REASON_PERFECT:
	case REASON_IN_PLACE:
	/* Excluded by the targets or by the options that choose files. */
	case REASON_OUTSIDE:
		return false;
	default:
		return !reason_is_choice(reason);
	}
}

static uint64_t planned_blocks(const struct job *job, const struct planfile_fs *fs)
{
	uint64_t sum = 0;
	size_t i;

	for (i = fs->first; i < fs->first + fs->moves; i++)
		sum += job->planned->move[i].blocks;
	return sum;
}

static void make_move(struct job *job, struct file *file, const struct planfile_move *move,
		      struct attempt *t)
{
	const uint32_t before = file->fragments;
	const uint64_t moved = job->moved;
	enum reason reason;
	struct turn turn;

	progress_file(file);
	turn_begin(&turn, job);
	reason = carry_out(job, file, move, t);
	progress_file_done(move->blocks, before, file->fragments);
	job->undone += is_undone(reason) && (reason != REASON_BUSY || job->last_try);
	if (!reason && file->fragments == 1)
		reason = REASON_PERFECT;
	file->reason = (uint8_t)reason;
	turn_end(&turn, job, file);
	if (job->options->verbose && (job->moved != moved || file->failed))
		attempt_tell(job, file, before);
}

/* Make the moves of all files, or of those that are put off. Returns how many weren't busy. */
static size_t make_moves(struct job *job, const struct planfile_fs *fs, bool put_off,
			 struct attempt *t)
{
	size_t i, done = 0;

	for (i = fs->first; i < fs->first + fs->moves && !job_ends(job); i++) {
		const struct planfile_move *move = &job->planned->move[i];
		struct file *file = survey_file(&job->survey, move->ino);

		if ((put_off && !turn_is_put_off(file)) || turn_passed_over(job, file))
			continue;
		make_move(job, file, move, t);
		done += file->reason != REASON_BUSY;
	}
	return done;
}

static bool any_put_off(const struct job *job, const struct planfile_fs *fs)
{
	size_t i;

	for (i = fs->first; i < fs->first + fs->moves; i++)
		if (turn_is_put_off(survey_file(&job->survey, job->planned->move[i].ino)))
			return true;
	return false;
}

/*
 * Come back to the files that were busy, as defragment() does. The blocks that their donors had are
 * free only after a sync.
 */
static void come_back(struct job *job, const struct planfile_fs *fs, struct attempt *t)
{
	if (job_ends(job) || !any_put_off(job, fs) || job_refresh_free(job))
		return;
	job->last_try = true;
	while (make_moves(job, fs, true, t) && !job_ends(job))
		;
	if (!job_ends(job))
		turn_give_up(job);
	job->last_try = false;
}

/* The run ended before these had their turn. */
static void note_stopped(struct job *job, const struct planfile_fs *fs)
{
	size_t i;

	for (i = fs->first; i < fs->first + fs->moves; i++) {
		struct file *file = survey_file(&job->survey, job->planned->move[i].ino);

		if (file->reason == REASON_UNPLANNED || turn_is_put_off(file))
			file->reason = REASON_STOPPED;
	}
}

void apply(struct job *job)
{
	const struct planfile_fs *fs = planned_fs(job);
	struct attempt t;

	attempt_init(&t);
	reserve_set(job);
	share_begin(&job->share);
	progress_begin(STAGE_MOVE, 0, survey_fragments(&job->survey));
	progress_moves(fs->moves, planned_blocks(job, fs));
	make_moves(job, fs, false, &t);
	come_back(job, fs, &t);
	if (job_ends(job))
		note_stopped(job, fs);
	job_refresh_free(job);
	progress_keep();
	attempt_free(&t);
}
