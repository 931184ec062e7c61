/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A mounted filesystem of which nothing but what the kernel pins is in memory: whatever the next
 * request looks at, it must read.
 */
#ifndef COLD_H
#define COLD_H

#include <stdbool.h>
#include <stdint.h>

#include "device.h"

/* Once, when @device is there; @dir is where it is mounted. */
void cold_know(struct device *device, const char *dir);
/*
 * All that is dirty is written to its place, the journal emptied, and every clean page, inode and
 * entry dropped. The device isn't to count meanwhile. NULL, or a complaint.
 */
const char *cold(void);
/* Whether the page that holds these bytes of the device is still in memory. */
bool cold_resident(uint64_t byte);
/* Clean pages only, and nothing is waited for: from within the device itself, which is @fd. */
void cold_drop_pages(int fd);

#endif
