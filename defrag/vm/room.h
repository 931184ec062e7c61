/* SPDX-License-Identifier: GPL-2.0-only */
/* What a guest may take of a filesystem that others use. */
#ifndef E3DEFRAG_ROOM_H
#define E3DEFRAG_ROOM_H

#include <stdint.h>

/* In bytes, half of what is free on the filesystem of the file @fd; 0 if that is not known. */
uint64_t room_of(int fd);

#endif
