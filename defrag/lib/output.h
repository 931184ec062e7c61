/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A file that is there as a whole or not at all: written under another name in the same folder, it
 * gets its own name when it is complete and on the disk.
 */
#ifndef E3DEFRAG_OUTPUT_H
#define E3DEFRAG_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

struct output {
	FILE *stream; /* to write to; NULL if it isn't open */
	char *shown;  /* the path as given, printable */
	char *name;   /* in the folder; NULL for standard output */
	char *temporary;
	int folder;
};

/*
 * Begin to write @path with @mode, less what the umask takes if @masked; "-" is standard output,
 * which from then on is this file's alone. What is no regular file is never replaced, nor is a
 * symbolic link followed. A message tells of an error.
 */
bool output_open(struct output *output, const char *path, mode_t mode, bool masked);

/* Complete it; a message tells if anything could not be written. It is closed in any case. */
bool output_commit(struct output *output);

/* Leave what was there before. Nothing happens if it isn't open. */
void output_drop(struct output *output);

#endif
