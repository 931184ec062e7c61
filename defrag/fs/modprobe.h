/* SPDX-License-Identifier: GPL-2.0-only */
/* Has a kernel module loaded, as an administrator would do it by hand. */
#ifndef E3DEFRAG_MODPROBE_H
#define E3DEFRAG_MODPROBE_H

#include <stddef.h>

/*
 * Run modprobe(8) for module @name. Whether that helped, the caller sees by trying again. @why
 * gets the last line of what modprobe had to say, "" if that was nothing.
 */
void modprobe(const char *name, char *why, size_t size);

#endif
