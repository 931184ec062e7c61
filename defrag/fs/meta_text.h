/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Parsing the texts of ext3meta(5) strictly: whole lines, decimal numbers, one space between
 * fields, everything in range and in order. No I/O, so that tests and fuzzing can call it with any
 * text. Each function returns 0, or -EPROTO if the text breaks a rule; then the result keeps what
 * was parsed before the error.
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
	enum reason relocatable; /* why it can't be moved; REASON_NONE: it can be */
	uint64_t size;		 /* bytes */
	uint64_t blocks;	 /* filesystem blocks, indirect ones included */
	uint32_t links;
	uint32_t generation;
	uint32_t flags;
	uint32_t uid; /* the owner; 0 if a module without META_UID does not tell */
};

struct features {
	uint32_t compat, incompat, ro_compat;
};

/* Parse one number up to @max and a newline, as in the files of super/. */
int meta_text_number(const char *text, size_t length, uint64_t max, uint64_t *value);

/* Parse a UUID in lower case and a newline. */
int meta_text_id(const char *text, size_t length, char id[37]);

int meta_text_features(const char *text, size_t length, struct features *features);

/*
 * Parse a file `info`. Unknown keys are skipped; each known key must occur exactly once, except
 * `uid`, which older modules don't have.
 */
int meta_text_info(const char *text, size_t length, struct info *info);

/*
 * Lists are read in parts: each call parses whole lines and adds them to the result of earlier
 * calls. Data, indirect blocks and free runs must lie inside the filesystem that @geo describes.
 */
int meta_text_free_blocks(const char *text, size_t length, const struct geometry *geo,
			  struct freemap *map);
int meta_text_extents(const char *text, size_t length, const struct geometry *geo,
		      struct layout *layout);
int meta_text_indirects(const char *text, size_t length, const struct geometry *geo,
			struct layout *layout);

/* One inode's record in the file `inodes`. */
struct record {
	uint32_t ino;
	bool whole;	  /* false: only its node in nodes/ has the rest */
	struct info info; /* without flags and owner */
};

/*
 * Parse the record at *@text, which ends at @end or before, and move *@text after it. The blocks
 * that it lists are put into @layout, which is cleared first.
 */
int meta_text_record(const char **text, const char *end, const struct geometry *geo,
		     struct record *record, struct layout *layout);

/* Parse a name in nodes/: an inode number from 1 up. */
int meta_text_inode(const char *name, uint32_t *ino);

#endif
