/* SPDX-License-Identifier: GPL-2.0-only */
/* A filesystem, or a user's quota, that has only so many blocks left. */
#ifndef ROOM_H
#define ROOM_H

#include <stdbool.h>

#include "device.h"

/* Files of one block each; with @quota one of them is user 1000's. */
void room_populate(unsigned int blocksize, bool quota);
/* Takes all blocks that are free, and gives back @blocks of those of the small files. */
void room_leave(const struct device *device, unsigned int blocks);
void room_limit(const struct device *device, unsigned int blocks, unsigned int blocksize);
/* Gives back what was taken. */
void room_release(void);

#endif
