/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ABIGEN_H
#define ABIGEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct btf;
struct btf_type;

/* Print "abigen: WHAT: why" and end with status 1. */
void die(const char *what, const char *why, ...) __attribute__((noreturn, format(printf, 2, 3)));
void warn(const char *what, const char *why, ...) __attribute__((format(printf, 2, 3)));

char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));
void *xrealloc(void *p, size_t size);
uint32_t get_le32(const unsigned char *p);

struct blob {
	unsigned char *data;
	size_t size;
};

/* file.c, decompress.c, bzimage.c: bytes of the distribution's files */
bool file_exists(const char *path);
struct blob file_read(const char *path);
bool write_all(int fd, const void *data, size_t size);
bool decompress(const char *what, struct blob *blob);
struct blob bzimage_unpack(const char *path, struct blob image);

/* elf.c: a section of an ELF file in memory; the result points into it */
bool elf_section(const char *what, struct blob file, const char *name, struct blob *section);
bool elf_build_id(const char *what, struct blob file, struct blob *id);

/* buildid.c */
bool notes_build_id(struct blob notes, struct blob *id);

/* typeinfo.c: what the target's BTF says */
struct btf *typeinfo_load(const char *what, struct blob raw, struct btf *base, char **why);

struct field_layout {
	unsigned int offset;
	unsigned int size;
};

bool typeinfo_field(const struct btf *btf, const char *structure, const char *member,
		    struct field_layout *layout);
bool typeinfo_structure(const struct btf *btf, const char *structure, unsigned int *size);
bool typeinfo_enumerator(const struct btf *btf, const char *name, long long *value);
bool typeinfo_function(const struct btf *btf, const char *name, unsigned int *prototype);

/* proto.c: a prototype as a string */
char *proto_shape(const struct btf *btf, unsigned int prototype);
char *proto_source(const struct btf *btf, unsigned int prototype, const char *name);

/* output.c */
struct target {
	const char *release;
	bool builtin;
	struct blob build_id;
	const struct btf *btf;
};

void output_write(const char *path, const struct target *target);

#endif
