/* SPDX-License-Identifier: GPL-2.0-only */
/* Starting QEMU with the appliance's kernel, and the channels between it and the tool. */
#ifndef E3DEFRAG_QEMU_H
#define E3DEFRAG_QEMU_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "vm/image.h"

/* The files that "make appliance" builds, and whether to use KVM. */
struct appliance {
	char *kernel, *initramfs;
	bool kvm;
};

enum channel {
	CHANNEL_CONTROL, /* in both directions; contrib/appliance/init describes its protocol */
	CHANNEL_OUT,
	CHANNEL_ERR,
	CHANNEL_LOG, /* the log of the guest's kernel, and messages of QEMU */
	CHANNELS
};

struct qemu {
	pid_t pid;
	int fd[CHANNELS]; /* -1: closed */
	char log[4096];	  /* the last bytes received from CHANNEL_LOG */
	size_t logged;
};

/*
 * Find the appliance of this version, and find out whether KVM works here, which takes ten seconds
 * if it hangs. Returns false after a message if there is no such appliance.
 */
bool appliance_find(struct appliance *appliance);
void appliance_free(struct appliance *appliance);

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
