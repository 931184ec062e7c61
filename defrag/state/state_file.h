/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The file that holds the state. Whoever can write to it could make runs leave files or a whole
 * filesystem alone. So the file and its directory must belong to root or the user of the tool, and
 * must not be writable by others.
 */
#ifndef E3DEFRAG_STATE_FILE_H
#define E3DEFRAG_STATE_FILE_H

#include <stdbool.h>

#include "state/state.h"

struct state_file {
	char *path, *shown;
	int folder; /* descriptor of its directory */
	int fd;	    /* locked if it will be written; -1: there is no file */
};

/*
 * Open @path. With @writes it is created if it doesn't exist, and locked against other runs until
 * it is closed. Returns STATUS_DONE, or another exit status after a message.
 */
int state_file_open(struct state_file *file, const char *path, bool writes);
void state_file_close(struct state_file *file);

/* Read the state. If it can't be read or parsed, a message is printed and @state is empty. */
void state_file_read(const struct state_file *file, struct state *state);

/* Replace the contents by @state, atomically. Returns false after a message if that failed. */
bool state_file_write(struct state_file *file, const struct state *state);

#endif
