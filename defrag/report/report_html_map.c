// SPDX-License-Identifier: GPL-2.0-only
/*
 * The map in the HTML report: the disk in rows, with a bar for each cell in which its kinds of
 * blocks are stacked. To take only a few bytes a cell, each kind is one SVG path, the outline of
 * all bars up to the top of that kind, and lower kinds are painted over higher ones. The tooltips
 * are for two cells each, for the same reason.
 */
#include <inttypes.h>
#include <stdbool.h>

#include "report/report_html.h"

#define COLUMNS 64
#define ROWS 16
#define TOGETHER 2 /* how many cells have one tooltip; divides COLUMNS */

/* Heights in a row, in units of the drawing. A cell is one unit wide, which is shown as ten. */
#define BAR 20
#define LINE 6 /* shows what has moved; one unit above it is free */
#define GAP 3

#define OTHER USAGE_KINDS

static const struct {
	const char *class, *text, *few; /* CSS class; text in the legend, and after a number */
} kinds[USAGE_COUNTS] = {
	[USAGE_PIECES] = { "pieces", "fragmented files", "fragmented" },
	[USAGE_WHOLE] = { "whole", "files in one piece", "whole" },
	[USAGE_INDIRECT] = { "indirect", "indirect blocks", "indirect" },
	[USAGE_DIRECTORY] = { "directory", "directories", "directory" },
	[OTHER] = { "other", "tables, journal, files not surveyed", "other" },
	[USAGE_FREE] = { "free", "free", "free" },
};

/* From the top of a bar to its bottom. */
static const int order[] = { USAGE_FREE,     OTHER,	  USAGE_DIRECTORY,
			     USAGE_INDIRECT, USAGE_WHOLE, USAGE_PIECES };
#define KINDS (USAGE_KINDS + 1)

const char *report_html_class(int kind)
{
	return kinds[kind].class;
}

const char *report_html_kind(int kind)
{
	return kinds[kind].text;
}

uint64_t report_html_bar(const struct usage *usage)
{
	return usage->each * ((usage->cells + COLUMNS * ROWS - 1) / (COLUMNS * ROWS));
}

static uint64_t count_of(const struct usage *usage, size_t cell, int kind)
{
	return kind == OTHER ? usage_other(usage, cell) : usage->cell[cell].count[kind];
}

/* Compute the height of each kind in a cell's bar. A kind with any blocks is visible. */
static void share(const struct usage *usage, size_t cell, unsigned int high[KINDS])
{
	uint64_t total = 0, count;
	unsigned int sum = 0;
	int k, most = 0;

	for (k = 0; k < KINDS; k++)
		total += count_of(usage, cell, k);
	for (k = 0; k < KINDS; k++) {
		count = count_of(usage, cell, k);
		high[k] = (unsigned int)((count * BAR + total / 2) / total);
		if (count && !high[k])
			high[k] = 1;
		sum += high[k];
	}
	while (sum != BAR) {
		for (k = 0; k < KINDS; k++)
			if (high[k] > high[most])
				most = k;
		high[most] += sum < BAR ? 1U : -1U;
		sum += sum < BAR ? 1U : -1U;
	}
}

struct drawing {
	FILE *stream;
	const struct usage *usage;
	unsigned int pitch; /* from one row to the next */
};

/* The outline of adjacent bars, drawn from left to right, row after row. */
struct outline {
	FILE *stream;
	size_t row, same; /* the row, and how many bars of equal height were last */
	int base, high;	  /* their base and height, in units downwards */
};

static void end_bars(struct outline *o)
{
	if (o->same && o->high)
		fprintf(o->stream, "h%zu", o->same);
	o->same = 0;
}

static void end_outline(struct outline *o)
{
	end_bars(o);
	if (o->high)
		fprintf(o->stream, "V%dz", o->base);
	o->high = 0;
}

/* Add the bar of @cell with its base at @base; it extends upwards if @high is negative. */
static void put_bar(struct outline *o, size_t cell, int base, int high)
{
	if (cell / COLUMNS != o->row) {
		end_outline(o);
		o->row = cell / COLUMNS;
	}
	if (high != o->high) {
		end_bars(o);
		if (!high)
			fprintf(o->stream, "V%dz", o->base);
		else if (!o->high)
			fprintf(o->stream, "M%zu %dv%d", cell % COLUMNS, base, high);
		else
			fprintf(o->stream, "v%d", high - o->high);
	}
	o->base = base;
	o->high = high;
	o->same++;
}

static void draw_kinds(const struct drawing *d)
{
	unsigned int high[KINDS];
	size_t i;
	int k;

	for (k = 0; k < KINDS; k++) {
		struct outline o = { .stream = d->stream };

		fprintf(d->stream, "<path class=\"%s\" d=\"", kinds[order[k]].class);
		for (i = 0; i < d->usage->cells; i++) {
			int sum = 0, below;

			share(d->usage, i, high);
			for (below = k; below < KINDS; below++)
				sum += (int)high[order[below]];
			put_bar(&o, i, (int)(i / COLUMNS * d->pitch) + BAR, -sum);
		}
		end_outline(&o);
		fputs("\"/>\n", d->stream);
	}
}

static void draw_moved(const struct drawing *d, const struct usage *moves, enum usage_kind mark)
{
	struct outline o = { .stream = d->stream };
	size_t i;

	fputs("<path class=\"moved\" d=\"", d->stream);
	for (i = 0; i < moves->cells; i++) {
		uint64_t size = usage_size(moves, i), count = moves->cell[i].count[mark];

		if (count > size)
			count = size;
		put_bar(&o, i, (int)(i / COLUMNS * d->pitch) + BAR + 1,
			(int)((count * LINE + size - 1) / size));
	}
	end_outline(&o);
	fputs("\"/>\n", d->stream);
}

/* Write a tooltip like "Blocks 0 to 255: 12 free, 244 other; 12 moved here". */
static void put_words(const struct drawing *d, size_t from, size_t to, const struct usage *moves,
		      enum usage_kind mark)
{
	const char *sign = ": ";
	uint64_t count;
	size_t i;
	int k;

	fprintf(d->stream, "Blocks %" PRIu64 " to %" PRIu64, usage_start(d->usage, from),
		usage_start(d->usage, to - 1) + usage_size(d->usage, to - 1) - 1);
	for (k = 0; k < KINDS; k++) {
		for (i = from, count = 0; i < to; i++)
			count += count_of(d->usage, i, order[k]);
		if (!count)
			continue;
		fprintf(d->stream, "%s%" PRIu64 " %s", sign, count, kinds[order[k]].few);
		sign = ", ";
	}
	for (i = from, count = 0; i < to && moves->cells; i++)
		count += moves->cell[i].count[mark];
	if (count)
		fprintf(d->stream, "; %" PRIu64 " moved %s", count,
			mark == USAGE_IN ? "here" : "away");
}

/* The kind of all blocks of a cell, if it has only one and no moves; else -1. */
static int only_kind(const struct usage *usage, size_t cell, const struct usage *moves,
		     enum usage_kind mark)
{
	int k, only = -1;

	if (moves->cells && moves->cell[cell].count[mark])
		return -1;
	for (k = 0; k < KINDS; k++) {
		if (!count_of(usage, cell, k))
			continue;
		if (only >= 0)
			return -1;
		only = k;
	}
	return only;
}

static void draw_words(const struct drawing *d, const struct usage *moves, enum usage_kind mark)
{
	size_t from, to;

	fputs("<g class=\"words\">\n", d->stream);
	for (from = 0; from < d->usage->cells; from = to) {
		const size_t row = from / COLUMNS;
		size_t end = (row + 1) * COLUMNS;
		int kind = only_kind(d->usage, from, moves, mark);

		if (end > d->usage->cells)
			end = d->usage->cells;
		for (to = from + 1; to < end; to++)
			if ((kind < 0 || only_kind(d->usage, to, moves, mark) != kind) &&
			    to % TOGETHER == 0)
				break;
		fprintf(d->stream, "<path d=\"M%zu %zuh%zuv%dh-%zuz\"><title>", from % COLUMNS,
			row * d->pitch, to - from, BAR, to - from);
		put_words(d, from, to, moves, mark);
		fputs("</title></path>\n", d->stream);
	}
	fputs("</g>", d->stream);
}

void report_html_map(FILE *stream, const char *label, const struct usage *usage,
		     const struct usage *moves, enum usage_kind mark)
{
	struct usage small, moved;
	struct drawing d = { .stream = stream, .usage = &small };
	size_t columns, rows;

	usage_shrink(&small, usage, COLUMNS * ROWS);
	usage_shrink(&moved, moves, COLUMNS * ROWS);
	columns = small.cells < COLUMNS ? small.cells : COLUMNS;
	rows = (small.cells + COLUMNS - 1) / COLUMNS;
	d.pitch = BAR + GAP + (moved.cells ? LINE + 1 : 0);
	fprintf(stream,
		"<svg class=\"map\" viewBox=\"0 0 %zu %zu\" preserveAspectRatio=\"none\" "
		"style=\"aspect-ratio:%zu/%zu\" role=\"img\" aria-label=\"%s\">",
		columns, rows * d.pitch - GAP, columns * 10, rows * d.pitch - GAP, label);
	draw_kinds(&d);
	if (moved.cells)
		draw_moved(&d, &moved, mark);
	draw_words(&d, &moved, mark);
	fputs("</svg>\n", stream);
	usage_free(&small);
	usage_free(&moved);
}
