/* SPDX-License-Identifier: GPL-2.0-only */
/* With --all: is there anything to do for us on a filesystem that nobody named? */
#ifndef E3DEFRAG_SUITABLE_H
#define E3DEFRAG_SUITABLE_H

#include "fs/meta.h"
#include "pacing/throttle.h"

/*
 * Look at its files, up to the first one that tells. Returns NULL if it is worth a run, else why it
 * isn't. When *@stop is set, or the look fails, it is: who goes on sees the same.
 */
const char *unsuitable(struct meta *meta, struct throttle *throttle, const volatile int *stop);

#endif
