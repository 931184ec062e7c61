/* SPDX-License-Identifier: GPL-2.0-only */
/* Why a file was left alone. Each file that is not improved has one of these. */
#ifndef E3DEFRAG_REASON_H
#define E3DEFRAG_REASON_H

#include <stdbool.h>
#include <stddef.h>

enum reason {
	REASON_NONE, /* it may be moved, or was */

	/* what `relocatable` in info says */
	REASON_TYPE,
	REASON_EXTENTS,
	REASON_INLINE,
	REASON_UNMAPPED,
	REASON_ENCRYPTED,
	REASON_VERITY,
	REASON_DAX,
	REASON_EA_INODE,
	REASON_BIGALLOC,
	REASON_SWAPFILE,
	REASON_QUOTA,
	REASON_IMMUTABLE,
	REASON_APPEND_ONLY,
	REASON_DELETED,
	REASON_READ_ONLY,
	REASON_NO_JOURNAL,
	REASON_UNCHECKED,
	REASON_FAST_COMMIT,
	REASON_FEATURES,
	REASON_OPTIONS,
	REASON_BLOCK_SIZE,
	REASON_LARGE_FOLIOS,
	REASON_OTHER, /* a word this version doesn't know */

	/* what the plan says */
	REASON_EMPTY,
	REASON_PERFECT,
	REASON_LONG_PIECES, /* long enough for --min-fragment-size */
	REASON_COOLING,	    /* moved lately, and in more pieces again: see --state */
	REASON_FEW_FRAGMENTS,
	REASON_LOW_SCORE,
	REASON_SIZE,   /* smaller or larger than asked for */
	REASON_RECENT, /* changed, more recently than --older-than */
	REASON_EXCLUDED,
	REASON_NAMELESS,	 /* its names should have been looked at, and it has none */
	REASON_MULTIPLY_CLAIMED, /* with another file; only a damaged filesystem has that */
	REASON_MD_BITMAP,	 /* md writes to its blocks on the disk: see md.h */
	REASON_NO_ROOM,
	REASON_NO_BETTER,
	REASON_RESERVE, /* it would take more than --reserve leaves */

	/* what happened during the run */
	REASON_OUTCOME,
	REASON_CHANGED,
	REASON_VANISHED,
	REASON_BUSY,
	REASON_FAILED,
	REASON_STOPPED,

	/* what --apply finds */
	REASON_UNPLANNED,
	REASON_OUTSIDE,	 /* of the TARGETs, but planned */
	REASON_REPLACED, /* another file has its inode number */
	REASON_OUTDATED,
	REASON_TAKEN, /* the place for it */
	REASON_IN_PLACE,

	REASONS /* how many there are */
};

/* A few words for a report, "already perfect" for REASON_PERFECT. */
const char *reason_text(enum reason reason);

/* One word for programs, which stays the same: "no-room" for REASON_NO_ROOM. */
const char *reason_key(enum reason reason);

/* Was it for the command line's choice among the files that this one was left alone? */
bool reason_is_choice(enum reason reason);

/* The reason for a word of `relocatable`; "yes" is REASON_NONE. */
enum reason reason_of_word(const char *word, size_t length);

/* The reason that an errno of a request to ext3meta stands for. */
enum reason reason_of_errno(int error);

#endif
