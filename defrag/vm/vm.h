/* SPDX-License-Identifier: GPL-2.0-only */
/* Running the tool in the appliance, a small virtual machine with ext3meta, for --vm. */
#ifndef E3DEFRAG_VM_H
#define E3DEFRAG_VM_H

#include "options.h"

/* Do the whole run in the machine. Prints messages and returns an exit status. */
int vm_run(const struct options *options);

#endif
