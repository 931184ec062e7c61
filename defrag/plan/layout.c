// SPDX-License-Identifier: GPL-2.0-only
#include "plan/layout.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

void layout_init(struct layout *layout)
{
	memset(layout, 0, sizeof(*layout));
}

void layout_free(struct layout *layout)
{
	free(layout->extent);
	free(layout->indirect);
	layout_init(layout);
}

void layout_clear(struct layout *layout)
{
	layout->extents = 0;
	layout->data = 0;
	layout->indirects = 0;
}

int layout_add_extent(struct layout *layout, uint32_t logical, uint32_t physical, uint32_t length)
{
	struct extent *last = NULL;

	if (!length || (uint64_t)logical + length > UINT32_MAX ||
	    (uint64_t)physical + length > (uint64_t)UINT32_MAX + 1)
		return -EPROTO;
	if (layout->extents) {
		last = &layout->extent[layout->extents - 1];
		if (logical < last->logical + last->length)
			return -EPROTO;
		if (logical == last->logical + last->length &&
		    physical == last->physical + last->length) {
			last->length += length;
			layout->data += length;
			return 0;
		}
	}
	vec_more(layout->extent, layout->extents, layout->extent_room);
	layout->extent[layout->extents++] = (struct extent){ logical, physical, length };
	layout->data += length;
	return 0;
}

int layout_add_indirect(struct layout *layout, uint32_t level, uint32_t logical, uint32_t physical)
{
	struct indirect *last;

	if (level < 1 || level > 3)
		return -EPROTO;
	if (layout->indirects) {
		last = &layout->indirect[layout->indirects - 1];
		if (logical < last->logical || (logical == last->logical && level >= last->level))
			return -EPROTO;
	}
	vec_more(layout->indirect, layout->indirects, layout->indirect_room);
	layout->indirect[layout->indirects++] = (struct indirect){ logical, physical, level };
	return 0;
}

bool layout_holds(const struct layout *now, const struct layout *old)
{
	size_t i;

	if (now->extents < old->extents || now->indirects < old->indirects)
		return false;
	for (i = 0; i < old->extents; i++) {
		const struct extent *a = &now->extent[i], *b = &old->extent[i];

		if (a->logical != b->logical || a->physical != b->physical)
			return false;
		if (a->length != b->length && (i + 1 < old->extents || a->length < b->length))
			return false;
	}
	for (i = 0; i < old->indirects; i++) {
		const struct indirect *a = &now->indirect[i], *b = &old->indirect[i];

		if (a->logical != b->logical || a->physical != b->physical || a->level != b->level)
			return false;
	}
	return true;
}

uint32_t block_group(const struct geometry *geo, uint64_t block)
{
	return (uint32_t)((block - geo->first_block) / geo->blocks_per_group);
}

uint32_t inode_group(const struct geometry *geo, uint32_t ino)
{
	return (ino - 1) / geo->inodes_per_group;
}

uint64_t indirect_span(const struct geometry *geo, uint32_t level)
{
	uint64_t pointers = geo->blocksize / 4, span = 1;

	while (level--)
		span *= pointers;
	return span;
}
