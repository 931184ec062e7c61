/* SPDX-License-Identifier: GPL-2.0-only */
/* One look at many objects: by `inodes` as many a read as fit, or each by its own files. */
#ifndef E3DEFRAG_SCAN_H
#define E3DEFRAG_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/meta.h"
#include "fs/meta_text.h"
#include "plan/layout.h"

/* What was found; the layout is empty where the object is not mapped by blocks. */
struct scan_result {
	uint32_t ino;
	int err; /* -errno; then there is nothing else */
	struct info info;
	struct layout layout;
};
typedef void (*scan_fn)(void *to, struct scan_result *result);

/*
 * Look at the objects @inodes (@count of them, ascending), or at all in use if it is NULL, and
 * hand each to @fn; those that are gone by then may be left out. Ends early, without an error, when
 * *@stop is set. A @gentle look reads little at a time. Returns 0 or -errno.
 */
int scan(struct meta *meta, const uint32_t *inodes, size_t count, bool gentle,
	 const volatile int *stop, scan_fn fn, void *to);

#endif
