// SPDX-License-Identifier: GPL-2.0-only
#include "survey/filter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "lib/util.h"

static bool parse_number(const char *text, uint64_t most, uint32_t *number)
{
	uint64_t value = 0;

	do {
		if (*text < '0' || *text > '9')
			return false;
		value = 10 * value + (uint64_t)(*text - '0');
		if (value > most)
			return false;
	} while (*++text);
	*number = (uint32_t)value;
	return true;
}

static bool add_given(struct filter *filter, const char *text)
{
	const char *wrong = exclude_add(&filter->exclude, text);
	char *shown;

	if (wrong) {
		shown = printable(text);
		complain(NULL, 0, "--exclude requires a GLOB; '%s' %s", shown, wrong);
		free(shown);
	}
	return !wrong;
}

/*
 * Read the file @path into @text, up to one byte more than is allowed, so that the caller sees if
 * it is too large. Returns the size in bytes, or -1 after printing a message.
 */
static ssize_t read_file(const char *path, const char *shown, char *text)
{
	FILE *file = fopen(path, "re");
	ssize_t size;

	if (!file) {
		complain(shown, errno, "can't open it");
		return -1;
	}
	errno = 0;
	size = (ssize_t)fread(text, 1, EXCLUDE_FILE_BYTES + 1, file);
	if (ferror(file)) {
		complain(shown, errno, "can't read it");
		size = -1;
	}
	fclose(file);
	return size;
}

static bool add_file(struct filter *filter, const char *path)
{
	char *text = xreallocarray(NULL, EXCLUDE_FILE_BYTES + 1, 1), *shown = printable(path);
	ssize_t size = read_file(path, shown, text);
	const char *wrong = NULL;
	size_t line;

	if (size >= 0)
		wrong = exclude_parse(&filter->exclude, text, (size_t)size, &line);
	if (wrong && line)
		complain(shown, 0, "line %zu %s", line, wrong);
	else if (wrong)
		complain(shown, 0, "%s", wrong);
	free(shown);
	free(text);
	return size >= 0 && !wrong;
}

bool filter_parse(struct filter *filter, const struct filter_options *o)
{
	const char *wrong = NULL;
	size_t i;

	if (o->min_fragments && !parse_number(o->min_fragments, UINT32_MAX, &filter->min_fragments))
		wrong = "--min-fragments requires a number";
	else if (o->min_score && !parse_number(o->min_score, 100, &filter->min_score))
		wrong = "--min-score requires a number from 0 to 100";
	else if (o->min_size && !parse_size(o->min_size, &filter->min_size))
		wrong = "--min-size requires a SIZE like 128K, up to 1024G";
	else if (o->max_size && (!parse_size(o->max_size, &filter->max_size) || !filter->max_size))
		wrong = "--max-size requires a SIZE like 128K, up to 1024G";
	else if (filter->max_size && filter->min_size > filter->max_size)
		wrong = "--min-size is more than --max-size";
	else if (o->older_than && !parse_time(o->older_than, &filter->older_than))
		wrong = "--older-than requires a TIME like 90, 30m, 5h or 7d, up to 10000d";
	if (wrong) {
		complain(NULL, 0, "%s", wrong);
		return false;
	}
	for (i = 0; i < o->exclude.count; i++)
		if (!add_given(filter, o->exclude.text[i]))
			return false;
	for (i = 0; i < o->exclude_from.count; i++)
		if (!add_file(filter, o->exclude_from.text[i]))
			return false;
	return true;
}

void filter_option_add(struct option_list *list, char *text)
{
	vec_more(list->text, list->count, list->room);
	list->text[list->count++] = text;
}

static void free_list(struct option_list *list)
{
	while (list->count)
		free(list->text[--list->count]);
	free(list->text);
}

void filter_options_free(struct filter_options *options)
{
	free(options->min_fragments);
	free(options->min_score);
	free(options->min_size);
	free(options->max_size);
	free(options->older_than);
	free_list(&options->exclude);
	free_list(&options->exclude_from);
}

void filter_free(struct filter *filter)
{
	exclude_free(&filter->exclude);
}

enum reason filter_look(const struct filter *filter, uint32_t fragments, uint32_t score,
			uint64_t size)
{
	if (fragments < filter->min_fragments)
		return REASON_FEW_FRAGMENTS;
	if (score < filter->min_score)
		return REASON_LOW_SCORE;
	if (size < filter->min_size || (filter->max_size && size > filter->max_size))
		return REASON_SIZE;
	return REASON_NONE;
}
