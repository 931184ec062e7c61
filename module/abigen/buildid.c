// SPDX-License-Identifier: GPL-2.0-only
/* The build-id among ELF notes: a section's, or a file of notes in sysfs. */
#include <elf.h>
#include <string.h>

#include "abigen.h"

static size_t padded(size_t size)
{
	return (size + 3) & ~(size_t)3;
}

bool notes_build_id(struct blob notes, struct blob *id)
{
	size_t at = 0, name, desc;
	Elf64_Nhdr header;

	while (notes.size - at >= sizeof(header)) {
		memcpy(&header, notes.data + at, sizeof(header));
		name = at + sizeof(header);
		desc = name + padded(header.n_namesz);
		if (desc > notes.size || header.n_descsz > notes.size - desc)
			return false;
		if (header.n_type == NT_GNU_BUILD_ID && header.n_namesz == 4 &&
		    !memcmp(notes.data + name, "GNU", 4) && header.n_descsz) {
			id->data = notes.data + desc;
			id->size = header.n_descsz;
			return true;
		}
		at = desc + padded(header.n_descsz);
		if (at > notes.size)
			return false;
	}
	return false;
}
