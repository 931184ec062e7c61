// SPDX-License-Identifier: GPL-2.0-only
#include "report/report.h"

#include <stdlib.h>
#include <string.h>

#include "lib/util.h"
#include "plan/sequence.h"
#include "status.h"
#include "survey/order.h"

void report_free_space(struct free_space *usage, const struct freemap *map,
		       const struct geometry *geo)
{
	size_t longest = freemap_longest(map), i;

	memset(usage, 0, sizeof(*usage));
	usage->blocks = map->total + map->beyond;
	for (i = 0; i < map->runs; i++)
		usage->runs += map->run[i].length > 0;
	if (longest != FREEMAP_NONE)
		usage->longest = map->run[longest].length;
	usage->largest_file = largest_file(geo, usage->longest) * geo->blocksize;
	freemap_classes(map, usage->class);
}

static bool has_blocks(const struct file *file)
{
	return file->blocks;
}

static bool is_fragmented(const struct file *file)
{
	return file->fragments > 1;
}

/* The key by which a file is sorted; files with equal keys are sorted by number. */
struct key {
	uint64_t number;
	char *name;
	uint32_t file;
};

static int largest_first(const void *a, const void *b)
{
	const struct key *x = a, *y = b;

	if (x->number != y->number)
		return x->number > y->number ? -1 : 1;
	return x->file < y->file ? -1 : x->file > y->file;
}

static int by_name(const void *a, const void *b)
{
	const struct key *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : x->file < y->file ? -1 : x->file > y->file;
}

/* The name to sort @file by; all of them are in memory at once, so it has a bound. */
static char *sort_key(const struct survey *survey, const struct file *file)
{
	char *path = survey_path(survey, file, NULL), *key = strndup(path, 1024);

	free(path);
	return key ? key : xstrdup("");
}

/* Sort the files in @listed in another order. */
static void sort_rows(const struct survey *survey, uint32_t *listed, size_t count, enum sort sort)
{
	struct key *key = xreallocarray(NULL, count, sizeof(*key));
	size_t i;

	for (i = 0; i < count; i++) {
		const struct file *file = &survey->file[listed[i]];
		const struct detail *detail =
			file->detail == DETAIL_NONE ? NULL : &survey->detail[file->detail];

		key[i].file = listed[i];
		key[i].number = sort == SORT_SIZE ? (detail ? detail->size : 0) : file->fragments;
		key[i].name = sort == SORT_NAME ? sort_key(survey, file) : NULL;
	}
	qsort(key, count, sizeof(*key), sort == SORT_NAME ? by_name : largest_first);
	for (i = 0; i < count; i++) {
		listed[i] = key[i].file;
		free(key[i].name);
	}
	free(key);
}

void report_gather(struct report *report, const struct job *job)
{
	const struct options *options = job->options;
	size_t i;

	memset(report, 0, sizeof(*report));
	report->job = job;
	survey_totals(&job->survey, job->meta.geo.blocksize, true, &report->before);
	report->after = report->before;
	report->listed = order_worst_first(
		&job->survey, options->verbose ? has_blocks : is_fragmented, &report->candidates);
	if (options->sort != SORT_SCORE)
		sort_rows(&job->survey, report->listed, report->candidates, options->sort);
	report->listed_count = report->candidates;
	if (!options->verbose && report->listed_count > options->top)
		report->listed_count = options->top;
	/*
	 * Note this now, because the free space will change. calloc() takes no memory for the
	 * entries that are never written.
	 */
	report->best = job->survey.best;
	report->best_each = calloc(job->survey.files + 1, sizeof(*report->best_each));
	if (!report->best_each) {
		complain(NULL, 0, "out of memory");
		exit(STATUS_FAILED);
	}
	for (i = 0; i < (options->csv ? job->survey.files : report->listed_count); i++) {
		size_t number = options->csv ? i : report->listed[i];

		report->best_each[number] = survey_best(&job->survey.file[number], &job->free);
	}
	report_after(report);
	report->ran = false;
}

bool report_is_alone(const struct survey *survey, const struct file *file)
{
	enum outcome outcome = survey_outcome(survey, file);

	return (outcome == OUTCOME_ALONE && file->reason != REASON_NONE) ||
	       outcome == OUTCOME_FAILED;
}

void report_after(struct report *report)
{
	const struct survey *survey = &report->job->survey;
	size_t i;

	report->alone = 0;
	memset(report->outcome, 0, sizeof(report->outcome));
	memset(report->reason, 0, sizeof(report->reason));
	for (i = 0; i < survey->files; i++) {
		const struct file *file = &survey->file[i];

		report->outcome[survey_outcome(survey, file)]++;
		if (report_is_alone(survey, file)) {
			report->alone++;
			report->reason[file->reason]++;
		}
	}
	if (!report->job->options->check && !report->job->options->dry_run) {
		survey_totals(survey, report->job->meta.geo.blocksize, false, &report->after);
		report->ran = true;
	}
}

void report_free(struct report *report)
{
	free(report->listed);
	free(report->best_each);
}

void report_file(const struct report *report, size_t number, bool program, struct report_file *to)
{
	const struct survey *survey = &report->job->survey;
	const struct file *file = &survey->file[number];

	to->file = file;
	to->cut = 0;
	to->path = program ? survey_path(survey, file, &to->cut) : survey_name(survey, file);
	to->bytes_each =
		file->fragments ?
			(uint64_t)file->blocks * report->job->meta.geo.blocksize / file->fragments :
			0;
	to->best = report->best_each[number];
	to->before = file->fragments;
	to->size = to->generation = to->moves = 0;
	if (file->detail != DETAIL_NONE) {
		const struct detail *detail = &survey->detail[file->detail];

		to->size = detail->size;
		to->generation = detail->generation;
		to->before = detail->before;
		to->moves = detail->moves;
	}
	to->outcome = survey_outcome(survey, file);
	to->reason = file->reason == REASON_NONE ? NULL : reason_key((enum reason)file->reason);
}

const char *report_mode(const struct options *options)
{
	return options->check	? "check" :
	       options->dry_run ? "dry-run" :
	       options->apply	? "apply" :
				  "defragment";
}
