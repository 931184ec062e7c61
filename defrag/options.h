/* SPDX-License-Identifier: GPL-2.0-only */
/* The command line. */
#ifndef E3DEFRAG_OPTIONS_H
#define E3DEFRAG_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "survey/filter.h"

/* The FILE of --state if none is given. The folder that it is in is made if it isn't there. */
#define STATE_FILE "/var/lib/e3defrag/state"

/* The order of the files that a report names. */
enum sort {
	SORT_SCORE, /* worst first */
	SORT_FRAGMENTS,
	SORT_SIZE,
	SORT_NAME
};

/* An option as it was given, for another e3defrag. */
struct option_given {
	const char *name; /* the long one */
	char *value;	  /* NULL: it has none */
	bool file;	  /* the value is the name of a file */
};

struct options {
	bool all;	       /* each filesystem there is, instead of targets */
	bool check;	       /* report only */
	bool dry_run;	       /* say what would be moved, and move nothing */
	bool nice;	       /* wait while others use the disk */
	bool verbose;	       /* every file, not only the worst */
	bool usage;	       /* some form shows where on the disk things lie */
	bool quiet;	       /* neither progress nor the text report */
	bool map;	       /* on a terminal */
	uint64_t seconds;      /* for all of the run; 0: any time */
	uint64_t max_bytes;    /* to move; 0: any number */
	uint64_t rate;	       /* bytes a second to move; 0: as fast as it goes */
	bool reserve_given;    /* else it is a share of what is free */
	uint64_t reserve;      /* bytes to leave free at any moment */
	uint32_t percent;      /* of the filesystem to leave free; 0: so many bytes */
	uint64_t min_fragment; /* bytes; 0: any file in pieces is worth moving */
	struct filter filter;  /* which files are left alone */
	enum sort sort;
	uint32_t top;		       /* how many files a report names if not verbose */
	char *json, *csv, *prometheus; /* files to write, or NULL; "-" is standard output */
	char *html;		       /* the same */
	char *state;		       /* the file of what runs know of each other, or NULL */
	char *plan;		       /* file to write a plan to, or NULL */
	char *apply;		       /* file with a plan to carry out, or NULL */
	char **target;		       /* as given, ended by NULL */
	char *vm;		       /* image or device to work on in the appliance, or NULL */
	long partition;		       /* of it; 0: it is one filesystem */
	struct option_given *given;    /* with vm: all other options */
	size_t given_count, given_room;
};

/*
 * Fill in @options. Returns -1 to go on; else the status to exit with, after --help, --usage and
 * --version, or after a message about what is wrong.
 */
int options_parse(struct options *options, int argc, const char **argv);
void options_free(struct options *options);

#endif
