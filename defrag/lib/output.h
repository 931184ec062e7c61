/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writing a file atomically: it is written under a temporary name in the same directory and renamed
 * only when it is complete and on the disk, so that a reader never sees a part of it.
 */
#ifndef E3DEFRAG_OUTPUT_H
#define E3DEFRAG_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

struct output {
	FILE *stream; /* to write to; NULL if it isn't open */
	char *shown;  /* the path as given, printable */
	char *name;   /* within the directory; NULL for standard output */
	char *temporary;
	int folder; /* descriptor of the directory */
};

/*
 * Begin to write @path with @mode, whatever the umask says. "-" is standard output; from then on
 * nothing else is written there. Refuses to replace anything but a regular file, and does not
 * follow a symbolic link. Returns false after printing a message.
 */
bool output_open(struct output *output, const char *path, mode_t mode);

/*
 * Complete the file and give it its name. It is closed in any case. Returns false, after printing a
 * message, if anything could not be written.
 */
bool output_commit(struct output *output);

/* Discard the new file and keep the one that was there before. No effect if it isn't open. */
void output_drop(struct output *output);

#endif
