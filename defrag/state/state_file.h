/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The file that a state is kept in. Who can write to it could have files left alone, or a
 * filesystem never looked at: so it must be root's, or of who runs this, and so must its folder.
 */
#ifndef E3DEFRAG_STATE_FILE_H
#define E3DEFRAG_STATE_FILE_H

#include <stdbool.h>

#include "state/state.h"

struct state_file {
	char *path, *shown;
	int folder;
	int fd; /* locked, if it is to be written; -1: there is no such file */
};

/*
 * Open @path. To write (@writes), it is made if it isn't there, and is this run's alone until it is
 * closed. STATUS_DONE; else a message tells why not, and the exit status is returned.
 */
int state_file_open(struct state_file *file, const char *path, bool writes);
void state_file_close(struct state_file *file);

/* What it holds; what can't be understood is complained about, and is nothing. */
void state_file_read(const struct state_file *file, struct state *state);

/* Put @state in place of what it holds, as a whole. False if that failed, complained about. */
bool state_file_write(struct state_file *file, const struct state *state);

#endif
