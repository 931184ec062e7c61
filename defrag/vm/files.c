// SPDX-License-Identifier: GPL-2.0-only
#include "vm/files.h"

#include <string.h>

#include "vm/room.h"

/* The options that name a file to write; the files are opened as in reports.c. */
static const struct vm_file {
	const char *option;
	mode_t mode;
} vm_files[FILES] = {
	{ "csv", 0600 },  { "html", 0600 },	  { "json", 0600 },
	{ "plan", 0600 }, { "prometheus", 0644 },
};

static size_t file_of(const char *option)
{
	size_t i;

	for (i = 0; i < FILES && strcmp(vm_files[i].option, option); i++)
		;
	return i;
}

const char *files_strange(const struct options *options)
{
	size_t i;

	for (i = 0; i < options->given_count; i++)
		if (options->given[i].file && file_of(options->given[i].name) == FILES)
			return options->given[i].name;
	return NULL;
}

bool files_open(struct files *files, const struct options *options)
{
	size_t i;

	files->current = FILES;
	for (i = 0; i < options->given_count; i++) {
		const struct option_given *given = &options->given[i];
		const size_t number = file_of(given->name);

		if (!given->file || !strcmp(given->value, "-"))
			continue;
		/* If an option is given twice the last one counts, as without --vm. */
		output_drop(&files->output[number]);
		if (!output_open(&files->output[number], given->value, vm_files[number].mode))
			return false;
		files->room[number] = room_of(fileno(files->output[number].stream));
	}
	return true;
}

void files_list(const struct files *files, FILE *stream)
{
	size_t i;

	for (i = 0; i < FILES; i++)
		if (files->output[i].stream)
			fprintf(stream, "%s ", vm_files[i].option);
}

bool files_announce(struct files *files, const char *name, uint64_t size)
{
	const size_t number = file_of(name);

	files->rest = size;
	files->current = FILES;
	if (number == FILES || !files->output[number].stream || files->announced[number])
		return false;
	/* Several may go to one filesystem: count them all against the room of each. */
	if (size > files->limit - files->sent || files->sent > files->room[number] ||
	    size > files->room[number] - files->sent)
		return false;
	files->announced[number] = true;
	files->sent += size;
	files->current = number;
	if (!size)
		files->complete[number] = true;
	return true;
}

void files_receive(struct files *files, const char *text, size_t size)
{
	const size_t number = files->current;

	files->rest -= size;
	if (number == FILES)
		return;
	/* An error stays in the stream until output_commit() reports it. */
	fwrite(text, 1, size, files->output[number].stream);
	if (!files->rest)
		files->complete[number] = true;
}

bool files_commit(struct files *files)
{
	bool good = true;
	size_t i;

	for (i = 0; i < FILES; i++)
		if (!files->output[i].stream || !files->complete[i])
			output_drop(&files->output[i]);
		else
			good &= output_commit(&files->output[i]);
	return good;
}
