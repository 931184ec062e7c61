/* SPDX-License-Identifier: GPL-2.0-only */
/* The reports that go to files: the guest sends them, and they are written here. */
#ifndef E3DEFRAG_VM_FILES_H
#define E3DEFRAG_VM_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/output.h"
#include "options.h"

/* How many options name a file to write. */
#define FILES 5

struct files {
	struct output output[FILES];
	uint64_t room[FILES];  /* half of what was free on the filesystem that it goes to */
	bool announced[FILES]; /* one was sent, or is being sent */
	bool complete[FILES];  /* all of it was received */
	uint64_t limit, sent;  /* bytes of all of them, and how many were announced */
	size_t current;	       /* the one being received; FILES: none that is wanted */
	uint64_t rest;	       /* bytes of it to come */
};

/* The option of @options that names a file which can't be passed to the guest; NULL if none. */
const char *files_strange(const struct options *options);

/* Open those of @options. Returns false after a message. */
bool files_open(struct files *files, const struct options *options);

/* Write the names of those that the guest is to send, for a shell. */
void files_list(const struct files *files, FILE *stream);

/*
 * The guest announces a report, @size bytes that follow. Returns false if it is not one that was
 * asked for, is sent again, or is too large to be accepted; it can be received all the same, but
 * goes nowhere.
 */
bool files_announce(struct files *files, const char *name, uint64_t size);
/* Receive the next bytes, files->rest at most. */
void files_receive(struct files *files, const char *text, size_t size);

/*
 * Complete the files that were received as a whole; of the others the old file stays. Returns false
 * after a message if one can't be written.
 */
bool files_commit(struct files *files);

#endif
