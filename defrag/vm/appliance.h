/* SPDX-License-Identifier: GPL-2.0-only */
/* The files that "make appliance" builds: the kernel and the initramfs that QEMU starts. */
#ifndef E3DEFRAG_APPLIANCE_H
#define E3DEFRAG_APPLIANCE_H

#include <stdbool.h>

struct appliance {
	int kernel, initramfs; /* descriptors of files that every user may read; -1: none */
	bool kvm;	       /* use KVM, else emulate the processor */
};

/*
 * Find the appliance of this version and open its files. Returns false after a message if there is
 * no such appliance.
 */
bool appliance_open(struct appliance *appliance);
void appliance_close(struct appliance *appliance);

#endif
