/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Patterns of the paths that --exclude leaves alone. A pattern is a path each of whose components
 * is a pattern of fnmatch(3), so that *, ? and [] never match a slash. A component ** matches any
 * number of directories. A pattern with a leading slash must match from the start of the path; any
 * other may begin at any component. A pattern with a trailing slash matches only directories.
 */
#ifndef E3DEFRAG_EXCLUDE_H
#define E3DEFRAG_EXCLUDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Limits, because each name of each file that may be moved is compared with all patterns. */
#define EXCLUDE_MOST 4096
#define EXCLUDE_LENGTH 4095
#define EXCLUDE_FILE_BYTES (1U << 20)

struct pattern {
	char *text;  /* as it was given */
	char *words; /* the same with a 0 after each component; NULL: not set up */
	const char **part;
	size_t parts, room;
	bool anchored;	/* must match from the start of the path */
	bool directory; /* matches only directories */
	bool any;	/* one of its components is ** */
	size_t word;	/* with `any`: where its set of positions is in those of a trail's level */
};

struct exclude {
	struct pattern *pattern;
	size_t count, room;
	size_t words; /* of the sets of all patterns with ** */
};

/* Add a pattern. Returns NULL, or a static text that says what is wrong with it. */
const char *exclude_add(struct exclude *exclude, const char *text);

/*
 * Add the patterns of a file with the contents @text: one on each line; empty lines and lines that
 * begin with # are skipped. A blank at either end of a line is an error, since it can't be seen
 * whether it is meant. Returns NULL, or a static text that says what is wrong with line *@line, or
 * with the whole file if *@line is 0.
 */
const char *exclude_parse(struct exclude *exclude, const char *text, size_t size, size_t *line);

void exclude_free(struct exclude *exclude);

/*
 * The directory that a walk is in, as the components of its path. Their texts belong to the caller,
 * and must be valid until they are popped.
 */
struct trail {
	const char **part;
	size_t parts, room;
	size_t excluded; /* the first so many components are an excluded directory; 0: none */
	uint64_t *set;	 /* for each level, how far the patterns with ** match; see exclude.c */
	size_t levels;
};

/* Enter the directory @name, which isn't "." and has no slash; and leave the last one entered. */
void trail_push(struct trail *trail, const struct exclude *exclude, const char *name);
void trail_pop(struct trail *trail);
/* True if the file @name in the directory of the trail is excluded. */
bool trail_excludes(struct trail *trail, const struct exclude *exclude, const char *name);
void trail_free(struct trail *trail);

/*
 * Restart the trail at @path, which is cut into its components in place: all but the last are
 * pushed, and the last is returned. NULL if there is none, as in "/".
 */
const char *trail_start(struct trail *trail, const struct exclude *exclude, char *path);

#endif
