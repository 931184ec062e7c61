/* SPDX-License-Identifier: GPL-2.0-only */
/* The file that a plan is read from, if nobody else can have written it. */
#ifndef E3DEFRAG_PLANFILE_READ_H
#define E3DEFRAG_PLANFILE_READ_H

#include "planfile/planfile.h"

/*
 * Read the plan in @path, which must be a file that only root or the user of the tool can write.
 * Returns STATUS_DONE, or another exit status after a message, with @plan empty.
 */
int planfile_read(struct planfile *plan, const char *path);

#endif
