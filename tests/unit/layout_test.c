// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>

#include "plan/layout.h"
#include "tap.h"

void test_layout(void)
{
	const struct geometry geo = { .blocksize = 4096,
				      .first_block = 0,
				      .blocks_per_group = 32768,
				      .inodes_per_group = 8192 };
	struct layout old, now;

	layout_init(&old);
	layout_init(&now);
	layout_add_extent(&old, 0, 100, 12);
	layout_add_indirect(&old, 1, 12, 112);
	layout_add_extent(&old, 12, 113, 10);
	is(old.data, 22, "data counts data only");

	layout_add_extent(&now, 0, 100, 12);
	layout_add_indirect(&now, 1, 12, 112);
	layout_add_extent(&now, 12, 113, 10);
	ok(layout_holds(&now, &old), "the same layout holds");
	layout_add_extent(&now, 22, 123, 5);
	ok(layout_holds(&now, &old), "so does one that grew in place");
	layout_add_extent(&now, 40, 500, 5);
	layout_add_indirect(&now, 2, 1036, 600);
	ok(layout_holds(&now, &old), "and one that grew elsewhere");
	ok(!layout_holds(&old, &now), "but not one that shrank");
	now.indirect[0].physical++;
	ok(!layout_holds(&now, &old), "nor one with another indirect block");
	now.indirect[0].physical--;
	now.extent[1].physical++;
	ok(!layout_holds(&now, &old), "nor one with other data blocks");
	now.extent[1].physical--;
	now.extent[0].length--;
	ok(!layout_holds(&now, &old), "nor one with a new hole");

	is(layout_add_extent(&old, 21, 900, 1), -EPROTO, "an extent may not overlap the last");
	is(layout_add_indirect(&old, 1, 12, 900), -EPROTO, "nor an indirect block repeat");
	is(layout_add_extent(&old, UINT32_MAX, 900, 1), -EPROTO, "nor a file be too long");
	is(block_group(&geo, 32767), 0, "the last block of group 0");
	is(block_group(&geo, 32768), 1, "the first block of group 1");
	is(inode_group(&geo, 8192), 0, "the last inode of group 0");
	is(inode_group(&geo, 8193), 1, "the first inode of group 1");
	is(indirect_span(&geo, 1), 1024, "span of level 1");
	is(indirect_span(&geo, 3), 1073741824, "span of level 3");
	layout_free(&old);
	layout_free(&now);
}
