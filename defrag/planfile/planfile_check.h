/* SPDX-License-Identifier: GPL-2.0-only */
/* The rules of a plan beyond those of JSON, which planfile_parse.c applies. No I/O. */
#ifndef E3DEFRAG_PLANFILE_CHECK_H
#define E3DEFRAG_PLANFILE_CHECK_H

#include <stdbool.h>

#include "planfile/planfile.h"

/*
 * Decode a name that printable() has encoded, into malloc'd bytes. NULL if printable() can't have
 * returned @text.
 */
char *planfile_name(const char *text, size_t length);

/* Parse exactly @count hexadecimal digits in lower case; and a UUID. False for anything else. */
bool planfile_hex(const char *text, size_t length, size_t count, uint64_t *value);
bool planfile_id(const char *text, size_t length, char id[37]);

/*
 * Check the moves of @fs: no file may be moved twice, no block may be used twice, and none may be
 * past the end of the filesystem. Returns NULL, or a text that says what is wrong and where,
 * malloc'd.
 */
char *planfile_check(const struct planfile *plan, const struct planfile_fs *fs);

#endif
