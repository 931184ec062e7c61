// SPDX-License-Identifier: GPL-2.0-only
/* Sections of an ELF file in memory. */
#include <gelf.h>
#include <string.h>

#include "abigen.h"

typedef bool (*section_visitor)(const char *name, const GElf_Shdr *header, struct blob data,
				void *context);

/* Sections with their data in the file, until the visitor returns true. */
static bool each_section(const char *what, struct blob file, section_visitor visit, void *context)
{
	Elf_Scn *section = NULL;
	struct blob contents;
	size_t names;
	bool found = false;
	GElf_Shdr header;
	const char *name;
	Elf_Data *data;
	Elf *elf;

	if (elf_version(EV_CURRENT) == EV_NONE)
		die("libelf", "%s", elf_errmsg(-1));
	elf = elf_memory((char *)file.data, file.size);
	if (!elf || elf_kind(elf) != ELF_K_ELF)
		die(what, "not an ELF file");
	if (elf_getshdrstrndx(elf, &names))
		die(what, "%s", elf_errmsg(-1));
	while (!found && (section = elf_nextscn(elf, section))) {
		if (!gelf_getshdr(section, &header))
			die(what, "%s", elf_errmsg(-1));
		name = elf_strptr(elf, names, header.sh_name);
		if (!name)
			die(what, "%s", elf_errmsg(-1));
		if (header.sh_type == SHT_NOBITS)
			continue;
		data = elf_rawdata(section, NULL);
		/* A section that reaches past the end of the file has none. */
		if (!data || (data->d_size && !data->d_buf))
			continue;
		contents = (struct blob){ data->d_buf, data->d_size };
		found = visit(name, &header, contents, context);
	}
	/* Raw data lie in the file's own memory, so they outlive this. */
	elf_end(elf);
	return found;
}

struct search {
	const char *name;
	struct blob *result;
};

static bool visit_named(const char *name, const GElf_Shdr *header, struct blob data, void *context)
{
	struct search *search = context;

	(void)header;
	if (strcmp(name, search->name) || !data.size)
		return false;
	*search->result = data;
	return true;
}

bool elf_section(const char *what, struct blob file, const char *name, struct blob *section)
{
	struct search search = { name, section };

	return each_section(what, file, visit_named, &search);
}

static bool visit_notes(const char *name, const GElf_Shdr *header, struct blob data, void *context)
{
	(void)name;
	return header->sh_type == SHT_NOTE && notes_build_id(data, context);
}

bool elf_build_id(const char *what, struct blob file, struct blob *id)
{
	return each_section(what, file, visit_notes, id);
}
