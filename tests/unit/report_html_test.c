// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page for people: no name that a file can have becomes markup, and the map shows what the
 * picture has, no more and no less.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"
#include "report/report.h"
#include "report/report_html.h"
#include "tap.h"

static void escaped(const char *text, const char *wanted)
{
	char *got = NULL;
	size_t size;
	FILE *stream = open_memstream(&got, &size);

	report_html_text(stream, text);
	fclose(stream);
	if (!ok(!strcmp(got, wanted), "HTML text %s", wanted))
		printf("# got %s\n", got);
	free(got);
}

/* --- what a page is made of ------------------------------------------------------------------ */

static bool is_tag(const char *name, size_t length)
{
	static const char *const tags[] = {
		"html",	      "head",	"meta", "title", "style", "body",    "header",
		"main",	      "footer", "h1",	"h2",	 "h3",	  "p",	     "time",
		"section",    "ul",	"li",	"b",	 "span",  "div",     "figure",
		"figcaption", "svg",	"path", "g",	 "table", "caption", "thead",
		"tbody",      "tr",	"th",	"td",	 "bdi",
	};
	size_t i;

	for (i = 0; i < sizeof(tags) / sizeof(*tags); i++)
		if (strlen(tags[i]) == length && !memcmp(tags[i], name, length))
			return true;
	return false;
}

/* Each tag is one of those above, ends before another begins, and is closed in its turn. */
static bool sound(const char *page)
{
	const char *open[64], *at = page, *end;
	size_t depth = 0, length, i;

	if (strncmp(page, "<!DOCTYPE html>\n", 16))
		return false;
	for (at += 16; (at = strchr(at, '<')); at = end + 1) {
		const bool closing = at[1] == '/';

		end = strchr(at, '>');
		at += 1 + closing;
		length = strspn(at, "abcdefghijklmnopqrstuvwxyz123");
		if (!end || !is_tag(at, length) || memchr(at, '<', (size_t)(end - at)) ||
		    (closing && at + length != end))
			return false;
		if (closing) {
			if (!depth--)
				return false;
			if (strncmp(open[depth], at, length))
				return false;
			continue;
		}
		/* Attributes: quotes in pairs. */
		for (i = 0; at + length < end; length++)
			i += at[length] == '"';
		if (i % 2)
			return false;
		if (end[-1] == '/')
			continue;
		if (depth == 64)
			return false;
		open[depth++] = at;
	}
	return !depth;
}

/* Text of HTML, and then what printable() made, back to what it was made of. */
static void unescape(const char *shown, const char *end, char *to)
{
	static const struct {
		const char *entity;
		char is;
	} entities[] = { { "&lt;", '<' },
			 { "&gt;", '>' },
			 { "&amp;", '&' },
			 { "&quot;", '"' },
			 { "&#39;", '\'' } };
	size_t i;

	while (shown < end) {
		for (i = 0; *shown == '&' && i < 5; i++)
			if (!strncmp(shown, entities[i].entity, strlen(entities[i].entity)))
				break;
		if (*shown == '&' && i < 5) {
			*to++ = entities[i].is;
			shown += strlen(entities[i].entity);
		} else if (*shown == '\\') {
			*to++ = (char)((shown[1] - '0') << 6 | (shown[2] - '0') << 3 |
				       (shown[3] - '0'));
			shown += 4;
		} else {
			*to++ = *shown++;
		}
	}
	*to = 0;
}

/* --- pages ----------------------------------------------------------------------------------- */

static const char *const hostile[] = {
	"</bdi></th><script>alert(1)</script>",
	"\"><img src=x onerror=alert(1)>",
	"' onmouseover='alert(1)",
	"--><!-- ]]> <![CDATA[",
	"</style></title><h1>",
	"&lt;script&gt; &#60;b&#62;",
	"\xe2\x80\xae"
	"txt.exe",
	"https://example.org/%3Cscript%3E",
};
#define HOSTILE (sizeof(hostile) / sizeof(*hostile))

/* A filesystem of @count files with hostile and random names, all of which are told. */
static void make_job(struct job *job, size_t count)
{
	char name[64];
	size_t i, k;

	job->meta.geo.blocksize = 1024;
	job->meta.geo.blocks = 100000;
	job->survey.files = count;
	job->survey.file = xreallocarray(NULL, count, sizeof(*job->survey.file));
	memset(job->survey.file, 0, count * sizeof(*job->survey.file));
	for (i = 0; i < count; i++) {
		struct file *file = &job->survey.file[i];

		for (k = 0; k < 1 + random_below(20); k++)
			name[k] = (char)(random_below(3) ?
						 1 + random_below(255) :
						 (unsigned int)"<>&\"'/\\;"[random_below(8)]);
		name[k] = 0;
		if (i < HOSTILE)
			strcpy(name, hostile[i]);
		file->ino = 12 + (uint32_t)i;
		file->blocks = 7;
		file->fragments = 1;
		file->detail = DETAIL_NONE;
		survey_detail(&job->survey, file)->name =
			names_add(&job->survey.names, NAME_NONE, name, file->ino);
		file->reason = REASON_PERFECT;
	}
}

static void free_job(struct job *job)
{
	names_free(&job->survey.names);
	free(job->survey.detail);
	free(job->survey.file);
	usage_free(&job->usage_before);
	usage_free(&job->usage_after);
}

/* As many files are in it as lie there, in order, byte by byte. */
static size_t names_in(const char *page, const struct report *report)
{
	static const char start[] = "class=\"path\"><bdi>";
	const struct survey *survey = &report->job->survey;
	size_t same = 0, i;
	char *back = xstrdup(page);

	for (i = 0; i < report->listed_count && (page = strstr(page, start)); i++) {
		const struct file *file = &survey->file[report->listed[i]];
		char *real = names_path(&survey->names, survey->detail[file->detail].name);

		page += strlen(start);
		unescape(page, strstr(page, "</bdi>"), back);
		same += !strcmp(back, real);
		free(real);
	}
	free(back);
	return same;
}

static char *page_of(const struct report *report)
{
	struct report_html *html;
	char *page = NULL;
	size_t size;
	FILE *stream = open_memstream(&page, &size);

	html = report_html_begin(stream, "check", 1);
	if (report)
		report_html_add(html, report, 0);
	report_html_end(html, 2, 0, STOP_NOT);
	fclose(stream);
	return page;
}

static void names(void)
{
	struct options options = { .check = true, .verbose = true };
	struct host host = { .device = "/dev/<x>",
			     .mountpoint = "/m\\377</h2>\"'",
			     .type = "ext3" };
	struct job job = { .options = &options, .host = &host };
	struct report report;
	char *page;

	make_job(&job, 200);
	report_gather(&report, &job);
	page = page_of(&report);
	ok(sound(page), "a page with hostile names has only its own tags, closed in turn");
	is(names_in(page, &report), 200, "each name comes back from it byte by byte");
	ok(strstr(page, "<bdi>/dev/&lt;x&gt;</bdi>") &&
		   strstr(page, "<bdi>/m\\377&lt;/h2&gt;&quot;&#39;</bdi>"),
	   "so do device and mount point");
	ok(strstr(page, "http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "),
	   "it lets the browser load nothing");
	ok(!strstr(page, "class=\"map\""), "where no picture was drawn there is no map");
	free(page);
	report_free(&report);
	free_job(&job);

	page = page_of(NULL);
	ok(sound(page), "a page without any filesystem is one");
	ok(!strstr(page, "://") && !strstr(page, "url(") && !strstr(page, "src=") &&
		   !strstr(page, "href=") && !strstr(page, "@import"),
	   "of itself it asks for nothing from anywhere");
	free(page);
}

/* --- the map --------------------------------------------------------------------------------- */

#define WIDTH 64
#define HEIGHT (16 * 30)

static char raster[HEIGHT][WIDTH];

/* A bar one unit wide, from @from on; upwards if @high is negative. False if it leaves the map. */
static bool paint_bar(char kind, int x, int from, int high)
{
	int y = high < 0 ? from + high : from, end = high < 0 ? from : from + high;

	if (x < 0 || x >= WIDTH || y < 0 || end > HEIGHT)
		return false;
	for (; y < end; y++)
		raster[y][x] = kind;
	return true;
}

/* Paint one path: outlines of bars on one base each. */
static bool paint_path(const char *at, char kind)
{
	int x = 0, base = 0, high = 0, value, length, end;

	for (; *at != '"'; at += length) {
		if (sscanf(at, "M%d %dv%d%n", &x, &base, &high, &length) == 3) {
			if (!high)
				return false;
		} else if (sscanf(at, "v%d%n", &value, &length) == 1) {
			high += value;
		} else if (sscanf(at, "h%d%n", &value, &length) == 1) {
			for (end = x + value; x < end; x++)
				if (!paint_bar(kind, x, base, high))
					return false;
		} else if (sscanf(at, "V%dz%n", &value, &length) == 1) {
			if (value != base)
				return false;
		} else {
			return false;
		}
	}
	return true;
}

/* All of one map, one kind over the other. */
static bool paint(const char *map)
{
	const char *end = strstr(map, "<g class=\"words\">");

	memset(raster, 0, sizeof(raster));
	while ((map = strstr(map, "<path class=\"")) && map < end) {
		const char kind = map[13];

		map = strstr(map, " d=\"") + 4;
		if (!paint_path(map, kind))
			return false;
	}
	return true;
}

static unsigned int painted(size_t cell, unsigned int pitch, char kind)
{
	unsigned int y, count = 0;

	for (y = 0; y < pitch && cell / WIDTH * pitch + y < HEIGHT; y++)
		count += raster[cell / WIDTH * pitch + y][cell % WIDTH] == kind;
	return count;
}

static const struct {
	char letter;
	const char *word;
	int kind;
} kinds[] = {
	{ 'f', " free", USAGE_FREE },		{ 'w', " whole", USAGE_WHOLE },
	{ 'p', " fragmented", USAGE_PIECES },	{ 'i', " indirect", USAGE_INDIRECT },
	{ 'd', " directory", USAGE_DIRECTORY }, { 'm', " moved away", USAGE_AWAY },
};

/* The numbers before @word in the titles of a map, added up. */
static uint64_t told(const char *map, const char *word)
{
	uint64_t sum = 0;

	map = strstr(map, "<g class=\"words\">");
	while ((map = strstr(map, word))) {
		const char *number = map;

		while (number[-1] >= '0' && number[-1] <= '9')
			number--;
		sum += strtoull(number, NULL, 10);
		map += strlen(word);
	}
	return sum;
}

static void random_picture(struct usage *p, uint64_t blocks, unsigned int runs)
{
	usage_init(p, blocks, USAGE_CELLS);
	while (runs--)
		usage_add(p, (enum usage_kind)random_below(USAGE_COUNTS),
			  random_below((uint32_t)blocks), 1 + random_below(40));
}

static char *map_of(const struct usage *p, const struct usage *moves, size_t *size)
{
	char *map = NULL;
	FILE *stream = open_memstream(&map, size);

	report_html_map(stream, "a disk", p, moves, USAGE_AWAY);
	fclose(stream);
	return map;
}

/* Bars as high as their share of what there is, to a unit; what there is at all is seen. */
static void map(uint64_t blocks, unsigned int runs, bool moves, const char *what)
{
	const unsigned int pitch = moves ? 30 : 23;
	const struct usage none = { 0 };
	struct usage p, small;
	unsigned int wrong = 0;
	size_t size, i, k;
	char *text;

	random_picture(&p, blocks, runs);
	usage_shrink(&small, &p, WIDTH * 16);
	is(report_html_bar(&p), small.each, "%s: a bar has as many blocks as is said", what);
	text = map_of(&p, moves ? &p : &none, &size);
	ok(paint(text), "%s: all bars are drawn inside of it", what);
	for (i = 0; i < small.cells; i++) {
		uint64_t sum = usage_other(&small, i), count;

		for (k = 0; k < USAGE_KINDS; k++)
			sum += small.cell[i].count[k];
		for (k = 0; k < sizeof(kinds) / sizeof(*kinds); k++) {
			unsigned int got = painted(i, pitch, kinds[k].letter);
			double should;

			count = small.cell[i].count[kinds[k].kind];
			if (kinds[k].kind == USAGE_AWAY) {
				wrong += moves ? !got != !count : got;
				continue;
			}
			should = 20.0 * (double)count / (double)sum;
			/* Five others may have taken or left a part of a unit, each. */
			wrong += !got != !count || got > should + 3 || got + 6 < should;
		}
		wrong += painted(i, pitch, 0) != pitch - 20 - painted(i, pitch, 'm') &&
			 i / WIDTH < (small.cells - 1) / WIDTH;
	}
	is(wrong, 0, "%s: each bar is as high as it should be", what);
	for (k = 0; k < sizeof(kinds) / sizeof(*kinds); k++)
		if (moves || kinds[k].kind != USAGE_AWAY)
			is(told(text, kinds[k].word), usage_sum(&p, (enum usage_kind)kinds[k].kind),
			   "%s: all blocks are told of:%s", what, kinds[k].word);
	ok(size < 120 << 10, "%s: its %zu bytes are not too many", what, size);
	free(text);
	usage_free(&small);
	usage_free(&p);
}

/* A run's page has two maps and what came of it. */
static void both(void)
{
	struct options options = { .top = 10 };
	struct host host = { .device = "/dev/x", .mountpoint = "/x", .type = "ext3" };
	struct job job = { .options = &options, .host = &host };
	struct report report;
	char *page, *second;
	size_t i;

	make_job(&job, 20);
	for (i = 0; i < 20; i++) {
		job.survey.detail[job.survey.file[i].detail].before = 3;
		job.survey.detail[job.survey.file[i].detail].moves = 1;
		job.survey.file[i].fragments = 2;
	}
	random_picture(&job.usage_before, job.meta.geo.blocks, 1000);
	random_picture(&job.usage_after, job.meta.geo.blocks, 1000);
	report_gather(&report, &job);
	report_after(&report);
	page = page_of(&report);
	ok(sound(page), "the page of a run is sound");
	second = strstr(strstr(page, "class=\"map\"") + 1, "class=\"map\"");
	ok(second && !strstr(second + 1, "class=\"map\""),
	   "it has a map of before and one of after");
	is(second ? told(second, " moved here") : 0, usage_sum(&job.usage_after, USAGE_IN),
	   "the second shows what moved there");
	ok(strstr(page, "fragments before") && strstr(page, "<td>3</td><td>2</td>"),
	   "its files are told of before and after");
	ok(strlen(page) < 250 << 10, "all of it is small");
	free(page);
	report_free(&report);
	options.check = true;
	report_gather(&report, &job);
	page = page_of(&report);
	second = strstr(strstr(page, "class=\"map\"") + 1, "class=\"map\"");
	ok(!second && !strstr(page, "class=\"moved\"") && !strstr(page, " moved away"),
	   "that of a report has one, of now");
	free(page);
	report_free(&report);
	free_job(&job);
}

void test_report_html(void)
{
	escaped("plain name", "plain name");
	escaped("<a href=\"x\">'&'", "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;");
	names();
	map(1000000, 40000, true, "a large disk in small pieces");
	map(1000000, 40, false, "a large disk");
	map(100000, 100000, true, "more than there is");
	map(200, 10, true, "a tiny disk");
	map(30, 2, false, "less than a row");
	both();
}
