/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The records of what there is: one compact entry a file, filled in by the survey, updated by the
 * moves; and what can be told from them without any I/O.
 */
#ifndef E3DEFRAG_FILES_H
#define E3DEFRAG_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plan/freemap.h"
#include "plan/reason.h"
#include "survey/claims.h"
#include "survey/leaf_dirs.h"
#include "survey/names.h"

struct filter;
struct md_files;
struct usage;

/* What came of a file; `reason` says why it isn't OUTCOME_IMPROVED. */
enum outcome {
	OUTCOME_ALONE,	 /* left alone */
	OUTCOME_PLANNED, /* would be moved, in a dry run */
	OUTCOME_IMPROVED,
	OUTCOME_PARTLY, /* improved, but something kept it from going as planned */
	OUTCOME_FAILED, /* not improved, since something went wrong; stderr has more */
	OUTCOMES
};

#define DETAIL_NONE UINT32_MAX

/* A regular file. There are millions of them, so only what all need is here. */
struct file {
	uint32_t ino;
	uint32_t blocks;    /* of its sequence, data and indirect; 0 if it is not block-mapped */
	uint32_t fragments; /* now; 0 without blocks */
	uint32_t fiemap;    /* extents as FIEMAP counts them */
	uint32_t detail;    /* in survey->detail, or DETAIL_NONE */
	uint8_t score;
	uint8_t reason;	  /* enum reason: why it is left alone, or not better yet */
	bool failed : 1;  /* something went wrong with it and was complained about */
	bool planned : 1; /* a dry run has a place for it */
	bool named : 1;	  /* filter_names.c knows a name of it */
};

/* What is known besides of a file that is in pieces, damaged, or wanted in a full report. */
struct detail {
	uint64_t size; /* bytes */
	uint32_t generation;
	uint32_t before; /* fragments when it was surveyed */
	uint32_t moves;	 /* times that blocks of it changed places */
	uint32_t name;	 /* in survey->names, NAME_NONE, or NAME_WANTED until it is found */
};
#define NAME_WANTED (NAME_NONE - 1)

/* What is wrong with an object: it can't be looked at, or one of its blocks is another's, too. */
struct trouble {
	uint32_t ino;
	int err;	/* -errno; 0: it is about @block */
	uint32_t block; /* shared with @other, be it the same inode; 0: free */
	uint32_t other;
	uint32_t name;
};

/*
 * Which files are named: those of a report, and with `moves` all that may be moved. What does not
 * pay to move, for its pieces are no shorter than `least` bytes, gets that for its reason.
 */
struct survey_scope {
	uint64_t least;
	const struct filter *filter; /* what else is left alone; or NULL */
	const struct md_files *md;   /* and these; or NULL */
	bool all;
	bool moves;
	size_t top; /* so many of the worst */
	/* What is seen is drawn into it; NULL: nobody wants that. */
	struct usage *usage;
};

struct survey {
	struct survey_scope scope;
	struct file *file; /* ascending by inode number */
	size_t files, room;
	struct detail *detail;
	size_t details, detail_room;
	struct trouble *trouble;
	size_t troubles, trouble_room;
	struct names names;
	struct leaf_dirs leaf_dirs; /* of a whole filesystem, until survey_check */
	struct claims claims;	    /* until survey_check */
	uint64_t best;		    /* fragments the free space at the survey's end would allow */
	bool damaged;		    /* some block map makes no sense: what it claims is not known */
	uint64_t failed; /* objects that could not be looked at; each was complained about */
};

/* Files, blocks and fragments added up over the block-mapped files that have blocks. */
struct totals {
	uint64_t files, fragmented, blocks, fragments, fiemap;
	unsigned int score;
};

void survey_free(struct survey *survey);

/* The fewest fragments that the free space allows a file, taken by itself; for all: survey->best */
uint32_t survey_best(const struct file *file, const struct freemap *map);
void survey_best_all(struct survey *survey, const struct freemap *map);

/* @before: as it was when surveyed, else as it is now, without what was deleted meanwhile. */
void survey_totals(const struct survey *survey, uint32_t blocksize, bool before,
		   struct totals *totals);

/* All fragments there are now. */
uint64_t survey_fragments(const struct survey *survey);

/* The file of inode @ino, NULL if it isn't in the survey. */
struct file *survey_file(const struct survey *survey, uint32_t ino);

/* Its detail; one is made if it has none, which ends the life of pointers to others. */
struct detail *survey_detail(struct survey *survey, struct file *file);

enum outcome survey_outcome(const struct survey *survey, const struct file *file);

/* One word for programs: "improved". */
const char *outcome_key(enum outcome outcome);

/*
 * How a message calls an object: the path of its @name made printable, or "<inode N>" if @name is
 * NAME_NONE. malloc'd.
 */
char *survey_object_name(const struct survey *survey, uint32_t name, uint32_t ino);

/* The file's path made printable, or "<inode N>". malloc'd. */
char *survey_name(const struct survey *survey, const struct file *file);

/* For qsort() and bsearch() of struct trouble. */
int trouble_by_inode(const void *a, const void *b);

#endif
