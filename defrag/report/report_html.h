/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the HTML report share: report_html.c and report_html_*.c. */
#ifndef E3DEFRAG_REPORT_HTML_H
#define E3DEFRAG_REPORT_HTML_H

#include <stdio.h>

#include "progress/usage.h"

/* The style sheet of the page; in report_html_style.c. */
extern const char report_html_style[];

/*
 * Write a name from the filesystem, which must be printable(). It is isolated, so that letters that
 * are written from right to left don't reverse the text beside it.
 */
void report_html_name(FILE *stream, const char *name);

/* The CSS class of a kind of blocks, and its name in words; USAGE_KINDS means other blocks. */
const char *report_html_class(int kind);
const char *report_html_kind(int kind);

/* How many blocks one bar in the map of @usage stands for. */
uint64_t report_html_bar(const struct usage *usage);

/*
 * Write the map of @usage as SVG, with @label as its text for screen readers. If @moves has cells,
 * a line below each row shows its counts of the kind @mark.
 */
void report_html_map(FILE *stream, const char *label, const struct usage *usage,
		     const struct usage *moves, enum usage_kind mark);

#endif
