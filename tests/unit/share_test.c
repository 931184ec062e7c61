// SPDX-License-Identifier: GPL-2.0-only
/* Shares of owners, over one run and over nights; and the patience with busy files. */
#include <stdlib.h>
#include <string.h>

#include "plan/share.h"
#include "state/state.h"

#include "tap.h"

#define MIB (1ULL << 20)
#define FILES 400
#define OWNERS 6

struct item {
	uint32_t uid;
	uint64_t bytes;
	bool done;
	int stops; /* how many runs ended within it */
};

/* What a run over files did: in which order, and whether an owner was ever far ahead. */
struct outcome {
	uint32_t order[FILES];
	size_t done;
	int unfair;
};

/*
 * Nobody may have a quarter more than what one has who waits, or the first quantum, but for the
 * file that was moved last.
 */
static bool is_fair(struct share *share, const struct item *item, size_t count, size_t last)
{
	const uint64_t used = share_of(share, item[last].uid)->used;
	size_t i;

	for (i = 0; i < count; i++) {
		uint64_t other = share_of(share, item[i].uid)->used * 5 / 4 + 4096;

		if (item[i].done)
			continue;
		if (other < SHARE_QUANTUM)
			other = SHARE_QUANTUM;
		if (used > other + item[last].bytes)
			return false;
	}
	return true;
}

/* One run, in the order of @item, of at most @budget bytes; a larger file ends it, too. */
static void run(struct share *share, struct item *item, size_t count, uint64_t budget,
		struct outcome *outcome)
{
	uint32_t todo[FILES];
	size_t left = 0, i, these;
	uint64_t spent = 0;

	*outcome = (struct outcome){ 0 };
	share_begin(share);
	for (i = 0; i < count; i++)
		if (!item[i].done)
			todo[left++] = (uint32_t)i;
	do {
		these = left;
		left = 0;
		for (i = 0; i < these && spent < budget; i++) {
			struct item *this = &item[todo[i]];
			struct share_attempt attempt = { .moved = this->bytes };

			if (share->asks && this->stops != 1 &&
			    share_turn(share, share_of(share, this->uid)) == SHARE_LATER) {
				todo[left++] = todo[i];
				continue;
			}
			if (attempt.moved > budget - spent)
				attempt.moved = budget - spent;
			this->done = attempt.moved == this->bytes;
			this->stops += !this->done;
			spent += attempt.moved;
			share_used(share, share_of(share, this->uid), &attempt);
			outcome->order[outcome->done++] = todo[i];
			outcome->unfair += !is_fair(share, item, count, todo[i]);
		}
	} while (share_next(share) && spent < budget);
}

static void one_run(void)
{
	int round, unfair = 0, missing = 0, moved = 0, out_of_order = 0;
	struct item item[FILES];
	struct outcome outcome;

	for (round = 0; round < 300; round++) {
		const uint32_t owners = 1 + random_below(OWNERS), most = 1 + random_below(64);
		const size_t count = random_below(FILES + 1);
		struct share share = { 0 };
		size_t i;

		for (i = 0; i < count; i++)
			item[i] = (struct item){ .uid = random_below(owners) * random_below(owners),
						 .bytes = (1 + random_below(most)) * MIB / 4 };
		run(&share, item, count, UINT64_MAX, &outcome);
		unfair += outcome.unfair;
		missing += outcome.done != count;
		for (i = 0; i < count; i++)
			missing += !item[i].done;
		for (i = 0; i < outcome.done; i++) {
			moved += outcome.order[i] != i;
			out_of_order += owners == 1 && outcome.order[i] != i;
		}
		share_free(&share);
	}
	is(unfair, 0, "no owner gets a quarter more than one who waits");
	is(missing, 0, "each file has its turn, once");
	is(out_of_order, 0, "with one owner the order is that of the files");
	ok(moved > 1000, "with several it is not (%d files elsewhere)", moved);
}

/* The worst files belong to one user, who has many; the other one's are last. */
static void first_come(void)
{
	struct item item[FILES];
	struct share share = { 0 };
	struct outcome outcome;
	size_t i, first = FILES;

	for (i = 0; i < FILES; i++)
		item[i] = (struct item){ .uid = i < FILES - 4 ? 1000 : 1001, .bytes = MIB };
	run(&share, item, FILES, 24 * MIB, &outcome);
	for (i = outcome.done; i--;)
		if (outcome.order[i] >= FILES - 4)
			first = i;
	is(first, 16, "after the first quantum the other user has a turn");
	ok(item[FILES - 1].done, "for all of its files");
	is(outcome.done, 24, "and the rest of the time is the first one's");
	share_free(&share);
}

#define NIGHTS 60
#define NEVER 1000

/*
 * Each night @users users have new files that are worse than those of uid 1, who has eight of them.
 * How many nights it takes until these are done; @kept: the nights know of each other.
 */
static int nights(uint32_t users, uint64_t bytes, uint64_t mine, uint64_t budget, bool kept)
{
	struct state_system system = { 0 };
	struct item item[FILES];
	struct outcome outcome;
	int night, done = 0;
	size_t i;

	for (i = FILES - 8; i < FILES; i++)
		item[i] = (struct item){ .uid = 1, .bytes = mine };
	for (night = 1; night <= NIGHTS && done < 8; night++) {
		struct share share = { 0 };

		for (i = 0; i < FILES - 8; i++)
			item[i] = (struct item){ .uid = 2 + (uint32_t)i % users, .bytes = bytes };
		for (i = 0; kept && i < system.owners; i++)
			share_had(&share, system.owner[i].uid, state_counts(&system.owner[i]));
		run(&share, item, FILES, budget, &outcome);
		state_forget_owners(&system);
		for (i = 0; i < share.owners; i++)
			state_note_owner(&system, share.owner[i].uid, share.owner[i].used);
		share_free(&share);
		for (i = FILES - 8, done = 0; i < FILES; i++)
			done += item[i].done;
	}
	free(system.owner);
	return done < 8 ? NEVER : night - 1;
}

static void several_nights(void)
{
	is(nights(1, MIB, MIB, 12 * MIB, false), NEVER,
	   "nights that know nothing: one user has them all");
	ok(nights(1, MIB, MIB, 12 * MIB, true) <= 4, "nights that do: the other one has a turn");
	is(nights(1, 4096, MIB * 7 / 8, MIB, false), NEVER,
	   "short nights that know nothing: the same");
	ok(nights(1, 4096, MIB * 7 / 8, MIB, true) <= 24,
	   "short ones that do: half of each is the other's");
	is(nights(5, 1000 * MIB, MIB, 200 * MIB, false), NEVER,
	   "files larger than a night: none gets on");
	ok(nights(5, 1000 * MIB, MIB, 200 * MIB, true) <= 12,
	   "nights that know: who had none is next");
}

static void notes(void)
{
	struct state_system system = { 0 };
	uint32_t uid;

	state_note_owner(&system, 5, STATE_USED_LEAST - 1);
	is(system.owners, 0, "next to nothing is not noted");
	state_note_owner(&system, 6, UINT64_MAX);
	is(system.owner[0].used, STATE_USED_MOST, "what is noted has a bound");
	is(state_counts(&system.owner[0]), STATE_USED_MOST / 2, "half of it counts the next time");
	for (uid = 7; uid < 7 + STATE_OWNERS_MOST; uid++)
		state_note_owner(&system, uid, uid * MIB);
	is(system.owners, STATE_OWNERS_MOST, "and so has the number of owners");
	is(system.owner[0].uid, 6, "who had much is kept");
	is(system.owner[1].uid, 8, "who had the least is forgotten");
	state_note_owner(&system, uid, MIB);
	is(system.owner[system.owners - 1].uid, uid - 1, "even if it comes last");
	free(system.owner);
}

static void charges(void)
{
	struct share share = { 0 };
	struct share_owner *owner;

	share_begin(&share);
	owner = share_of(&share, 3);
	share_used(&share, owner, &(struct share_attempt){ .moved = 5000, .tried = 300 });
	is(owner->used, 5000, "bytes that moved count");
	share_used(&share, owner, &(struct share_attempt){ .tried = 300 });
	is(owner->used, 5300, "and those that did not");
	share_used(&share, owner, &(struct share_attempt){ .moved = 7, .took = 1000000 });
	is(owner->used, 5300 + SHARE_SECOND, "or the time, if that is more");
	ok(!share.asks, "the quantum is not used up");
	share_used(&share, owner, &(struct share_attempt){ .took = 1000000 });
	ok(share.asks, "now it is");
	is(share_turn(&share, owner), SHARE_LATER, "so the owner has to wait");
	is(share_turn(&share, share_of(&share, 2)), SHARE_NOW, "others have not");
	ok(share_next(&share), "for the next pass");
	owner = share_of(&share, 3);
	share_used(&share, owner, &(struct share_attempt){ .took = UINT64_MAX });
	is(owner->used, SHARE_MOST, "there is a largest sum");
	is(share_turn(&share, owner), SHARE_LATER, "with which an owner waits");
	ok(share_next(&share), "until the next one");
	is(share_turn(&share, owner), SHARE_NOW, "in which it has its turn, however much it was");
	ok(!share_next(&share), "if none waits there is no further pass");
	share_free(&share);
}

#define SECOND 1000000ULL

/* Tries @count files as a run does, of which every @each-th is busy, first all, then the rest. */
static uint64_t busy_files(size_t count, size_t each, uint64_t useful, size_t *missed)
{
	struct patience patience = { 0 };
	bool *later = calloc(count, sizeof(*later)), first = true;
	size_t i, done;

	memset(later, true, count * sizeof(*later));
	do {
		for (i = done = 0; i < count; i++) {
			if (!later[i] || !patience_tries(&patience))
				continue;
			if (i % each) {
				patience_moved(&patience, useful);
				later[i] = false;
				done++;
			} else {
				patience_busy(&patience, 3 * SECOND);
				later[i] = first;
			}
		}
		done += first;
		first = false;
	} while (done);
	for (i = *missed = 0; i < count; i++)
		*missed += later[i] && i % each;
	free(later);
	return patience.lost / SECOND;
}

static void patiences(void)
{
	size_t missed;
	uint64_t lost;

	ok(busy_files(1, 1, 0, &missed) <= 6, "one busy file is tried twice");
	is(busy_files(8, 1, 0, &missed), 48, "so are eight");
	lost = busy_files(10000, 1, 0, &missed);
	ok(lost <= 60 + 16 * 3, "10,000 busy files cost a minute or two (%d s)", (int)lost);
	lost = busy_files(1000000, 1, 0, &missed);
	ok(lost <= 60 + 23 * 3, "a million hardly more (%d s)", (int)lost);
	lost = busy_files(10000, 2, SECOND / 100, &missed);
	ok(lost <= 60 + 50 / 2 + 16 * 3, "nor does a free file between two (%d s)", (int)lost);
	lost = busy_files(20000, 1000, SECOND / 20, &missed);
	is(missed, 0, "where few are busy, all others are done");
	ok(lost >= 20 * 6, "and each busy one is tried twice (%d s)", (int)lost);
	lost = busy_files(10000, 100, SECOND / 20, &missed);
	is(missed, 0, "where a hundred are, the same");
	ok(lost <= 60 + 500 / 2 + 16 * 3, "in a part of the time that the others take (%d s)",
	   (int)lost);
}

void test_share(void)
{
	one_run();
	first_come();
	charges();
	notes();
	several_nights();
	patiences();
}
