// SPDX-License-Identifier: GPL-2.0-only
#include "move/turn.h"

#include <inttypes.h>

#include "lib/clock.h"
#include "lib/util.h"
#include "move/attempt.h"
#include "state/history.h"

/*
 * Open the file only to learn its owner. False if that fails: the file has its turn then, which
 * says why. An older module knows no owners, so all files have the same one.
 */
static bool learn_owner(struct job *job, const struct file *file)
{
	struct node node;
	struct info info;

	if (!(job->meta.features.compat & META_UID)) {
		job->survey.detail[file->detail].owner = 0;
		return true;
	}
	if (attempt_open(&node, job, file, &info))
		return false;
	node_close(&node);
	throttle_point(&job->throttle, false);
	return true;
}

/* The account of the owner, NULL if it isn't known. */
static struct share_owner *account(struct job *job, const struct file *file)
{
	const struct detail *detail;

	if (file->detail == DETAIL_NONE)
		return NULL;
	detail = &job->survey.detail[file->detail];
	if (detail->owner == OWNER_UNKNOWN && !learn_owner(job, file))
		return NULL;
	return share_of(&job->share, detail->owner);
}

enum share_turn turn_of(struct job *job, struct file *file)
{
	/* Else the time that the last run has put into it would be lost, night after night. */
	const bool asks = job->share.asks && !history_interrupted(job, file);
	struct share_owner *owner = asks ? account(job, file) : NULL;
	const enum share_turn turn = owner ? share_turn(&job->share, owner) : SHARE_NOW;

	if (turn == SHARE_BUSY)
		file->reason = REASON_BUSY;
	return turn;
}

bool turn_passed_over(struct job *job, struct file *file)
{
	struct share_owner *owner = job->share.asks ? account(job, file) : NULL;

	if (!owner || patience_tries(&owner->patience))
		return false;
	file->reason = REASON_BUSY;
	return true;
}

bool turn_is_put_off(const struct file *file)
{
	return file->reason == REASON_BUSY && !file->failed && file->fragments > 1;
}

void turn_give_up(struct job *job)
{
	uint64_t count = 0;
	size_t i;

	for (i = 0; i < job->survey.files; i++) {
		if (!turn_is_put_off(&job->survey.file[i]))
			continue;
		job->survey.file[i].failed = true;
		count++;
	}
	if (count)
		complain(job->host->mountpoint, 0,
			 "%" PRIu64 " more files were passed over, because other programs keep "
			 "too many files of the same owners busy; the next run tries them again",
			 count);
}

void turn_begin(struct turn *turn, const struct job *job)
{
	turn->start = clock_now();
	turn->frozen = job->frozen;
	turn->moved = job->moved;
}

/* An attempt that got as far as a donor, but moved nothing. */
static bool in_vain(enum reason reason)
{
	switch (reason) {
	case REASON_NO_ROOM:
	case REASON_OUTCOME:
	case REASON_CHANGED:
	case REASON_BUSY:
	case REASON_FAILED:
		return true;
	default:
		return false;
	}
}

void turn_end(const struct turn *turn, struct job *job, const struct file *file)
{
	const uint64_t moved = job->moved - turn->moved;
	const struct share_attempt attempt = {
		.moved = moved * job->meta.geo.blocksize,
		.tried = in_vain(file->reason) ? (uint64_t)file->blocks * job->meta.geo.blocksize :
						 0,
		.took = clock_now() - turn->start - (job->frozen - turn->frozen),
		.busy = file->reason == REASON_BUSY,
	};
	const uint32_t uid = file->detail == DETAIL_NONE ? OWNER_UNKNOWN :
							   job->survey.detail[file->detail].owner;

	if (uid != OWNER_UNKNOWN)
		share_used(&job->share, share_of(&job->share, uid), &attempt);
}
