/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The report on one filesystem: its numbers are gathered once, and then written in several formats.
 * Each format has a file of its own: report_text.c, report_json.c, report_csv.c,
 * report_prometheus.c and report_html.c. None of them computes sums, so that all say the same.
 */
#ifndef E3DEFRAG_REPORT_H
#define E3DEFRAG_REPORT_H

#include <stdio.h>
#include <time.h>

#include "job.h"

struct report {
	const struct job *job;
	struct totals before, after; /* equal until report_after() */
	uint64_t best;		     /* fewest fragments that the free space allowed */
	bool ran;		     /* a run that moves files is over; not in a dry run */

	/* The files to list, as indices in survey.file: in the order and number of the options. */
	uint32_t *listed;
	size_t listed_count;
	uint32_t *best_each; /* fewest fragments of each listed file, by its index in survey.file */
	size_t candidates;   /* how many files they were chosen from */

	uint64_t outcome[OUTCOMES];
	uint64_t alone;		  /* files left alone for a reason; see report_is_alone() */
	uint64_t reason[REASONS]; /* the same files by their reason */
};

/* What each format says of a file. */
struct report_file {
	const struct file *file;
	char *path;    /* as survey_path() or survey_name() has it; malloc'd */
	size_t cut;    /* bytes of the path that are missing */
	uint64_t size; /* bytes */
	uint32_t generation, before, best, moves;
	uint64_t bytes_each; /* mean size of its fragments */
	enum outcome outcome;
	const char *reason; /* a key of reason_key(), NULL if there is none */
};
/* Gather what is said of file @number, with a path for a @program, or for people. */
void report_file(const struct report *report, size_t number, bool program,
		 struct report_file *file);

/* Compute the statistics of the free space @map. */
void report_free_space(struct free_space *usage, const struct freemap *map,
		       const struct geometry *geo);

/* Gather the report after the survey. @job must exist as long as @report. */
void report_gather(struct report *report, const struct job *job);
/* Update it after a run or a dry run with the results. The list of files stays the same. */
void report_after(struct report *report);
void report_free(struct report *report);

/* The mode as a word for programs: "check", "dry-run", "apply" or "defragment". */
const char *report_mode(const struct options *options);

/* True if @file counts as left alone. */
bool report_is_alone(const struct survey *survey, const struct file *file);

/*
 * Print the text report after the survey: the worst files, totals, score, free space, and the files
 * left alone and why.
 */
void report_survey(const struct report *report);
/* After a run: the totals before and after, what moved, and the files left alone and why. */
void report_run(const struct report *report);
/* After a dry run. */
void report_dry_run(const struct report *report);

/*
 * The other formats are written to streams. Call _begin before the first filesystem, _add for each
 * with its exit status, and _end with the status of the whole run. Check for errors with ferror(3).
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

/* Write @text escaped as text of HTML, a Prometheus label's value, or a field of CSV. */
void report_html_text(FILE *stream, const char *text);
void report_label(FILE *stream, const char *text);
void report_csv_field(FILE *stream, const char *text);

#endif
