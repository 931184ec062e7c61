// SPDX-License-Identifier: GPL-2.0-only
/* The reads that a request can't do without: if there was none, what it reads wasn't evicted. */
#include <stdio.h>
#include <string.h>

#include "fixture.h"
#include "reread.h"

struct must {
	enum op op;
	const char *site;
	unsigned int levels; /* from so many on */
	bool dropped;	     /* only where inodes are evicted */
};

static const struct must move_must[] = {
	{ OP_DONOR, "inode bitmap", 0, false },
	{ OP_DONOR, "inode table, donor", 0, false },
	{ OP_OPEN, "inode table, original", 0, true },
	{ OP_META_ALLOC, "block bitmap", 2, false },
	{ OP_META_ALLOC, "inode table, donor", 2, false },
	{ OP_META_ALLOC, "indirect block, donor", 3, false },
	{ OP_ALLOC, "block bitmap", 0, false },
	{ OP_ALLOC, "inode table, donor", 0, false },
	{ OP_ALLOC, "indirect block, donor", 1, false },
	{ OP_RELOC, "inode table, original", 0, false },
	{ OP_RELOC, "inode table, donor", 0, false },
	{ OP_RELOC, "indirect block, original", 1, false },
	{ OP_RELOC, "indirect block, donor", 1, false },
	{ OP_RELOC, "file data", 0, false },
	{ OP_META_RELOC, "inode table, original", 1, false },
	{ OP_META_RELOC, "inode table, donor", 1, false },
	{ OP_META_RELOC, "indirect block, original", 1, false },
	{ OP_META_RELOC, "indirect block, donor", 1, false },
};

static const struct must named_must[] = {
	{ OP_OPEN, "inode table, named file", 0, true },
	{ OP_META_ALLOC, "block bitmap", 2, false },
	{ OP_META_ALLOC, "inode table, named file", 2, false },
	{ OP_META_ALLOC, "indirect block, named file", 3, false },
	{ OP_ALLOC, "block bitmap", 0, false },
	{ OP_ALLOC, "inode table, named file", 0, false },
};

static const struct must tool_must[] = {
	{ OP_TOOL, "inode bitmap", 0, false },	{ OP_TOOL, "inode table, original", 0, false },
	{ OP_TOOL, "block bitmap", 0, false },	{ OP_TOOL, "file data", 0, false },
	{ OP_TOOL, "file indirect", 1, false },
};

unsigned int reread_missing(unsigned int levels, bool dropped, const struct cold_read *reads,
			    unsigned int count)
{
	const struct must *must = move_must;
	size_t rows = sizeof(move_must) / sizeof(*move_must), i;
	unsigned int bad = 0, n;

	if (is_scene("named")) {
		must = named_must;
		rows = sizeof(named_must) / sizeof(*named_must);
	} else if (is_scene("tool")) {
		must = tool_must;
		rows = sizeof(tool_must) / sizeof(*tool_must);
	}
	for (i = 0; i < rows; i++) {
		if (levels < must[i].levels || (must[i].dropped && !dropped))
			continue;
		for (n = 0; n < count; n++)
			if ((enum op)reads[n].io.tag == must[i].op &&
			    !strcmp(reads[n].site, must[i].site))
				break;
		if (n < count)
			continue;
		printf("BAD: %s never had to read: %s\n", op_names[must[i].op], must[i].site);
		bad++;
	}
	return bad;
}
