/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading the attributes and block layouts of many inodes: from the file `inodes`, which returns
 * hundreds of them in one read, or each from its own files.
 */
#ifndef E3DEFRAG_SCAN_H
#define E3DEFRAG_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/meta.h"
#include "fs/meta_text.h"
#include "plan/layout.h"

/* One inode; the layout is empty if it is not mapped by indirect blocks. */
struct scan_result {
	uint32_t ino;
	int err; /* 0, or -errno; then only ino is valid */
	struct info info;
	struct layout layout;
};
typedef void (*scan_fn)(void *to, struct scan_result *result);

/*
 * Read the inodes @inodes (@count of them, ascending), or all that are in use if it is NULL, and
 * pass each to @fn. Inodes that are deleted meanwhile may be left out. Ends early, without an
 * error, when *@stop is set. A @gentle scan reads little at a time. Returns 0 or -errno.
 */
int scan(struct meta *meta, const uint32_t *inodes, size_t count, bool gentle,
	 const volatile int *stop, scan_fn fn, void *to);

#endif
