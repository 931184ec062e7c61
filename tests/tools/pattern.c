// SPDX-License-Identifier: GPL-2.0-only
/* The contents that the test programs write and recognise, and XXH64 for what others wrote. */
#include <errno.h>
#include <error.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pattern.h"

#define MAGIC 0x6c6c65432d744533ULL

void cell_fill(struct cell *cell, uint64_t seed, uint64_t inode, uint64_t index,
	       uint64_t generation)
{
	uint64_t state = seed ^ inode * 0xd6e8feb86659fd93ULL ^ index << 20 ^ generation << 44;
	size_t i;

	cell->magic = MAGIC;
	cell->seed = seed;
	cell->inode = inode;
	cell->index = index;
	cell->generation = generation;
	for (i = 0; i < sizeof(cell->body) / sizeof(cell->body[0]); i++)
		cell->body[i] = next_random(&state);
}

bool cell_valid(const struct cell *cell, uint64_t inode, uint64_t index)
{
	struct cell want;

	if (cell->magic != MAGIC || cell->inode != inode || cell->index != index)
		return false;
	cell_fill(&want, cell->seed, inode, index, cell->generation);
	return memcmp(cell, &want, sizeof(want)) == 0;
}

bool all_zero(const void *data, size_t length)
{
	const unsigned char *byte = data;

	return length == 0 || (byte[0] == 0 && memcmp(byte, byte + 1, length - 1) == 0);
}

void cell_describe(const struct cell *cell, char *text, size_t size)
{
	if (cell->magic == MAGIC)
		snprintf(text, size,
			 "a cell of inode %" PRIu64 " index %" PRIu64 " generation %" PRIu64 "%s",
			 cell->inode, cell->index, cell->generation,
			 cell_valid(cell, cell->inode, cell->index) ? "" : ", torn");
	else if (all_zero(cell, sizeof(*cell)))
		snprintf(text, size, "zeros");
	else
		snprintf(text, size, "foreign bytes %016" PRIx64 " %016" PRIx64, cell->magic,
			 cell->seed);
}

/* XXH64, as its specification has it. */
#define PRIME1 0x9e3779b185ebca87ULL
#define PRIME2 0xc2b2ae3d27d4eb4fULL
#define PRIME3 0x165667b19e3779f9ULL
#define PRIME4 0x85ebca77c2b2ae63ULL
#define PRIME5 0x27d4eb2f165667c5ULL

static uint64_t rotate(uint64_t value, int bits)
{
	return value << bits | value >> (64 - bits);
}

static uint64_t hash_round(uint64_t lane, uint64_t input)
{
	return rotate(lane + input * PRIME2, 31) * PRIME1;
}

static uint64_t load64(const uint8_t *data)
{
	uint64_t value;

	memcpy(&value, data, sizeof(value));
	return value;
}

static uint32_t load32(const uint8_t *data)
{
	uint32_t value;

	memcpy(&value, data, sizeof(value));
	return value;
}

static void hash_stripe(struct hash *hash, const uint8_t *data)
{
	int i;

	for (i = 0; i < 4; i++)
		hash->lane[i] = hash_round(hash->lane[i], load64(data + 8 * i));
}

void hash_start(struct hash *hash, uint64_t seed)
{
	memset(hash, 0, sizeof(*hash));
	hash->lane[0] = seed + PRIME1 + PRIME2;
	hash->lane[1] = seed + PRIME2;
	hash->lane[2] = seed;
	hash->lane[3] = seed - PRIME1;
}

void hash_add(struct hash *hash, const void *data, size_t length)
{
	const uint8_t *from = data;

	hash->length += length;
	if (hash->pending) {
		size_t take = sizeof(hash->buffer) - hash->pending;

		if (take > length)
			take = length;
		memcpy(hash->buffer + hash->pending, from, take);
		hash->pending += take;
		from += take;
		length -= take;
		if (hash->pending < sizeof(hash->buffer))
			return;
		hash_stripe(hash, hash->buffer);
		hash->pending = 0;
	}
	for (; length >= sizeof(hash->buffer); from += 32, length -= 32)
		hash_stripe(hash, from);
	memcpy(hash->buffer, from, length);
	hash->pending = length;
}

uint64_t hash_end(const struct hash *hash)
{
	const uint8_t *data = hash->buffer, *end = data + hash->pending;
	uint64_t value;
	int i;

	if (hash->length >= 32) {
		value = rotate(hash->lane[0], 1) + rotate(hash->lane[1], 7) +
			rotate(hash->lane[2], 12) + rotate(hash->lane[3], 18);
		for (i = 0; i < 4; i++)
			value = (value ^ hash_round(0, hash->lane[i])) * PRIME1 + PRIME4;
	} else {
		value = hash->lane[2] + PRIME5;
	}
	value += hash->length;
	for (; end - data >= 8; data += 8)
		value = rotate(value ^ hash_round(0, load64(data)), 27) * PRIME1 + PRIME4;
	if (end - data >= 4) {
		value = rotate(value ^ load32(data) * PRIME1, 23) * PRIME2 + PRIME3;
		data += 4;
	}
	for (; data < end; data++)
		value = rotate(value ^ *data * PRIME5, 11) * PRIME1;
	value = (value ^ value >> 33) * PRIME2;
	value = (value ^ value >> 29) * PRIME3;
	return value ^ value >> 32;
}

ssize_t read_fully(int fd, void *data, size_t length, off_t offset)
{
	size_t done = 0;

	while (done < length) {
		ssize_t got = pread(fd, (char *)data + done, length - done, offset + done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		done += got;
	}
	return done;
}

/* What was written; less than asked with errno set when something stopped it. */
ssize_t write_fully(int fd, const void *data, size_t length, off_t offset)
{
	size_t done = 0;

	while (done < length) {
		ssize_t got = pwrite(fd, (const char *)data + done, length - done, offset + done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		done += got;
	}
	return done;
}

uint64_t parse_number(const char *text, const char *what)
{
	char *end;
	unsigned long long value;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || end == text || *end || *text == '-')
		error(2, 0, "%s: not a number: %s", what, text);
	return value;
}
