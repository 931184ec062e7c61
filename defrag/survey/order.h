/* SPDX-License-Identifier: GPL-2.0-only */
/* The files of a survey in the order in which they are worth looking at: the worst first. */
#ifndef E3DEFRAG_ORDER_H
#define E3DEFRAG_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "survey/files.h"

/*
 * The numbers of the files that are @wanted, by score, those of equal score by fragments, the
 * highest first; of equals the one with the lowest inode number, so that neighbours on the disk
 * are planned one after the other. malloc'd; their number goes to @count.
 */
uint32_t *order_worst_first(const struct survey *survey, bool (*wanted)(const struct file *),
			    size_t *count);

#endif
