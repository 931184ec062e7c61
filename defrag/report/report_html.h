/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the page for people share: report_html.c has the page, and so on. */
#ifndef E3DEFRAG_REPORT_HTML_H
#define E3DEFRAG_REPORT_HTML_H

#include <stdio.h>

#include "progress/usage.h"

/* All of its look; report_html_style.c. */
extern const char report_html_style[];

/*
 * A name of the filesystem's, which is printable() already. Letters that are written from right to
 * left don't turn around what stands beside it.
 */
void report_html_name(FILE *stream, const char *name);

/* What a kind is called, by the class of its colour and in words; USAGE_KINDS is other. */
const char *report_html_class(int kind);
const char *report_html_kind(int kind);

/* Blocks in one bar of that picture's map. */
uint64_t report_html_bar(const struct usage *usage);

/*
 * The disk as SVG, named @label for those who don't see it. Where @moves has cells, a line below
 * each row has what of these counts @mark.
 */
void report_html_map(FILE *stream, const char *label, const struct usage *usage,
		     const struct usage *moves, enum usage_kind mark);

#endif
