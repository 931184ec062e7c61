/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ABI_TABLE_H
#define ABI_TABLE_H

#include <stdbool.h>

/* Gives EXT4_ABI_OFF_<structure>__<member> and EXT4_ABI_SIZE_<structure>__<member>. */
struct abi_field {
	const char *structure;
	const char *member;
	bool optional; /* no define where the target lacks it */
};

/* Gives EXT4_ABI_SIZE_<name>, the size of the whole structure. Ends with NULL. */
extern const char *const abi_structures[];

/* Gives EXT4_ABI_ENUM_<name>. */
struct abi_enumerator {
	const char *name;
	bool optional; /* no define where the target lacks it */
};

#define ABI_SHAPES_MAX 4

/*
 * Gives EXT4_ABI_SHAPE_<name>: 1 for the first shape listed, 2 for the second; 0 where the target
 * lacks an optional function. The numbers are what the module's code tests, so a new shape goes
 * at the end.
 */
struct abi_function {
	const char *name;
	bool optional;
	const char *shapes[ABI_SHAPES_MAX];
};

extern const struct abi_field abi_fields[];
extern const struct abi_enumerator abi_enumerators[];
extern const struct abi_function abi_functions[];

#endif
