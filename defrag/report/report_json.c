// SPDX-License-Identifier: GPL-2.0-only
/*
 * One object for the whole run, as man/e3defrag-report.schema.json describes it. It is generated
 * from front to back, so it takes no memory however many files it lists.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_gen.h>

#include "e3defrag.h"
#include "lib/util.h"
#include "report/report.h"

struct report_json {
	yajl_gen gen;
	FILE *stream;
};

static void print(void *stream, const char *text, size_t length)
{
	fwrite(text, 1, length, stream);
}

static void text(struct report_json *json, const char *value)
{
	yajl_gen_string(json->gen, (const unsigned char *)value, strlen(value));
}

static void text_member(struct report_json *json, const char *key, const char *value)
{
	text(json, key);
	if (value)
		text(json, value);
	else
		yajl_gen_null(json->gen);
}

static void number(struct report_json *json, const char *key, uint64_t value)
{
	char digits[24];
	int length = snprintf(digits, sizeof(digits), "%" PRIu64, value);

	text(json, key);
	yajl_gen_number(json->gen, digits, (size_t)length);
}

struct report_json *report_json_begin(FILE *stream, const char *mode, time_t started)
{
	struct report_json *json = xreallocarray(NULL, 1, sizeof(*json));

	json->stream = stream;
	json->gen = yajl_gen_alloc(NULL);
	if (!json->gen) {
		complain(NULL, 0, "out of memory");
		exit(STATUS_FAILED);
	}
	yajl_gen_config(json->gen, yajl_gen_beautify, 1);
	yajl_gen_config(json->gen, yajl_gen_indent_string, "  ");
	yajl_gen_config(json->gen, yajl_gen_validate_utf8, 1);
	yajl_gen_config(json->gen, yajl_gen_print_callback, print, stream);
	yajl_gen_map_open(json->gen);
	text_member(json, "schema", "e3defrag-report");
	number(json, "version", 1);
	text_member(json, "e3defrag", E3DEFRAG_VERSION);
	text_member(json, "mode", mode);
	number(json, "started", (uint64_t)started);
	text(json, "filesystems");
	yajl_gen_array_open(json->gen);
	return json;
}

static void totals(struct report_json *json, const char *key, const struct totals *t, uint64_t best)
{
	text(json, key);
	yajl_gen_map_open(json->gen);
	number(json, "files", t->files);
	number(json, "fragmented_files", t->fragmented);
	number(json, "blocks", t->blocks);
	number(json, "fragments", t->fragments);
	number(json, "best_fragments", best);
	number(json, "fiemap_extents", t->fiemap);
	number(json, "score", t->score);
	text_member(json, "verdict", score_verdict(t->score));
	yajl_gen_map_close(json->gen);
}

static void free_space(struct report_json *json, const char *key, const struct free_picture *p)
{
	int i;

	text(json, key);
	yajl_gen_map_open(json->gen);
	number(json, "blocks", p->blocks);
	number(json, "runs", p->runs);
	number(json, "longest_run_blocks", p->longest);
	number(json, "largest_file_bytes", p->largest_file);
	text(json, "histogram");
	yajl_gen_array_open(json->gen);
	for (i = 0; i < 32; i++) {
		if (!p->class[i].runs)
			continue;
		yajl_gen_map_open(json->gen);
		number(json, "from_blocks", 1ULL << i);
		number(json, "to_blocks", (2ULL << i) - 1);
		number(json, "runs", p->class[i].runs);
		number(json, "blocks", p->class[i].blocks);
		yajl_gen_map_close(json->gen);
	}
	yajl_gen_array_close(json->gen);
	yajl_gen_map_close(json->gen);
}

static void add_file(struct report_json *json, const struct report *report, uint32_t index)
{
	struct report_file file;

	report_file(report, index, &file);
	yajl_gen_map_open(json->gen);
	text_member(json, "path", file.path);
	number(json, "inode", file.file->ino);
	number(json, "generation", file.generation);
	number(json, "bytes", file.size);
	number(json, "blocks", file.file->blocks);
	number(json, "fragments_before", file.before);
	number(json, "fragments", file.file->fragments);
	number(json, "best_fragments", file.best);
	number(json, "fiemap_extents", file.file->fiemap);
	number(json, "bytes_per_fragment", file.bytes_each);
	number(json, "score", file.file->score);
	number(json, "moves", file.moves);
	text_member(json, "outcome", outcome_key(file.outcome));
	text_member(json, "reason", file.reason);
	yajl_gen_map_close(json->gen);
	free(file.path);
}

void report_json_add(struct report_json *json, const struct report *report, int status)
{
	const struct job *job = report->job;
	char *mountpoint = printable(job->host->mountpoint);
	char *device = printable(job->host->device);
	size_t i;
	int k;

	yajl_gen_map_open(json->gen);
	text_member(json, "device", device);
	text_member(json, "mountpoint", mountpoint);
	text_member(json, "type", job->host->type);
	text(json, "whole");
	yajl_gen_bool(json->gen, job->host->whole);
	number(json, "block_size", job->meta.geo.blocksize);
	number(json, "files", job->survey.files);
	totals(json, "before", &report->before, report->best);
	totals(json, "after", &report->after, report->best);
	free_space(json, "free_before", &job->free_before);
	free_space(json, "free_after", report->ran ? &job->free_after : &job->free_before);
	number(json, "moved_blocks", job->moved);
	text(json, "outcomes");
	yajl_gen_map_open(json->gen);
	for (k = 0; k < OUTCOMES; k++)
		number(json, outcome_key((enum outcome)k), report->outcome[k]);
	yajl_gen_map_close(json->gen);
	text(json, "left_alone");
	yajl_gen_array_open(json->gen);
	for (k = 0; k < REASONS; k++) {
		if (!report->reason[k])
			continue;
		yajl_gen_map_open(json->gen);
		text_member(json, "reason", reason_key((enum reason)k));
		text_member(json, "text", reason_text((enum reason)k));
		number(json, "files", report->reason[k]);
		yajl_gen_map_close(json->gen);
	}
	yajl_gen_array_close(json->gen);
	number(json, "listed_of", report->candidates);
	text(json, "listed");
	yajl_gen_array_open(json->gen);
	for (i = 0; i < report->listed_count && !ferror(json->stream); i++)
		add_file(json, report, report->listed[i]);
	yajl_gen_array_close(json->gen);
	number(json, "status", (uint64_t)status);
	yajl_gen_map_close(json->gen);
	free(device);
	free(mountpoint);
}

void report_json_end(struct report_json *json, time_t ended, int status, enum stop stop)
{
	yajl_gen_array_close(json->gen);
	number(json, "ended", (uint64_t)ended);
	text_member(json, "stopped", stop_key(stop));
	number(json, "status", (uint64_t)status);
	yajl_gen_map_close(json->gen);
	yajl_gen_free(json->gen);
	free(json);
}
