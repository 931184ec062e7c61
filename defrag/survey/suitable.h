/* SPDX-License-Identifier: GPL-2.0-only */
/* For --all: skipping filesystems on which no file can be moved, since the user named none. */
#ifndef E3DEFRAG_SUITABLE_H
#define E3DEFRAG_SUITABLE_H

#include "fs/meta.h"
#include "pacing/throttle.h"

/*
 * Scan the inodes of a filesystem until one shows whether files can be moved. Returns NULL if the
 * filesystem is worth a run, else a static text that says why it isn't. Also returns NULL when
 * *@stop is set or the scan fails: the run itself then meets the same and reports it.
 */
const char *unsuitable(struct meta *meta, struct throttle *throttle, const volatile int *stop);

#endif
