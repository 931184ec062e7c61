/* SPDX-License-Identifier: GPL-2.0-only */
/* What there is: one compact entry a file, filled in by the survey, updated by the moves. */
#ifndef E3DEFRAG_SURVEY_H
#define E3DEFRAG_SURVEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host.h"
#include "meta.h"
#include "names.h"
#include "pace.h"
#include "reason.h"
#include "score.h"

/* What came of a file; `reason` says why it isn't OUTCOME_IMPROVED. */
enum outcome {
	OUTCOME_ALONE,	 /* left alone */
	OUTCOME_PLANNED, /* would be moved, in a dry run */
	OUTCOME_IMPROVED,
	OUTCOME_PARTLY, /* improved, but something kept it from going as planned */
	OUTCOME_FAILED, /* not improved, since something went wrong; stderr has more */
};

/* A regular file. */
struct file {
	uint32_t ino, generation;
	uint64_t size;	    /* bytes */
	uint32_t blocks;    /* of its sequence, data and indirect; 0 if it is not block-mapped */
	uint32_t fragments; /* now; 0 without blocks */
	uint32_t before;    /* fragments when it was surveyed */
	uint32_t best;	    /* fragments the free space at the survey's end would allow */
	uint32_t fiemap;    /* extents as FIEMAP counts them */
	uint32_t name;	    /* in survey->names, or NAME_NONE */
	uint64_t moved;	    /* blocks that changed places */
	uint8_t score;
	uint8_t reason; /* enum reason: why it is left alone, or not better yet */
	bool failed;	/* something went wrong with it and was complained about */
	bool planned;	/* a dry run has a place for it */
};

struct survey {
	struct file *file; /* ascending by inode number */
	size_t files, room;
	struct names names;
	bool damaged;	 /* some block map makes no sense: what it claims is not known */
	uint64_t failed; /* objects that could not be looked at; each was complained about */
};

/* Files, blocks and fragments added up over the block-mapped files that have blocks. */
struct totals {
	uint64_t files, fragmented, blocks, fragments, best, fiemap;
	unsigned int score;
};

/*
 * Look at all files of the targets of @host: list nodes/ if the whole filesystem is meant, else
 * walk. What isn't worth moving for pieces shorter than @least bytes gets that for its reason.
 * Stops early, without an error, when *@stop is set. Returns 0 or -errno.
 */
int survey_host(struct survey *survey, struct meta *meta, const struct host *host, uint64_t least,
		struct pace *pace, const volatile int *stop);
void survey_free(struct survey *survey);

/* Look at one file again: a new layout and what follows from it. -errno, nothing printed. */
int survey_again(struct file *file, struct node *node, const struct info *info,
		 struct layout *layout, struct sequence *seq);

/* The fewest fragments that the free space allows each file, taken by itself. */
void survey_best(struct survey *survey, const struct freemap *map);

/* @before: as it was when surveyed, else as it is now, without what was deleted meanwhile. */
void survey_totals(const struct survey *survey, uint32_t blocksize, bool before,
		   struct totals *totals);

/* The file of inode @ino, NULL if it isn't in the survey. */
struct file *survey_file(const struct survey *survey, uint32_t ino);

enum outcome survey_outcome(const struct file *file);

/* The file's path made printable, or "<inode N>". malloc'd. */
char *survey_name(const struct survey *survey, const struct file *file);

#endif
