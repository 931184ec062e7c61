// SPDX-License-Identifier: GPL-2.0-only
/*
 * mdstat.c with any text: what it finds are parts of it, in the text's order, and a path is one
 * that a file can be opened by. Reading a plain text anew, a line at a time, finds the same.
 */
#include <stdbool.h>
#include <string.h>

#include "fs/mdstat.h"
#include "fuzz.h"

static void check_path(const struct mdstat_file *file)
{
	char *raw = mdstat_path(file, true), *path = mdstat_path(file, false);

	MUST(!raw == !path);
	if (raw) {
		MUST(*raw == '/' && *path == '/');
		MUST(strlen(raw) == file->path_length && strlen(path) <= file->path_length);
		MUST(!memcmp(raw, file->path, file->path_length));
		/* Of four characters one is left, or it is the same. */
		MUST((strlen(raw) - strlen(path)) % 3 == 0);
		MUST(strlen(raw) != strlen(path) || !strcmp(raw, path));
		MUST(!strchr(raw, '\n'));
	}
	free(raw);
	free(path);
}

static size_t by_line(const char *text, const char *end)
{
	struct mdstat_file file = { 0 };
	size_t found = 0;

	while (text < end) {
		const char *next = memchr(text, '\n', (size_t)(end - text)), *at = text;

		next = next ? next + 1 : end;
		found += mdstat_next(&at, next, &file);
		text = next;
	}
	return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *end = text + size, *at = text, *before = text;
	struct mdstat_file file = { 0 };
	size_t found = 0;

	if (!size)
		return 0;
	while (mdstat_next(&at, end, &file)) {
		MUST(file.path >= before && file.path + file.path_length <= at && at <= end);
		MUST(!file.array_length ||
		     (file.array >= text && file.array + file.array_length < file.path));
		before = file.path + file.path_length;
		check_path(&file);
		found++;
	}
	MUST(at == end && found == by_line(text, end));
	return 0;
}
