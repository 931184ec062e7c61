// SPDX-License-Identifier: GPL-2.0-only
#include "state/state.h"

#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

/* The longest wait is 2^5 days. */
#define DOUBLINGS 5
/* Seconds after which notes of what no run has seen again are dropped. */
#define VAIN_KEPT (64 * STATE_DAY)
#define SYSTEM_KEPT (400 * STATE_DAY)

static void free_system(struct state_system *system)
{
	free(system->owner);
	free(system->moved);
	free(system->vain);
	free(system);
}

void state_free(struct state *state)
{
	size_t i;

	for (i = 0; i < state->systems; i++)
		free_system(state->system[i]);
	free(state->system);
	memset(state, 0, sizeof(*state));
}

static size_t number_of(const struct state *state, const char *id)
{
	size_t i;

	for (i = 0; i < state->systems && strcmp(state->system[i]->id, id); i++)
		;
	return i;
}

struct state_system *state_find(const struct state *state, const char *id)
{
	size_t number = number_of(state, id);

	return number < state->systems ? state->system[number] : NULL;
}

struct state_system *state_add(struct state *state, const char *id)
{
	struct state_system *system = xreallocarray(NULL, 1, sizeof(*system));

	memset(system, 0, sizeof(*system));
	memcpy(system->id, id, sizeof(system->id));
	vec_more(state->system, state->systems, state->room);
	state->system[state->systems++] = system;
	return system;
}

/* Move the filesystem at index @from to index @to. */
static void put_record(struct state *state, size_t from, size_t to)
{
	struct state_system *system = state->system[from];

	memmove(state->system + from, state->system + from + 1,
		(state->systems - from - 1) * sizeof(*state->system));
	memmove(state->system + to + 1, state->system + to,
		(state->systems - to - 1) * sizeof(*state->system));
	state->system[to] = system;
}

struct state_system *state_begin(struct state *state, const char *id, uint64_t now)
{
	struct state_system *system = state_find(state, id);

	if (!system)
		system = state_add(state, id);
	put_record(state, number_of(state, id), 0);
	system->begun = now;
	/* state_end() resets this, so a run that is killed counts as stopped in this filesystem. */
	if (system->stops < STATE_STOPS_MOST)
		system->stops++;
	return system;
}

void state_end(struct state *state, struct state_system *system, bool stopped, uint64_t completed)
{
	if (stopped && system->stops < STATE_STOPS_MOST)
		return;
	if (completed)
		system->completed = completed;
	system->stops = 0;
	put_record(state, number_of(state, system->id), state->systems - 1);
}

/*
 * Append to @order those of @id that are known and were stopped, or were not, in the order of their
 * turns. Returns how many entries @order has then.
 */
static size_t add_known(const struct state *state, bool stopped, const char (*id)[37], size_t count,
			size_t *order, size_t done)
{
	size_t number, i;

	for (number = 0; number < state->systems; number++) {
		const struct state_system *system = state->system[number];

		for (i = 0; i < count && (system->stops > 0) == stopped; i++)
			if (!strcmp(system->id, id[i]))
				order[done++] = i;
	}
	return done;
}

void state_order(const struct state *state, const char (*id)[37], size_t count, size_t *order)
{
	size_t done = add_known(state, true, id, count, order, 0), i;

	for (i = 0; i < count; i++)
		if (!state_find(state, id[i]))
			order[done++] = i;
	add_known(state, false, id, count, order, done);
}

static void clamp(uint64_t *time, uint64_t now)
{
	if (*time > now)
		*time = now;
}

void state_clamp(struct state *state, uint64_t now)
{
	size_t i, k;

	for (i = 0; i < state->systems; i++) {
		struct state_system *system = state->system[i];

		clamp(&system->begun, now);
		clamp(&system->completed, now);
		for (k = 0; k < system->moves; k++)
			clamp(&system->moved[k].last, now);
		for (k = 0; k < system->vains; k++)
			clamp(&system->vain[k].last, now);
	}
}

uint64_t state_wait(unsigned int times)
{
	if (!times)
		return 0;
	return STATE_DAY << (times - 1 < DOUBLINGS ? times - 1 : DOUBLINGS);
}

/* How long a note of a move is kept: long enough that even a weekly run counts the moves. */
static uint64_t kept_until(const struct state_moved *moved)
{
	return moved->last + 2 * state_wait(moved->times) + 7 * STATE_DAY;
}

static int by_ident(const void *a, const void *b)
{
	const struct state_ident *x = a, *y = b;

	if (x->ino != y->ino)
		return x->ino < y->ino ? -1 : 1;
	return x->generation < y->generation ? -1 : x->generation > y->generation;
}

static void *find_record(const void *from, size_t count, size_t size, uint32_t ino,
			 uint32_t generation)
{
	const struct state_ident id = { ino, generation };

	return count ? bsearch(&id, from, count, size, by_ident) : NULL;
}

struct state_moved *state_find_moved(const struct state_system *system, uint32_t ino,
				     uint32_t generation)
{
	return find_record(system->moved, system->moves_sorted, sizeof(*system->moved), ino,
			   generation);
}

struct state_vain *state_find_vain(const struct state_system *system, uint32_t ino,
				   uint32_t generation)
{
	return find_record(system->vain, system->vains_sorted, sizeof(*system->vain), ino,
			   generation);
}

bool state_is_cooling(const struct state_moved *moved, uint32_t fragments, uint64_t now)
{
	/*
	 * A move that was stopped is continued in the next run, but only once: perhaps no run is
	 * long enough to finish it.
	 */
	return (moved->stops ? moved->stops > 1 : fragments > moved->fragments) &&
	       now < moved->last + state_wait(moved->times);
}

bool state_is_settled(const struct state_moved *moved, uint32_t fragments)
{
	return !moved->stops && fragments <= moved->fragments;
}

bool state_is_vain(const struct state_vain *vain, uint32_t fragments, uint32_t blocks,
		   uint32_t pieces, bool same, uint64_t now)
{
	return fragments == vain->fragments && blocks == vain->blocks && pieces >= vain->pieces &&
	       (same || now < vain->last + state_wait(vain->times));
}

static uint8_t once_more(uint8_t times)
{
	return times < STATE_TIMES_MOST ? (uint8_t)(times + 1) : STATE_TIMES_MOST;
}

void state_note_moved(struct state_system *system, const struct state_moved *note)
{
	struct state_moved *moved = state_find_moved(system, note->id.ino, note->id.generation);
	uint8_t times = 0, stops = 0;

	if (moved) {
		/* Moves before that time don't count any more. */
		if (note->last < kept_until(moved))
			times = moved->times;
		stops = moved->stops;
	} else {
		vec_more(system->moved, system->moves, system->moved_room);
		moved = &system->moved[system->moves++];
	}
	stops = note->stops ? once_more(stops) : 0;
	*moved = *note;
	moved->stops = stops;
	moved->times = stops == 1 ? times : once_more(times);
}

void state_note_vain(struct state_system *system, const struct state_vain *note)
{
	struct state_vain *vain = state_find_vain(system, note->id.ino, note->id.generation);
	uint8_t times = 1;

	if (vain) {
		if (vain->last == note->last)
			times = vain->times;
		else if (vain->fragments == note->fragments && vain->blocks == note->blocks)
			times = once_more(vain->times);
	} else {
		vec_more(system->vain, system->vains, system->vain_room);
		vain = &system->vain[system->vains++];
	}
	*vain = *note;
	vain->times = times;
}

void state_forget_owners(struct state_system *system)
{
	system->owners = 0;
}

/* If there are too many, those who have had the least are forgotten, as if they had had nothing. */
void state_note_owner(struct state_system *system, uint32_t uid, uint64_t used)
{
	size_t least = 0, i;

	if (used < STATE_USED_LEAST)
		return;
	if (used > STATE_USED_MOST)
		used = STATE_USED_MOST;
	if (system->owners == STATE_OWNERS_MOST) {
		for (i = 1; i < system->owners; i++)
			if (system->owner[i].used < system->owner[least].used)
				least = i;
		if (used <= system->owner[least].used)
			return;
		memmove(system->owner + least, system->owner + least + 1,
			(--system->owners - least) * sizeof(*system->owner));
	}
	vec_more(system->owner, system->owners, system->owner_room);
	system->owner[system->owners++] = (struct state_owner){ uid, used };
}

uint64_t state_counts(const struct state_owner *owner)
{
	return owner->used / 2;
}

/* Of several attempts on a file, the one with the fewest pieces, which promised most, is first. */
static int by_promise(const void *a, const void *b)
{
	const struct state_vain *x = a, *y = b;
	int order = by_ident(a, b);

	return order ? order : x->pieces < y->pieces ? -1 : x->pieces > y->pieces;
}

/* Sort the entries and keep the first one of each file. Returns how many are left. */
static size_t sort(void *entries, size_t count, size_t size,
		   int (*order)(const void *, const void *))
{
	char *entry = entries;
	size_t i, kept = 0;

	if (count)
		qsort(entries, count, size, order);
	for (i = 0; i < count; i++)
		if (!kept || by_ident(entry + (kept - 1) * size, entry + i * size))
			memmove(entry + kept++ * size, entry + i * size, size);
	return kept;
}

void state_sort(struct state_system *system)
{
	system->moves = sort(system->moved, system->moves, sizeof(*system->moved), by_ident);
	system->vains = sort(system->vain, system->vains, sizeof(*system->vain), by_promise);
	system->moves_sorted = system->moves;
	system->vains_sorted = system->vains;
}

void state_forget(struct state_system *system, state_look *look, const void *arg, uint64_t now)
{
	size_t i, kept = 0;

	for (i = 0; i < system->moves; i++) {
		const struct state_moved *moved = &system->moved[i];
		struct state_seen seen = { SEEN_NOT, 0, 0 };
		bool unchanged;

		look(arg, &moved->id, &seen);
		/* Still fragmented for lack of a better place: keep that as long as it is true. */
		unchanged = seen.how == SEEN_HERE && seen.fragments > 1 &&
			    seen.fragments <= moved->fragments;
		if (seen.how != SEEN_GONE && (unchanged || now < kept_until(moved)))
			system->moved[kept++] = *moved;
	}
	system->moves = system->moves_sorted = kept;
	for (i = kept = 0; i < system->vains; i++) {
		const struct state_vain *vain = &system->vain[i];
		struct state_seen seen = { SEEN_NOT, 0, 0 };
		bool unchanged;

		look(arg, &vain->id, &seen);
		unchanged = seen.how == SEEN_HERE && seen.fragments == vain->fragments &&
			    seen.blocks == vain->blocks;
		if (unchanged || (seen.how == SEEN_NOT && now < vain->last + VAIN_KEPT))
			system->vain[kept++] = *vain;
	}
	system->vains = system->vains_sorted = kept;
}

static int by_time(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static bool goes(uint64_t last, uint64_t time, size_t *equal)
{
	if (last != time || !*equal)
		return last < time;
	--*equal;
	return true;
}

/* Drop the entries older than @time, and the first *@equal of those at @time. */
static void drop_before(struct state_system *system, uint64_t time, size_t *equal)
{
	size_t i, kept = 0;

	for (i = 0; i < system->moves; i++)
		if (!goes(system->moved[i].last, time, equal))
			system->moved[kept++] = system->moved[i];
	system->moves = system->moves_sorted = kept;
	for (i = kept = 0; i < system->vains; i++)
		if (!goes(system->vain[i].last, time, equal))
			system->vain[kept++] = system->vain[i];
	system->vains = system->vains_sorted = kept;
}

static void trim_files(struct state *state, size_t most)
{
	size_t total = 0, noted = 0, older, equal, i, k;
	uint64_t *time;

	for (i = 0; i < state->systems; i++)
		total += state->system[i]->moves + state->system[i]->vains;
	if (total <= most)
		return;
	time = xreallocarray(NULL, total, sizeof(*time));
	for (i = 0; i < state->systems; i++) {
		const struct state_system *system = state->system[i];

		for (k = 0; k < system->moves; k++)
			time[noted++] = system->moved[k].last;
		for (k = 0; k < system->vains; k++)
			time[noted++] = system->vain[k].last;
	}
	qsort(time, total, sizeof(*time), by_time);
	/* The latest time at which entries are dropped, and how many of that time are. */
	k = total - most - 1;
	for (older = k; older && time[older - 1] == time[k]; older--)
		;
	equal = k + 1 - older;
	for (i = 0; i < state->systems; i++)
		drop_before(state->system[i], time[k], &equal);
	free(time);
}

void state_trim(struct state *state, size_t most, uint64_t now)
{
	size_t i, kept = 0, oldest;

	for (i = 0; i < state->systems; i++) {
		struct state_system *system = state->system[i];

		if (now < system->begun + SYSTEM_KEPT)
			state->system[kept++] = system;
		else
			free_system(system);
	}
	state->systems = kept;
	while (state->systems > STATE_SYSTEMS_MOST) {
		for (i = 1, oldest = 0; i < state->systems; i++)
			if (state->system[i]->begun < state->system[oldest]->begun)
				oldest = i;
		put_record(state, oldest, state->systems - 1);
		free_system(state->system[--state->systems]);
	}
	trim_files(state, most);
}
