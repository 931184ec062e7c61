// SPDX-License-Identifier: GPL-2.0-only
/* What runs leave for each other: turns, cooling down, tries in vain, and the text of it all. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "state/state_text.h"

#include "tap.h"

#define A "aaaaaaaa-0000-0000-0000-000000000001"
#define B "bbbbbbbb-0000-0000-0000-000000000002"
#define C "cccccccc-0000-0000-0000-000000000003"
#define D "dddddddd-0000-0000-0000-000000000004"

#define NIGHT (1000 * STATE_DAY)
#define HOUR 3600

static const char ids[][37] = { A, B, C, D };

/* The turns of A to C, or to D, as letters. */
static const char *turns(const struct state *state, size_t count)
{
	static char text[5];
	size_t order[4], i;

	state_order(state, ids, count, order);
	for (i = 0; i < count; i++)
		text[i] = (char)('A' + order[i]);
	text[count] = 0;
	return text;
}

/* A run that goes through all of @letters, but for the last of them if it is @stopped. */
static void run(struct state *state, const char *letters, bool stopped)
{
	for (; *letters; letters++) {
		struct state_system *system = state_begin(state, ids[*letters - 'A'], NIGHT);
		const bool last = stopped && !letters[1];

		state_end(state, system, last, last ? 0 : NIGHT + HOUR);
	}
}

static void order(void)
{
	struct state state = { 0 };
	int i;

	ok(!strcmp(turns(&state, 3), "ABC"), "nothing is known: as named");
	run(&state, "AB", true);
	ok(!strcmp(turns(&state, 3), "BCA"), "where it stopped, then the new, then the complete");
	ok(!strcmp(turns(&state, 4), "BCDA"), "several new ones: as named");
	is(state_find(&state, B)->stops, 1, "it stopped there once");
	is(state_find(&state, B)->completed, 0, "and was never complete");
	is(state_find(&state, A)->completed, NIGHT + HOUR, "the other one was");
	run(&state, "BCA", false);
	ok(!strcmp(turns(&state, 3), "BCA"), "all complete: what was so first");
	is(state_find(&state, B)->stops, 0, "no run ended there");
	run(&state, "C", false);
	ok(!strcmp(turns(&state, 3), "BAC"), "who had a turn of its own comes last");
	state_begin(&state, A, NIGHT);
	ok(!strcmp(turns(&state, 3), "ABC"), "a run that was killed: where it was");

	for (i = 1; i < STATE_STOPS_MOST; i++) {
		ok(turns(&state, 3)[0] == 'A', "stopped there %d times: again", i);
		run(&state, "A", true);
	}
	ok(!strcmp(turns(&state, 3), "BCA"), "once more, and the others have their turn");
	is(state_find(&state, A)->stops, 0, "and it starts from none");
	state_free(&state);
}

static struct state_moved moved_at(uint32_t ino, uint64_t last, uint32_t fragments, uint8_t stops)
{
	return (struct state_moved){
		.id = { ino, 7 }, .last = last, .fragments = fragments, .stops = stops
	};
}

static struct state_moved *move(struct state_system *system, uint64_t last, uint8_t stops)
{
	const struct state_moved note = moved_at(12, last, 1, stops);

	state_note_moved(system, &note);
	state_sort(system);
	return state_find_moved(system, 12, 7);
}

static void cooling(void)
{
	static const unsigned int days[] = { 1, 2, 4, 8, 16, 32, 32, 32 };
	struct state state = { 0 };
	struct state_system *system = state_add(&state, A);
	struct state_moved *moved;
	uint64_t now = NIGHT;
	size_t i;

	for (i = 0; i < sizeof(days) / sizeof(*days); i++) {
		moved = move(system, now, 0);
		is(moved->times, i + 1, "moved %zu times", i + 1);
		ok(!state_is_cooling(moved, 1, now + HOUR), "as it was left: nothing to cool");
		ok(state_is_cooling(moved, 2, now), "in more pieces at once: it cools down");
		now += days[i] * STATE_DAY;
		ok(state_is_cooling(moved, 2, now - 1), "for %u days", days[i]);
		ok(!state_is_cooling(moved, 2, now), "and no longer");
		now += 6 * STATE_DAY;
	}
	is(system->moves, 1, "all of it in one entry");
	now += 200 * STATE_DAY;
	is(move(system, now, 0)->times, 1, "after half a year of peace it counts from one");
	is(move(system, now + 7 * STATE_DAY, 0)->times, 2, "a run each week counts");
	for (i = 0; i < 300; i++)
		moved = move(system, now += 8 * STATE_DAY, 0);
	is(moved->times, STATE_TIMES_MOST, "times have an end");
	is(state_wait(moved->times), 32 * STATE_DAY, "and so has the wait");
	ok(!state_find_moved(system, 12, 8), "another generation is another file");
	ok(state_is_settled(moved, 1), "as it was left: settled");
	ok(!state_is_settled(moved, 2), "in more pieces: not");
	state_free(&state);
}

/* A file that a run ends in. */
static void stopped(void)
{
	struct state state = { 0 };
	struct state_system *system = state_add(&state, A);
	struct state_moved *moved = move(system, NIGHT, 1);

	is(moved->times, 0, "only begun: not moved yet");
	ok(!state_is_cooling(moved, 9, NIGHT), "the next run goes on with it");
	ok(!state_is_settled(moved, 1), "whatever it gains");
	moved = move(system, NIGHT + STATE_DAY, 1);
	is(moved->times, 1, "begun in vain: that counts");
	ok(state_is_cooling(moved, 1, NIGHT + STATE_DAY + HOUR), "it cools, however it lies");
	moved = move(system, NIGHT + 3 * STATE_DAY, 1);
	is(moved->times, 2, "a third time");
	ok(state_is_cooling(moved, 1, NIGHT + 5 * STATE_DAY - 1), "it cools longer");
	moved = move(system, NIGHT + 6 * STATE_DAY, 0);
	is(moved->stops, 0, "moved as a whole at last");
	ok(!state_is_cooling(moved, 1, NIGHT + 6 * STATE_DAY), "and good");
	moved = move(system, NIGHT + 15 * STATE_DAY, 1);
	ok(!state_is_cooling(moved, 9, NIGHT + 15 * STATE_DAY), "begun anew: gone on with at once");
	state_free(&state);
}

static void vain(void)
{
	struct state_vain note = { { 12, 7 }, NIGHT, 9, 100, 3, 0 };
	struct state state = { 0 };
	struct state_system *system = state_add(&state, A);
	const struct state_vain *tried;

	state_note_vain(system, &note);
	note.pieces = 2;
	state_note_vain(system, &note);
	state_sort(system);
	is(system->vains, 1, "two tries of a run: one entry");
	tried = state_find_vain(system, 12, 7);
	is(tried->times, 1, "and one time");
	is(tried->pieces, 2, "of the better promise");
	ok(state_is_vain(tried, 9, 100, 2, true, NIGHT + 99 * STATE_DAY),
	   "nothing changed: in vain");
	ok(!state_is_vain(tried, 9, 100, 1, true, NIGHT), "a better promise: not");
	ok(!state_is_vain(tried, 8, 100, 2, true, NIGHT), "other fragments: not");
	ok(!state_is_vain(tried, 9, 101, 2, true, NIGHT), "other blocks: not");
	ok(state_is_vain(tried, 9, 100, 2, false, NIGHT + STATE_DAY - 1), "other space: for a day");
	ok(!state_is_vain(tried, 9, 100, 2, false, NIGHT + STATE_DAY), "no longer");
	note.last += STATE_DAY;
	state_note_vain(system, &note);
	state_note_vain(system, &note);
	tried = state_find_vain(system, 12, 7);
	is(tried->times, 2, "in vain again");
	ok(state_is_vain(tried, 9, 100, 2, false, NIGHT + 3 * STATE_DAY - 1), "then for two days");
	note.last += STATE_DAY;
	note.fragments = 10;
	state_note_vain(system, &note);
	is(state_find_vain(system, 12, 7)->times, 1, "another shape counts from one");
	state_free(&state);
}

/* Files by their inode: 1 and 2 are in 5 pieces of 100 blocks, 3 is gone, others aren't seen. */
static void look(const void *arg, const struct state_ident *id, struct state_seen *seen)
{
	(void)arg;
	seen->how = id->ino == 3 ? SEEN_GONE : id->ino < 3 ? SEEN_HERE : SEEN_NOT;
	seen->fragments = 5;
	seen->blocks = 100;
}

static void forgetting(void)
{
	struct state state = { 0 };
	struct state_system *system = state_add(&state, A);
	uint32_t ino;

	for (ino = 1; ino <= 4; ino++) {
		const struct state_moved moved = moved_at(ino, NIGHT, ino == 2 ? 4 : 5, 0);
		const struct state_vain tried = { { ino, 7 }, NIGHT, ino == 2 ? 4 : 5, 100, 2, 0 };

		state_note_moved(system, &moved);
		state_note_vain(system, &tried);
	}
	state_sort(system);
	state_forget(system, look, NULL, NIGHT + HOUR);
	is(system->moves, 3, "what is gone is forgotten");
	ok(!state_find_moved(system, 3, 7), "that one");
	is(system->vains, 2, "so is a try on what looks different now");
	ok(state_find_vain(system, 1, 7) && state_find_vain(system, 4, 7), "and no other");
	state_forget(system, look, NULL, NIGHT + 9 * STATE_DAY - 1);
	is(system->moves, 3, "moved once: it matters for nine days");
	state_forget(system, look, NULL, NIGHT + 9 * STATE_DAY);
	is(system->moves, 1, "no longer");
	ok(state_find_moved(system, 1, 7), "but as long as it lies as it was left");
	state_forget(system, look, NULL, NIGHT + 100 * STATE_DAY);
	is(system->moves + system->vains, 2, "and a try in vain, too");
	ok(state_find_vain(system, 1, 7), "that of a file that is seen");
	state_free(&state);
}

static void trimming(void)
{
	struct state state = { 0 };
	struct state_system *a = state_add(&state, A), *b = state_add(&state, B);
	uint32_t i;

	a->begun = b->begun = NIGHT;
	for (i = 1; i <= 50; i++) {
		const struct state_moved moved = moved_at(i, NIGHT + i, 1, 0);
		const struct state_vain tried = { { i, 7 }, NIGHT + i, 2, 2, 1, 0 };

		state_note_moved(i % 2 ? a : b, &moved);
		state_note_vain(i % 2 ? a : b, &tried);
	}
	state_sort(a);
	state_sort(b);
	state_trim(&state, 100, NIGHT);
	is(a->moves + a->vains + b->moves + b->vains, 100, "as many as may be: all stay");
	state_trim(&state, 41, NIGHT);
	is(a->moves + a->vains + b->moves + b->vains, 41, "so many are left");
	ok(!state_find_moved(b, 28, 7) && !state_find_moved(a, 29, 7), "of the latest");
	is(!!state_find_moved(b, 30, 7) + !!state_find_vain(b, 30, 7), 1, "of equals what must go");
	ok(state_find_moved(a, 31, 7) && state_find_vain(b, 50, 7), "to the last");
	state_trim(&state, 100, NIGHT + 399 * STATE_DAY);
	is(state.systems, 2, "filesystems are known for more than a year");
	b->begun += STATE_DAY;
	state_trim(&state, 100, NIGHT + 400 * STATE_DAY);
	ok(state.systems == 1 && state.system[0] == b, "the one not seen since is not");
	for (i = 0; i < STATE_SYSTEMS_MOST; i++) {
		char id[37];

		snprintf(id, sizeof(id), "00000000-0000-0000-0000-%012x", i);
		state_begin(&state, id, NIGHT + 2 * STATE_DAY + i);
	}
	state_trim(&state, 100, NIGHT + 10 * STATE_DAY);
	is(state.systems, STATE_SYSTEMS_MOST, "there are so many at most");
	ok(!state_find(&state, B), "the one longest not seen goes");
	state_free(&state);
}

/* What state_print makes of it. */
static char *print(const struct state *state)
{
	char *text = NULL;
	size_t length;
	FILE *stream = open_memstream(&text, &length);

	state_print(state, stream);
	fclose(stream);
	return text;
}

static void clock_back(void)
{
	struct state state = { 0 };
	struct state_system *system = state_begin(&state, A, NIGHT);
	const struct state_vain note = { { 12, 7 }, NIGHT, 9, 100, 3, 0 };
	const struct state_moved *moved;

	state_end(&state, system, false, NIGHT);
	state_note_vain(system, &note);
	moved = move(system, NIGHT, 0);
	state_clamp(&state, 5 * STATE_DAY);
	is(system->begun, 5 * STATE_DAY, "a time still to come is now");
	is(system->completed, 5 * STATE_DAY, "each of them");
	is(state_find_vain(system, 12, 7)->last, 5 * STATE_DAY, "of tries");
	ok(state_is_cooling(moved, 2, 6 * STATE_DAY - 1), "the wait is that from now");
	ok(!state_is_cooling(moved, 2, 6 * STATE_DAY), "and not years");
	state_free(&state);
}

#define HEAD "e3defrag state 1\n"
#define SYSTEM "filesystem " A " 5 4 0 100 3 50\n"

static void text(void)
{
	static const char whole[] = HEAD SYSTEM
		"owner 0 1152921504606846976\nowner 4294967294 65536\n"
		"moved 11:0 1 86400 1 0\nmoved 12:4294967295 0 86401 7 1\n"
		"moved 12:4294967294 2 3 4 5\n" /* swapped below */
		"vain 12:7 255 1099511627776 4294967295 10 1\n"
		"filesystem " B " 0 0 7 18446744073709551615 0 4294967295\nend 4\n";
	static const char empty[] = HEAD "end 0\n";
	static const char *const bad[] = {
		"",
		"e3defrag state",
		"e3defrag stat 1\nend 0\n",
		HEAD,
		HEAD "end 0",
		HEAD "end 1\n",
		HEAD "end 0\n\n",
		HEAD "end 00\n",
		HEAD "\nend 0\n",
		HEAD "vain 12:7 1 1 9 10 1\nend 1\n",
		HEAD SYSTEM SYSTEM "end 0\n",
		HEAD "filesystem " A " 5 4 8 100 3 50\nend 0\n",
		HEAD "filesystem " A " 5 4 0 100 3 4294967296\nend 0\n",
		HEAD "filesystem " A " 1099511627777 4 0 100 3 5\nend 0\n",
		HEAD "filesystem " A " 5 4 0 100 3\nend 0\n",
		HEAD "filesystem " A "  5 4 0 100 3 50\nend 0\n",
		HEAD "filesystem Aaaaaaaa-0000-0000-0000-000000000001 5 4 0 100 3 50\nend 0\n",
		HEAD "filesystem \n",
		HEAD SYSTEM "moved 0:7 1 1 1 0\nend 1\n",
		HEAD SYSTEM "moved 12:7 0 1 1 0\nend 1\n",
		HEAD SYSTEM "moved 12:7 256 1 1 0\nend 1\n",
		HEAD SYSTEM "moved 12:7 1 1 1 256\nend 1\n",
		HEAD SYSTEM "moved 12:7 1 -1 1 0\nend 1\n",
		HEAD SYSTEM "moved 12 1 1 1 0\nend 1\n",
		HEAD SYSTEM "moved 12:7 1 1 1 0\nmoved 12:7 1 1 1 0\nend 2\n",
		HEAD SYSTEM "moved 12:7 1 1 1 0\nmoved 11:8 1 1 1 0\nend 2\n",
		HEAD SYSTEM "moved 12:7 1 1 1 0\nmoved 12:6 1 1 1 0\nend 2\n",
		HEAD SYSTEM "vain 11:1 1 1 1 1 1\nmoved 12:7 1 1 1 0\nend 2\n",
		HEAD SYSTEM "vain 12:7 0 1 9 10 1\nend 1\n",
		HEAD SYSTEM "vain 12:7 1 1 9 10 0\nend 1\n",
		HEAD SYSTEM "vain 12:7 1 1 9 10 1\nvain 12:7 1 1 9 10 1\nend 2\n",
		HEAD SYSTEM "vain 12:7 1 1 9 10 18446744073709551616\nend 1\n",
		HEAD SYSTEM "owner 5 65535\nend 0\n",
		HEAD SYSTEM "owner 5 1152921504606846977\nend 0\n",
		HEAD SYSTEM "owner 4294967296 65536\nend 0\n",
		HEAD SYSTEM "owner 5 65536\nowner 5 65536\nend 0\n",
		HEAD SYSTEM "owner 5 65536\nowner 4 65536\nend 0\n",
		HEAD SYSTEM "moved 12:7 1 1 1 0\nowner 5 65536\nend 1\n",
		HEAD SYSTEM "vain 12:7 1 1 9 10 1\nowner 5 65536\nend 1\n",
		HEAD "owner 5 65536\nend 0\n",
		HEAD SYSTEM "worn 12:7 1 1 9 10 1\nend 1\n",
	};
	char good[sizeof(whole)], *second, *printed;
	struct state state = { 0 };
	size_t line, i;

	is(state_parse(&state, empty, strlen(empty), &line), 0, "an empty state");
	is(state.systems, 0, "has nothing");
	is(state_parse(&state, whole, strlen(whole), &line), -EPROTO, "a file in a wrong place");
	is(line, 7, "the line is told");
	is(state.systems, 0, "and nothing is kept");

	memcpy(good, whole, sizeof(good));
	second = strstr(good, "12:4294967295");
	second[12] = '3';
	is(state_parse(&state, good, strlen(good), &line), 0, "a whole state");
	is(state.systems, 2, "of two filesystems");
	is(state_find_moved(state.system[0], 12, 4294967294)->stops, 5, "a file that was moved");
	is(state_find_vain(state.system[0], 12, 7)->times, 255, "one tried in vain");
	is(state.system[0]->owners, 2, "two owners");
	is(state.system[0]->owner[1].uid, 4294967294U, "of the highest number");
	is(state.system[1]->stops, 7, "a second filesystem");
	printed = print(&state);
	ok(!strcmp(printed, good), "what is printed is what was read");
	free(printed);
	state_free(&state);

	for (i = 0; i < strlen(good); i++)
		if (state_parse(&state, good, i, &line) != -EPROTO)
			break;
	is(i, strlen(good), "cut off anywhere, it is damaged");
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		is(state_parse(&state, bad[i], strlen(bad[i]), &line), -EPROTO, "damaged: %zu", i);
	is(state_parse(&state, "e3defrag state 2\nx", 18, &line), -EOPNOTSUPP, "another version");
	is(state.systems, 0, "nothing is kept of any");
}

void test_state(void)
{
	order();
	cooling();
	stopped();
	vain();
	forgetting();
	trimming();
	clock_back();
	text();
}
