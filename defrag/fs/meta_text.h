/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The texts of ext3meta, read strictly: whole lines, decimal numbers, one space between fields,
 * everything in range and in order. Pure functions of the bytes. Each returns 0, or -EPROTO for
 * what breaks a rule; then what was read before stays in the result.
 */
#ifndef E3DEFRAG_META_TEXT_H
#define E3DEFRAG_META_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plan/freemap.h"
#include "plan/layout.h"
#include "plan/reason.h"

enum file_type { TYPE_REGULAR, TYPE_DIRECTORY, TYPE_OTHER };
enum mapping { MAPPING_INDIRECT, MAPPING_EXTENTS, MAPPING_INLINE, MAPPING_NONE };

struct info {
	enum file_type type;
	enum mapping mapping;
	enum reason relocatable; /* REASON_NONE: yes */
	uint64_t size;		 /* bytes */
	uint64_t blocks;	 /* filesystem blocks, indirect ones included */
	uint32_t links;
	uint32_t generation;
	uint32_t flags;
};

struct features {
	uint32_t compat, incompat, ro_compat;
};

/* One number up to @max and a newline: the files of super/. */
int meta_text_number(const char *text, size_t length, uint64_t max, uint64_t *value);

/* A UUID in lower case and a newline. */
int meta_text_id(const char *text, size_t length, char id[37]);

int meta_text_features(const char *text, size_t length, struct features *features);

/* Keys it doesn't know are passed over; each it does know must come once. */
int meta_text_info(const char *text, size_t length, struct info *info);

/*
 * Lists come in parts: each call adds whole lines to what earlier ones gave. Data, indirect blocks
 * and free runs must lie inside the filesystem that @geo describes.
 */
int meta_text_free_blocks(const char *text, size_t length, const struct geometry *geo,
			  struct freemap *map);
int meta_text_extents(const char *text, size_t length, const struct geometry *geo,
		      struct layout *layout);
int meta_text_indirects(const char *text, size_t length, const struct geometry *geo,
			struct layout *layout);

/* One object's part of `inodes`. */
struct record {
	uint32_t ino;
	bool whole;	  /* else all of it is to be had from its node only */
	struct info info; /* all but its flags */
};

/*
 * Read the record at *@text, which ends at @end or before, and move *@text behind it. Its lines of
 * blocks fill @layout, which is cleared first.
 */
int meta_text_record(const char **text, const char *end, const struct geometry *geo,
		     struct record *record, struct layout *layout);

/* A name in nodes/: an inode number from 1 up. -EPROTO for anything else. */
int meta_text_inode(const char *name, uint32_t *ino);

#endif
