// SPDX-License-Identifier: GPL-2.0-only
#include "planfile/planfile_write.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_gen.h>

#include "lib/util.h"
#include "planfile/planfile.h"
#include "status.h"
#include "version.h"

struct plan_writer {
	yajl_gen gen;
	FILE *stream;
	time_t made;
	bool begun;
	/* For the current filesystem: fragments less, and files in one piece, by its moves. */
	uint64_t fragments, perfect;
};

static void print_bytes(void *stream, const char *text, size_t length)
{
	fwrite(text, 1, length, stream);
}

static void put_text(struct plan_writer *to, const char *value)
{
	yajl_gen_string(to->gen, (const unsigned char *)value, strlen(value));
}

static void put_text_member(struct plan_writer *to, const char *key, const char *value)
{
	put_text(to, key);
	put_text(to, value);
}

static void put_number(struct plan_writer *to, const char *key, uint64_t value)
{
	char digits[24];
	int length = snprintf(digits, sizeof(digits), "%" PRIu64, value);

	put_text(to, key);
	yajl_gen_number(to->gen, digits, (size_t)length);
}

struct plan_writer *plan_writer_open(FILE *stream, time_t made)
{
	struct plan_writer *to = xreallocarray(NULL, 1, sizeof(*to));

	*to = (struct plan_writer){ .stream = stream, .made = made };
	to->gen = yajl_gen_alloc(NULL);
	if (!to->gen) {
		complain(NULL, 0, "out of memory");
		exit(STATUS_FAILED);
	}
	yajl_gen_config(to->gen, yajl_gen_beautify, 1);
	yajl_gen_config(to->gen, yajl_gen_indent_string, "  ");
	yajl_gen_config(to->gen, yajl_gen_validate_utf8, 1);
	yajl_gen_config(to->gen, yajl_gen_print_callback, print_bytes, stream);
	return to;
}

static void head(struct plan_writer *to)
{
	to->begun = true;
	yajl_gen_map_open(to->gen);
	put_text_member(to, "schema", PLANFILE_SCHEMA);
	put_number(to, "version", PLANFILE_VERSION);
	put_text_member(to, "e3defrag", E3DEFRAG_VERSION);
	put_number(to, "made", (uint64_t)to->made);
	put_text(to, "filesystems");
	yajl_gen_array_open(to->gen);
}

void plan_writer_begin(struct plan_writer *to, const struct job *job)
{
	if (!to->begun)
		head(to);
	to->fragments = to->perfect = 0;
	yajl_gen_map_open(to->gen);
	put_text_member(to, "device", job->host->device);
	put_text_member(to, "mountpoint", job->host->mountpoint);
	put_text_member(to, "uuid", job->meta.geo.id);
	put_number(to, "block_size", job->meta.geo.blocksize);
	put_number(to, "blocks", job->meta.geo.blocks);
	put_text(to, "moves");
	yajl_gen_array_open(to->gen);
}

void plan_writer_move(struct plan_writer *to, const struct job *job, const struct file *file,
		      const struct layout *layout, const struct plan *plan)
{
	const struct detail *detail = &job->survey.detail[file->detail];
	char *path = survey_path(&job->survey, file, NULL), print_of_it[17];
	size_t i;

	snprintf(print_of_it, sizeof(print_of_it), "%016" PRIx64, layout_print(layout));
	/* The totals compare with the survey, even if the file has changed since. */
	if (detail->before > plan->pieces)
		to->fragments += detail->before - plan->pieces;
	to->perfect += plan->pieces == 1;
	yajl_gen_map_open(to->gen);
	put_text_member(to, "path", path);
	put_number(to, "inode", file->ino);
	put_number(to, "generation", detail->generation);
	put_number(to, "blocks", file->blocks);
	put_number(to, "fragments_before", file->fragments);
	put_number(to, "fragments_after", plan->pieces);
	put_text_member(to, "layout", print_of_it);
	put_text(to, "pieces");
	yajl_gen_array_open(to->gen);
	for (i = 0; i < plan->pieces && !ferror(to->stream); i++) {
		yajl_gen_map_open(to->gen);
		put_number(to, "at", plan->piece[i].at);
		put_number(to, "length", plan->piece[i].length);
		put_number(to, "goal", plan->piece[i].goal);
		yajl_gen_map_close(to->gen);
	}
	yajl_gen_array_close(to->gen);
	yajl_gen_map_close(to->gen);
	free(path);
}

static void put_totals(struct plan_writer *to, const char *key, uint64_t fragmented,
		       uint64_t fragments, unsigned int value)
{
	put_text(to, key);
	yajl_gen_map_open(to->gen);
	put_number(to, "fragmented_files", fragmented);
	put_number(to, "fragments", fragments);
	put_number(to, "score", value);
	yajl_gen_map_close(to->gen);
}

void plan_writer_end(struct plan_writer *to, const struct job *job)
{
	const struct survey *survey = &job->survey;
	struct cost cost = { 0, 0 };
	struct totals before;
	size_t i;

	survey_totals(survey, job->meta.geo.blocksize, true, &before);
	for (i = 0; i < survey->files; i++) {
		const struct file *file = &survey->file[i];

		/* As in survey_totals(): the fragments that the survey found. */
		if (file->blocks)
			cost_add(&cost, file->blocks, job->meta.geo.blocksize,
				 file->detail == DETAIL_NONE ? file->fragments :
							       survey->detail[file->detail].before);
	}
	cost.lost -= to->fragments * SEEK_KIB < cost.lost ? to->fragments * SEEK_KIB : cost.lost;
	yajl_gen_array_close(to->gen);
	put_totals(to, "before", before.fragmented, before.fragments, before.score);
	put_totals(to, "after", before.fragmented - to->perfect, before.fragments - to->fragments,
		   score(&cost));
	yajl_gen_map_close(to->gen);
}

bool plan_writer_close(struct plan_writer *to)
{
	bool begun = to->begun;

	if (begun) {
		yajl_gen_array_close(to->gen);
		yajl_gen_map_close(to->gen);
	}
	yajl_gen_free(to->gen);
	free(to);
	return begun;
}
