/* SPDX-License-Identifier: GPL-2.0-only */
/* What JSON allows, and a plan doesn't; for planfile_parse.c. */
#ifndef E3DEFRAG_PLANFILE_CHECK_H
#define E3DEFRAG_PLANFILE_CHECK_H

#include <stdbool.h>

#include "planfile/planfile.h"

/* What printable() made, back to what it was made of, malloc'd; NULL if it never made that. */
char *planfile_name(const char *text, size_t length);

/* Exactly @count hexadecimal digits, as they are written. */
bool planfile_hex(const char *text, size_t length, size_t count, uint64_t *value);
bool planfile_id(const char *text, size_t length, char id[37]);

/*
 * In the moves of @fs: no file twice, no block twice, and none past the end. NULL, or what is wrong
 * where; malloc'd.
 */
char *planfile_check(const struct planfile *plan, const struct planfile_fs *fs);

#endif
