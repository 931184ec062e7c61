/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a run leaves for the next one to know: which filesystem's turn it is, which files were moved
 * lately, and which were tried in vain. Rules only, pure; state_text.c has the form in which it is
 * kept. Times are seconds since 1970.
 */
#ifndef E3DEFRAG_STATE_H
#define E3DEFRAG_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STATE_DAY 86400ULL
/* Files and filesystems that are remembered at most. */
#define STATE_FILES_MOST 1000000
#define STATE_SYSTEMS_MOST 1000
#define STATE_TIME_MOST (1ULL << 40)
#define STATE_TIMES_MOST 255
/* So many runs in a row may end in one filesystem; then it is the turn of the others. */
#define STATE_STOPS_MOST 7

/* Each of the two kinds of file begins with this, and is kept in ascending order of it. */
struct state_ident {
	uint32_t ino, generation;
};

/* A file that runs have moved. */
struct state_moved {
	struct state_ident id;
	uint64_t last;
	uint32_t fragments; /* that it was left with */
	uint8_t times;	    /* that it was moved, as far as it matters; 0: it was only begun */
	uint8_t stops;	    /* runs in a row that ended while it moved */
};

/* One for which the free space had a better place that turned out to be none. */
struct state_vain {
	struct state_ident id;
	uint64_t last;
	uint32_t fragments, blocks; /* it had then */
	uint32_t pieces;	    /* it was to have */
	uint8_t times;
};

/* Free space that looks the same is taken to be the same. */
struct state_space {
	uint64_t blocks, runs;
	uint32_t longest;
};

struct state_system {
	char id[37];		   /* the UUID */
	uint64_t begun, completed; /* when last; 0: never */
	uint32_t stops;		   /* runs in a row that ended in it */
	struct state_space free;   /* at the end of the last run */
	struct state_moved *moved;
	size_t moves, moved_room;
	struct state_vain *vain;
	size_t vains, vain_room;
	size_t moves_sorted, vains_sorted; /* what was noted since comes behind these */
};

/*
 * The filesystems stand in the order of their turns. One that is begun goes to the front, and from
 * there to the back when it is complete: that order needs no clock.
 */
struct state {
	struct state_system **system;
	size_t systems, room;
};

void state_free(struct state *state);

struct state_system *state_find(const struct state *state, const char *id);
/* One more at the back. */
struct state_system *state_add(struct state *state, const char *id);
/*
 * A run begins with it, at @now, and ends with it: it was stopped there, or it is through, with
 * all of it @completed at that time, or 0 if it could not be.
 */
struct state_system *state_begin(struct state *state, const char *id, uint64_t now);
void state_end(struct state *state, struct state_system *system, bool stopped, uint64_t completed);

/*
 * The order in which the filesystems @id, @count of them, have their turns: the one that a run was
 * stopped in, those never seen, then those longest complete. It is written to @order.
 */
void state_order(const struct state *state, const char (*id)[37], size_t count, size_t *order);

/* A time still to come is one that the clock has jumped back from: taken to be @now. */
void state_clamp(struct state *state, uint64_t now);

/* How long a file is left alone that was moved so many times: a day, two, four, up to 32. */
uint64_t state_wait(unsigned int times);

struct state_moved *state_find_moved(const struct state_system *system, uint32_t ino,
				     uint32_t generation);
struct state_vain *state_find_vain(const struct state_system *system, uint32_t ino,
				   uint32_t generation);

/* Is it too early to move a file, @fragments now, again? */
bool state_is_cooling(const struct state_moved *moved, uint32_t fragments, uint64_t now);
/* Has it stayed as it was left? Then a small gain is not worth moving all of it once more. */
bool state_is_settled(const struct state_moved *moved, uint32_t fragments);
/* Would it be in vain once more to move it to @pieces? @same: so is the free space. */
bool state_is_vain(const struct state_vain *vain, uint32_t fragments, uint32_t blocks,
		   uint32_t pieces, bool same, uint64_t now);

/*
 * What a run did, for which `times` of a note says nothing, and `stops` is 1 if it ended there.
 * `last` is the same all through a run, so that it counts once. state_sort comes after the last of
 * them and before the next question.
 */
void state_note_moved(struct state_system *system, const struct state_moved *moved);
void state_note_vain(struct state_system *system, const struct state_vain *vain);
void state_sort(struct state_system *system);

/* What there is of a file now, as far as this run saw. */
struct state_seen {
	enum { SEEN_NOT, SEEN_GONE, SEEN_HERE } how;
	uint32_t fragments, blocks;
};
typedef void state_look(const void *arg, const struct state_ident *id, struct state_seen *seen);

/* Drop the files of @system that don't matter any more. */
void state_forget(struct state_system *system, state_look *look, const void *arg, uint64_t now);
/* Drop what was moved or tried longest ago, until @most files are left; and old filesystems. */
void state_trim(struct state *state, size_t most, uint64_t now);

#endif
