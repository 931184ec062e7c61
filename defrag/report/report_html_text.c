// SPDX-License-Identifier: GPL-2.0-only
/*
 * Escaping text from the filesystem for the HTML report. Any user who may make a file chooses its
 * name, and root reads the page: a name must not become markup, or look like another name.
 */
#include <stdbool.h>

#include "report/report.h"
#include "report/report_html.h"

/* True if @text begins with a control of text direction: U+202A to U+202E, U+2066 to U+2069. */
static bool turns_around(const char *text)
{
	const unsigned char *byte = (const unsigned char *)text;

	return byte[0] == 0xe2 && ((byte[1] == 0x80 && byte[2] >= 0xaa && byte[2] <= 0xae) ||
				   (byte[1] == 0x81 && byte[2] >= 0xa6 && byte[2] <= 0xa9));
}

void report_html_text(FILE *stream, const char *text)
{
	for (; *text; text++) {
		if (turns_around(text)) {
			/* Show it as printable() shows control characters. */
			fprintf(stream, "\\342\\%03o\\%03o", (unsigned char)text[1],
				(unsigned char)text[2]);
			text += 2;
			continue;
		}
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
