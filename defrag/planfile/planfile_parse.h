/* SPDX-License-Identifier: GPL-2.0-only */
/* The text of a plan to a struct planfile. */
#ifndef E3DEFRAG_PLANFILE_PARSE_H
#define E3DEFRAG_PLANFILE_PARSE_H

#include "planfile/planfile.h"

/*
 * Parse the plan from @fd. Returns NULL, or a text that says what is wrong with it and where,
 * malloc'd.
 */
char *planfile_parse(struct planfile *plan, int fd);

#endif
