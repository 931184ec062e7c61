// SPDX-License-Identifier: GPL-2.0-only
#include "plan/reason.h"

#include <errno.h>
#include <string.h>

static const struct {
	const char *word; /* of ext3meta's `relocatable`; NULL: it has no such word */
	const char *text;
	const char *key; /* for programs; NULL: it is `word` */
} reasons[REASONS] = {
	[REASON_NONE] = { .word = "yes", .text = "can be moved", .key = "none" },
	[REASON_TYPE] = { .word = "type", .text = "not a regular file" },
	[REASON_EXTENTS] = { .word = "extents", .text = "mapped by extents: use e4defrag" },
	[REASON_INLINE] = { .word = "inline", .text = "the data is in the inode" },
	[REASON_UNMAPPED] = { .word = "none", .text = "has no blocks to map", .key = "unmapped" },
	[REASON_ENCRYPTED] = { .word = "encrypted", .text = "encrypted" },
	[REASON_VERITY] = { .word = "verity", .text = "sealed by fs-verity" },
	[REASON_DAX] = { .word = "dax", .text = "direct access (DAX) is on" },
	[REASON_EA_INODE] = { .word = "ea-inode", .text = "holds an extended attribute" },
	[REASON_BIGALLOC] = { .word = "bigalloc", .text = "the filesystem allocates in clusters" },
	[REASON_SWAPFILE] = { .word = "swapfile", .text = "a swap file in use" },
	[REASON_QUOTA] = { .word = "quota", .text = "a quota file" },
	[REASON_IMMUTABLE] = { .word = "immutable", .text = "immutable" },
	[REASON_APPEND_ONLY] = { .word = "append-only", .text = "append-only" },
	[REASON_DELETED] = { .word = "deleted", .text = "deleted, only held open" },
	[REASON_READ_ONLY] = { .word = "read-only", .text = "the filesystem is mounted read-only" },
	[REASON_NO_JOURNAL] = { .word = "no-journal", .text = "the filesystem has no journal" },
	[REASON_UNCHECKED] = { .word = "unchecked",
			       .text = "the filesystem is mounted with noblock_validity" },
	[REASON_FAST_COMMIT] = { .word = "fast-commit",
				 .text = "the filesystem has the feature fast_commit" },
	[REASON_FEATURES] = { .word = "features",
			      .text = "the filesystem has a feature that ext3meta doesn't know" },
	[REASON_OPTIONS] = { .word = "options",
			     .text = "the filesystem is mounted with an option that ext3meta "
				     "doesn't know" },
	[REASON_BLOCK_SIZE] = { .word = "block-size",
				.text = "the filesystem's blocks are larger than pages" },
	[REASON_LARGE_FOLIOS] = { .word = "large-folios", .text = "large folios are in use" },
	[REASON_OTHER] = { .text = "ext3meta can't move it", .key = "other" },
	[REASON_EMPTY] = { .text = "no blocks", .key = "empty" },
	[REASON_PERFECT] = { .text = "already in one fragment", .key = "perfect" },
	[REASON_LONG_PIECES] = { .text = "fragments long enough", .key = "long-pieces" },
	[REASON_COOLING] = { .text = "cooling down: it was moved recently", .key = "cool-down" },
	[REASON_FEW_FRAGMENTS] = { .text = "fewer fragments than --min-fragments",
				   .key = "few-fragments" },
	[REASON_LOW_SCORE] = { .text = "a score below --min-score", .key = "low-score" },
	[REASON_SIZE] = { .text = "smaller than --min-size or larger than --max-size",
			  .key = "size" },
	[REASON_RECENT] = { .text = "changed too recently", .key = "recent" },
	[REASON_EXCLUDED] = { .text = "excluded", .key = "excluded" },
	[REASON_NAMELESS] = { .text = "no name of it is known to filter by", .key = "nameless" },
	[REASON_MULTIPLY_CLAIMED] = { .text = "shares blocks with another file: run e2fsck",
				      .key = "shared" },
	[REASON_MD_BITMAP] = { .text = "the bitmap of an md array, which writes to its blocks",
			       .key = "md-bitmap" },
	[REASON_NO_ROOM] = { .text = "not enough free space", .key = "no-room" },
	[REASON_NO_BETTER] = { .text = "no better place in the free space", .key = "no-better" },
	[REASON_RESERVE] = { .text = "would use free space that --reserve keeps",
			     .key = "reserve" },
	[REASON_OUTCOME] = { .text = "the blocks allocated were no better", .key = "outcome" },
	[REASON_CHANGED] = { .text = "was changed meanwhile", .key = "changed" },
	[REASON_VANISHED] = { .text = "deleted meanwhile", .key = "vanished" },
	[REASON_BUSY] = { .text = "busy", .key = "busy" },
	[REASON_FAILED] = { .text = "failed", .key = "failed" },
	[REASON_STOPPED] = { .text = "not finished when the run was stopped", .key = "stopped" },
	[REASON_UNPLANNED] = { .text = "not in the plan", .key = "unplanned" },
	[REASON_OUTSIDE] = { .text = "in the plan, but in no TARGET", .key = "outside" },
	[REASON_REPLACED] = { .text = "not the file that was planned", .key = "replaced" },
	[REASON_OUTDATED] = { .text = "changed since it was planned", .key = "outdated" },
	[REASON_TAKEN] = { .text = "the place planned for it is taken", .key = "taken" },
	[REASON_IN_PLACE] = { .text = "already where it was planned to be", .key = "in-place" },
};

const char *reason_text(enum reason reason)
{
	return reasons[reason].text;
}

const char *reason_key(enum reason reason)
{
	return reasons[reason].key ? reasons[reason].key : reasons[reason].word;
}

enum reason reason_of_word(const char *word, size_t length)
{
	int i;

	for (i = 0; i < REASONS; i++)
		if (reasons[i].word && strlen(reasons[i].word) == length &&
		    !memcmp(reasons[i].word, word, length))
			return i;
	return REASON_OTHER;
}

bool reason_is_choice(enum reason reason)
{
	switch (reason) {
	case REASON_LONG_PIECES:
	case REASON_FEW_FRAGMENTS:
	case REASON_LOW_SCORE:
	case REASON_SIZE:
	case REASON_RECENT:
	case REASON_EXCLUDED:
	case REASON_NAMELESS:
		return true;
	default:
		return false;
	}
}

enum reason reason_of_errno(int error)
{
	switch (error) {
	case ENOENT:
	case ESTALE:
		return REASON_VANISHED;
	case EBUSY:
		return REASON_BUSY;
	case ETXTBSY:
		return REASON_SWAPFILE;
	case EPERM:
		return REASON_IMMUTABLE;
	case EROFS:
		return REASON_READ_ONLY;
	case ENOSPC:
		return REASON_NO_ROOM;
	default:
		return REASON_FAILED;
	}
}
