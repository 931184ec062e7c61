/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Noticing that another program opens an image file while the machine works on it. The opener waits
 * while the lease is held, up to /proc/sys/fs/lease-break-time, which is 45 seconds by default.
 */
#ifndef E3DEFRAG_LEASE_H
#define E3DEFRAG_LEASE_H

#include <stdbool.h>

struct lease {
	int fd; /* QEMU has the same open file, so the lease lasts as long as QEMU uses it */
	bool readonly;
	bool held;
};

/* Take a lease on the file @fd, if that is possible. */
void lease_take(struct lease *lease, int fd, bool readonly);

/*
 * Call this every now and then. Returns true if another program is about to open the file for
 * writing. Programs that only read it may do so: the lease is given up for them, and taken again.
 */
bool lease_broken(struct lease *lease);

#endif
