/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Patterns of paths that are to be left alone. A pattern is a path itself, and each of its
 * components a pattern of fnmatch(3): so neither * nor ? nor [] ever takes a slash. A component **
 * takes any number of directories. Only a slash at its start ties a pattern to the start of a path;
 * else it may begin at any component. A slash at its end makes it one for directories.
 */
#ifndef E3DEFRAG_EXCLUDE_H
#define E3DEFRAG_EXCLUDE_H

#include <stdbool.h>
#include <stddef.h>

/* Each name of each file that may be moved is held against all of them. */
#define EXCLUDE_MOST 4096
#define EXCLUDE_LENGTH 4095
#define EXCLUDE_FILE_BYTES (1U << 20)

struct pattern {
	char *text;  /* as it was given */
	char *words; /* the same, with a 0 behind each component; NULL: not set up */
	const char **part;
	size_t parts, room;
	bool anchored;	/* begins where the path does */
	bool directory; /* not for files */
	bool any;	/* one of its components is ** */
};

struct exclude {
	struct pattern *pattern;
	size_t count, room;
};

/* Add a pattern. Returns NULL, or what is wrong with it. */
const char *exclude_add(struct exclude *exclude, const char *text);

/*
 * Add those of a file: one a line, none on an empty one, or one that begins with #. Nothing is cut
 * off: a blank at either end, which nobody sees, is an error. Returns NULL, or what is wrong in
 * line *@line; 0: with all of it.
 */
const char *exclude_parse(struct exclude *exclude, const char *text, size_t size, size_t *line);

void exclude_free(struct exclude *exclude);

/*
 * The place that a walk has come to, as the components of its path. Their texts stay the
 * caller's, and must last until they are popped.
 */
struct trail {
	const char **part;
	size_t parts, room;
	size_t excluded; /* so many of the components lead to a directory that is; 0: none */
};

/* One directory deeper, and back; @name is no "." and has no slash. */
void trail_push(struct trail *trail, const struct exclude *exclude, const char *name);
void trail_pop(struct trail *trail);
/* Is the file @name, in the directory that the trail leads to, to be left alone? */
bool trail_excludes(struct trail *trail, const struct exclude *exclude, const char *name);
void trail_free(struct trail *trail);

/*
 * Begin anew at @path, which is cut into its components in place: push all but the last, which
 * is returned. NULL: it has none, as "/".
 */
const char *trail_start(struct trail *trail, const struct exclude *exclude, char *path);

#endif
