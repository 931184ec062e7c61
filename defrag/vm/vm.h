/* SPDX-License-Identifier: GPL-2.0-only */
/* The appliance: this tool and ext3meta in a small virtual machine, for --vm. */
#ifndef E3DEFRAG_VM_H
#define E3DEFRAG_VM_H

#include "options.h"

/* The whole run, in the machine. Messages are printed. Returns an exit status. */
int vm_run(const struct options *options);

#endif
