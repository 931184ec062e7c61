// SPDX-License-Identifier: GPL-2.0-only
#include "vm/lease.h"

#include <fcntl.h>
#include <signal.h>

/*
 * Only the owner of a file and root get a lease, some filesystems have none, and with a lease to
 * write, nobody else may have the file open, not even to read. None of that is a reason not to
 * work: what was in use when the work began was refused before.
 */
static void try(struct lease *lease)
{
	lease->held = !fcntl(lease->fd, F_SETLEASE, lease->readonly ? F_RDLCK : F_WRLCK);
}

void lease_take(struct lease *lease, int fd, bool readonly)
{
	*lease = (struct lease){ .fd = fd, .readonly = readonly };
	/* The signal of a lease that is broken: lease_broken() asks instead. */
	signal(SIGIO, SIG_IGN);
	try(lease);
}

bool lease_broken(struct lease *lease)
{
	/* The kind of lease that would let the other program go on. */
	int wanted;

	if (!lease->held) {
		try(lease);
		return false;
	}
	wanted = fcntl(lease->fd, F_GETLEASE);
	if (wanted == (lease->readonly ? F_RDLCK : F_WRLCK))
		return false;
	if (wanted == F_RDLCK) {
		fcntl(lease->fd, F_SETLEASE, F_UNLCK);
		lease->held = false;
		return false;
	}
	/* The lease is kept until the machine has ended. */
	return true;
}
