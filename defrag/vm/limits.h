/* SPDX-License-Identifier: GPL-2.0-only */
/* How much the guest may send: a guest that was taken over must not fill a disk or a terminal. */
#ifndef E3DEFRAG_LIMITS_H
#define E3DEFRAG_LIMITS_H

#include <stdint.h>

#include "options.h"
#include "vm/image.h"

/* Bytes of all reports in files, and of the text on standard output and standard error. */
uint64_t limit_reports(const struct image *image);
uint64_t limit_text(const struct options *options, const struct image *image);

#endif
