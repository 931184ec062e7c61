// SPDX-License-Identifier: GPL-2.0-only
/*
 * otherid MODULE NOTES COPY: copy a module, with the build-id that NOTES (a
 * .note.gnu.build-id section, as in /sys/module/NAME/notes) holds changed in
 * its first byte wherever the module has the first four. No more than four: the
 * compiler may have spread the others over the operands of its instructions.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID_OFFSET 16
#define ID_LENGTH 4

static char *slurp(const char *path, size_t *length)
{
	FILE *file = fopen(path, "rb");
	char *text = malloc(16 << 20);

	if (!file) {
		perror(path);
		exit(2);
	}
	*length = fread(text, 1, 16 << 20, file);
	fclose(file);
	return text;
}

int main(int argc, char **argv)
{
	size_t length, notes_length, changed = 0;
	char *module, *notes, *at;
	FILE *copy;

	if (argc != 4)
		return 2;
	module = slurp(argv[1], &length);
	notes = slurp(argv[2], &notes_length);
	if (notes_length < ID_OFFSET + ID_LENGTH)
		return 2;
	for (at = module; (at = memmem(at, module + length - at, notes + ID_OFFSET, ID_LENGTH));
	     changed++)
		*at ^= 1;
	copy = fopen(argv[3], "wb");
	if (!copy || fwrite(module, 1, length, copy) != length || fclose(copy)) {
		perror(argv[3]);
		return 2;
	}
	if (!changed)
		fprintf(stderr, "otherid: %s does not hold the build-id\n", argv[1]);
	return !changed;
}
