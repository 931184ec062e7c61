// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/util.h"
#include "plan/sequence.h"
#include "report/report.h"

/* Columns of the table to the left of the file's name. */
#define COLUMNS_LEFT 53

/* How many columns the terminal has left for a name; without a terminal there is no limit. */
static size_t name_width(void)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO))
		return SIZE_MAX;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || size.ws_col < COLUMNS_LEFT + 20)
		return 80 - COLUMNS_LEFT;
	return size.ws_col - COLUMNS_LEFT;
}

/*
 * Print a name, with its start cut off if it would be too wide. A UTF-8 character counts as one
 * column.
 */
static void print_name(const char *name, size_t width)
{
	size_t columns = 0;
	const char *at;

	for (at = name; *at; at++)
		columns += (*at & 0xc0) != 0x80;
	if (columns > width) {
		for (columns -= width - 3; columns || (*name & 0xc0) == 0x80; name++)
			columns -= columns && (name[1] & 0xc0) != 0x80;
		fputs("...", stdout);
	}
	puts(name);
}

static void print_files(const struct report *report)
{
	size_t i, width = name_width();
	char size[HUMAN_SIZE], each[HUMAN_SIZE];

	if (report->listed_count)
		printf("%8s%8s%8s%7s%11s%11s  %s\n", "now", "best", "fiemap", "score", "size",
		       "each", "file");
	for (i = 0; i < report->listed_count; i++) {
		struct report_file file;

		report_file(report, report->listed[i], false, &file);
		printf("%8" PRIu32 "%8" PRIu32 "%8" PRIu32 "%7u%11s%11s  ", file.file->fragments,
		       file.best, file.file->fiemap, file.file->score, human(file.size, size),
		       human(file.bytes_each, each));
		print_name(file.path, width - 2);
		free(file.path);
	}
	if (report->candidates > report->listed_count)
		printf("  and %zu more fragmented files (-v shows all)\n",
		       report->candidates - report->listed_count);
	if (report->candidates)
		putchar('\n');
}

static void print_free(const struct free_space *p, const struct geometry *geo)
{
	char a[HUMAN_SIZE], b[HUMAN_SIZE];
	int i;

	printf("Free space: %" PRIu64 " blocks (%s) in %" PRIu64 " runs\n", p->blocks,
	       human(p->blocks * geo->blocksize, a), p->runs);
	printf("Longest run: %" PRIu32 " blocks; it has room for a file of %s\n", p->longest,
	       human(p->largest_file, b));
	if (p->runs)
		printf("%20s%10s%12s%8s\n", "run length, blocks", "runs", "blocks", "share");
	for (i = 0; i < 32; i++) {
		const struct freemap_class *c = &p->class[i];
		char range[32];

		if (!c->runs)
			continue;
		snprintf(range, sizeof(range), "%" PRIu32 " - %" PRIu32, (uint32_t)(1U << i),
			 (uint32_t)((2ULL << i) - 1));
		printf("%20s%10" PRIu64 "%12" PRIu64 "%7.1f%%\n", i ? range : "1", c->runs,
		       c->blocks, 100.0 * (double)c->blocks / (double)p->blocks);
	}
}

/* Print the number of files left alone for each reason. */
static void print_alone(const struct report *report, const char *title)
{
	const struct survey *survey = &report->job->survey;
	size_t i;
	int reason;

	if (!report->alone)
		return;
	printf("%s: %" PRIu64 "\n", title, report->alone);
	for (reason = 0; reason < REASONS; reason++) {
		if (!report->reason[reason])
			continue;
		printf("%10" PRIu64 "  %s\n", report->reason[reason],
		       reason_text((enum reason)reason));
		if (!report->job->options->verbose || reason == REASON_PERFECT ||
		    reason == REASON_EMPTY)
			continue;
		for (i = 0; i < survey->files; i++) {
			const struct file *file = &survey->file[i];
			char *name;

			if (file->reason != reason || !report_is_alone(survey, file))
				continue;
			name = survey_name(survey, file);
			printf("            %s\n", name);
			free(name);
		}
	}
}

static void print_score(const char *title, unsigned int value)
{
	printf("%s: %u, %s\n", title, value, score_verdict(value));
}

void report_survey(const struct report *report)
{
	const struct job *job = report->job;
	const struct geometry *geo = &job->meta.geo;
	const struct totals *totals = &report->before;
	char size[HUMAN_SIZE];

	printf("%s, %s on %s, %" PRIu32 "-byte blocks\n\n", job->host->device, job->host->type,
	       job->host->mountpoint, geo->blocksize);
	print_files(report);
	printf("Files: %zu, of them mapped by blocks %" PRIu64 ", fragmented %" PRIu64 "\n",
	       job->survey.files, totals->files, totals->fragmented);
	printf("Fragments: now %" PRIu64 ", best %" PRIu64 " (FIEMAP counts %" PRIu64
	       " extents), in %" PRIu64 " blocks (%s)\n",
	       totals->fragments, report->best, totals->fiemap, totals->blocks,
	       human(totals->blocks * geo->blocksize, size));
	print_score("Score", totals->score);
	puts("(0-30 no problem, 31-55 a little fragmented, 56- needs defragmentation)\n");
	print_free(&job->free_before, geo);
	if (job->options->check) {
		putchar('\n');
		print_alone(report, "Files that would be left alone");
	}
	fflush(stdout);
}

/* List the files that were improved in part, each with the reason. */
static void print_partly(const struct survey *survey)
{
	size_t i;

	for (i = 0; i < survey->files; i++) {
		const struct file *file = &survey->file[i];
		char *name;

		if (survey_outcome(survey, file) != OUTCOME_PARTLY)
			continue;
		name = survey_name(survey, file);
		printf("Partly: %s: %s\n", name, reason_text((enum reason)file->reason));
		free(name);
	}
}

static const char *const causes[] = {
	[STOP_SIGNAL] = "by a signal",
	[STOP_TIME] = "by --time",
	[STOP_BYTES] = "by --max-bytes",
};

void report_run(const struct report *report)
{
	const struct job *job = report->job;
	const struct geometry *geo = &job->meta.geo;
	const struct survey *survey = &job->survey;
	const struct totals *before = &report->before, *after = &report->after;
	char a[HUMAN_SIZE], b[HUMAN_SIZE];

	if (*job->stop)
		printf("\nStopped %s.\n", causes[*job->stop]);
	printf("\nFiles improved: %" PRIu64 ", partly: %" PRIu64 ", failed: %" PRIu64 "\n",
	       report->outcome[OUTCOME_IMPROVED], report->outcome[OUTCOME_PARTLY],
	       report->outcome[OUTCOME_FAILED]);
	printf("Blocks moved: %" PRIu64 " (%s)\n", job->moved,
	       human(job->moved * geo->blocksize, a));
	print_partly(survey);
	print_alone(report, "Files left alone");
	printf("\n%-26s%14s%14s\n", "", "before", "after");
	printf("%-26s%14" PRIu64 "%14" PRIu64 "\n", "fragmented files", before->fragmented,
	       after->fragmented);
	printf("%-26s%14" PRIu64 "%14" PRIu64 "\n", "fragments", before->fragments,
	       after->fragments);
	printf("%-26s%14u%14u\n", "score", before->score, after->score);
	printf("%-26s%14" PRIu64 "%14" PRIu64 "\n", "free blocks", job->free_before.blocks,
	       job->free_after.blocks);
	printf("%-26s%14" PRIu64 "%14" PRIu64 "\n", "free runs", job->free_before.runs,
	       job->free_after.runs);
	printf("%-26s%14s%14s\n", "largest file in one piece",
	       human(job->free_before.largest_file, a), human(job->free_after.largest_file, b));
	print_score("Score", after->score);
}

void report_dry_run(const struct report *report)
{
	printf("\nFiles to move: %" PRIu64 "\n", report->outcome[OUTCOME_PLANNED]);
	print_alone(report, "Files left alone");
}
