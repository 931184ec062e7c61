// SPDX-License-Identifier: GPL-2.0-only
/*
 * The report as metrics for the textfile collector of node_exporter: the state after the run. The
 * format requires all samples of a metric to be together, so they are kept in memory until the last
 * filesystem is done.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "lib/util.h"
#include "plan/sequence.h"
#include "report/report.h"
#include "status.h"

enum metric {
	FILES,
	FRAGMENTED,
	FRAGMENTS,
	BEST,
	MAPPED,
	SCORE,
	FREE,
	FREE_RUNS,
	LONGEST,
	LARGEST,
	MOVED,
	OUTCOME,
	ALONE,
	METRICS
};

static const struct {
	const char *name, *help;
} metrics[METRICS] = {
	[FILES] = { "files", "Block-mapped files that have blocks." },
	[FRAGMENTED] = { "fragmented_files", "Files in more than one fragment." },
	[FRAGMENTS] = { "fragments", "Fragments of all files; one a file is perfect." },
	[BEST] = { "best_fragments", "Fragments that the free space would allow." },
	[MAPPED] = { "mapped_bytes", "Blocks of these files, indirect ones included." },
	[SCORE] = { "score_ratio", "Share of the time to read all files lost to fragments." },
	[FREE] = { "free_bytes", "Free space." },
	[FREE_RUNS] = { "free_runs", "Runs of free blocks." },
	[LONGEST] = { "longest_free_run_bytes", "The longest run of free blocks." },
	[LARGEST] = { "largest_file_bytes", "The largest file that has room in one fragment." },
	[MOVED] = { "moved_bytes", "Blocks that the last run moved." },
	[OUTCOME] = { "outcome_files", "Files by what the last run did with them." },
	[ALONE] = { "left_alone_files", "Files that the last run left alone, by the reason." },
};

struct report_prometheus {
	struct {
		FILE *stream;
		char *text;
		size_t size;
	} metric[METRICS];
};

void report_label(FILE *stream, const char *text)
{
	for (; *text; text++) {
		if (*text == '\\' || *text == '"')
			putc('\\', stream);
		putc(*text, stream);
	}
}

struct report_prometheus *report_prometheus_begin(void)
{
	struct report_prometheus *all = xreallocarray(NULL, 1, sizeof(*all));
	int i;

	for (i = 0; i < METRICS; i++) {
		all->metric[i].stream = open_memstream(&all->metric[i].text, &all->metric[i].size);
		if (!all->metric[i].stream) {
			complain(NULL, 0, "out of memory");
			exit(STATUS_FAILED);
		}
	}
	return all;
}

/* Begin a line: all of it except the value, which the caller writes to the stream returned. */
static FILE *sample(struct report_prometheus *all, enum metric metric, const struct host *host,
		    const char *label, const char *value)
{
	FILE *stream = all->metric[metric].stream;

	fprintf(stream, "e3defrag_%s{device=\"", metrics[metric].name);
	report_label(stream, host->device);
	fputs("\",mountpoint=\"", stream);
	report_label(stream, host->mountpoint);
	putc('"', stream);
	if (label)
		fprintf(stream, ",%s=\"%s\"", label, value);
	fputs("} ", stream);
	return stream;
}

void report_prometheus_add(struct report_prometheus *all, const struct report *report)
{
	const struct host *host = report->job->host;
	const struct free_space *p = report->ran ? &report->job->free_after :
						   &report->job->free_before;
	const struct totals *t = &report->after;
	const uint64_t size = report->job->meta.geo.blocksize;
	const uint64_t value[] = {
		[FILES] = t->files,
		[FRAGMENTED] = t->fragmented,
		[FRAGMENTS] = t->fragments,
		[BEST] = report->best,
		[MAPPED] = t->blocks * size,
		[SCORE] = 0,
		[FREE] = p->blocks * size,
		[FREE_RUNS] = p->runs,
		[LONGEST] = p->longest * size,
		[LARGEST] = p->largest_file,
		[MOVED] = report->job->moved * size,
	};
	int i;

	for (i = 0; i < OUTCOME; i++) {
		FILE *stream = sample(all, (enum metric)i, host, NULL, NULL);

		if (i == SCORE)
			fprintf(stream, "%u.%02u\n", t->score / 100, t->score % 100);
		else
			fprintf(stream, "%" PRIu64 "\n", value[i]);
	}
	for (i = 0; i < OUTCOMES; i++)
		fprintf(sample(all, OUTCOME, host, "outcome", outcome_key((enum outcome)i)),
			"%" PRIu64 "\n", report->outcome[i]);
	for (i = 1; i < REASONS; i++)
		if (report->reason[i])
			fprintf(sample(all, ALONE, host, "reason", reason_key((enum reason)i)),
				"%" PRIu64 "\n", report->reason[i]);
}

static void alone_standing(FILE *stream, const char *name, const char *help, int64_t value)
{
	fprintf(stream,
		"# HELP e3defrag_%s %s\n# TYPE e3defrag_%s gauge\ne3defrag_%s %" PRId64 "\n", name,
		help, name, name, value);
}

void report_prometheus_end(struct report_prometheus *all, FILE *stream, time_t started,
			   time_t ended, int status)
{
	int i;

	for (i = 0; i < METRICS; i++) {
		if (fclose(all->metric[i].stream)) {
			complain(NULL, 0, "out of memory");
			exit(STATUS_FAILED);
		}
		if (all->metric[i].size)
			fprintf(stream, "# HELP e3defrag_%s %s\n# TYPE e3defrag_%s gauge\n%s",
				metrics[i].name, metrics[i].help, metrics[i].name,
				all->metric[i].text);
		free(all->metric[i].text);
	}
	alone_standing(stream, "run_start_timestamp_seconds", "When the last run began.", started);
	alone_standing(stream, "run_end_timestamp_seconds", "When the last run ended.", ended);
	alone_standing(stream, "run_exit_status", "Exit status of the last run, see e3defrag(8).",
		       status);
	free(all);
}
