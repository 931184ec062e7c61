// SPDX-License-Identifier: GPL-2.0-only
/*
 * disklog.so, a plugin of nbdkit(1): empty disks in memory, and one log of every write and every
 * flush of all of them, each on the disk it was made on. (QEMU's blklogwrites logs one disk; the
 * order of writes to a filesystem and to its external journal would be lost, and so would be which
 * of the two a flush was for.) The log has the order in which requests were answered.
 * nbdkit ... disklog.so log=FILE disk=SIZE [disk=SIZE]... [late=DISK:FROM:READ:WRITE]...: the
 * exports are named "0", "1" ... With late, what is read or written of DISK from byte FROM on takes
 * up to READ or WRITE milliseconds, while other requests overtake it; 0 is no time.
 */
#define NBDKIT_API_VERSION 2

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <nbdkit-plugin.h>

#include "disklog.h"

#define THREAD_MODEL NBDKIT_THREAD_MODEL_PARALLEL

static struct disk {
	int64_t size;
	char *data;
	uint64_t late_from;
	unsigned int late[2]; /* milliseconds at most: of a read, of a write */
} disks[DISKLOG_MAX_DISKS];

static unsigned int disk_count;
static FILE *log_file;
/* What is on the disks, and the log. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int add_disk(const char *size)
{
	struct disk *disk = &disks[disk_count];

	if (disk_count == DISKLOG_MAX_DISKS) {
		nbdkit_error("too many disks");
		return -1;
	}
	disk->size = nbdkit_parse_size(size);
	if (disk->size <= 0)
		return -1;
	disk->data = mmap(NULL, disk->size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (disk->data == MAP_FAILED) {
		nbdkit_error("a disk of %s: %m", size);
		return -1;
	}
	disk_count++;
	return 0;
}

static int add_late(const char *value)
{
	unsigned int number, times[2];
	uint64_t from;
	char end;

	if (sscanf(value, "%u:%" SCNu64 ":%u:%u%c", &number, &from, &times[0], &times[1], &end) !=
		    4 ||
	    number >= disk_count) {
		nbdkit_error("disklog: late=%s: not DISK:FROM:READ:WRITE of a disk", value);
		return -1;
	}
	disks[number].late_from = from;
	memcpy(disks[number].late, times, sizeof(times));
	return 0;
}

static int disklog_config(const char *key, const char *value)
{
	if (!strcmp(key, "disk"))
		return add_disk(value);
	if (!strcmp(key, "late"))
		return add_late(value);
	if (strcmp(key, "log") || log_file) {
		nbdkit_error("disklog: %s=%s: unknown, or said twice", key, value);
		return -1;
	}
	log_file = fopen(value, "we");
	if (!log_file)
		nbdkit_error("%s: %m", value);
	return log_file ? 0 : -1;
}

/* Before the first request, and once. */
static int disklog_get_ready(void)
{
	unsigned int i;

	if (!log_file || !disk_count) {
		nbdkit_error("disklog: log=FILE and disk=SIZE are needed");
		return -1;
	}
	for (i = 0; i < disk_count; i++) {
		struct disklog_entry entry = { .disk = i,
					       .kind = DISKLOG_DISK,
					       .length = disks[i].size };

		if (fwrite(&entry, sizeof(entry), 1, log_file) != 1) {
			nbdkit_error("writing the log: %m");
			return -1;
		}
	}
	return 0;
}

static void disklog_unload(void)
{
	if (log_file && fclose(log_file))
		nbdkit_error("writing the log: %m");
}

static void *disklog_open(int readonly)
{
	const char *name = nbdkit_export_name();
	unsigned int number;
	char end;

	(void)readonly;
	if (!name || sscanf(name, "%u%c", &number, &end) != 1 || number >= disk_count) {
		nbdkit_error("no disk '%s'", name ? name : "");
		return NULL;
	}
	return &disks[number];
}

static int64_t disklog_get_size(void *handle)
{
	return ((struct disk *)handle)->size;
}

static int disklog_block_size(void *handle, uint32_t *minimum, uint32_t *preferred,
			      uint32_t *maximum)
{
	(void)handle;
	*minimum = DISKLOG_SECTOR;
	*preferred = 4096;
	*maximum = 32 << 20;
	return 0;
}

/* Some of the time that a request takes: no two of them the same, but the same in each run. */
static void be_late(const struct disk *disk, uint64_t offset, bool write)
{
	static unsigned int state = 1;
	uint64_t time = (uint64_t)disk->late[write] * 1000, part;

	if (!time || offset < disk->late_from)
		return;
	pthread_mutex_lock(&lock);
	part = rand_r(&state);
	pthread_mutex_unlock(&lock);
	usleep(time / 4 + part % (time - time / 4));
}

/* The lock is held. */
static int add_entry(const struct disk *disk, enum disklog_kind kind, const void *data,
		     uint32_t count, uint64_t offset)
{
	struct disklog_entry entry = {
		.disk = disk - disks, .kind = kind, .offset = offset, .length = count
	};

	if (fwrite(&entry, sizeof(entry), 1, log_file) == 1 &&
	    (!count || fwrite(data, count, 1, log_file) == 1))
		return 0;
	nbdkit_error("writing the log: %m");
	nbdkit_set_error(EIO);
	return -1;
}

static int disklog_pread(void *handle, void *data, uint32_t count, uint64_t offset, uint32_t flags)
{
	(void)flags;
	be_late(handle, offset, false);
	pthread_mutex_lock(&lock);
	memcpy(data, ((struct disk *)handle)->data + offset, count);
	pthread_mutex_unlock(&lock);
	return 0;
}

static int disklog_flush(void *handle, uint32_t flags)
{
	int status;

	(void)flags;
	pthread_mutex_lock(&lock);
	status = add_entry(handle, DISKLOG_FLUSH, NULL, 0, 0);
	pthread_mutex_unlock(&lock);
	return status;
}

/* A write with FUA comes here as a write and a flush, which QEMU or nbdkit makes of it. */
static int disklog_pwrite(void *handle, const void *data, uint32_t count, uint64_t offset,
			  uint32_t flags)
{
	int status;

	(void)flags;
	be_late(handle, offset, true);
	pthread_mutex_lock(&lock);
	memcpy(((struct disk *)handle)->data + offset, data, count);
	status = add_entry(handle, DISKLOG_WRITE, data, count, offset);
	pthread_mutex_unlock(&lock);
	return status;
}

static struct nbdkit_plugin plugin = {
	.name = "disklog",
	.longname = "disks whose writes are logged",
	.unload = disklog_unload,
	.config = disklog_config,
	.get_ready = disklog_get_ready,
	.open = disklog_open,
	.get_size = disklog_get_size,
	.block_size = disklog_block_size,
	.pread = disklog_pread,
	.pwrite = disklog_pwrite,
	.flush = disklog_flush,
};

NBDKIT_REGISTER_PLUGIN(plugin)
