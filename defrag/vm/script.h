/* SPDX-License-Identifier: GPL-2.0-only */
/* What the guest is told: the settings, which its init reads as a shell script. */
#ifndef E3DEFRAG_SCRIPT_H
#define E3DEFRAG_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "options.h"
#include "vm/files.h"
#include "vm/image.h"

struct settings {
	const struct options *options;
	const struct image *image;
	const struct files *files;
	bool merge;	  /* standard error goes to standard output */
	uint64_t seconds; /* what is left of --time; 0: any time */
};

/* Return the script, malloc'd, and its length. */
char *script_make(const struct settings *settings, size_t *size);

#endif
