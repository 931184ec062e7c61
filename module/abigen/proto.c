// SPDX-License-Identifier: GPL-2.0-only
/*
 * A prototype as a string: as a shape, which is what a caller depends on (abi_table.c describes
 * it), or as the source had it, for the reader.
 */
#include <bpf/btf.h>
#include <stdlib.h>
#include <string.h>

#include "abigen.h"

#define NESTING_MAX 16

struct style {
	const struct btf *btf;
	bool as_shape;
};

static char *render_prototype(const struct style *style, const struct btf_type *proto,
			      const char *declarator, unsigned int depth);

static char *integer_name(const struct style *style, const struct btf_type *t)
{
	const char *name = btf__name_by_offset(style->btf, t->name_off);

	if (!style->as_shape || !strcmp(name, "char"))
		return xasprintf("%s", name);
	if (btf_int_encoding(t) & BTF_INT_BOOL)
		return xasprintf("bool");
	return xasprintf("%c%u", btf_int_encoding(t) & BTF_INT_SIGNED ? 's' : 'u', 8 * t->size);
}

static const char *tag_of(const struct btf_type *t)
{
	switch (btf_kind(t)) {
	case BTF_KIND_STRUCT:
		return "struct";
	case BTF_KIND_UNION:
		return "union";
	case BTF_KIND_FWD:
		return btf_kflag(t) ? "union" : "struct";
	default:
		return "enum";
	}
}

/* "int" and "x" to "int x", "char *" and "x" to "char *x". */
static char *join(const char *type, const char *declarator)
{
	const char *space = "";

	if (*declarator && type[strlen(type) - 1] != '*')
		space = " ";
	return xasprintf("%s%s%s", type, space, declarator);
}

/* Types read from the outside in; a declarator grows around its name as C writes it. */
static char *render(const struct style *style, unsigned int id, const char *declarator,
		    unsigned int depth)
{
	const struct btf_type *t, *target;
	char *inner, *result;
	const char *name;

	if (!id)
		return join("void", declarator);
	if (depth > NESTING_MAX)
		die("BTF", "type %u is nested too deep", id);
	t = btf__type_by_id(style->btf, id);
	name = btf__name_by_offset(style->btf, t->name_off);

	switch (btf_kind(t)) {
	case BTF_KIND_INT:
		inner = integer_name(style, t);
		result = join(inner, declarator);
		break;
	case BTF_KIND_TYPEDEF:
		target = t->type ? btf__type_by_id(style->btf, t->type) : NULL;
		/* A structure without a tag has no other name. */
		if (!style->as_shape || (target && !target->name_off &&
					 (btf_is_composite(target) || btf_is_any_enum(target))))
			return join(name, declarator);
		return render(style, t->type, declarator, depth + 1);
	case BTF_KIND_VOLATILE:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPE_TAG:
		return render(style, t->type, declarator, depth + 1);
	case BTF_KIND_CONST:
		target = t->type ? btf__type_by_id(style->btf, t->type) : NULL;
		if (target && btf_is_ptr(target)) {
			inner = join("const", declarator);
			result = render(style, t->type, inner, depth + 1);
		} else {
			inner = render(style, t->type, declarator, depth + 1);
			result = xasprintf("const %s", inner);
		}
		break;
	case BTF_KIND_PTR:
		target = t->type ? btf__type_by_id(style->btf, t->type) : NULL;
		if (target && (btf_is_func_proto(target) || btf_is_array(target)))
			inner = xasprintf("(*%s)", declarator);
		else
			inner = xasprintf("*%s", declarator);
		result = render(style, t->type, inner, depth + 1);
		break;
	case BTF_KIND_ARRAY:
		inner = xasprintf("%s[%u]", declarator, btf_array(t)->nelems);
		result = render(style, btf_array(t)->type, inner, depth + 1);
		break;
	case BTF_KIND_FUNC_PROTO:
		return render_prototype(style, t, declarator, depth + 1);
	case BTF_KIND_FLOAT:
		return join(name, declarator);
	default:
		inner = xasprintf("%s %s", tag_of(t), *name ? name : "{ }");
		result = join(inner, declarator);
		break;
	}
	free(inner);
	return result;
}

static char *render_prototype(const struct style *style, const struct btf_type *proto,
			      const char *declarator, unsigned int depth)
{
	const struct btf_param *param = btf_params(proto);
	unsigned int i, count = btf_vlen(proto);
	char *list, *next, *result;

	list = xasprintf("%s", count ? "" : "void");
	for (i = 0; i < count; i++) {
		const char *name = "";
		char *type;

		if (!style->as_shape)
			name = btf__name_by_offset(style->btf, param[i].name_off);
		/* The last parameter of a variadic function has neither type nor name. */
		if (i == count - 1 && !param[i].type && !param[i].name_off)
			type = xasprintf("...");
		else
			type = render(style, param[i].type, name, depth);
		next = xasprintf("%s%s%s", list, i ? ", " : "", type);
		free(type);
		free(list);
		list = next;
	}
	next = xasprintf("%s(%s)", declarator, list);
	result = render(style, proto->type, next, depth);
	free(next);
	free(list);
	return result;
}

char *proto_shape(const struct btf *btf, unsigned int prototype)
{
	const struct style style = { btf, true };

	return render_prototype(&style, btf__type_by_id(btf, prototype), "", 0);
}

char *proto_source(const struct btf *btf, unsigned int prototype, const char *name)
{
	const struct style style = { btf, false };

	return render_prototype(&style, btf__type_by_id(btf, prototype), name, 0);
}
