// SPDX-License-Identifier: GPL-2.0-only
#include "fs/mdstat.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

/* If the text begins with @word, the position after it, else NULL. */
static const char *behind(const char *text, const char *end, const char *word)
{
	const size_t length = strlen(word);

	if ((size_t)(end - text) < length || memcmp(text, word, length))
		return NULL;
	return text + length;
}

/* The position after the first @word in the text, else NULL. */
static const char *behind_first(const char *text, const char *end, const char *word)
{
	const char *at = memmem(text, (size_t)(end - text), word, strlen(word));

	return at ? at + strlen(word) : NULL;
}

/*
 * The entry of an array begins with a line like "md0 : active raid1 ...". Only such lines begin
 * without a blank. The line in it with the path, which extends to the end of the line, is like
 * "      bitmap: 1/2 pages [4KB], 64KB chunk, file: /srv/a\040b".
 */
bool mdstat_next(const char **text, const char *end, struct mdstat_file *file)
{
	while (*text < end) {
		const char *line = *text, *line_end = memchr(line, '\n', (size_t)(end - line));
		const char *at = line;

		if (!line_end)
			line_end = end;
		*text = line_end < end ? line_end + 1 : end;
		while (at < line_end && *at == ' ')
			at++;
		if (at == line) {
			const char *name_end = behind_first(line, line_end, " : ");

			file->array = line;
			file->array_length = name_end ? (size_t)(name_end - 3 - line) : 0;
			continue;
		}
		at = behind(at, line_end, "bitmap: ");
		if (at)
			at = behind_first(at, line_end, ", file: ");
		if (!at)
			continue;
		file->path = at;
		file->path_length = (size_t)(line_end - at);
		return true;
	}
	return false;
}

/* The character that md writes as the escape at @text, 0 if there is no escape. */
static char blank(const char *text, const char *end)
{
	if (behind(text, end, "\\040"))
		return ' ';
	if (behind(text, end, "\\011"))
		return '\t';
	return behind(text, end, "\\012") ? '\n' : 0;
}

char *mdstat_path(const struct mdstat_file *file, bool raw)
{
	const char *at = file->path, *end = at + file->path_length;
	char *path, *to;

	if (at == end || *at != '/' || file->path_length >= 4 * PATH_MAX ||
	    memchr(at, 0, file->path_length))
		return NULL;
	path = to = xreallocarray(NULL, file->path_length + 1, 1);
	while (at < end) {
		const char c = raw ? 0 : blank(at, end);

		*to++ = c ? c : *at;
		at += c ? 4 : 1;
	}
	*to = 0;
	return path;
}
