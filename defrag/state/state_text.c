// SPDX-License-Identifier: GPL-2.0-only
#include "state/state_text.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "fs/meta_text.h"
#include "lib/util.h"

#define HEAD "e3defrag state "
#define VERSION 1

/* The part of the text that is not parsed yet. */
struct text {
	const char *at, *end;
};

static bool read_word(struct text *t, const char *word)
{
	size_t length = strlen(word);

	if ((size_t)(t->end - t->at) < length || memcmp(t->at, word, length))
		return false;
	t->at += length;
	return true;
}

/* Parse a decimal number from @least to @most, and the character @stop after it. */
static bool parse_number(struct text *t, uint64_t least, uint64_t most, char stop, uint64_t *value)
{
	const char *start = t->at;
	uint64_t sum = 0;

	for (; t->at < t->end && *t->at >= '0' && *t->at <= '9'; t->at++) {
		uint64_t digit = (uint64_t)(*t->at - '0');

		if (sum > (UINT64_MAX - digit) / 10)
			return false;
		sum = sum * 10 + digit;
	}
	if (t->at == start || (*start == '0' && t->at - start > 1) || sum < least || sum > most)
		return false;
	if (t->at == t->end || *t->at++ != stop)
		return false;
	*value = sum;
	return true;
}

static bool read_number32(struct text *t, uint32_t least, char stop, uint32_t *value)
{
	uint64_t wide;

	if (!parse_number(t, least, UINT32_MAX, stop, &wide))
		return false;
	*value = (uint32_t)wide;
	return true;
}

static bool number8(struct text *t, uint32_t least, uint32_t most, char stop, uint8_t *value)
{
	uint64_t wide;

	if (!parse_number(t, least, most, stop, &wide))
		return false;
	*value = (uint8_t)wide;
	return true;
}

static bool ident(struct text *t, struct state_ident *id)
{
	return read_number32(t, 1, ':', &id->ino) && read_number32(t, 0, ' ', &id->generation);
}

static bool after(const struct state_ident *last, const struct state_ident *id)
{
	return last->ino < id->ino || (last->ino == id->ino && last->generation < id->generation);
}

static bool read_moved(struct text *t, struct state_system *system)
{
	struct state_moved moved = { 0 };

	if (!ident(t, &moved.id) || !number8(t, 0, STATE_TIMES_MOST, ' ', &moved.times) ||
	    !parse_number(t, 0, STATE_TIME_MOST, ' ', &moved.last) ||
	    !read_number32(t, 0, ' ', &moved.fragments) ||
	    !number8(t, 0, STATE_TIMES_MOST, '\n', &moved.stops) ||
	    (!moved.times && !moved.stops) || system->vains ||
	    (system->moves && !after(&system->moved[system->moves - 1].id, &moved.id)))
		return false;
	vec_more(system->moved, system->moves, system->moved_room);
	system->moved[system->moves++] = moved;
	system->moves_sorted = system->moves;
	return true;
}

static bool read_vain(struct text *t, struct state_system *system)
{
	struct state_vain vain = { 0 };

	if (!ident(t, &vain.id) || !number8(t, 1, STATE_TIMES_MOST, ' ', &vain.times) ||
	    !parse_number(t, 0, STATE_TIME_MOST, ' ', &vain.last) ||
	    !read_number32(t, 0, ' ', &vain.fragments) || !read_number32(t, 0, ' ', &vain.blocks) ||
	    !read_number32(t, 1, '\n', &vain.pieces) ||
	    (system->vains && !after(&system->vain[system->vains - 1].id, &vain.id)))
		return false;
	vec_more(system->vain, system->vains, system->vain_room);
	system->vain[system->vains++] = vain;
	system->vains_sorted = system->vains;
	return true;
}

static bool read_owner(struct text *t, struct state_system *system)
{
	struct state_owner owner = { 0 };

	if (system->owners == STATE_OWNERS_MOST || system->moves || system->vains ||
	    !read_number32(t, 0, ' ', &owner.uid) ||
	    !parse_number(t, STATE_USED_LEAST, STATE_USED_MOST, '\n', &owner.used) ||
	    (system->owners && system->owner[system->owners - 1].uid >= owner.uid))
		return false;
	vec_more(system->owner, system->owners, system->owner_room);
	system->owner[system->owners++] = owner;
	return true;
}

static struct state_system *read_system(struct text *t, struct state *state)
{
	struct state_system read = { 0 }, *system;
	uint64_t stops, longest;
	char id[37];

	/* meta_text_id() parses a whole line, so give the UUID a newline. */
	if (state->systems == STATE_SYSTEMS_MOST || t->end - t->at < 37 || t->at[36] != ' ')
		return NULL;
	memcpy(id, t->at, 36);
	id[36] = '\n';
	t->at += 37;
	if (meta_text_id(id, sizeof(id), read.id) || state_find(state, read.id) ||
	    !parse_number(t, 0, STATE_TIME_MOST, ' ', &read.begun) ||
	    !parse_number(t, 0, STATE_TIME_MOST, ' ', &read.completed) ||
	    !parse_number(t, 0, STATE_STOPS_MOST, ' ', &stops) ||
	    !parse_number(t, 0, UINT64_MAX, ' ', &read.free.blocks) ||
	    !parse_number(t, 0, UINT64_MAX, ' ', &read.free.runs) ||
	    !parse_number(t, 0, UINT32_MAX, '\n', &longest))
		return NULL;
	system = state_add(state, read.id);
	read.stops = (uint32_t)stops;
	read.free.longest = (uint32_t)longest;
	*system = read;
	return system;
}

static bool read_all(struct text *t, struct state *state, size_t *line)
{
	struct state_system *system = NULL;
	uint64_t files = 0, told;

	for (*line = 2;; ++*line) {
		if (read_word(t, "end "))
			return parse_number(t, files, files, '\n', &told) && t->at == t->end;
		if (read_word(t, "filesystem ")) {
			system = read_system(t, state);
			if (!system)
				return false;
			continue;
		}
		if (system && read_word(t, "owner ")) {
			if (!read_owner(t, system))
				return false;
			continue;
		}
		if (!system || files++ == STATE_FILES_MOST)
			return false;
		if (read_word(t, "moved ")) {
			if (!read_moved(t, system))
				return false;
		} else if (!read_word(t, "vain ") || !read_vain(t, system)) {
			return false;
		}
	}
}

int state_parse(struct state *state, const char *text, size_t length, size_t *line)
{
	struct text t = { text, text + length };
	uint64_t version;

	*line = 1;
	if (!read_word(&t, HEAD) || !parse_number(&t, 0, UINT64_MAX, '\n', &version))
		return -EPROTO;
	if (version != VERSION)
		return -EOPNOTSUPP;
	if (read_all(&t, state, line))
		return 0;
	state_free(state);
	return -EPROTO;
}

void state_print(const struct state *state, FILE *stream)
{
	uint64_t files = 0;
	size_t i, k;

	fprintf(stream, HEAD "%d\n", VERSION);
	for (i = 0; i < state->systems; i++) {
		const struct state_system *s = state->system[i];

		fprintf(stream,
			"filesystem %s %" PRIu64 " %" PRIu64 " %" PRIu32 " %" PRIu64 " %" PRIu64
			" %" PRIu32 "\n",
			s->id, s->begun, s->completed, s->stops, s->free.blocks, s->free.runs,
			s->free.longest);
		for (k = 0; k < s->owners; k++)
			fprintf(stream, "owner %" PRIu32 " %" PRIu64 "\n", s->owner[k].uid,
				s->owner[k].used);
		for (k = 0; k < s->moves; k++) {
			const struct state_moved *moved = &s->moved[k];

			fprintf(stream,
				"moved %" PRIu32 ":%" PRIu32 " %u %" PRIu64 " %" PRIu32 " %u\n",
				moved->id.ino, moved->id.generation, moved->times, moved->last,
				moved->fragments, moved->stops);
		}
		for (k = 0; k < s->vains; k++) {
			const struct state_vain *vain = &s->vain[k];

			fprintf(stream,
				"vain %" PRIu32 ":%" PRIu32 " %u %" PRIu64 " %" PRIu32 " %" PRIu32
				" %" PRIu32 "\n",
				vain->id.ino, vain->id.generation, vain->times, vain->last,
				vain->fragments, vain->blocks, vain->pieces);
		}
		files += s->moves + s->vains;
	}
	fprintf(stream, "end %" PRIu64 "\n", files);
}
