/* SPDX-License-Identifier: GPL-2.0-only */
/* Where a run is, in words: what is done of what, how fast, and how long it still takes. No I/O. */
#ifndef E3DEFRAG_STATUS_LINE_H
#define E3DEFRAG_STATUS_LINE_H

#include <stdbool.h>
#include <stdint.h>

enum stage {
	STAGE_NONE,    /* between two others */
	STAGE_LIST,    /* the walk that finds the files of a target */
	STAGE_LOOK,    /* the survey */
	STAGE_CLAIMED, /* the second look, at files that seem to share blocks */
	STAGE_NAMES,
	STAGE_PLAN, /* of a dry run */
	STAGE_MOVE,
	STAGES
};

/* How much a second, of late. Times are in microseconds, of a clock that doesn't jump. */
struct rate {
	uint64_t began, at; /* the first and the last look */
	uint64_t amount;    /* at the last look */
	double each;	    /* a second; 0: not known yet */
};
void rate_start(struct rate *rate, uint64_t now);
/* @amount is all there has been since the start. */
void rate_look(struct rate *rate, uint64_t now, uint64_t amount);

struct status_line {
	enum stage stage;
	uint64_t files, files_all; /* done, of all; 0: nobody knows how many */
	uint64_t bytes, bytes_all; /* looked at; or moved, of what is to be */
	uint64_t fragments;	   /* found so far; while files move, all there are now */
	struct rate rate;	   /* of bytes while files move, else of files */
	uint64_t most;		   /* seconds that the run has left; UINT64_MAX: any time */
};

/* Seconds until the stage ends; UINT64_MAX if nobody knows. */
uint64_t status_line_left(const struct status_line *status);

/* @seconds as "0:07" or "2:00:07", into @to. */
#define CLOCK_SIZE 32
char *status_line_clock(uint64_t seconds, char to[CLOCK_SIZE]);

/*
 * For a terminal: in @width columns at most, what matters least left out where they are few, and
 * then the start of @current, a printable name or NULL. malloc'd.
 */
char *status_line_line(const struct status_line *status, const char *current, unsigned int width,
		       bool utf8);

/* For who asks by a signal: all of it, as wide as it gets. malloc'd. */
char *where_text(const struct status_line *status, const char *current);

#endif
