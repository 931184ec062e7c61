// SPDX-License-Identifier: GPL-2.0-only
#include "move/partial.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/util.h"
#include "move/attempt.h"
#include "move/move.h"
#include "move/reserve.h"
#include "move/turn.h"
#include "plan/fragments.h"
#include "plan/plan_parts.h"
#include "progress/progress.h"

/* The most blocks that are moved, as a multiple of the blocks of the files in need. */
#define MOVED_MOST 4
/* The usual multiple, by which the remaining time is estimated. */
#define MOVED_USUALLY 2
/* The most steps that make room in one round. */
#define STEPS_MOST 4
/*
 * A run that could hold fewer fragments than this is not used, but kept for making more room. The
 * number is halved after each bad round.
 */
#define LEAST_FRAGMENTS 8U
#define BAD_MOST 4

struct partial {
	struct job *job;
	struct fragments fragments;
	struct parts_plan plan;
	struct parts_limits limits;
	struct attempt attempt; /* at one file after the other */
	struct part *part;	/* of one file */
	size_t parts, part_room;
	uint64_t blocks; /* of all files in need */
};

static void partial_init(struct partial *p, struct job *job)
{
	*p = (struct partial){ .job = job };
	fragments_init(&p->fragments);
	parts_plan_init(&p->plan);
	attempt_init(&p->attempt);
}

static void partial_free(struct partial *p)
{
	free(p->part);
	attempt_free(&p->attempt);
	parts_plan_free(&p->plan);
	fragments_free(&p->fragments);
}

/* Returns false if the file can't be moved now; file->reason says why. */
static bool look_at_file(struct partial *p, struct file *file, struct node *node)
{
	const enum reason reason = attempt_look(p->job, file, node, &p->attempt);

	if (reason)
		file->reason = (uint8_t)reason;
	return !reason && p->attempt.seq.blocks;
}

static bool open_file(struct partial *p, struct file *file, struct node *node)
{
	struct info info;
	const int err = attempt_open(node, p->job, file, &info);

	if (err)
		file->reason =
			(uint8_t)attempt_failed(p->job, file, err, "can't look at its blocks");
	return !err;
}

static void collect(struct partial *p, bool (*in_need)(const struct job *, const struct file *))
{
	struct job *job = p->job;
	size_t i;

	for (i = 0; i < INT32_MAX && i < job->survey.files && !*job->stop; i++) {
		struct file *file = &job->survey.file[i];
		struct node node;

		if (file->fragments < 2 || file->failed || !in_need(job, file) ||
		    !open_file(p, file, &node))
			continue;
		if (look_at_file(p, file, &node)) {
			fragments_add(&p->fragments, (uint32_t)i, &p->attempt.seq);
			p->blocks += p->attempt.seq.blocks;
		}
		node_close(&node);
		throttle_point(&job->throttle, true);
	}
	fragments_index(&p->fragments);
}

/* True if the fragments that were planned with are still those of the file. */
static bool as_planned(const struct partial *p, size_t first, size_t count)
{
	const struct fragment *fragment = &p->fragments.fragment[first];
	uint32_t at = 0;
	size_t i, k = 0;

	for (i = 0; i < p->attempt.seq.items; i++) {
		const struct seq_item *item = &p->attempt.seq.item[i];

		if (k < count && at == fragment[k].length) {
			k++;
			at = 0;
		}
		if (k == count || item->physical != fragment[k].start + at ||
		    item->length > fragment[k].length - at)
			return false;
		at += item->length;
	}
	return k + 1 == count && at == fragment[k].length;
}

/* Collect the planned parts of the file whose first fragment is @first, from part @from on. */
static size_t collect_parts(struct partial *p, size_t first, size_t end, size_t from)
{
	const struct fragment *fragment = p->fragments.fragment;
	size_t i, at = first;
	uint32_t blocks = 0;

	p->parts = 0;
	for (i = from; i < p->plan.count && p->plan.part[i].first < end; i++) {
		const struct planned_part *s = &p->plan.part[i];
		struct part part = { .goal = s->goal };

		for (; at < s->first; at++)
			blocks += fragment[at].length;
		part.at = blocks;
		for (; at < (size_t)s->first + s->count; at++)
			blocks += fragment[at].length;
		part.length = blocks - part.at;
		vec_more(p->part, p->parts, p->part_room);
		p->part[p->parts++] = part;
	}
	return i;
}

/* Move the parts of one file, and read where its blocks are then. */
static void move_one(struct partial *p, struct file *file, size_t first, size_t count)
{
	struct job *job = p->job;
	enum reason reason = REASON_CHANGED;
	const struct sequence *seq = NULL;
	const uint32_t fragments = file->fragments;
	struct node node;
	struct turn turn;

	progress_file(file);
	turn_begin(&turn, job);
	if (turn_passed_over(job, file) || !open_file(p, file, &node))
		goto out;
	if (look_at_file(p, file, &node)) {
		if (as_planned(p, first, count)) {
			reason = move_parts(job, file, &node, &p->attempt.layout, &p->attempt.seq,
					    p->part, p->parts);
			if (reason == REASON_VANISHED || reason == REASON_MD_BITMAP ||
			    reason == REASON_BUSY || file->failed)
				file->reason = (uint8_t)reason;
			else if (look_at_file(p, file, &node))
				seq = &p->attempt.seq;
		} else {
			seq = &p->attempt.seq;
		}
	}
	node_close(&node);
	throttle_point(&job->throttle, true);
	turn_end(&turn, job, file);
out:
	if (seq && file->fragments == 1)
		file->reason = REASON_PERFECT;
	fragments_renew(&p->fragments, first, count, seq);
	progress_part_done(fragments, file->fragments);
}

/* Carry out the plan, file by file. Returns false if the run must end. */
static bool carry_out_parts(struct partial *p)
{
	struct job *job = p->job;
	size_t i, next;

	for (i = 0; i < p->plan.count && !job_ends(job); i = next) {
		size_t first = p->plan.part[i].first, count;
		const uint32_t file = p->fragments.fragment[first].file;

		while (first && p->fragments.fragment[first - 1].file == file)
			first--;
		count = fragments_of_file(&p->fragments, first);
		next = collect_parts(p, first, first + count, i);
		move_one(p, &job->survey.file[file], first, count);
	}
	p->plan.count = 0;
	p->plan.blocks = p->plan.gain = 0;
	fragments_index(&p->fragments);
	return !job_refresh_free(job) && !job_ends(job);
}

/* The average length, over all free blocks, of the run that a free block is in. */
static uint64_t roominess(const struct freemap *map)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < map->runs; i++)
		sum += (uint64_t)map->run[i].length * map->run[i].length / 16;
	return map->total ? sum / map->total : 0;
}

/* Use at most half of the free space: the rest is for other programs, and to choose from. */
static void set_scratch(struct partial *p)
{
	const struct job *job = p->job;

	p->limits.scratch = job->free.total > job->reserve ? (job->free.total - job->reserve) / 2 :
							     0;
}

static bool make_room(struct partial *p)
{
	uint64_t before = roominess(&p->job->free), now;
	int step;

	for (step = 0; step < STEPS_MOST; step++) {
		set_scratch(p);
		plan_parts_clear(&p->plan, &p->fragments, &p->job->free, &p->limits);
		if (!p->plan.count)
			break;
		if (!carry_out_parts(p))
			return false;
		now = roominess(&p->job->free);
		if (now < before + before / 4)
			break;
		before = now;
	}
	return true;
}

static bool use_room(struct partial *p)
{
	set_scratch(p);
	plan_parts_gain(&p->plan, &p->fragments, &p->job->free, &p->limits);
	return carry_out_parts(p);
}

static void rounds(struct partial *p)
{
	const uint64_t start = p->job->moved;
	int bad = 0;

	while (bad < BAD_MOST && p->job->moved - start < MOVED_MOST * p->blocks) {
		const uint64_t moved = p->job->moved;
		const size_t fragments = p->fragments.count;

		p->limits.least = LEAST_FRAGMENTS >> bad;
		if (!make_room(p) || !use_room(p))
			return;
		if (p->fragments.count < fragments &&
		    (fragments - p->fragments.count) * p->limits.worth >= p->job->moved - moved)
			bad = 0;
		else
			bad++;
	}
}

void partial(struct job *job, bool (*in_need)(const struct job *job, const struct file *file))
{
	/* What a jump costs, in bytes read. */
	uint64_t jump = SEEK_KIB * 1024;
	struct partial p;

	partial_init(&p, job);
	if (job->options->min_fragment && job->options->min_fragment < jump)
		jump = job->options->min_fragment;
	p.limits.worth = (uint32_t)(jump / job->meta.geo.blocksize) + 1;
	collect(&p, in_need);
	progress_moves(0, MOVED_USUALLY * p.blocks);
	if (p.fragments.count && !*job->stop)
		rounds(&p);
	partial_free(&p);
}
