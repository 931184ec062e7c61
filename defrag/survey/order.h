/* SPDX-License-Identifier: GPL-2.0-only */
/* Ordering the files of a survey, the worst first, as they are moved and listed in reports. */
#ifndef E3DEFRAG_ORDER_H
#define E3DEFRAG_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "survey/files.h"

/*
 * Return the indices in survey->file of the files for which @wanted is true, by descending score,
 * then by descending fragments, then by ascending inode number, so that neighbours on the disk are
 * planned one after the other. *@count is set to how many there are. The caller frees the result.
 */
uint32_t *order_worst_first(const struct survey *survey, bool (*wanted)(const struct file *),
			    size_t *count);

#endif
