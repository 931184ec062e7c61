// SPDX-License-Identifier: GPL-2.0-only
#include "reason.h"

#include <errno.h>
#include <string.h>

static const struct {
	const char *word; /* of `relocatable`, if it is one */
	const char *text;
	const char *key; /* for programs, where that word is none */
} reasons[REASONS] = {
	[REASON_NONE] = { "yes", "can be moved", "none" },
	[REASON_TYPE] = { "type", "not a regular file" },
	[REASON_EXTENTS] = { "extents", "mapped by extents: a case for e4defrag" },
	[REASON_INLINE] = { "inline", "data lies in the inode" },
	[REASON_UNMAPPED] = { "none", "has no blocks to map", "unmapped" },
	[REASON_ENCRYPTED] = { "encrypted", "encrypted" },
	[REASON_VERITY] = { "verity", "sealed by fs-verity" },
	[REASON_DAX] = { "dax", "direct access (DAX) is on" },
	[REASON_EA_INODE] = { "ea-inode", "holds an extended attribute" },
	[REASON_BIGALLOC] = { "bigalloc", "the filesystem allocates in clusters" },
	[REASON_SWAPFILE] = { "swapfile", "a swap file in use" },
	[REASON_QUOTA] = { "quota", "a quota file" },
	[REASON_IMMUTABLE] = { "immutable", "immutable" },
	[REASON_APPEND_ONLY] = { "append-only", "append-only" },
	[REASON_DELETED] = { "deleted", "deleted, only held open" },
	[REASON_READ_ONLY] = { "read-only", "the filesystem is mounted read-only" },
	[REASON_NO_JOURNAL] = { "no-journal", "the filesystem has no journal" },
	[REASON_UNCHECKED] = { "unchecked", "the filesystem is mounted with noblock_validity" },
	[REASON_OTHER] = { NULL, "ext3meta can't move it", "other" },
	[REASON_EMPTY] = { NULL, "no blocks", "empty" },
	[REASON_PERFECT] = { NULL, "already in one fragment", "perfect" },
	[REASON_LONG_PIECES] = { NULL, "pieces long enough", "long-pieces" },
	[REASON_SHARED] = { NULL, "shares blocks with another file: run e2fsck", "shared" },
	[REASON_NO_ROOM] = { NULL, "not enough free space", "no-room" },
	[REASON_NO_BETTER] = { NULL, "free space has no better place", "no-better" },
	[REASON_OUTCOME] = { NULL, "the blocks got were no better", "outcome" },
	[REASON_CHANGED] = { NULL, "was changed meanwhile", "changed" },
	[REASON_VANISHED] = { NULL, "deleted meanwhile", "vanished" },
	[REASON_BUSY] = { NULL, "busy", "busy" },
	[REASON_FAILED] = { NULL, "failed", "failed" },
	[REASON_STOPPED] = { NULL, "the run was stopped before", "stopped" },
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
