// SPDX-License-Identifier: GPL-2.0-only
#include "move/defragment.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"
#include "move/attempt.h"
#include "move/move.h"
#include "move/partial.h"
#include "move/reserve.h"
#include "move/turn.h"
#include "plan/plan.h"
#include "planfile/planfile_write.h"
#include "progress/progress.h"
#include "progress/terminal.h"
#include "state/history.h"
#include "survey/order.h"

/*
 * Rounds end without this limit as long as each move improves a file. Files that others change
 * meanwhile could continue them for ever.
 */
#define ROUNDS_MOST 1000

/* Is a file worth trying? */
static bool is_candidate(const struct file *file)
{
	return file->reason == REASON_NONE && file->fragments > 1;
}

/* Reasons that a later round, with other free space, may overcome. */
static bool may_change(enum reason reason)
{
	return reason == REASON_NONE || reason == REASON_NO_ROOM || reason == REASON_NO_BETTER ||
	       reason == REASON_OUTCOME || reason == REASON_RESERVE;
}

/*
 * Whether the blocks given back since the free map was read could change the plan for this file.
 * Reading the map takes longer the more runs it has. So it is read once per number of blocks moved,
 * not once per file, and takes a small part of the time that moving takes.
 */
static bool worth_refreshing(const struct job *job, const struct file *file)
{
	return job->given_back && job->given_back >= job->free.runs / 8 &&
	       (job->given_back >= file->blocks / 2 || job->given_back > job->free.total);
}

/* An estimate of the longest run of data blocks that this filesystem can have. */
static uint32_t longest_possible(const struct job *job)
{
	const struct geometry *geo = &job->meta.geo;
	/* Both bitmaps and the inode table; most inodes have 256 bytes or fewer. */
	uint64_t tables = 2 + (uint64_t)geo->inodes_per_group * 256 / geo->blocksize;
	size_t longest = freemap_longest(&job->free);
	uint32_t seen = longest == FREEMAP_NONE ? 0 : job->free.run[longest].length;
	uint32_t group = tables < geo->blocks_per_group ? geo->blocks_per_group - (uint32_t)tables :
							  1;

	return seen > group ? seen : group;
}

/* The fewest fragments that a file could have if it were the only one of its filesystem. */
static uint32_t best_possible(const struct job *job, const struct file *file)
{
	uint32_t longest = longest_possible(job);

	return file->blocks / longest + (file->blocks % longest != 0);
}

/* How many times blocks of a file changed places in this run. */
static uint32_t times_moved(const struct job *job, const struct file *file)
{
	return job->survey.detail[file->detail].moves;
}

/*
 * The most fragments that a plan for this file may have. A file that was moved in this run, or is
 * still as an earlier run left it, is moved again only if it loses a quarter of its fragments.
 */
static uint32_t most_pieces(const struct job *job, const struct file *file, bool any)
{
	uint32_t best = best_possible(job, file);

	if (!any && best < file->fragments)
		return best;
	return times_moved(job, file) || history_settled(job, file) ?
		       file->fragments - (file->fragments + 3) / 4 :
		       file->fragments - 1;
}

/* Plan an open file, as it is now: in the fewest pieces possible, or with @any gain at all. */
static enum reason look_and_plan(struct job *job, struct file *file, struct node *node, bool any,
				 struct attempt *t)
{
	enum reason reason = attempt_look(job, file, node, t);

	if (reason)
		return reason;
	if (job->options->min_fragment && file->fragments > 1 &&
	    !sequence_pays(&t->seq, job->meta.geo.blocksize, job->options->min_fragment))
		return REASON_LONG_PIECES;
	reason = plan_file(&t->plan, &t->seq, &job->free, &job->meta.geo,
			   inode_group(&job->meta.geo, file->ino));
	if (!reason && (t->plan.pieces > most_pieces(job, file, any) ||
			history_in_vain(job, file, (uint32_t)t->plan.pieces)))
		reason = REASON_NO_BETTER;
	return reason;
}

/*
 * Plan and move one open file. If the donor gets worse blocks than planned, because another program
 * allocated them first, plan once more with a new free map, and accept any gain.
 */
static enum reason try_file(struct job *job, struct file *file, struct node *node, bool any,
			    struct attempt *t)
{
	const uint32_t before = times_moved(job, file);
	enum reason reason;

	if (reserve_waits(job, file->blocks) && job_refresh_free(job))
		return REASON_FAILED;
	reason = look_and_plan(job, file, node, any, t);
	if (reason)
		return reason;
	plan_claim(&t->plan, &job->free);
	reason =
		move_file(job, file, node, &t->layout, &t->seq, &t->plan, (uint32_t)t->plan.pieces);
	if (times_moved(job, file) != before || file->failed || *job->stop ||
	    (reason != REASON_OUTCOME && reason != REASON_CHANGED && reason != REASON_NO_ROOM))
		return reason;

	if (job_refresh_free(job))
		return REASON_FAILED;
	reason = look_and_plan(job, file, node, any, t);
	if (reason)
		return reason;
	plan_claim(&t->plan, &job->free);
	return move_file(job, file, node, &t->layout, &t->seq, &t->plan,
			 most_pieces(job, file, any));
}

/*
 * Try one file in a round, unless the survey's numbers already show that no place is good enough.
 */
static void visit(struct job *job, struct file *file, bool any, struct attempt *t)
{
	uint32_t pieces, before = file->fragments;
	const uint32_t moved = times_moved(job, file);
	enum reason reason;
	struct info info;
	struct node node;
	struct turn turn;
	int err;

	for (;;) {
		pieces = freemap_pieces(&job->free, file->blocks, before);
		if (pieces == 1 || !worth_refreshing(job, file))
			break;
		if (job_refresh_free(job)) {
			file->reason = REASON_FAILED;
			return;
		}
	}
	if (!pieces) {
		file->reason = REASON_NO_ROOM;
		return;
	}
	if (pieces > most_pieces(job, file, any)) {
		file->reason = REASON_NO_BETTER;
		return;
	}
	turn_begin(&turn, job);
	err = attempt_open(&node, job, file, &info);
	if (err) {
		reason = attempt_failed(job, file, err, "can't look at it");
	} else {
		reason = try_file(job, file, &node, any, t);
		node_close(&node);
		throttle_point(&job->throttle, true);
	}
	if (!reason && file->fragments == 1)
		reason = REASON_PERFECT;
	file->reason = (uint8_t)reason;
	turn_end(&turn, job, file);
	history_tried(job, file, times_moved(job, file) != moved, (uint32_t)t->plan.pieces);
	if (job->options->verbose && (times_moved(job, file) != moved || file->failed))
		attempt_tell(job, file, before);
}

/* Does it need a visit in this round? */
static bool wants_visit(const struct file *file)
{
	return file->fragments > 1 && !file->failed && may_change((enum reason)file->reason);
}

/* Tell the progress display how much a round has to do. */
static void tell_round(const struct job *job, const uint32_t *order, size_t count)
{
	uint64_t files = 0, blocks = 0;
	size_t i;

	for (i = 0; i < count; i++) {
		const struct file *file = &job->survey.file[order[i]];

		if (wants_visit(file)) {
			files++;
			blocks += file->blocks;
		}
	}
	progress_moves(files, blocks);
}

/* The whole file found no better place, although fewer fragments are possible. */
static bool in_need(const struct job *job, const struct file *file)
{
	return may_change((enum reason)file->reason) && file->fragments > best_possible(job, file);
}

static void move_partially(struct job *job, const uint32_t *order, size_t count)
{
	uint32_t *before = xreallocarray(NULL, count, sizeof(*before));
	size_t i;

	for (i = 0; i < count; i++)
		before[i] = job->survey.file[order[i]].fragments;
	partial(job, in_need);
	for (i = 0; job->options->verbose && i < count; i++)
		if (job->survey.file[order[i]].fragments != before[i])
			attempt_tell(job, &job->survey.file[order[i]], before[i]);
	free(before);
}

/*
 * Try each file that is @wanted, in passes (see share.h). @todo has room for @count indices.
 * Returns how many had another outcome than being busy.
 */
static size_t try_each(struct job *job, const uint32_t *order, size_t count, uint32_t *todo,
		       bool (*wanted)(const struct file *), bool any, struct attempt *t)
{
	size_t i, left = count, done = 0;

	memcpy(todo, order, count * sizeof(*todo));
	do {
		const size_t these = left;

		left = 0;
		for (i = 0; i < these && !job_ends(job); i++) {
			struct file *file = &job->survey.file[todo[i]];
			const uint32_t blocks = file->blocks, fragments = file->fragments;
			enum share_turn turn;

			if (!wanted(file))
				continue;
			turn = turn_of(job, file);
			if (turn == SHARE_LATER)
				todo[left++] = todo[i];
			if (turn != SHARE_NOW)
				continue;
			progress_file(file);
			visit(job, file, any, t);
			progress_file_done(blocks, fragments, file->fragments);
			done += file->reason != REASON_BUSY;
		}
	} while (share_next(&job->share) && !job_ends(job));
	return done;
}

/*
 * Come back to the files that were busy, once all others are done. Those that are busy again are
 * passed over; but those that were not tried now are tried as long as there is hope.
 */
static void come_back(struct job *job, const uint32_t *order, size_t count, uint32_t *todo,
		      struct attempt *t)
{
	job->last_try = true;
	while (try_each(job, order, count, todo, turn_is_put_off, true, t) && !job_ends(job))
		;
	if (!job_ends(job))
		turn_give_up(job);
	job->last_try = false;
}

/* The run was stopped before these had their turn. */
static void note_stopped(struct job *job, const uint32_t *order, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		struct file *file = &job->survey.file[order[i]];

		if (file->fragments > 1 &&
		    (may_change((enum reason)file->reason) || turn_is_put_off(file)))
			file->reason = REASON_STOPPED;
	}
}

void defragment(struct job *job)
{
	size_t count;
	uint32_t *order = order_worst_first(&job->survey, is_candidate, &count), *todo;
	bool any = false;
	struct attempt t;
	int round;

	todo = xreallocarray(NULL, count, sizeof(*todo));
	attempt_init(&t);
	reserve_set(job);
	share_begin(&job->share);
	progress_begin(STAGE_MOVE, 0, survey_fragments(&job->survey));
	for (round = 0; round < ROUNDS_MOST && !job_ends(job); round++) {
		const uint64_t moved = job->moved;

		tell_round(job, order, count);
		try_each(job, order, count, todo, wants_visit, any, &t);
		if (job_refresh_free(job))
			break;
		if (job->moved != moved)
			any = false;
		else if (!any)
			any = true;
		else
			break;
	}
	if (!job_ends(job))
		move_partially(job, order, count);
	if (!job_ends(job))
		come_back(job, order, count, todo, &t);
	if (*job->stop)
		note_stopped(job, order, count);
	progress_keep();
	attempt_free(&t);
	free(todo);
	free(order);
}

/* "would move FILE: 712 -> 2 fragments, 300 blocks to 5000, 212 to 9000" */
static void tell_plan(struct job *job, const struct file *file, const struct plan *plan)
{
	char *shown = survey_name(&job->survey, file);
	size_t i;

	terminal_clear();
	printf("would move %s: %" PRIu32 " -> %zu fragments", shown, file->fragments, plan->pieces);
	for (i = 0; i < plan->pieces && (job->options->verbose || i < 4); i++)
		printf(", %" PRIu32 "%s to %" PRIu32, plan->piece[i].length, i ? "" : " blocks",
		       plan->piece[i].goal);
	puts(i < plan->pieces ? ", ..." : "");
	free(shown);
}

void defragment_dry_run(struct job *job)
{
	size_t count, i;
	uint32_t *order = order_worst_first(&job->survey, is_candidate, &count);
	struct attempt t;
	int any;

	attempt_init(&t);
	reserve_set(job);
	if (job->plan)
		plan_writer_begin(job->plan, job);
	for (any = 0; any < 2; any++) {
		progress_begin(STAGE_PLAN, count, 0);
		for (i = 0; i < count && !*job->stop; i++) {
			struct file *file = &job->survey.file[order[i]];
			struct node node;
			struct info info;
			int err;

			progress_count(0);
			if (file->planned)
				continue;
			progress_file(file);
			err = attempt_open(&node, job, file, &info);
			if (err) {
				file->reason = (uint8_t)reason_of_errno(-err);
				continue;
			}
			file->reason = (uint8_t)look_and_plan(job, file, &node, any, &t);
			if (!file->reason && !reserve_allows(job, file->blocks))
				file->reason = REASON_RESERVE;
			node_close(&node);
			throttle_point(&job->throttle, false);
			if (file->reason)
				continue;
			plan_claim(&t.plan, &job->free);
			tell_plan(job, file, &t.plan);
			if (job->plan)
				plan_writer_move(job->plan, job, file, &t.layout, &t.plan);
			file->planned = true;
		}
	}
	if (job->plan)
		plan_writer_end(job->plan, job);
	progress_end();
	attempt_free(&t);
	free(order);
}
