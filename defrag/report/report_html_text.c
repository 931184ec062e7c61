// SPDX-License-Identifier: GPL-2.0-only
/*
 * Escaping text from the filesystem for the HTML report. Any user who may make a file chooses its
 * name, and root reads the page: a name must not become markup.
 */
#include "report/report.h"
#include "report/report_html.h"

void report_html_text(FILE *stream, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '<':
			fputs("&lt;", stream);
			break;
		case '>':
			fputs("&gt;", stream);
			break;
		case '&':
			fputs("&amp;", stream);
			break;
		case '"':
			fputs("&quot;", stream);
			break;
		case '\'':
			fputs("&#39;", stream);
			break;
		default:
			putc(*text, stream);
		}
	}
}

void report_html_name(FILE *stream, const char *name)
{
	fputs("<bdi>", stream);
	report_html_text(stream, name);
	fputs("</bdi>", stream);
}
