/* SPDX-License-Identifier: GPL-2.0-only */
/* QEMU with the appliance's kernel in it, and the channels that lead there. */
#ifndef E3DEFRAG_QEMU_H
#define E3DEFRAG_QEMU_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "vm/image.h"

/* What "make appliance" built. */
struct appliance {
	char *kernel, *initramfs;
	bool kvm;
};

enum channel {
	CHANNEL_CONTROL, /* both ways; what is said there stands in contrib/appliance/init */
	CHANNEL_OUT,
	CHANNEL_ERR,
	CHANNEL_LOG, /* of the kernel, and what QEMU itself has to say */
	CHANNELS
};

struct qemu {
	pid_t pid;
	int fd[CHANNELS]; /* -1: closed */
	char log[4096];	  /* the end of what came by CHANNEL_LOG */
	size_t logged;
};

/*
 * Find the appliance of this version, and whether KVM works here, which takes ten seconds where it
 * hangs. False, with a message, if there is none.
 */
bool appliance_find(struct appliance *appliance);
void appliance_free(struct appliance *appliance);

/* Start one on @image, or without a disk if that is NULL. False, with a message, if that fails. */
bool qemu_start(struct qemu *qemu, const struct appliance *appliance, const struct image *image);
/* More of the log is there to be read. */
void qemu_log(struct qemu *qemu);
/* Print the end of the log. */
void qemu_tell(const struct qemu *qemu);
/* Wait for its end, when all of the channels have ended. Returns the status as waitpid() does. */
int qemu_end(struct qemu *qemu);

#endif
