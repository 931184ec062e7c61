/* SPDX-License-Identifier: GPL-2.0-only */
/* Loading a kernel module by modprobe(8), so that the system's configuration of it applies. */
#ifndef E3DEFRAG_MODPROBE_H
#define E3DEFRAG_MODPROBE_H

#include <stddef.h>

/*
 * Run modprobe(8) for the module @name. There is no return value: the caller tries again what
 * needs the module. @why (@size bytes) gets the last line that modprobe printed, "" if it printed
 * none.
 */
void modprobe(const char *name, char *why, size_t size);

#endif
