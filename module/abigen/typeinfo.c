// SPDX-License-Identifier: GPL-2.0-only
/* Questions to the target's BTF, once it is known to be sound. */
#include <bpf/btf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "abigen.h"

#define NESTING_MAX 16

static unsigned int first_own_id(const struct btf *btf)
{
	const struct btf *base = btf__base_btf(btf);

	return base ? btf__type_cnt(base) : 1;
}

static unsigned int string_size(const struct btf *btf)
{
	const struct btf_header *header;
	unsigned int size;

	header = btf__raw_data(btf, &size);
	if (!header)
		die("memory", "exhausted");
	return header->str_len;
}

/*
 * A split BTF counts its types and strings on from its base's, so with another base every
 * number in it means something else. Then names begin in the middle of strings, functions have
 * no prototype and members don't fit their structures; this looks for all of it.
 */
struct check {
	const struct btf *btf;
	unsigned int own_strings;
	unsigned int id;
	char *why;
};

static bool name_is_sound(struct check *check, unsigned int offset)
{
	const char *name = btf__str_by_offset(check->btf, offset);

	if (name && (!offset || offset == check->own_strings || !name[-1]))
		return true;
	check->why = xasprintf("type %u has no sound name", check->id);
	return false;
}

static bool reference_is_sound(struct check *check, unsigned int id)
{
	if (id < btf__type_cnt(check->btf))
		return true;
	check->why = xasprintf("type %u refers to type %u of %u", check->id, id,
			       btf__type_cnt(check->btf));
	return false;
}

static bool member_fits(struct check *check, const struct btf_type *t, unsigned int i)
{
	unsigned int bits = btf_member_bitfield_size(t, i);
	unsigned int offset = btf_member_bit_offset(t, i);
	long long size;

	size = bits ? bits : 8 * btf__resolve_size(check->btf, btf_members(t)[i].type);
	if (size >= 0 && offset + size <= 8LL * t->size)
		return true;
	check->why = xasprintf("member %u of type %u doesn't fit", i, check->id);
	return false;
}

static bool type_is_sound(struct check *check, const struct btf_type *t)
{
	unsigned int i, count = btf_vlen(t);

	if (!name_is_sound(check, t->name_off))
		return false;
	switch (btf_kind(t)) {
	case BTF_KIND_INT:
	case BTF_KIND_FLOAT:
	case BTF_KIND_FWD:
		return true;
	case BTF_KIND_ENUM:
		for (i = 0; i < count; i++)
			if (!name_is_sound(check, btf_enum(t)[i].name_off))
				return false;
		return true;
	case BTF_KIND_ENUM64:
		for (i = 0; i < count; i++)
			if (!name_is_sound(check, btf_enum64(t)[i].name_off))
				return false;
		return true;
	case BTF_KIND_PTR:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_CONST:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPE_TAG:
	case BTF_KIND_DECL_TAG:
	case BTF_KIND_VAR:
		return reference_is_sound(check, t->type);
	case BTF_KIND_FUNC:
		if (!reference_is_sound(check, t->type))
			return false;
		if (btf_is_func_proto(btf__type_by_id(check->btf, t->type)))
			return true;
		check->why = xasprintf("function %u has no prototype", check->id);
		return false;
	case BTF_KIND_FUNC_PROTO:
		for (i = 0; i < count; i++)
			if (!name_is_sound(check, btf_params(t)[i].name_off) ||
			    !reference_is_sound(check, btf_params(t)[i].type))
				return false;
		return reference_is_sound(check, t->type);
	case BTF_KIND_ARRAY:
		return reference_is_sound(check, btf_array(t)->type) &&
		       reference_is_sound(check, btf_array(t)->index_type);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		for (i = 0; i < count; i++)
			if (!name_is_sound(check, btf_members(t)[i].name_off) ||
			    !reference_is_sound(check, btf_members(t)[i].type) ||
			    !member_fits(check, t, i))
				return false;
		return true;
	case BTF_KIND_DATASEC:
		for (i = 0; i < count; i++)
			if (!reference_is_sound(check, btf_var_secinfos(t)[i].type))
				return false;
		return true;
	default:
		check->why = xasprintf("type %u is of unknown kind %u", check->id, btf_kind(t));
		return false;
	}
}

/* libbpf reads split BTF from files only, and here it may come out of a compressed one. */
static struct btf *parse(struct blob raw, struct btf *base)
{
	struct btf *btf;
	char *path;
	int fd;

	fd = memfd_create("btf", MFD_CLOEXEC);
	if (fd < 0 || !write_all(fd, raw.data, raw.size))
		die("memory", "%s", strerror(errno));
	path = xasprintf("/proc/self/fd/%d", fd);
	btf = btf__parse_raw_split(path, base);
	free(path);
	close(fd);
	return btf;
}

/* NULL, and the reason, if this is no sound BTF, or not a sound one on this base. */
struct btf *typeinfo_load(const char *what, struct blob raw, struct btf *base, char **why)
{
	struct check check = { 0 };
	struct btf *btf;

	btf = parse(raw, base);
	if (!btf) {
		*why = xasprintf("BTF of %s can't be read: %s", what, strerror(errno));
		return NULL;
	}
	check.btf = btf;
	check.own_strings = base ? string_size(base) : 0;
	for (check.id = first_own_id(btf); check.id < btf__type_cnt(btf); check.id++) {
		if (type_is_sound(&check, btf__type_by_id(btf, check.id)))
			continue;
		*why = xasprintf("BTF of %s is unsound: %s", what, check.why);
		btf__free(btf);
		return NULL;
	}
	return btf;
}

/* Goes on from *id to the next type of this name and kind before end. */
static bool next_named(const struct btf *btf, const char *name, unsigned int kind, unsigned int *id,
		       unsigned int end)
{
	const struct btf_type *t;

	for (; *id < end; ++*id) {
		t = btf__type_by_id(btf, *id);
		if (btf_kind(t) == kind && !strcmp(btf__name_by_offset(btf, t->name_off), name))
			return true;
	}
	return false;
}

static const struct btf_type *skip_aliases(const struct btf *btf, const struct btf_type *t)
{
	unsigned int depth = 0;

	while ((btf_is_mod(t) || btf_is_typedef(t)) && depth++ < NESTING_MAX)
		t = btf__type_by_id(btf, t->type);
	return t;
}

static bool member_of(const struct btf *btf, const struct btf_type *t, const char *structure,
		      const char *name, unsigned int depth, struct field_layout *layout)
{
	const struct btf_member *member;
	const struct btf_type *inner;
	unsigned int i, offset;
	const char *own;

	for (i = 0; i < btf_vlen(t); i++) {
		member = &btf_members(t)[i];
		own = btf__name_by_offset(btf, member->name_off);
		offset = btf_member_bit_offset(t, i);
		if (!strcmp(own, name)) {
			if (btf_member_bitfield_size(t, i) || offset % 8)
				die(structure, "%s is a bit field", name);
			layout->offset = offset / 8;
			layout->size = btf__resolve_size(btf, member->type);
			return true;
		}
		if (*own || depth >= NESTING_MAX)
			continue;
		inner = skip_aliases(btf, btf__type_by_id(btf, member->type));
		if (btf_is_composite(inner) &&
		    member_of(btf, inner, structure, name, depth + 1, layout)) {
			layout->offset += offset / 8;
			return true;
		}
	}
	return false;
}

/* Where to look for a structure: among the target's own types, or its base's where it has none. */
static unsigned int structures_begin(const struct btf *btf, const char *structure,
				     unsigned int *end)
{
	unsigned int own = first_own_id(btf), id = own;

	*end = btf__type_cnt(btf);
	if (next_named(btf, structure, BTF_KIND_STRUCT, &id, *end))
		return id;
	*end = own;
	return 1;
}

bool typeinfo_field(const struct btf *btf, const char *structure, const char *member,
		    struct field_layout *layout)
{
	unsigned int end, id = structures_begin(btf, structure, &end);
	struct field_layout other;
	bool found = false;

	for (; next_named(btf, structure, BTF_KIND_STRUCT, &id, end); id++) {
		if (!member_of(btf, btf__type_by_id(btf, id), structure, member, 0, &other))
			continue;
		if (found && (other.offset != layout->offset || other.size != layout->size))
			die(structure, "several layouts, which differ in %s", member);
		*layout = other;
		found = true;
	}
	return found;
}

bool typeinfo_structure(const struct btf *btf, const char *structure, unsigned int *size)
{
	unsigned int end, id = structures_begin(btf, structure, &end);
	bool found = false;

	for (; next_named(btf, structure, BTF_KIND_STRUCT, &id, end); id++) {
		unsigned int other = btf__type_by_id(btf, id)->size;

		if (found && other != *size)
			die(structure, "several layouts, which differ in size");
		*size = other;
		found = true;
	}
	return found;
}

bool typeinfo_enumerator(const struct btf *btf, const char *name, long long *value)
{
	unsigned int i, id, end = btf__type_cnt(btf);
	const struct btf_type *t;

	/* From the end: the target's own before its base's. */
	for (id = end - 1; id > 0; id--) {
		t = btf__type_by_id(btf, id);
		if (btf_is_enum(t)) {
			for (i = 0; i < btf_vlen(t); i++)
				if (!strcmp(btf__name_by_offset(btf, btf_enum(t)[i].name_off),
					    name)) {
					*value = btf_enum(t)[i].val;
					return true;
				}
		} else if (btf_is_enum64(t)) {
			for (i = 0; i < btf_vlen(t); i++)
				if (!strcmp(btf__name_by_offset(btf, btf_enum64(t)[i].name_off),
					    name)) {
					*value = btf_enum64_value(&btf_enum64(t)[i]);
					return true;
				}
		}
	}
	return false;
}

bool typeinfo_function(const struct btf *btf, const char *name, unsigned int *prototype)
{
	unsigned int id = first_own_id(btf), end = btf__type_cnt(btf);
	bool found = false;

	for (; next_named(btf, name, BTF_KIND_FUNC, &id, end); id++) {
		unsigned int type = btf__type_by_id(btf, id)->type;

		if (found && type != *prototype)
			die(name, "several prototypes");
		*prototype = type;
		found = true;
	}
	return found;
}
