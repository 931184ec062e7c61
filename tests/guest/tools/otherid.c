// SPDX-License-Identifier: GPL-2.0-only
/*
 * otherid MODULE NOTES COPY: copy a module, with the build-id that NOTES (a
 * .note.gnu.build-id section, as in /sys/module/NAME/notes) holds changed in
 * its last byte wherever the module has it, as bytes or in hexadecimal.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID_OFFSET 16
#define ID_LENGTH 20

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
	char *module, *notes, *id, hex[2 * ID_LENGTH + 1], *at;
	FILE *copy;
	int i;

	if (argc != 4)
		return 2;
	module = slurp(argv[1], &length);
	notes = slurp(argv[2], &notes_length);
	if (notes_length < ID_OFFSET + ID_LENGTH)
		return 2;
	id = notes + ID_OFFSET;
	for (i = 0; i < ID_LENGTH; i++)
		sprintf(hex + 2 * i, "%02x", (unsigned char)id[i]);
	for (at = module; (at = memmem(at, module + length - at, id, ID_LENGTH)); changed++)
		at[ID_LENGTH - 1] ^= 1;
	for (at = module; (at = memmem(at, module + length - at, hex, 2 * ID_LENGTH)); changed++)
		at[2 * ID_LENGTH - 1] = at[2 * ID_LENGTH - 1] == '0' ? '1' : '0';
	copy = fopen(argv[3], "wb");
	if (!copy || fwrite(module, 1, length, copy) != length || fclose(copy)) {
		perror(argv[3]);
		return 2;
	}
	if (!changed)
		fprintf(stderr, "otherid: %s does not hold the id %s\n", argv[1], hex);
	return !changed;
}
