// SPDX-License-Identifier: GPL-2.0-only
/*
 * The report as an HTML page: the disk before and after, its free space, the files, and why some
 * were left alone. The page is one file that loads nothing else, neither from the network nor from
 * the disk, and has no script; its Content-Security-Policy makes the browser enforce that. Text
 * from the filesystem must never become markup, so all of it goes through report_html_text.c.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "lib/util.h"
#include "plan/sequence.h"
#include "report/report.h"
#include "report/report_html.h"
#include "status.h"
#include "version.h"

struct report_html {
	FILE *stream;
	time_t started;
	unsigned int filesystems;
};

static void put_time(FILE *stream, time_t when)
{
	struct tm tm;
	char machine[32] = "", people[64] = "";

	if (gmtime_r(&when, &tm))
		strftime(machine, sizeof(machine), "%Y-%m-%dT%H:%M:%SZ", &tm);
	if (localtime_r(&when, &tm))
		strftime(people, sizeof(people), "%Y-%m-%d %H:%M:%S %z", &tm);
	fprintf(stream, "<time datetime=\"%s\">%s</time>", machine, people);
}

struct report_html *report_html_begin(FILE *stream, const char *mode, time_t started)
{
	struct report_html *html = xreallocarray(NULL, 1, sizeof(*html));

	*html = (struct report_html){ .stream = stream, .started = started };
	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
	      "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\"/>\n"
	      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
	      "<meta name=\"generator\" content=\"e3defrag " E3DEFRAG_VERSION "\"/>\n"
	      "<title>e3defrag: ",
	      stream);
	fprintf(stream, "%s</title>\n<style>\n%s</style>\n</head>\n<body>\n<header>\n", mode,
		report_html_style);
	fprintf(stream,
		"<h1>e3defrag</h1>\n<p class=\"faint\">Version " E3DEFRAG_VERSION ", %s, begun ",
		mode);
	put_time(stream, started);
	fputs("</p>\n</header>\n<main>\n", stream);
	return html;
}

/* The CSS class of a score, by the same ranges as score_verdict(). */
static const char *score_class(unsigned int score)
{
	return score <= 30 ? "good" : score <= 55 ? "middling" : "bad";
}

static void put_score(FILE *stream, const char *title, unsigned int score)
{
	fprintf(stream, "<li>%s<b class=\"%s\">%u</b>%s</li>\n", title, score_class(score), score,
		score_verdict(score));
}

static void put_count(FILE *stream, const char *title, uint64_t count, const char *text)
{
	fprintf(stream, "<li>%s<b>%" PRIu64 "</b>%s</li>\n", title, count, text);
}

static void put_cards(FILE *stream, const struct report *report)
{
	const struct job *job = report->job;
	char size[HUMAN_SIZE];

	fputs("<ul class=\"cards\">\n", stream);
	if (report->ran) {
		put_score(stream, "Score before", report->before.score);
		put_score(stream, "Score after", report->after.score);
		put_count(stream, "Files improved", report->outcome[OUTCOME_IMPROVED], "");
		fprintf(stream, "<li>Moved<b>%s</b>%" PRIu64 " blocks</li>\n",
			human(job->moved * job->meta.geo.blocksize, size), job->moved);
	} else {
		put_score(stream, "Score", report->before.score);
		put_count(stream, "Fragmented files", report->before.fragmented, "");
		if (job->options->dry_run)
			put_count(stream, "Files to move", report->outcome[OUTCOME_PLANNED], "");
		fprintf(stream, "<li>Fragments<b>%" PRIu64 "</b>%" PRIu64 " at best</li>\n",
			report->before.fragments, report->best);
	}
	fputs("</ul>\n", stream);
}

/* --- tables ---------------------------------------------------------------------------------- */

/* A table that is too wide for the screen scrolls by itself, with the keyboard, too. */
static void table_begin(FILE *stream, const char *label)
{
	fprintf(stream,
		"<div class=\"wide\" role=\"region\" tabindex=\"0\" aria-label=\"%s\">\n<table>\n",
		label);
}

static void table_end(FILE *stream)
{
	fputs("</tbody>\n</table>\n</div>\n", stream);
}

static void heads(FILE *stream, const char *first, const struct report *report)
{
	fprintf(stream, "<thead><tr><th scope=\"col\">%s</th><th scope=\"col\">%s</th>", first,
		report->ran ? "before" : "now");
	if (report->ran)
		fputs("<th scope=\"col\">after</th>", stream);
	fputs("</tr></thead>\n<tbody>\n", stream);
}

static void row(FILE *stream, const char *title, bool both, const char *before, const char *after)
{
	fprintf(stream, "<tr><th scope=\"row\">%s</th><td>%s</td>", title, before);
	if (both)
		fprintf(stream, "<td>%s</td>", after);
	fputs("</tr>\n", stream);
}

static void row_of_numbers(FILE *stream, const char *title, bool both, uint64_t before,
			   uint64_t after)
{
	char a[24], b[24];

	snprintf(a, sizeof(a), "%" PRIu64, before);
	snprintf(b, sizeof(b), "%" PRIu64, after);
	row(stream, title, both, a, b);
}

static void row_of_bytes(FILE *stream, const char *title, bool both, uint64_t before,
			 uint64_t after)
{
	char a[HUMAN_SIZE], b[HUMAN_SIZE];

	row(stream, title, both, human(before, a), human(after, b));
}

/* --- the disk -------------------------------------------------------------------------------- */

static uint64_t blocks_of(const struct usage *usage, int kind)
{
	uint64_t sum = 0;
	size_t i;

	if (kind != USAGE_KINDS)
		return usage_sum(usage, (enum usage_kind)kind);
	for (i = 0; i < usage->cells; i++)
		sum += usage_other(usage, i);
	return sum;
}

static void put_swatch(FILE *stream, const char *class, const char *text)
{
	fprintf(stream, "<li><span class=\"swatch %s\"></span>%s</li>\n", class, text);
}

static void put_disk(FILE *stream, const struct report *report)
{
	const struct job *job = report->job;
	const struct usage none = { 0 }, *before = &job->usage_before,
			   *after = report->ran ? &job->usage_after : &none;
	char size[HUMAN_SIZE];
	int k;

	if (!before->cells)
		return;
	fputs("<h3>Map of the disk</h3>\n<ul class=\"legend\" aria-label=\"Colours\">\n", stream);
	for (k = 0; k <= USAGE_KINDS; k++)
		put_swatch(stream, report_html_class(k), report_html_kind(k));
	if (after->cells)
		put_swatch(stream, "moved", "line below a row: moved away (before), here (after)");
	fprintf(stream,
		"</ul>\n<p class=\"faint\">Each bar of the map shows how %s of the disk are used, "
		"from left to right and row after row.</p>\n<div class=\"sides\">\n"
		"<figure><figcaption>%s</figcaption>\n",
		human(report_html_bar(before) * job->meta.geo.blocksize, size),
		after->cells ? "Before" : "Now");
	report_html_map(stream,
			after->cells ? "Map of the disk before; a table below has its numbers" :
				       "Map of the disk; a table below has its numbers",
			before, after, USAGE_AWAY);
	fputs("</figure>\n", stream);
	if (after->cells) {
		fputs("<figure><figcaption>After</figcaption>\n", stream);
		report_html_map(stream, "Map of the disk after; a table below has its numbers",
				after, after, USAGE_IN);
		fputs("</figure>\n", stream);
	}
	fputs("</div>\n", stream);
}

static void put_kinds(FILE *stream, const struct report *report)
{
	const struct job *job = report->job;
	int k;

	if (!job->usage_before.cells)
		return;
	table_begin(stream, "Blocks of the disk by what is in them");
	heads(stream, "Blocks", report);
	for (k = 0; k <= USAGE_KINDS; k++)
		row_of_numbers(stream, report_html_kind(k), report->ran,
			       blocks_of(&job->usage_before, k), blocks_of(&job->usage_after, k));
	table_end(stream);
}

static void put_table(FILE *stream, const struct report *report)
{
	const struct totals *before = &report->before, *after = &report->after;
	const struct job *job = report->job;
	const struct free_space *free_before = &job->free_before, *free_after = &job->free_after;
	const bool both = report->ran;

	table_begin(stream, "Totals");
	heads(stream, "Total", report);
	row_of_numbers(stream, "Score", both, before->score, after->score);
	fprintf(stream, "<tr><th scope=\"row\">Verdict</th><td class=\"verdict\">%s</td>",
		score_verdict(before->score));
	if (both)
		fprintf(stream, "<td class=\"verdict\">%s</td>", score_verdict(after->score));
	fputs("</tr>\n", stream);
	row_of_numbers(stream, "Files mapped by blocks", both, before->files, after->files);
	row_of_numbers(stream, "Fragmented files", both, before->fragmented, after->fragmented);
	row_of_numbers(stream, "Fragments", both, before->fragments, after->fragments);
	row_of_bytes(stream, "Data and indirect blocks", both,
		     before->blocks * job->meta.geo.blocksize,
		     after->blocks * job->meta.geo.blocksize);
	row_of_numbers(stream, "Free blocks", both, free_before->blocks, free_after->blocks);
	row_of_numbers(stream, "Free runs", both, free_before->runs, free_after->runs);
	row_of_numbers(stream, "Longest free run", both, free_before->longest, free_after->longest);
	row_of_bytes(stream, "Largest file in one piece", both, free_before->largest_file,
		     free_after->largest_file);
	table_end(stream);
}

/* --- free space ------------------------------------------------------------------------------ */

static void put_class(FILE *stream, const struct free_space *p, int class)
{
	const struct freemap_class *c = &p->class[class];
	const double share = p->blocks ? 100.0 * (double)c->blocks / (double)p->blocks : 0;

	fprintf(stream,
		"<td>%" PRIu64 "</td><td class=\"spare\">%" PRIu64 "</td><td>%.1f%%</td><td>",
		c->runs, c->blocks, share);
	fprintf(stream,
		"<svg class=\"bar\" viewBox=\"0 0 100 1\" preserveAspectRatio=\"none\" "
		"aria-hidden=\"true\"><path d=\"M0 0h%.1fv1H0z\"/></svg></td>",
		share);
}

static void put_free(FILE *stream, const struct report *report)
{
	const struct free_space *before = &report->job->free_before,
				*after = &report->job->free_after;
	int i, side, sides = report->ran ? 2 : 1;

	fputs("<h3>Free space by the length of its runs</h3>\n", stream);
	table_begin(stream, "Free space by the length of its runs");
	fputs("<thead>", stream);
	if (report->ran)
		fputs("<tr><td></td>"
		      "<th scope=\"colgroup\" colspan=\"4\" class=\"group\">before</th>"
		      "<th scope=\"colgroup\" colspan=\"4\" class=\"group\">after</th></tr>\n",
		      stream);
	fputs("<tr><th scope=\"col\">run length, blocks</th>", stream);
	for (side = 0; side < sides; side++)
		fputs("<th scope=\"col\">runs</th><th scope=\"col\" class=\"spare\">blocks</th>"
		      "<th scope=\"col\">share</th><td></td>",
		      stream);
	fputs("</tr></thead>\n<tbody>\n", stream);
	for (i = 0; i < 32; i++) {
		if (!before->class[i].runs && (!report->ran || !after->class[i].runs))
			continue;
		fprintf(stream, "<tr><th scope=\"row\" class=\"run\">%" PRIu32,
			(uint32_t)(1U << i));
		if (i)
			fprintf(stream, " - %" PRIu32, (uint32_t)((2ULL << i) - 1));
		fputs("</th>", stream);
		put_class(stream, before, i);
		if (report->ran)
			put_class(stream, after, i);
		fputs("</tr>\n", stream);
	}
	table_end(stream);
}

/* --- files ----------------------------------------------------------------------------------- */

static const char *const orders[] = {
	[SORT_SCORE] = "the worst first",
	[SORT_FRAGMENTS] = "those in most fragments first",
	[SORT_SIZE] = "the largest first",
	[SORT_NAME] = "by name",
};

static const char *const outcomes[OUTCOMES] = {
	[OUTCOME_ALONE] = "left alone",	   [OUTCOME_PLANNED] = "would be moved",
	[OUTCOME_IMPROVED] = "improved",   [OUTCOME_PARTLY] = "improved in part",
	[OUTCOME_FAILED] = "not improved",
};

static void put_outcome(FILE *stream, const struct report_file *file)
{
	const enum reason reason = (enum reason)file->file->reason;

	/* In a report without a run a file has no outcome. */
	if (file->outcome == OUTCOME_ALONE && reason == REASON_NONE)
		return;
	fputs(outcomes[file->outcome], stream);
	if (file->reason && reason != REASON_PERFECT)
		fprintf(stream, ": %s", reason_text(reason));
}

static void put_file(FILE *stream, const struct report *report, size_t number)
{
	const uint32_t blocksize = report->job->meta.geo.blocksize;
	struct report_file file;
	char size[HUMAN_SIZE], each[HUMAN_SIZE];

	report_file(report, number, false, &file);
	fputs("<tr><th scope=\"row\" class=\"path\">", stream);
	report_html_name(stream, file.path);
	fprintf(stream, "</th><td>%s</td><td>%" PRIu32 "</td>", human(file.size, size),
		file.before);
	if (report->ran)
		fprintf(stream, "<td>%" PRIu32 "</td>", file.file->fragments);
	fprintf(stream, "<td>%" PRIu32 "</td><td>%u</td>", file.best,
		score_file(file.file->blocks, blocksize, file.before));
	if (report->ran)
		fprintf(stream, "<td>%u</td>", file.file->score);
	fprintf(stream, "<td>%s</td><td class=\"text\">", human(file.bytes_each, each));
	put_outcome(stream, &file);
	fputs("</td></tr>\n", stream);
	free(file.path);
}

static void put_files(FILE *stream, const struct report *report)
{
	const struct options *options = report->job->options;
	size_t i;

	fputs("<h3>Files</h3>\n", stream);
	if (!report->listed_count) {
		fprintf(stream, "<p>%zu fragmented files</p>\n", report->candidates);
		return;
	}
	table_begin(stream, "Files");
	fprintf(stream, "<caption>%zu of %zu %sfiles, %s</caption>\n", report->listed_count,
		report->candidates, options->verbose ? "" : "fragmented ", orders[options->sort]);
	fputs("<thead><tr><th scope=\"col\">file</th><th scope=\"col\">size</th>", stream);
	if (report->ran)
		fputs("<th scope=\"col\">fragments before</th><th scope=\"col\">after</th>",
		      stream);
	else
		fputs("<th scope=\"col\">fragments</th>", stream);
	fputs("<th scope=\"col\">best</th>", stream);
	if (report->ran)
		fputs("<th scope=\"col\">score before</th><th scope=\"col\">after</th>", stream);
	else
		fputs("<th scope=\"col\">score</th>", stream);
	fputs("<th scope=\"col\">each fragment</th><th scope=\"col\" class=\"text\">outcome</th>"
	      "</tr></thead>\n<tbody>\n",
	      stream);
	for (i = 0; i < report->listed_count && !ferror(stream); i++)
		put_file(stream, report, report->listed[i]);
	table_end(stream);
}

static void put_outcomes(FILE *stream, const struct report *report)
{
	int k;

	if (report->ran) {
		fputs("<h3>Files by outcome</h3>\n", stream);
		table_begin(stream, "Files by outcome");
		fputs("<thead><tr><th scope=\"col\">outcome</th><th scope=\"col\">files</th></tr>"
		      "</thead>\n<tbody>\n",
		      stream);
		for (k = 0; k < OUTCOMES; k++)
			if (k != OUTCOME_PLANNED)
				row_of_numbers(stream, outcomes[k], false, report->outcome[k], 0);
		table_end(stream);
	}
	if (!report->alone)
		return;
	fputs("<h3>Files left alone, and why</h3>\n", stream);
	table_begin(stream, "Files left alone, and why");
	fputs("<thead><tr><th scope=\"col\">reason</th><th scope=\"col\">files</th></tr></thead>\n"
	      "<tbody>\n",
	      stream);
	for (k = 0; k < REASONS; k++)
		if (report->reason[k])
			row_of_numbers(stream, reason_text((enum reason)k), false,
				       report->reason[k], 0);
	row_of_numbers(stream, "all of them", false, report->alone, 0);
	table_end(stream);
}

/* --- the whole ------------------------------------------------------------------------------- */

void report_html_add(struct report_html *html, const struct report *report, int status)
{
	const struct job *job = report->job;
	const struct geometry *geo = &job->meta.geo;
	char size[HUMAN_SIZE];
	FILE *stream = html->stream;
	unsigned int number = ++html->filesystems;

	fprintf(stream, "<section aria-labelledby=\"filesystem-%u\">\n<h2 id=\"filesystem-%u\">",
		number, number);
	report_html_name(stream, job->host->mountpoint);
	fputs("</h2>\n<p class=\"faint\">", stream);
	report_html_name(stream, job->host->device);
	fputs(", ", stream);
	report_html_text(stream, job->host->type);
	fprintf(stream, ", %s in %" PRIu32 "-byte blocks; %s%zu files</p>\n",
		human(geo->blocks * geo->blocksize, size), geo->blocksize,
		job->host->whole ? "" : "surveyed only ", job->survey.files);
	fprintf(stream, "<p>Status %d: %s</p>\n", status, status_text((enum status)status));
	put_cards(stream, report);
	put_disk(stream, report);
	fputs("<h3>Totals</h3>\n<div class=\"sides\">\n", stream);
	put_table(stream, report);
	put_kinds(stream, report);
	fputs("</div>\n", stream);
	put_free(stream, report);
	put_files(stream, report);
	put_outcomes(stream, report);
	fputs("</section>\n", stream);
}

void report_html_end(struct report_html *html, time_t ended, int status, enum stop stop)
{
	FILE *stream = html->stream;

	if (!html->filesystems)
		fputs("<p>No filesystem was checked.</p>\n", stream);
	fprintf(stream, "</main>\n<footer>\n<p>Exit status %d: %s.", status,
		status_text((enum status)status));
	if (stop_key(stop))
		fprintf(stream, " Stopped early: %s.", stop_key(stop));
	fputs("</p>\n<p class=\"faint\">Ended ", stream);
	put_time(stream, ended);
	fprintf(stream,
		" after %lld s. A fragment is a run of blocks that follow each other on the disk "
		"and in the order of reading. The score is the share of the reading time that is "
		"lost between fragments, in percent: 0 to 30 is no problem, 31 to 55 is a little "
		"fragmented, 56 and more needs defragmentation.</p>\n</footer>\n</body>\n</html>\n",
		(long long)(ended - html->started));
	free(html);
}
