// SPDX-License-Identifier: GPL-2.0-only
/* The report as CSV by RFC 4180: a line for each file that has blocks. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"
#include "report/report.h"

void report_csv_field(FILE *stream, const char *text)
{
	if (!strpbrk(text, "\",\r\n")) {
		fputs(text, stream);
		return;
	}
	putc('"', stream);
	for (; *text; text++) {
		if (*text == '"')
			putc('"', stream);
		putc(*text, stream);
	}
	putc('"', stream);
}

void report_csv_begin(FILE *stream)
{
	fputs("device,path,inode,generation,bytes,blocks,fragments_before,fragments,best_fragments,"
	      "fiemap_extents,score,moves,outcome,reason,path_cut\r\n",
	      stream);
}

void report_csv_add(FILE *stream, const struct report *report)
{
	const struct survey *survey = &report->job->survey;
	size_t i;

	for (i = 0; i < survey->files && !ferror(stream); i++) {
		const struct file *f = &survey->file[i];
		struct report_file file;

		if (!f->blocks)
			continue;
		report_file(report, i, true, &file);
		report_csv_field(stream, report->job->host->device);
		putc(',', stream);
		report_csv_field(stream, file.path);
		fprintf(stream, ",%" PRIu32 ",%" PRIu32 ",%" PRIu64 ",%" PRIu32, f->ino,
			file.generation, file.size, f->blocks);
		fprintf(stream, ",%" PRIu32 ",%" PRIu32 ",%" PRIu32 ",%" PRIu32 ",%u,%" PRIu32,
			file.before, f->fragments, file.best, f->fiemap, f->score, file.moves);
		fprintf(stream, ",%s,%s,%zu\r\n", outcome_key(file.outcome),
			file.reason ? file.reason : "", file.cut);
		free(file.path);
	}
}
