/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Self-describing file contents: every 512-byte cell says which file (inode number), which place
 * and which generation it is, and the rest of it follows from that. So a cell that was lost, torn,
 * stale, shifted or taken from another file is told from a right one without any list kept
 * elsewhere.
 */
#ifndef TESTS_PATTERN_H
#define TESTS_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CELL 512

struct cell {
	uint64_t magic;
	uint64_t seed;
	uint64_t inode;
	uint64_t index;
	uint64_t generation;
	uint64_t body[(CELL - 40) / 8];
};

/* splitmix64: a whole generator in one word of state. */
static inline uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static inline uint64_t below(uint64_t *state, uint64_t limit)
{
	return limit ? next_random(state) % limit : 0;
}

void cell_fill(struct cell *cell, uint64_t seed, uint64_t inode, uint64_t index,
	       uint64_t generation);
/* True if the cell is whole and belongs to this file and place; its seed and generation are in it.
 */
bool cell_valid(const struct cell *cell, uint64_t inode, uint64_t index);
bool all_zero(const void *data, size_t length);
/* Says what a bad cell looks like. */
void cell_describe(const struct cell *cell, char *text, size_t size);

struct hash {
	uint64_t lane[4];
	uint64_t length;
	size_t pending;
	uint8_t buffer[32];
};

void hash_start(struct hash *hash, uint64_t seed);
void hash_add(struct hash *hash, const void *data, size_t length);
uint64_t hash_end(const struct hash *hash);

ssize_t read_fully(int fd, void *data, size_t length, off_t offset);
ssize_t write_fully(int fd, const void *data, size_t length, off_t offset);
uint64_t parse_number(const char *text, const char *what);

#endif
