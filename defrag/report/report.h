/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a run has to tell of one filesystem, gathered once, and the forms that it is told in. Each
 * form has a file of its own: report_text.c, report_json.c, report_csv.c, report_prometheus.c and
 * report_html.c. None of them adds anything up, so that all tell the same.
 */
#ifndef E3DEFRAG_REPORT_H
#define E3DEFRAG_REPORT_H

#include <stdio.h>
#include <time.h>

#include "job.h"

struct report {
	const struct job *job;
	struct totals before, after; /* the same until report_after */
	uint64_t best;		     /* fragments that the free space would allow */
	bool ran;		     /* files were moved, or could have been */

	/* The files to name, numbers of survey.file: in the order, and at most as many as asked. */
	uint32_t *listed;
	size_t listed_count;
	uint32_t *best_each; /* of each file that a form names, by its number in survey.file */
	size_t candidates;   /* so many they were chosen from */

	uint64_t outcome[OUTCOMES];
	uint64_t alone;		  /* neither improved nor without a reason to be alone */
	uint64_t reason[REASONS]; /* `alone`, by the reason */
};

/* A file, as each form tells of it. */
struct report_file {
	const struct file *file;
	char *path;    /* printable; malloc'd */
	uint64_t size; /* bytes */
	uint32_t generation, before, best, moves;
	uint64_t bytes_each; /* of its blocks, in each fragment on average */
	enum outcome outcome;
	const char *reason; /* a key of reason_key(), NULL if there is none */
};
void report_file(const struct report *report, size_t number, struct report_file *file);

/* Draw the free space as @map has it. */
void report_free_space(struct free_space *usage, const struct freemap *map,
		       const struct geometry *geo);

/* After the survey; @job must last as long as the report. */
void report_gather(struct report *report, const struct job *job);
/* Once more after a run or a dry run: what became of it. The files listed stay the same ones. */
void report_after(struct report *report);
void report_free(struct report *report);

/* "check", "dry-run", "apply" or "defragment". */
const char *report_mode(const struct options *options);

/* Does it count among the files left alone? */
bool report_is_alone(const struct survey *survey, const struct file *file);

/* After the survey: the worst files, totals, score, free space, and what is left alone and why. */
void report_survey(const struct report *report);
/* After a run: before and after, what moved, and what was left alone and why. */
void report_run(const struct report *report);
/* After a dry run. */
void report_dry_run(const struct report *report);

/*
 * The other forms are written to streams: _begin before the first filesystem, _add for each, with
 * what became of it, _end with what became of all. An error is left in the stream.
 */
struct report_json;
struct report_json *report_json_begin(FILE *stream, const char *mode, time_t started);
void report_json_add(struct report_json *json, const struct report *report, int status);
void report_json_end(struct report_json *json, time_t ended, int status, enum stop stop);

void report_csv_begin(FILE *stream);
void report_csv_add(FILE *stream, const struct report *report);

struct report_prometheus;
struct report_prometheus *report_prometheus_begin(void);
void report_prometheus_add(struct report_prometheus *all, const struct report *report);
void report_prometheus_end(struct report_prometheus *all, FILE *stream, time_t started,
			   time_t ended, int status);

struct report_html;
struct report_html *report_html_begin(FILE *stream, const char *mode, time_t started);
void report_html_add(struct report_html *html, const struct report *report, int status);
void report_html_end(struct report_html *html, time_t ended, int status, enum stop stop);

/* How text of HTML, a label's value and a field of CSV are written; for the forms, and tests. */
void report_html_text(FILE *stream, const char *text);
void report_label(FILE *stream, const char *text);
void report_csv_field(FILE *stream, const char *text);

#endif
