// SPDX-License-Identifier: GPL-2.0-only
#include "plan/share.h"

#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

/* What the quantum grows by at least, in bytes. */
#define QUANTUM_MORE 4096
/* A longer time counts as all that an owner can have used. */
#define TIME_MOST (1ULL << 40)

void share_free(struct share *share)
{
	free(share->owner);
	memset(share, 0, sizeof(*share));
}

/* The index of @uid, or where it would be. */
static size_t place(const struct share *share, uint32_t uid)
{
	size_t low = 0, high = share->owners;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (share->owner[middle].uid < uid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct share_owner *share_of(struct share *share, uint32_t uid)
{
	const size_t at = place(share, uid);
	struct share_owner *owner;

	if (at < share->owners && share->owner[at].uid == uid)
		return &share->owner[at];
	vec_more(share->owner, share->owners, share->room);
	owner = &share->owner[at];
	memmove(owner + 1, owner, (share->owners++ - at) * sizeof(*owner));
	*owner = (struct share_owner){ .uid = uid };
	return owner;
}

void share_had(struct share *share, uint32_t uid, uint64_t used)
{
	if (used)
		share_of(share, uid)->used = used < SHARE_MOST ? used : SHARE_MOST;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static bool is_spent(const struct share *share, const struct share_owner *owner)
{
	return owner->used >= share->quantum;
}

static void start_pass(struct share *share)
{
	size_t i;

	share->least = SHARE_MOST;
	share->waits = 0;
	share->asks = false;
	for (i = 0; i < share->owners; i++)
		share->asks |= is_spent(share, &share->owner[i]) || share->owner[i].patience.skip;
}

/*
 * Owners who have had something of earlier runs wait until the others have had as much. So the
 * quantum begins with the least that one of them has had, if that is less than usual.
 */
void share_begin(struct share *share)
{
	size_t i;

	share->quantum = SHARE_QUANTUM;
	for (i = 0; i < share->owners; i++)
		if (share->owner[i].used && share->owner[i].used < share->quantum)
			share->quantum = share->owner[i].used;
	start_pass(share);
}

enum share_turn share_turn(struct share *share, struct share_owner *owner)
{
	if (is_spent(share, owner)) {
		if (owner->used < share->least)
			share->least = owner->used;
		share->waits++;
		return SHARE_LATER;
	}
	return patience_tries(&owner->patience) ? SHARE_NOW : SHARE_BUSY;
}

/*
 * The quantum may have to grow by more than a quarter: a file can be larger than any quantum so
 * far. It is not doubled, so that the owner who has had least begins: at the start of a run, nobody
 * else should take the time that a file as large as most of a run needs.
 */
bool share_next(struct share *share)
{
	if (!share->waits)
		return false;
	share->quantum = larger(share->quantum, share->least);
	share->quantum += share->quantum / 4 + QUANTUM_MORE;
	start_pass(share);
	return true;
}

/* What time counts, exactly: 2^20 / 10^6 is 16384 / 15625. */
static uint64_t bytes_for(uint64_t took)
{
	return took < TIME_MOST ? took * (SHARE_SECOND >> 20) * 16384 / 15625 : SHARE_MOST;
}

void share_used(struct share *share, struct share_owner *owner, const struct share_attempt *attempt)
{
	const uint64_t more =
		larger(larger(attempt->moved, attempt->tried), bytes_for(attempt->took));

	owner->used = more < SHARE_MOST - owner->used ? owner->used + more : SHARE_MOST;
	if (attempt->busy)
		patience_busy(&owner->patience, attempt->took);
	else if (attempt->moved)
		patience_moved(&owner->patience, attempt->took);
	share->asks |= is_spent(share, owner) || owner->patience.skip;
}
