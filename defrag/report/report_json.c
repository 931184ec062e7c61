// SPDX-License-Identifier: GPL-2.0-only
/*
 * The report as JSON: one object for the whole run, as man/e3defrag-report.schema.json describes
 * it. It is generated as a stream, so it takes no memory however many files it lists.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_gen.h>

#include "lib/util.h"
#include "plan/sequence.h"
#include "report/report.h"
#include "status.h"
#include "version.h"

struct report_json {
	yajl_gen gen;
	FILE *stream;
};

static void write_bytes(void *stream, const char *text, size_t length)
{
	fwrite(text, 1, length, stream);
}

static void add_text(struct report_json *json, const char *value)
{
	yajl_gen_string(json->gen, (const unsigned char *)value, strlen(value));
}

static void add_text_member(struct report_json *json, const char *key, const char *value)
{
	add_text(json, key);
	if (value)
		add_text(json, value);
	else
		yajl_gen_null(json->gen);
}

static void add_number(struct report_json *json, const char *key, uint64_t value)
{
	char digits[24];
	int length = snprintf(digits, sizeof(digits), "%" PRIu64, value);

	add_text(json, key);
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
	yajl_gen_config(json->gen, yajl_gen_print_callback, write_bytes, stream);
	yajl_gen_map_open(json->gen);
	add_text_member(json, "schema", "e3defrag-report");
	add_number(json, "version", 1);
	add_text_member(json, "e3defrag", E3DEFRAG_VERSION);
	add_text_member(json, "mode", mode);
	add_number(json, "started", (uint64_t)started);
	add_text(json, "filesystems");
	yajl_gen_array_open(json->gen);
	return json;
}

static void add_totals(struct report_json *json, const char *key, const struct totals *t,
		       uint64_t best)
{
	add_text(json, key);
	yajl_gen_map_open(json->gen);
	add_number(json, "files", t->files);
	add_number(json, "fragmented_files", t->fragmented);
	add_number(json, "blocks", t->blocks);
	add_number(json, "fragments", t->fragments);
	add_number(json, "best_fragments", best);
	add_number(json, "fiemap_extents", t->fiemap);
	add_number(json, "score", t->score);
	add_text_member(json, "verdict", score_verdict(t->score));
	yajl_gen_map_close(json->gen);
}

static void free_space(struct report_json *json, const char *key, const struct free_space *p)
{
	int i;

	add_text(json, key);
	yajl_gen_map_open(json->gen);
	add_number(json, "blocks", p->blocks);
	add_number(json, "runs", p->runs);
	add_number(json, "longest_run_blocks", p->longest);
	add_number(json, "largest_file_bytes", p->largest_file);
	add_text(json, "histogram");
	yajl_gen_array_open(json->gen);
	for (i = 0; i < 32; i++) {
		if (!p->class[i].runs)
			continue;
		yajl_gen_map_open(json->gen);
		add_number(json, "from_blocks", 1ULL << i);
		add_number(json, "to_blocks", (2ULL << i) - 1);
		add_number(json, "runs", p->class[i].runs);
		add_number(json, "blocks", p->class[i].blocks);
		yajl_gen_map_close(json->gen);
	}
	yajl_gen_array_close(json->gen);
	yajl_gen_map_close(json->gen);
}

static void add_file_record(struct report_json *json, const struct report *report, uint32_t index)
{
	struct report_file file;

	report_file(report, index, true, &file);
	yajl_gen_map_open(json->gen);
	add_text_member(json, "path", file.path);
	if (file.cut)
		add_number(json, "path_cut", file.cut);
	add_number(json, "inode", file.file->ino);
	add_number(json, "generation", file.generation);
	add_number(json, "bytes", file.size);
	add_number(json, "blocks", file.file->blocks);
	add_number(json, "fragments_before", file.before);
	add_number(json, "fragments", file.file->fragments);
	add_number(json, "best_fragments", file.best);
	add_number(json, "fiemap_extents", file.file->fiemap);
	add_number(json, "bytes_per_fragment", file.bytes_each);
	add_number(json, "score", file.file->score);
	add_number(json, "moves", file.moves);
	add_text_member(json, "outcome", outcome_key(file.outcome));
	add_text_member(json, "reason", file.reason);
	yajl_gen_map_close(json->gen);
	free(file.path);
}

void report_json_add(struct report_json *json, const struct report *report, int status)
{
	const struct job *job = report->job;
	size_t i;
	int k;

	yajl_gen_map_open(json->gen);
	add_text_member(json, "device", job->host->device);
	add_text_member(json, "mountpoint", job->host->mountpoint);
	add_text_member(json, "type", job->host->type);
	add_text(json, "whole");
	yajl_gen_bool(json->gen, job->host->whole);
	add_number(json, "block_size", job->meta.geo.blocksize);
	add_number(json, "files", job->survey.files);
	add_totals(json, "before", &report->before, report->best);
	add_totals(json, "after", &report->after, report->best);
	free_space(json, "free_before", &job->free_before);
	free_space(json, "free_after", report->ran ? &job->free_after : &job->free_before);
	add_number(json, "moved_blocks", job->moved);
	add_text(json, "outcomes");
	yajl_gen_map_open(json->gen);
	for (k = 0; k < OUTCOMES; k++)
		add_number(json, outcome_key((enum outcome)k), report->outcome[k]);
	yajl_gen_map_close(json->gen);
	add_text(json, "left_alone");
	yajl_gen_array_open(json->gen);
	for (k = 0; k < REASONS; k++) {
		if (!report->reason[k])
			continue;
		yajl_gen_map_open(json->gen);
		add_text_member(json, "reason", reason_key((enum reason)k));
		add_text_member(json, "text", reason_text((enum reason)k));
		add_number(json, "files", report->reason[k]);
		yajl_gen_map_close(json->gen);
	}
	yajl_gen_array_close(json->gen);
	add_number(json, "listed_of", report->candidates);
	add_text(json, "listed");
	yajl_gen_array_open(json->gen);
	for (i = 0; i < report->listed_count && !ferror(json->stream); i++)
		add_file_record(json, report, report->listed[i]);
	yajl_gen_array_close(json->gen);
	add_number(json, "status", (uint64_t)status);
	yajl_gen_map_close(json->gen);
}

void report_json_end(struct report_json *json, time_t ended, int status, enum stop stop)
{
	yajl_gen_array_close(json->gen);
	add_number(json, "ended", (uint64_t)ended);
	add_text_member(json, "stopped", stop_key(stop));
	add_number(json, "status", (uint64_t)status);
	yajl_gen_map_close(json->gen);
	yajl_gen_free(json->gen);
	free(json);
}
