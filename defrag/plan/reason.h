/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The reasons for leaving a file alone, with their texts for reports and their keys for programs.
 * Each file that is not improved has one of these.
 */
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
	REASON_COOLING,	    /* moved recently, and fragmented again since: see --state */
	REASON_FEW_FRAGMENTS,
	REASON_LOW_SCORE,
	REASON_SIZE,   /* smaller than --min-size or larger than --max-size */
	REASON_RECENT, /* changed more recently than --older-than allows */
	REASON_EXCLUDED,
	REASON_NAMELESS,	 /* a filter needs a name of it, and none was found */
	REASON_MULTIPLY_CLAIMED, /* another file has a block of it: the filesystem is damaged */
	REASON_MD_BITMAP,	 /* md writes to its blocks on the disk: see md.h */
	REASON_NO_ROOM,
	REASON_NO_BETTER,
	REASON_RESERVE, /* it would use free space that --reserve keeps */

	/* what happened during the run */
	REASON_OUTCOME,
	REASON_CHANGED,
	REASON_VANISHED,
	REASON_BUSY,
	REASON_FAILED,
	REASON_STOPPED,

	/* what --apply finds */
	REASON_UNPLANNED,
	REASON_OUTSIDE,	 /* in the plan, but not in a TARGET */
	REASON_REPLACED, /* another file has its inode number */
	REASON_OUTDATED,
	REASON_TAKEN, /* the place planned for it is no longer free */
	REASON_IN_PLACE,

	REASONS /* how many there are */
};

/* A few words for a report: "already in one fragment" for REASON_PERFECT. A static string. */
const char *reason_text(enum reason reason);

/* A word for programs, which never changes: "no-room" for REASON_NO_ROOM. A static string. */
const char *reason_key(enum reason reason);

/* True if the file was left alone because of an option that chooses among the files. */
bool reason_is_choice(enum reason reason);

/*
 * The reason for a word of ext3meta's `relocatable`, @length bytes: REASON_NONE for "yes",
 * REASON_OTHER for an unknown word.
 */
enum reason reason_of_word(const char *word, size_t length);

/* The reason for @error, a positive errno of a request to ext3meta. */
enum reason reason_of_errno(int error);

#endif
