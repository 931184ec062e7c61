/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The records of the surveyed files: one compact entry a file, filled in by the survey and updated
 * by the moves; and what can be computed from them without I/O.
 */
#ifndef E3DEFRAG_FILES_H
#define E3DEFRAG_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plan/freemap.h"
#include "plan/reason.h"
#include "plan/share.h"
#include "survey/claims.h"
#include "survey/leaf_dirs.h"
#include "survey/names.h"

struct filter;
struct md_files;
struct usage;

/* What the run did with a file; `reason` says why it isn't OUTCOME_IMPROVED. */
enum outcome {
	OUTCOME_ALONE,	 /* left alone */
	OUTCOME_PLANNED, /* would be moved, in a dry run */
	OUTCOME_IMPROVED,
	OUTCOME_PARTLY, /* improved, but not as planned: something prevented the rest */
	OUTCOME_FAILED, /* not improved because of an error; stderr has more */
	OUTCOMES
};

#define DETAIL_NONE UINT32_MAX

/* A regular file. There can be millions, so this has only what every file needs. */
struct file {
	uint32_t ino;
	uint32_t blocks;    /* of its sequence, data and indirect; 0 if it is not block-mapped */
	uint32_t fragments; /* now; 0 without blocks */
	uint32_t fiemap;    /* extents as FIEMAP counts them */
	uint32_t detail;    /* in survey->detail, or DETAIL_NONE */
	uint8_t score;
	uint8_t reason;	  /* enum reason: why it is left alone, or not improved yet */
	bool failed : 1;  /* an error occurred and a message about it was printed */
	bool planned : 1; /* a dry run found a place for it */
	bool named : 1;	  /* filter_names.c knows a name of it */
};

/* More about a file that is fragmented or damaged, or that a full report lists. */
struct detail {
	uint64_t size; /* bytes */
	uint32_t generation;
	uint32_t before; /* fragments when it was surveyed */
	uint32_t moves;	 /* how many times blocks of it changed places */
	uint32_t name;	 /* in survey->names, NAME_NONE, or NAME_WANTED until it is found */
	uint32_t owner;	 /* the user, or OWNER_UNKNOWN until the file is opened to be moved */
};
#define NAME_WANTED (NAME_NONE - 1)

/* An error found in an inode: it can't be read, or one of its blocks is free or claimed twice. */
struct trouble {
	uint32_t ino;
	int err;	/* -errno; 0: it is about @block */
	uint32_t block; /* claimed by inode @other, too, which may be the same inode */
	uint32_t other; /* 0: the block is free */
	uint32_t name;
};

/*
 * Which files the survey covers, and for which of them it finds names: those that a report lists,
 * and with `moves` all that may be moved. A file that is not worth moving, because its fragments
 * are long compared with `least` bytes (see sequence_pays()), gets REASON_LONG_PIECES.
 */
struct survey_scope {
	uint64_t least;		     /* bytes; 0: move however long the fragments are */
	const struct filter *filter; /* which files the user excludes; or NULL */
	const struct md_files *md;   /* files that must not be moved; or NULL */
	bool all;		     /* a report lists all files */
	bool moves;		     /* files may be moved */
	size_t top;		     /* how many of the worst files a report lists */
	struct usage *usage;	     /* gets the blocks of all inodes read; or NULL */
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
	uint64_t best;		    /* fewest fragments that the free space allowed at its end */
	bool damaged;	 /* some block map is corrupt: which blocks it claims is unknown */
	uint64_t failed; /* errors in inodes other than `file`; a message was printed for each */
};

/* Sums over the block-mapped files that have blocks. */
struct totals {
	uint64_t files, fragmented, blocks, fragments, fiemap;
	unsigned int score;
};

void survey_free(struct survey *survey);

/*
 * The fewest fragments that the free space @map allows for @file, as if it were the only one to
 * move. The second function puts the sum over all files into survey->best.
 */
uint32_t survey_best(const struct file *file, const struct freemap *map);
void survey_best_all(struct survey *survey, const struct freemap *map);

/*
 * Compute the totals. With @before as of the survey, else as of now, without files that have been
 * deleted meanwhile.
 */
void survey_totals(const struct survey *survey, uint32_t blocksize, bool before,
		   struct totals *totals);

/* The number of fragments of all files now. */
uint64_t survey_fragments(const struct survey *survey);

/* The file of inode @ino, NULL if it isn't in the survey. */
struct file *survey_file(const struct survey *survey, uint32_t ino);

/*
 * The detail of @file. If it has none one is added, which invalidates pointers to the details of
 * other files.
 */
struct detail *survey_detail(struct survey *survey, struct file *file);

enum outcome survey_outcome(const struct survey *survey, const struct file *file);

/* A word for programs, like "improved", which never changes. A static string. */
const char *outcome_key(enum outcome outcome);

/* Beyond NAME_SHOWN, what is not even written for programs; only very strange paths are longer. */
#define NAME_WRITTEN 4096U

/*
 * The name of an inode for people: the printable path of @name, or "<inode N>" if @name is
 * NAME_NONE. If the path is longer than NAME_SHOWN, it is "...END <inode N>". The caller frees it.
 */
char *survey_object_name(const struct survey *survey, uint32_t name, uint32_t ino);

/* The same for @file. The caller frees it. */
char *survey_name(const struct survey *survey, const struct file *file);

/*
 * The name of @file for programs: its printable path, or "...END" if that is longer than
 * NAME_WRITTEN, or "<inode N>". *@cut is the number of bytes of the path that are missing; NULL:
 * don't tell. The caller frees it.
 */
char *survey_path(const struct survey *survey, const struct file *file, size_t *cut);

/* Compare two struct trouble by inode number, for qsort(3) and bsearch(3). */
int trouble_by_inode(const void *a, const void *b);

#endif
