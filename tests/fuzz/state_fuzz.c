// SPDX-License-Identifier: GPL-2.0-only
/*
 * A state as anybody could have left it: what is taken is in order and bounded, and is printed as
 * the same text again. What a run then does with it, any of it, is a state that can be read again.
 * The first byte is the length of what the run does, which comes before the text.
 */
#include <errno.h>
#include <string.h>

#include "fuzz.h"
#include "state/state_text.h"

#define FILES_MOST 12

static void check_state(const struct state *state)
{
	size_t i, k;

	MUST(state->systems <= STATE_SYSTEMS_MOST);
	for (i = 0; i < state->systems; i++) {
		const struct state_system *s = state->system[i];

		MUST(strlen(s->id) == 36 && state_find(state, s->id) == s);
		MUST(s->begun <= STATE_TIME_MOST && s->completed <= STATE_TIME_MOST);
		MUST(s->stops <= STATE_STOPS_MOST);
		MUST(s->moves_sorted == s->moves && s->vains_sorted == s->vains);
		MUST(s->owners <= STATE_OWNERS_MOST);
		for (k = 0; k < s->owners; k++) {
			MUST(s->owner[k].used >= STATE_USED_LEAST);
			MUST(s->owner[k].used <= STATE_USED_MOST);
			MUST(!k || s->owner[k - 1].uid < s->owner[k].uid);
		}
		for (k = 0; k < s->moves; k++) {
			const struct state_moved *m = &s->moved[k];

			MUST(m->id.ino && m->last <= STATE_TIME_MOST && (m->times || m->stops));
			MUST(state_find_moved(s, m->id.ino, m->id.generation) == m);
		}
		for (k = 0; k < s->vains; k++) {
			const struct state_vain *v = &s->vain[k];

			MUST(v->id.ino && v->last <= STATE_TIME_MOST && v->times && v->pieces);
			MUST(state_find_vain(s, v->id.ino, v->id.generation) == v);
		}
	}
}

/* As a text, and from there again: the same. malloc'd. */
static char *round_trip(const struct state *state)
{
	struct state again = { 0 };
	char *text = NULL, *more = NULL;
	size_t length, longer, line;
	FILE *stream = open_memstream(&text, &length);

	MUST(stream);
	state_print(state, stream);
	fclose(stream);
	MUST(!state_parse(&again, text, length, &line));
	check_state(&again);
	stream = open_memstream(&more, &longer);
	MUST(stream);
	state_print(&again, stream);
	fclose(stream);
	MUST(length == longer && !memcmp(text, more, length));
	state_free(&again);
	free(more);
	return text;
}

static void look(const void *arg, const struct state_ident *id, struct state_seen *seen)
{
	const uint32_t salt = *(const uint32_t *)arg;

	seen->how = (id->ino + salt) % 3;
	seen->fragments = (id->ino ^ salt) % 16;
	seen->blocks = (id->generation ^ salt) % 64;
}

/* A night with one filesystem, which may be a new one. */
static void night(struct input *in, struct state *state)
{
	const uint32_t what = take_byte(in), salt = take_number(in);
	const uint64_t now = (uint64_t)take_number(in) * 600;
	struct state_system *system;
	uint32_t notes = take_byte(in) % 64;
	size_t order[2];
	char ids[2][37] = { "00000000-0000-0000-0000-000000000000", "" };

	state_clamp(state, now);
	if (state->systems)
		memcpy(ids[1], state->system[what % state->systems]->id, 37);
	state_order(state, (const char(*)[37])ids, 2, order);
	MUST(order[0] < 2 && order[1] == !order[0]);
	system = state_begin(state, ids[what & 1 && *ids[1]], now);
	MUST(state->system[0] == system);
	while (notes--) {
		const struct state_ident id = { 1 + take_byte(in), take_byte(in) % 2 };
		const uint32_t fragments = take_byte(in);
		const struct state_moved moved = { id, now, fragments, 0, fragments & 1 };
		const struct state_vain vain = {
			id, now, fragments, take_byte(in), 1 + salt % 9, 0
		};
		const struct state_moved *known = state_find_moved(system, id.ino, id.generation);
		const struct state_vain *tried = state_find_vain(system, id.ino, id.generation);

		/* At most so long, and never of what lies better than it was left. */
		if (known && state_is_cooling(known, fragments, now))
			MUST(now < known->last + 32 * STATE_DAY &&
			     !state_is_settled(known, fragments));
		if (tried && state_is_vain(tried, fragments, vain.blocks, 1, false, now))
			MUST(now < tried->last + 32 * STATE_DAY && tried->pieces == 1);
		if (fragments & 2)
			state_note_moved(system, &moved);
		else
			state_note_vain(system, &vain);
	}
	state_sort(system);
	state_forget(system, look, &salt, now);
	if (what & 8)
		state_forget_owners(system);
	if (!system->owners)
		state_note_owner(system, salt, (uint64_t)salt * salt);
	state_end(state, system, what & 2, what & 4 ? now : 0);
	state_trim(state, FILES_MOST, now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data + 1, data + size };
	struct state state = { 0 };
	size_t cut, length, line = 0, i, files = 0;
	char *text, *same;
	int err;

	if (!size)
		return 0;
	cut = 1 + (data[0] < size - 1 ? data[0] : size - 1);
	in.end = data + cut;
	/* A copy of the very length, so that a byte too far is seen. */
	length = size - cut;
	text = malloc(length + !length);
	MUST(text);
	memcpy(text, data + cut, length);
	err = state_parse(&state, text, length, &line);
	MUST(line && (!err || err == -EPROTO || err == -EOPNOTSUPP) && (!err || !state.systems));
	check_state(&state);
	same = round_trip(&state);
	MUST(err || (strlen(same) == length && !memcmp(same, text, length)));
	free(same);
	free(text);
	while (in.at < in.end) {
		night(&in, &state);
		check_state(&state);
	}
	for (i = 0; i < state.systems && data[0]; i++)
		files += state.system[i]->moves + state.system[i]->vains;
	MUST(files <= FILES_MOST || cut == 1);
	free(round_trip(&state));
	state_free(&state);
	return 0;
}
