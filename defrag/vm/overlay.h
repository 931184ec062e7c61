/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For a report nothing is written to the image: what the guest writes, as when it replays the
 * journal, goes to a temporary file in QEMU's format qcow2 that lies over the image.
 */
#ifndef E3DEFRAG_OVERLAY_H
#define E3DEFRAG_OVERLAY_H

#include <stdint.h>

/*
 * Make an empty overlay for a disk of @size bytes, in a file without a name, and set *@largest to
 * what it may grow to. Returns its descriptor, or -1 after a message.
 */
int overlay_make(uint64_t size, uint64_t *largest);

#endif
