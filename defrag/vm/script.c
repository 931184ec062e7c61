// SPDX-License-Identifier: GPL-2.0-only
#include "vm/script.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

/* Quote @text for a shell: between single quotes only the single quote itself is special. */
static void put_quoted(FILE *stream, const char *text)
{
	fputc('\'', stream);
	for (; *text; text++)
		if (*text == '\'')
			fputs("'\\''", stream);
		else
			fputc(*text, stream);
	fputc('\'', stream);
}

static void put_setting(FILE *stream, const char *name, const char *value)
{
	fprintf(stream, "%s=", name);
	put_quoted(stream, value);
	fputc('\n', stream);
}

/*
 * An option as the tool in the guest gets it. A report goes to a file in the guest, "-" to standard
 * output; the time that it took to start the machine is taken off.
 */
static char *argument(const struct settings *settings, const struct option_given *given)
{
	if (given->file && strcmp(given->value, "-"))
		return xasprintf("--%s=/out/%s", given->name, given->name);
	if (!strcmp(given->name, "time"))
		return xasprintf("--time=%" PRIu64, settings->seconds);
	return given->value ? xasprintf("--%s=%s", given->name, given->value) :
			      xasprintf("--%s", given->name);
}

static void put_argument(FILE *stream, char *text)
{
	fputc(' ', stream);
	put_quoted(stream, text);
	free(text);
}

static void put_arguments(FILE *stream, const struct settings *settings, const char *point)
{
	const struct options *options = settings->options;
	size_t i;

	fputs("set --", stream);
	for (i = 0; i < options->given_count; i++)
		put_argument(stream, argument(settings, &options->given[i]));
	fputs(" --", stream);
	if (!options->target[0])
		put_argument(stream, xstrdup(point));
	for (i = 0; options->target[i]; i++)
		put_argument(stream, xasprintf("%s/%s", point, options->target[i]));
	fputc('\n', stream);
}

char *script_make(const struct settings *settings, size_t *size)
{
	const struct image *image = settings->image;
	const long partition = settings->options->partition;
	char *point = partition ? xasprintf("/vm%s:%ld", image->path, partition) :
				  xasprintf("/vm%s", image->path);
	char *script = NULL;
	FILE *stream = xmemstream(&script, size);

	put_setting(stream, "type", image->type);
	put_setting(stream, "point", point);
	put_setting(stream, "image", image->shown);
	put_setting(stream, "merge", settings->merge ? "yes" : "");
	fputs("files='", stream);
	files_list(settings->files, stream);
	fputs("'\n", stream);
	put_arguments(stream, settings, point);
	fclose(stream);
	free(point);
	return script;
}
