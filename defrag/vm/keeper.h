/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What ends the machine if the tool is killed. A guest notices that by itself and unmounts, but one
 * that hangs, or was taken over, would have the image for ever.
 */
#ifndef E3DEFRAG_KEEPER_H
#define E3DEFRAG_KEEPER_H

#include <stdbool.h>
#include <sys/types.h>

/* How long a guest whose tool was killed has to unmount, in seconds. */
#define KEEPER_PATIENCE 60

struct keeper {
	pid_t pid; /* -1: none */
	int fd;	   /* while the tool has it open it lives */
};

/* Start a process that watches this one and the QEMU process @qemu. False if that is impossible. */
bool keeper_start(struct keeper *keeper, pid_t qemu);
/* End it, after QEMU has ended. */
void keeper_end(struct keeper *keeper);

#endif
