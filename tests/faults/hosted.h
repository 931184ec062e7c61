/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A filesystem on a device whose I/O a test decides about, and its ext3meta. What goes wrong ends
 * the program with status 2: what was to be tested didn't happen.
 */
#ifndef HOSTED_H
#define HOSTED_H

#include <stddef.h>

#include "device.h"

#define HOSTED "/tmp/hosted"
#define HOST HOSTED "/host"
#define META HOSTED "/meta"

/* A new ext3 of 24 MiB in blocks of 4 KiB, on nbd0, mounted with @options; @others: more nbds. */
void hosted_start(struct device *device, unsigned int others, const char *options);
void hosted_end(void);

unsigned long hosted_ino(int fd);

/* A file of the node, and a request. */
int hosted_node(unsigned long ino, const char *name, int flags);
ssize_t hosted_ask(unsigned long ino, const char *name, unsigned long position, const char *text);

/* What data/extents has of it, as text; and the block that the first of them begins with. */
void hosted_extents(unsigned long ino, char *text, size_t size);
unsigned long hosted_first_block(unsigned long ino);

/* A child that reads by direct I/O from the device; its exit status is 0 if all was read. */
pid_t hosted_read(const struct device *device, void *to, size_t length);

#endif
