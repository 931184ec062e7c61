/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state that a run leaves for the next one: which filesystem is next, which files were moved
 * recently, and for which files an attempt was in vain. This has the rules, without I/O;
 * state_text.c has the format of the file. Times are seconds since 1970.
 */
#ifndef E3DEFRAG_STATE_H
#define E3DEFRAG_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STATE_DAY 86400ULL
/* The most files and filesystems that are remembered, and the largest time and count. */
#define STATE_FILES_MOST 1000000
#define STATE_SYSTEMS_MOST 1000
#define STATE_TIME_MOST (1ULL << 40)
#define STATE_TIMES_MOST 255
/* After this many successive runs that were stopped in one filesystem, others are next. */
#define STATE_STOPS_MOST 7

/* The most owners that are remembered of a filesystem, and the least that is, in bytes. */
#define STATE_OWNERS_MOST 1000
#define STATE_USED_LEAST 65536
#define STATE_USED_MOST (1ULL << 60)

/* Entries of these two kinds begin with this, and are kept in ascending order of it. */
struct state_ident {
	uint32_t ino, generation;
};

/* A file that runs have moved. */
struct state_moved {
	struct state_ident id;
	uint64_t last;
	uint32_t fragments; /* how many it was left with */
	uint8_t times;	    /* how often it was moved recently; 0: a move was only begun */
	uint8_t stops;	    /* successive runs that were stopped while it moved */
};

/* A file for which a better place was planned, but the attempt brought no improvement. */
struct state_vain {
	struct state_ident id;
	uint64_t last;
	uint32_t fragments, blocks; /* how many it had then */
	uint32_t pieces;	    /* how many were planned */
	uint8_t times;		    /* how often this was tried */
};

/* Statistics of the free space. If they are equal, the free space is assumed to be the same. */
struct state_space {
	uint64_t blocks, runs;
	uint32_t longest;
};

/* What an owner has had of the runs that did not complete; see share.h. */
struct state_owner {
	uint32_t uid;
	uint64_t used;
};

struct state_system {
	char id[37];		   /* the UUID */
	uint64_t begun, completed; /* the last time; 0: never */
	uint32_t stops;		   /* successive runs that were stopped in it */
	struct state_space free;   /* at the end of the last run */
	struct state_owner *owner; /* ascending by uid */
	size_t owners, owner_room;
	struct state_moved *moved;
	size_t moves, moved_room;
	struct state_vain *vain;
	size_t vains, vain_room;
	size_t moves_sorted, vains_sorted; /* entries after these were noted since the last sort */
};

/*
 * The filesystems are in the order of their turns. When a run begins with one, it is moved to the
 * front, and to the back when it is complete. So the order does not depend on a clock.
 */
struct state {
	struct state_system **system;
	size_t systems, room;
};

void state_free(struct state *state);

struct state_system *state_find(const struct state *state, const char *id);
/* Add a filesystem at the back. */
struct state_system *state_add(struct state *state, const char *id);
/*
 * Note that a run begins with the filesystem @id, at @now; and that it ends with it: it was
 * @stopped there, or it went through. @completed is the time at which all of it was done, 0 if that
 * was not possible.
 */
struct state_system *state_begin(struct state *state, const char *id, uint64_t now);
void state_end(struct state *state, struct state_system *system, bool stopped, uint64_t completed);

/*
 * Write to @order the indices of the filesystems @id, @count of them, in the order of their turns:
 * first those in which a run was stopped, then those never seen, then the others, beginning with
 * the one that was completed first.
 */
void state_order(const struct state *state, const char (*id)[37], size_t count, size_t *order);

/* Set times after @now to @now: the clock has been set back since they were noted. */
void state_clamp(struct state *state, uint64_t now);

/* Seconds for which a file that was moved @times is left alone: 1 day, 2, 4, ... up to 32. */
uint64_t state_wait(unsigned int times);

struct state_moved *state_find_moved(const struct state_system *system, uint32_t ino,
				     uint32_t generation);
struct state_vain *state_find_vain(const struct state_system *system, uint32_t ino,
				   uint32_t generation);

/* True if it is too early to move a file again that has @fragments now. */
bool state_is_cooling(const struct state_moved *moved, uint32_t fragments, uint64_t now);
/* True if the file is as it was left: a small gain is not worth moving all of it again. */
bool state_is_settled(const struct state_moved *moved, uint32_t fragments);
/*
 * True if moving the file to @pieces would probably be in vain again. @same: the free space has not
 * changed since.
 */
bool state_is_vain(const struct state_vain *vain, uint32_t fragments, uint32_t blocks,
		   uint32_t pieces, bool same, uint64_t now);

/*
 * Note what a run did with a file. `times` of the note is ignored; `stops` is 1 if the run was
 * stopped while the file moved. `last` must be the same throughout a run, so that a file counts
 * once. Call state_sort() after the last note, before the state is queried again.
 */
void state_note_moved(struct state_system *system, const struct state_moved *moved);
void state_note_vain(struct state_system *system, const struct state_vain *vain);
void state_sort(struct state_system *system);

/*
 * Before notes of a run are made, those of earlier ones are forgotten; if the run went through
 * nobody waits, and none are made.
 */
void state_forget_owners(struct state_system *system);
/* Note what @uid has had; call this in ascending order of @uid. */
void state_note_owner(struct state_system *system, uint32_t uid, uint64_t used);
/* What of it counts in the next run: half, so it is forgotten after some weeks. */
uint64_t state_counts(const struct state_owner *owner);

/* What this run knows of a file now: not seen, deleted, or its fragments and blocks. */
struct state_seen {
	enum { SEEN_NOT, SEEN_GONE, SEEN_HERE } how;
	uint32_t fragments, blocks;
};
typedef void state_look(const void *arg, const struct state_ident *id, struct state_seen *seen);

/* Drop the notes of @system that are no longer of use; @look is called for each file. */
void state_forget(struct state_system *system, state_look *look, const void *arg, uint64_t now);
/* Drop filesystems not seen for long, and the oldest notes until @most files are left. */
void state_trim(struct state *state, size_t most, uint64_t now);

#endif
