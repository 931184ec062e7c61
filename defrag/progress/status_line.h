/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The status line as text: the stage, how much is done, how fast, and how long it still takes. No
 * I/O.
 */
#ifndef E3DEFRAG_STATUS_LINE_H
#define E3DEFRAG_STATUS_LINE_H

#include <stdbool.h>
#include <stdint.h>

enum stage {
	STAGE_NONE,    /* between two stages */
	STAGE_LIST,    /* the walk that finds the files of a target */
	STAGE_LOOK,    /* the survey */
	STAGE_CLAIMED, /* the second scan, for files with multiply claimed blocks */
	STAGE_NAMES,
	STAGE_PLAN, /* the planning of a dry run */
	STAGE_MOVE,
	STAGES
};

/* The recent rate of something. Times are microseconds of clock_now(). */
struct rate {
	uint64_t began, at; /* the first and the last measurement */
	uint64_t amount;    /* at the last measurement */
	double each;	    /* amount a second; 0: not known yet */
};
void rate_start(struct rate *rate, uint64_t now);
/* Measure again; @amount is the total since the start. */
void rate_look(struct rate *rate, uint64_t now, uint64_t amount);

struct status_line {
	enum stage stage;
	uint64_t files, files_all; /* done, and in all; 0: not known */
	uint64_t bytes, bytes_all; /* surveyed; while files move: moved, and to be moved in all */
	uint64_t fragments;	   /* found so far; while files move: of all files now */
	struct rate rate;	   /* of bytes while files move, else of files */
	uint64_t most;		   /* seconds until a limit ends the run; UINT64_MAX: no limit */
};

/* Seconds until the stage ends; UINT64_MAX: not known. */
uint64_t status_line_left(const struct status_line *status);

/* Write @seconds to @to like "0:07" or "2:00:07". Returns @to. */
#define CLOCK_SIZE 32
char *status_line_clock(uint64_t seconds, char to[CLOCK_SIZE]);

/*
 * The line for a terminal, in at most @width columns. If there are too few, the least important
 * parts are left out, and the start of @current, a printable name or NULL, is cut off. The caller
 * frees it.
 */
char *status_line_line(const struct status_line *status, const char *current, unsigned int width,
		       bool utf8);

/* The line that answers SIGUSR1: all parts, however long. The caller frees it. */
char *where_text(const struct status_line *status, const char *current);

#endif
