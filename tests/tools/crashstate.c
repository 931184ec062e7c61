// SPDX-License-Identifier: GPL-2.0-only
/* What may be on a device after a crash, built out of a log. */
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <ext2fs/ext2_fs.h>

#include "crashstate.h"
#include "disklog.h"
#include "pattern.h"

#define PAGE 4096
/* Where it stands in a commit block. */
#define COMMIT_CHECKSUM 16
#define COMMIT_CHECKSUM_SIZE 32
#define SUPERBLOCK_OFFSET 1024
#define SUPERBLOCK_SIZE 1024

void crash_state_open(struct crash_state *state, const struct crash_log *log, const char *folder)
{
	size_t offset = 0;
	int i;

	memset(state, 0, sizeof(*state));
	state->log = log;
	state->size = log->sizes[0] + log->sizes[1];
	if (log->sizes[0] % PAGE || log->sizes[1] % PAGE)
		error(2, 0, "disks of no whole pages");
	state->durable =
		mmap(NULL, state->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	state->scratch = mmap(NULL, state->size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (state->durable == MAP_FAILED || state->scratch == MAP_FAILED)
		error(2, errno, "%zu bytes of memory", state->size);
	for (i = 0; i < 2; i++) {
		char *file = state->files[i];

		snprintf(file, sizeof(state->files[i]), "%s/crash.XXXXXX", folder);
		state->fds[i] = mkostemp(file, O_CLOEXEC);
		if (state->fds[i] < 0 || ftruncate(state->fds[i], log->sizes[i]))
			error(2, errno, "%s", file);
		if (log->sizes[i] &&
		    mmap(state->scratch + offset, log->sizes[i], PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_FIXED, state->fds[i], 0) == MAP_FAILED)
			error(2, errno, "%s", file);
		offset += log->sizes[i];
	}
}

void crash_state_close(struct crash_state *state)
{
	unlink(state->files[0]);
	unlink(state->files[1]);
}

static uint64_t sector_hash(const char *image, uint64_t offset)
{
	struct hash hash;

	/* An empty device has the signature 0. */
	if (all_zero(image + offset, DISKLOG_SECTOR))
		return 0;
	hash_start(&hash, offset);
	hash_add(&hash, image + offset, DISKLOG_SECTOR);
	return hash_end(&hash);
}

static void put_sector(char *image, uint64_t *signature, uint64_t offset, const char *data)
{
	*signature ^= sector_hash(image, offset);
	memcpy(image + offset, data, DISKLOG_SECTOR);
	*signature ^= sector_hash(image, offset);
}

static void put_event(char *image, uint64_t *signature, const struct crash_event *event)
{
	uint64_t i;

	for (i = 0; i < event->length; i += DISKLOG_SECTOR)
		put_sector(image, signature, event->offset + i, event->data + i);
}

/* The writes to the part that is flushed are durable; the others stay as they are. */
static void flush_part(struct crash_state *state, unsigned int part)
{
	size_t i, kept = 0;

	for (i = 0; i < state->pending_count; i++) {
		const struct crash_event *event = &state->log->events[state->pending[i]];

		if (event->part != part) {
			state->pending[kept++] = state->pending[i];
			continue;
		}
		put_event(state->durable, &state->signature, event);
		memcpy(state->scratch + event->offset, event->data, event->length);
	}
	state->pending_count = kept;
}

void crash_state_step(struct crash_state *state, size_t number)
{
	const struct crash_event *event = &state->log->events[number];

	if (event->kind == CRASH_FLUSH && !state->lying)
		flush_part(state, event->part);
	if (event->kind != CRASH_WRITE)
		return;
	if (state->pending_count == state->pending_size) {
		state->pending_size = state->pending_size ? 2 * state->pending_size : 64;
		state->pending =
			realloc(state->pending, state->pending_size * sizeof(*state->pending));
		if (!state->pending)
			error(2, ENOMEM, "pending writes");
	}
	state->pending[state->pending_count++] = number;
}

/*
 * A commit block with a checksum. Torn, it makes ext4 refuse the whole journal, whatever moved;
 * without a checksum all that counts lies in its first sector.
 */
static bool is_checked_commit(const struct crash_event *event)
{
	static const unsigned char header[] = { 0xc0, 0x3b, 0x39, 0x98, 0, 0, 0, 2 };

	return !memcmp(event->data, header, sizeof(header)) &&
	       !all_zero(event->data + COMMIT_CHECKSUM, COMMIT_CHECKSUM_SIZE);
}

/*
 * The superblock with a checksum. Torn, it makes the filesystem none, whatever moved; it is written
 * in its place with each syncfs.
 */
static bool is_checked_superblock(const struct crash_event *event)
{
	const struct ext2_super_block *super;

	if (event->offset > SUPERBLOCK_OFFSET ||
	    event->offset + event->length < SUPERBLOCK_OFFSET + SUPERBLOCK_SIZE)
		return false;
	super = (const void *)(event->data + SUPERBLOCK_OFFSET - event->offset);
	return super->s_magic == EXT2_SUPER_MAGIC &&
	       super->s_feature_ro_compat & EXT4_FEATURE_RO_COMPAT_METADATA_CSUM;
}

/* A part of a write: up to some sector, from some sector on, or any sectors. */
static void put_torn(char *image, uint64_t *signature, const struct crash_event *event,
		     uint64_t *random)
{
	uint64_t sectors = event->length / DISKLOG_SECTOR, how = below(random, 3),
		 where = 1 + below(random, sectors - 1), i;

	for (i = 0; i < sectors; i++) {
		bool kept = how == 0 ? i < where : how == 1 ? i >= where : below(random, 2);

		if (kept)
			put_sector(image, signature, event->offset + i * DISKLOG_SECTOR,
				   event->data + i * DISKLOG_SECTOR);
	}
}

uint64_t crash_state_build(struct crash_state *state, uint64_t choice)
{
	uint64_t signature = state->signature, random = choice, chosen, torn, i;
	/* Of the writes, how many are lost: half, an eighth, one, all but one, none. */
	unsigned int how = choice ? below(&random, 5) : 4;

	chosen = below(&random, state->pending_count);
	/* Of those that are kept, how many are torn: one of so many. */
	torn = choice && below(&random, 2) ? 1 + below(&random, 8) : 0;
	for (i = 0; i < state->pending_count; i++) {
		const struct crash_event *event = &state->log->events[state->pending[i]];
		uint64_t dice = next_random(&random);
		bool lost = how == 0 ? dice & 1 :
			    how == 1 ? !(dice & 7) :
			    how == 2 ? i == chosen :
			    how == 3 ? i != chosen :
				       false;

		if (lost)
			continue;
		if (torn && !below(&random, torn) && event->length > DISKLOG_SECTOR &&
		    !is_checked_commit(event) && !is_checked_superblock(event))
			put_torn(state->scratch, &signature, event, &random);
		else
			put_event(state->scratch, &signature, event);
	}
	return signature;
}

void crash_state_restore(struct crash_state *state)
{
	size_t i;

	for (i = 0; i < state->size; i += PAGE)
		if (memcmp(state->scratch + i, state->durable + i, PAGE))
			memcpy(state->scratch + i, state->durable + i, PAGE);
}

static void copy(int from, const char *from_name, int to, const char *to_name, uint64_t size)
{
	char *data = malloc(size);

	if (!data || read_fully(from, data, size, 0) != (ssize_t)size)
		error(2, errno, "%s", from_name);
	if (write_fully(to, data, size, 0) != (ssize_t)size)
		error(2, errno, "%s", to_name);
	free(data);
}

static void copy_parts(const struct crash_state *state, const char *file, bool load)
{
	int i, fd;

	for (i = 0; i < 2; i++) {
		char name[512];

		if (!state->log->sizes[i])
			continue;
		snprintf(name, sizeof(name), "%s%s", file, i ? ".journal" : "");
		fd = open(name, (load ? O_RDONLY : O_WRONLY | O_CREAT | O_TRUNC) | O_CLOEXEC, 0644);
		if (fd < 0)
			error(2, errno, "%s", name);
		if (load)
			copy(fd, name, state->fds[i], state->files[i], state->log->sizes[i]);
		else
			copy(state->fds[i], state->files[i], fd, name, state->log->sizes[i]);
		close(fd);
	}
}

void crash_state_save(const struct crash_state *state, const char *file)
{
	copy_parts(state, file, false);
}

void crash_state_load(struct crash_state *state, const char *file)
{
	copy_parts(state, file, true);
}
