/* SPDX-License-Identifier: GPL-2.0-only */
/* Starting QEMU with the appliance, and without any rights. */
#ifndef E3DEFRAG_QEMU_H
#define E3DEFRAG_QEMU_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "vm/appliance.h"
#include "vm/channel.h"
#include "vm/image.h"
#include "vm/keeper.h"

struct qemu {
	pid_t pid;
	struct keeper keeper;
	int fd[CHANNELS]; /* -1: closed */
	char log[4096];	  /* the last bytes received from CHANNEL_LOG */
	size_t logged;
};

/* True if a guest boots on KVM, which takes ten seconds to find out if it hangs. */
bool qemu_kvm_works(struct appliance *appliance);

/*
 * Start QEMU with @image as its disk, or without a disk if that is NULL. Returns false after a
 * message if that fails.
 */
bool qemu_start(struct qemu *qemu, const struct appliance *appliance, const struct image *image);
/* Read what has arrived on CHANNEL_LOG. */
void qemu_log(struct qemu *qemu);
/* Print the end of the log. */
void qemu_tell(const struct qemu *qemu);
/* Wait until QEMU ends, after all channels have ended. Returns the status like waitpid(2). */
int qemu_end(struct qemu *qemu);

#endif
