/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whose files are moved first. The worst files of all come first, but their owners choose how bad
 * their files are: in that order alone, a user with enough new bad files would take all the time
 * of each run. So the files are worked through in passes. In a pass each owner may use a quantum;
 * a file whose owner has used it up waits for the next pass, for which the quantum grows by a
 * quarter. Within a pass the order is that of the files. So no owner whose files wait has had less
 * than four fifths of what any other has had, if that is more than the first quantum; but for a
 * single file, which may be larger.
 *
 * What is used is time, expressed as the bytes that could be moved in it, and never less than the
 * bytes that were. So it counts attempts in vain, too.
 *
 * Owners are numbers of users. If there is only one, nothing waits for long, and the order is that
 * of the files.
 */
#ifndef E3DEFRAG_SHARE_H
#define E3DEFRAG_SHARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plan/patience.h"

/*
 * The first quantum, in bytes. A disk of 150 requests a second moves as much in fragments of 4 KiB
 * in less than a minute, so in a night every owner has a turn; and most files are far smaller, so
 * that files that lie close together still move one after the other.
 */
#define SHARE_QUANTUM (16ULL << 20)
/* What a second counts, in bytes: even a slow disk moves files in long fragments faster. */
#define SHARE_SECOND (8ULL << 20)
/* No owner counts as having used more than this. */
#define SHARE_MOST (1ULL << 60)

/* The owner of a file that was not opened yet; no user has this number. */
#define OWNER_UNKNOWN UINT32_MAX

struct share_owner {
	uint32_t uid;
	uint64_t used; /* bytes, see above */
	struct patience patience;
};

struct share {
	struct share_owner *owner; /* ascending by uid */
	size_t owners, room;
	uint64_t quantum; /* bytes, of this pass */
	uint64_t least;	  /* the least that an owner had used of those that wait */
	size_t waits;	  /* how many files wait for the next pass */
	bool asks;	  /* the owner of a file decides if it may be tried now */
};

/* Call this after share_had(), before all else. */
void share_begin(struct share *share);
void share_free(struct share *share);

/* Owner @uid has used @used bytes of earlier runs, which left some of its or others' files. */
void share_had(struct share *share, uint32_t uid, uint64_t used);

/* The account of @uid, which is opened if it has none. It is valid until the next call. */
struct share_owner *share_of(struct share *share, uint32_t uid);

/*
 * What is to be done with the next file, whose owner is @owner: it is tried now, or it waits for
 * the next pass, or it is passed over because too many files of the owner are busy. While
 * share->asks is false, this is SHARE_NOW for all owners.
 */
enum share_turn { SHARE_NOW, SHARE_LATER, SHARE_BUSY };
enum share_turn share_turn(struct share *share, struct share_owner *owner);

/* Begin the next pass. Returns false if nothing waits for it. */
bool share_next(struct share *share);

/* How one attempt went. */
struct share_attempt {
	uint64_t moved; /* bytes that changed places */
	uint64_t tried; /* bytes that were to do so, in vain */
	uint64_t took;	/* microseconds */
	bool busy;
};
void share_used(struct share *share, struct share_owner *owner,
		const struct share_attempt *attempt);

#endif
