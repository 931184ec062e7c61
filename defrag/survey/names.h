/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The names of files, kept as a tree: only the names that are wanted and the directories above
 * them, to save memory. names_walk.c finds them.
 */
#ifndef E3DEFRAG_NAMES_H
#define E3DEFRAG_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "survey/inode_set.h"

#define NAME_NONE UINT32_MAX

/*
 * Users choose the length of a path, and in printable() each byte can become four: more than these
 * bytes are not shown to people. Nearly all paths that people make are shorter.
 */
#define NAME_SHOWN 256U

/*
 * The most bytes of names that are kept; users choose how long their names are. Further files are
 * called by inode number.
 */
#define NAMES_BYTES_MOST (1U << 30)

/* One name of a file, or a directory that files are in. */
struct name {
	uint32_t ino;	 /* 0 for a directory */
	uint32_t parent; /* number of the directory's name, NAME_NONE at the top */
	uint32_t text;	 /* offset in names->text */
};

/* The most directories that are passed over because they don't answer; then the walk is given up */
#define AVOIDED_MOST 8

/* The most directories for each of which a message is printed; names_tell_gaps() counts the rest */
#define FAILED_TOLD_MOST 10

/* What the walks for names did not read. */
struct names_gaps {
	uint64_t failed;  /* directories that can't be read; a message was or will be printed */
	uint64_t errors;  /* of them, those that gave an error when they were read */
	uint64_t deep;	  /* directories that were not entered, because their paths are too long */
	uint64_t refused; /* directories that could not be opened for want of some resource */
	int error;	  /* the errno of the first one of those */
	bool given_up;	  /* no further walk is tried; a message was printed */
	struct inode_set known; /* the directories counted above: each is, once */
	struct avoided {
		uint32_t ino; /* this directory does not answer, */
		uid_t uid;    /* so others of this owner are not entered, unless it is root */
	} avoided[AVOIDED_MOST];
	size_t avoided_count;
};

struct names {
	struct name *name;
	size_t count, room;
	char *text;
	size_t text_size, text_room;
	bool numbers_only; /* numbers are given out, but another process keeps the names */
	struct names_gaps gaps;
};

void names_free(struct names *names);

/*
 * Add the name @text of inode @ino in the directory @parent, the number of a name. For a file that
 * the user named, @text is the path as given and @parent NAME_NONE. Returns the number of the new
 * name, or NAME_NONE if there is no room for it.
 */
uint32_t names_add(struct names *names, uint32_t parent, const char *text, uint32_t ino);

/* The whole path of a name, not made printable. The caller frees it. */
char *names_path(const struct names *names, uint32_t name);

/*
 * The end of @path, printable, in at most @most bytes; *@cut bytes are missing before it. The
 * caller frees it.
 */
char *names_end(const char *path, size_t most, size_t *cut);

/*
 * @path for people: printable, and if it is longer than NAME_SHOWN "...END <inode N>", with @ino as
 * N. The caller frees it.
 */
char *names_shown(const char *path, uint32_t ino);

/* True if a name that the walks looked for may be in a directory that they did not read. */
bool names_have_gaps(const struct names *names);

#endif
