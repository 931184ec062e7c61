/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rights that QEMU runs with. It interprets what a kernel does that has mounted a filesystem of
 * unknown origin, so it gets descriptors for what it needs, and the right to nothing else.
 */
#ifndef E3DEFRAG_CONFINE_H
#define E3DEFRAG_CONFINE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct confinement {
	bool change; /* whether the process becomes another user */
	uid_t uid;
	gid_t gid;
	uint64_t file_size; /* the largest file that it may write, in bytes */
};

/* Choose the user for QEMU, which needs access to /dev/kvm if @kvm. */
void confine_choose(struct confinement *confinement, bool kvm);

/*
 * Give up all rights. To be called in a child process, right before it executes QEMU. Returns NULL,
 * or what could not be done, with errno set: then QEMU must not be executed.
 */
const char *confine(const struct confinement *confinement);

#endif
