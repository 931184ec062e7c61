// SPDX-License-Identifier: GPL-2.0-only
/* The header: all of it, or none. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "abi_table.h"
#include "abigen.h"

static void write_identity(FILE *f, const struct target *target)
{
	size_t i;

	fprintf(f, "#define EXT4_ABI_RELEASE \"%s\"\n", target->release);
	fprintf(f, "#define EXT4_ABI_BUILTIN %d\n", target->builtin);
	fprintf(f, "#define EXT4_ABI_BUILD_ID_LEN %zu\n", target->build_id.size);
	fprintf(f, "#define EXT4_ABI_BUILD_ID { ");
	for (i = 0; i < target->build_id.size; i++)
		fprintf(f, "%s0x%02x%s", i && i % 8 == 0 ? "\\\n\t" : "", target->build_id.data[i],
			i + 1 < target->build_id.size ? ", " : " }\n");
	fputc('\n', f);
}

static void write_fields(FILE *f, const struct btf *btf)
{
	const struct abi_field *field;
	struct field_layout layout;

	for (field = abi_fields; field->structure; field++) {
		if (!typeinfo_field(btf, field->structure, field->member, &layout)) {
			if (field->optional)
				continue;
			die(field->structure, "no member %s in the target's BTF", field->member);
		}
		fprintf(f, "#define EXT4_ABI_OFF_%s__%s %u\n", field->structure, field->member,
			layout.offset);
		fprintf(f, "#define EXT4_ABI_SIZE_%s__%s %u\n", field->structure, field->member,
			layout.size);
	}
	fputc('\n', f);
}

static void write_structures(FILE *f, const struct btf *btf)
{
	const char *const *structure;
	unsigned int size;

	for (structure = abi_structures; *structure; structure++) {
		if (!typeinfo_structure(btf, *structure, &size))
			die(*structure, "no such structure in the target's BTF");
		fprintf(f, "#define EXT4_ABI_SIZE_%s %u\n", *structure, size);
	}
	fputc('\n', f);
}

static void write_enumerators(FILE *f, const struct btf *btf)
{
	const struct abi_enumerator *enumerator;
	long long value;

	for (enumerator = abi_enumerators; enumerator->name; enumerator++) {
		if (typeinfo_enumerator(btf, enumerator->name, &value))
			fprintf(f, "#define EXT4_ABI_ENUM_%s %lld\n", enumerator->name, value);
		else if (!enumerator->optional)
			die(enumerator->name, "no such enumerator in the target's BTF");
	}
	fputc('\n', f);
}

static unsigned int known_shape(const struct abi_function *function, const char *shape)
{
	unsigned int i;

	for (i = 0; i < ABI_SHAPES_MAX && function->shapes[i]; i++)
		if (!strcmp(function->shapes[i], shape))
			return i + 1;
	return 0;
}

static void write_functions(FILE *f, const struct btf *btf)
{
	const struct abi_function *function;
	unsigned int prototype, number;
	char *shape, *source;
	bool unknown = false;

	for (function = abi_functions; function->name; function++) {
		if (!typeinfo_function(btf, function->name, &prototype)) {
			if (!function->optional)
				die(function->name, "no such function in the target's BTF");
			fprintf(f, "/* %s: none */\n#define EXT4_ABI_SHAPE_%s 0\n", function->name,
				function->name);
			continue;
		}
		shape = proto_shape(btf, prototype);
		source = proto_source(btf, prototype, function->name);
		number = known_shape(function, shape);
		if (!number) {
			warn(function->name, "unknown prototype: %s", shape);
			unknown = true;
		}
		fprintf(f, "/* %s */\n#define EXT4_ABI_SHAPE_%s %u\n", source, function->name,
			number);
		free(shape);
		free(source);
	}
	if (unknown)
		exit(1);
}

static char *generate(const struct target *target, size_t *size)
{
	char *text;
	FILE *f;

	f = open_memstream(&text, size);
	if (!f)
		die("memory", "exhausted");
	fprintf(f, "/* Made by abigen from the BTF of %s; made anew for each kernel. */\n",
		target->release);
	fprintf(f, "#ifndef EXT4_ABI_GENERATED_H\n#define EXT4_ABI_GENERATED_H\n\n");
	write_identity(f, target);
	write_fields(f, target->btf);
	write_structures(f, target->btf);
	write_enumerators(f, target->btf);
	write_functions(f, target->btf);
	fprintf(f, "\n#endif\n");
	if (fclose(f))
		die("memory", "exhausted");
	return text;
}

void output_write(const char *path, const struct target *target)
{
	char *text, *temporary;
	mode_t mask;
	size_t size;
	int fd, error;

	text = generate(target, &size);
	temporary = xasprintf("%s.XXXXXX", path);
	fd = mkstemp(temporary);
	if (fd < 0)
		die(path, "%s", strerror(errno));
	mask = umask(0);
	umask(mask);
	if (!write_all(fd, text, size) || fchmod(fd, 0666 & ~mask) || close(fd) ||
	    rename(temporary, path)) {
		error = errno;
		unlink(temporary);
		die(path, "%s", strerror(error));
	}
	free(temporary);
	free(text);
}
