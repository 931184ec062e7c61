// SPDX-License-Identifier: GPL-2.0-only
#include "survey/names.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/columns.h"
#include "lib/util.h"

void names_free(struct names *names)
{
	inode_set_free(&names->gaps.known);
	free(names->name);
	free(names->text);
	memset(names, 0, sizeof(*names));
}

static void keep(struct names *names, const struct name *name, const char *text, size_t size)
{
	while (names->text_size + size > names->text_room) {
		names->text_room = names->text_room ? 2 * names->text_room : 4096;
		names->text = xreallocarray(names->text, names->text_room, 1);
	}
	vec_more(names->name, names->count, names->room);
	names->name[names->count] = *name;
	memcpy(names->text + names->text_size, text, size);
}

uint32_t names_add(struct names *names, uint32_t parent, const char *text, uint32_t ino)
{
	const struct name name = { ino, parent, (uint32_t)names->text_size };
	const size_t size = strlen(text) + 1;

	if (names->text_size + size > NAMES_BYTES_MOST || names->count >= NAME_NONE)
		return NAME_NONE;
	if (!names->numbers_only)
		keep(names, &name, text, size);
	names->text_size += size;
	return (uint32_t)names->count++;
}

/* True if a slash must come before @n. The top may be "/" itself, or end in a slash. */
static bool needs_slash(const struct names *names, const struct name *n)
{
	const struct name *up;
	const char *text;

	if (n->parent == NAME_NONE)
		return false;
	up = &names->name[n->parent];
	text = names->text + up->text;
	return up->parent != NAME_NONE || !*text || text[strlen(text) - 1] != '/';
}

static const struct name *above(const struct names *names, const struct name *n)
{
	return n->parent == NAME_NONE ? NULL : &names->name[n->parent];
}

/* Without recursion: a path may have thousands of components. */
char *names_path(const struct names *names, uint32_t name)
{
	const struct name *n;
	size_t length = 0;
	char *path, *at;

	for (n = &names->name[name]; n; n = above(names, n))
		length += strlen(names->text + n->text) + needs_slash(names, n);
	path = xreallocarray(NULL, length + 1, 1);
	at = path + length;
	*at = 0;
	for (n = &names->name[name]; n; n = above(names, n)) {
		const size_t part = strlen(names->text + n->text);

		at -= part;
		memcpy(at, names->text + n->text, part);
		if (needs_slash(names, n))
			*--at = '/';
	}
	return path;
}

char *names_end(const char *path, size_t most, size_t *cut)
{
	char *shown = printable(path);
	char *end = columns_tail_bytes(shown, most, cut);

	free(shown);
	return end;
}

char *names_shown(const char *path, uint32_t ino)
{
	size_t cut;
	char *end = names_end(path, NAME_SHOWN, &cut), *whole;

	if (!cut)
		return end;
	whole = xasprintf("%s <inode %" PRIu32 ">", end, ino);
	free(end);
	return whole;
}

bool names_have_gaps(const struct names *names)
{
	const struct names_gaps *gaps = &names->gaps;

	return gaps->failed || gaps->deep || gaps->refused || gaps->given_up;
}
