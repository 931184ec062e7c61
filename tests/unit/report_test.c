// SPDX-License-Identifier: GPL-2.0-only
/* The forms for programs: what they make of names that nobody should give to files. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_tree.h>

#include "lib/util.h"
#include "report/report.h"
#include "tap.h"

/* What printable() made, back to the bytes that it was made of. */
static void unescape(const char *shown, char *to)
{
	while (*shown) {
		if (*shown == '\\') {
			*to++ = (char)((shown[1] - '0') << 6 | (shown[2] - '0') << 3 |
				       (shown[3] - '0'));
			shown += 4;
		} else {
			*to++ = *shown++;
		}
	}
	*to = 0;
}

static void bytes(void)
{
	static const struct {
		const char *name, *shown;
	} text[] = {
		{ "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80" },
		{ "latin \xe4.", "latin \\344." },
		{ "\xc0\xaf", "\\300\\257" },			/* overlong */
		{ "\xe0\x80\xaf", "\\340\\200\\257" },		/* overlong */
		{ "\xed\xa0\x80", "\\355\\240\\200" },		/* a surrogate */
		{ "\xf4\x90\x80\x80", "\\364\\220\\200\\200" }, /* past U+10FFFF */
		{ "\xf0\x8f\xbf\xbf", "\\360\\217\\277\\277" }, /* overlong */
		{ "\xc2\x9b[2J", "\\302\\233[2J" },		/* a control character */
		{ "cut \xe2\x82", "cut \\342\\202" },
		{ "\x7f\t\n", "\\177\\011\\012" },
		/* End of a line and of a paragraph, other directions; and none of these. */
		{ "\xe2\x80\xa8\xe2\x80\xa9", "\\342\\200\\250\\342\\200\\251" },
		{ "\xe2\x80\xaatxt.exe", "\\342\\200\\252txt.exe" },
		{ "\xe2\x80\xae\xe2\x81\xa6", "\\342\\200\\256\\342\\201\\246" },
		{ "\xe2\x81\xa9", "\\342\\201\\251" },
		{ "\xe2\x80\xa7\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xaa",
		  "\xe2\x80\xa7\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xaa" },
		{ "\xe2\x80", "\\342\\200" },
	};
	size_t i;

	for (i = 0; i < sizeof(text) / sizeof(*text); i++) {
		char *shown = printable(text[i].name);

		if (!ok(!strcmp(shown, text[i].shown), "name %zu is shown as UTF-8", i))
			printf("# got %s\n", shown);
		free(shown);
	}
}

static void written(void (*write)(FILE *, const char *), const char *text, const char *wanted)
{
	char *got = NULL;
	size_t size;
	FILE *stream = open_memstream(&got, &size);

	write(stream, text);
	fclose(stream);
	if (!ok(!strcmp(got, wanted), "written as %s", wanted))
		printf("# got %s\n", got);
	free(got);
}

/* A report of files with @count random names is JSON, and has just these names. */
static void json(unsigned int count)
{
	struct options options = { .check = true, .verbose = true, .top = 10 };
	struct host host = { .device = "/dev/\"x\"", .mountpoint = "/m\\377", .type = "ext3" };
	struct job job = { .options = &options, .host = &host };
	struct report report;
	struct report_json *writer;
	static const char *listed[] = { "filesystems", NULL };
	char name[64], back[64], *text = NULL, error[200];
	unsigned int i, k, same = 0;
	yajl_val tree, fs;
	size_t size;
	FILE *stream;

	job.meta.geo.blocksize = 1024;
	job.survey.files = count;
	job.survey.file = xreallocarray(NULL, count, sizeof(*job.survey.file));
	memset(job.survey.file, 0, count * sizeof(*job.survey.file));
	for (i = 0; i < count; i++) {
		struct file *file = &job.survey.file[i];

		for (k = 0; k < 1 + random_below(20); k++)
			name[k] = (char)(1 + random_below(255));
		name[k] = 0;
		file->ino = 12 + i;
		file->blocks = 7;
		file->fragments = 1;
		file->detail = DETAIL_NONE;
		survey_detail(&job.survey, file)->name =
			names_add(&job.survey.names, NAME_NONE, name, file->ino);
		file->reason = REASON_PERFECT;
	}
	report_gather(&report, &job);
	stream = open_memstream(&text, &size);
	writer = report_json_begin(stream, "check", 1);
	report_json_add(writer, &report, 0);
	report_json_end(writer, 2, 4, STOP_TIME);
	fclose(stream);
	tree = yajl_tree_parse(text, error, sizeof(error));
	if (!ok(tree, "hostile names make a JSON text"))
		printf("# %s\n", error);
	fs = tree ? yajl_tree_get(tree, listed, yajl_t_array)->u.array.values[0] : NULL;
	for (i = 0; fs && i < count; i++) {
		static const char *files[] = { "listed", NULL }, *path[] = { "path", NULL };
		yajl_val file = yajl_tree_get(fs, files, yajl_t_array)->u.array.values[i];
		char *real = names_path(&job.survey.names,
					job.survey.detail[job.survey.file[i].detail].name);

		unescape(YAJL_GET_STRING(yajl_tree_get(file, path, yajl_t_string)), back);
		same += !strcmp(back, real);
		free(real);
	}
	is(same, count, "each of them comes back from it byte by byte");
	is(report.reason[REASON_PERFECT], count, "each is counted under its reason");
	yajl_tree_free(tree);
	free(text);
	report_free(&report);
	names_free(&job.survey.names);
	free(job.survey.detail);
	free(job.survey.file);
}

/* A survey of one file, with the path of @length bytes, each of which is @byte. */
static void one_file(struct survey *survey, size_t length, char byte)
{
	char *path = xreallocarray(NULL, length + 1, 1);

	memset(path, byte, length);
	path[0] = '/';
	path[length] = 0;
	*survey = (struct survey){ .files = 1 };
	survey->file = xreallocarray(NULL, 1, sizeof(*survey->file));
	*survey->file = (struct file){ .ino = 4294967295U, .detail = DETAIL_NONE, .blocks = 2 };
	survey->file->fragments = 2;
	survey_detail(survey, survey->file)->name =
		names_add(&survey->names, NAME_NONE, path, survey->file->ino);
	free(path);
}

/* Nobody is shown more of a path than the bounds say, however long it is and whatever is in it. */
static void bounds(size_t length, char byte, bool whole, uint64_t cut)
{
	struct options options = { .check = true, .csv = "-", .top = 10 };
	struct host host = { .device = "/dev/x", .mountpoint = "/x", .type = "ext3" };
	struct job job = { .options = &options, .host = &host };
	struct report report;
	char *name, *path, *text = NULL, *last;
	size_t size, missing;
	FILE *stream;

	one_file(&job.survey, length, byte);
	name = survey_name(&job.survey, job.survey.file);
	path = survey_path(&job.survey, job.survey.file, &missing);
	is(missing, cut, "%zu bytes: so many are missing for a program", length);
	ok(strlen(path) <= NAME_WRITTEN, "it gets at most its bound");
	ok(strlen(name) <= NAME_SHOWN + strlen(" <inode 4294967295>"), "people get at most theirs");
	if (whole)
		ok(name[0] == '/' && !strchr(name, '<'), "what is short is whole");
	else
		ok(!strncmp(name, "...", 3) && strstr(name, " <inode 4294967295>"),
		   "what isn't has dots and the number of its inode");
	job.meta.geo.blocksize = 1024;
	report_gather(&report, &job);
	stream = open_memstream(&text, &size);
	report_csv_add(stream, &report);
	fclose(stream);
	last = strrchr(text, ',');
	is(last ? strtoull(last + 1, NULL, 10) : 99, cut, "CSV says what is missing");
	ok(size < NAME_WRITTEN + 200, "and its line has a bound");
	free(text);
	free(path);
	free(name);
	report_free(&report);
	survey_free(&job.survey);
}

/* The files by each order, and no more than the top. */
static void orders(void)
{
	static const struct {
		const char *name;
		uint64_t size;
		uint32_t blocks, fragments;
		uint8_t score;
	} file[] = {
		{ "b", 9000, 9, 5, 80 },
		{ "a", 5000, 5, 2, 60 },
		{ "c", 90000, 90, 7, 70 },
		{ "d", 1000, 1, 1, 0 },
	};
	static const char *const wanted[] = {
		[SORT_SCORE] = "bca",
		[SORT_FRAGMENTS] = "cba",
		[SORT_SIZE] = "cba",
		[SORT_NAME] = "abc",
	};
	struct options options = { .check = true };
	struct job job = { .options = &options };
	struct file files[4] = { 0 };
	int sort;
	size_t i, top;

	job.survey.file = files;
	job.survey.files = 4;
	job.meta.geo.blocksize = 1024;
	for (i = 0; i < 4; i++) {
		files[i].ino = (uint32_t)(12 + i);
		files[i].blocks = file[i].blocks;
		files[i].fragments = file[i].fragments;
		files[i].score = file[i].score;
		files[i].detail = DETAIL_NONE;
		survey_detail(&job.survey, &files[i])->size = file[i].size;
		job.survey.detail[files[i].detail].name =
			names_add(&job.survey.names, NAME_NONE, file[i].name, files[i].ino);
	}
	for (sort = SORT_SCORE; sort <= SORT_NAME; sort++)
		for (top = 0; top < 5; top++) {
			struct report report;
			bool good = true;

			options.sort = (enum sort)sort;
			options.top = (uint32_t)top;
			report_gather(&report, &job);
			is(report.listed_count, top < 3 ? top : 3, "the top %zu of three", top);
			for (i = 0; i < report.listed_count; i++)
				good &= file[report.listed[i]].name[0] == wanted[sort][i];
			ok(good, "in order %d", sort);
			is(report.candidates, 3, "a file in one piece is none of them");
			report_free(&report);
		}
	names_free(&job.survey.names);
	free(job.survey.detail);
}

void test_report(void)
{
	bytes();
	bounds(256, 'x', true, 0);
	bounds(257, 'x', false, 0);
	bounds(4096, 'x', false, 0);
	bounds(4097, 'x', false, 4);
	bounds(4095, 27, false, 4 * 4094 + 1 - 4092);
	bounds(10000000, 27, false, 4 * 9999999 + 1 - 4092);
	written(report_csv_field, "plain name", "plain name");
	written(report_csv_field, "a,b", "\"a,b\"");
	written(report_csv_field, "say \"a\"", "\"say \"\"a\"\"\"");
	written(report_label, "say \"a\"\\012\\377", "say \\\"a\\\"\\\\012\\\\377");
	json(200);
	orders();
}
