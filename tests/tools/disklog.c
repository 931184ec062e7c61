// SPDX-License-Identifier: GPL-2.0-only
/*
 * disklog.so, a plugin of nbdkit(1): empty disks in memory, and one log of every write and every
 * flush of all of them, each on the disk it was made on. (QEMU's blklogwrites logs one disk; the
 * order of writes to a filesystem and to its external journal would be lost, and so would be which
 * of the two a flush was for.) Requests are handled one by one, so the log has the order in which
 * they were answered.
 * nbdkit ... disklog.so log=FILE disk=SIZE [disk=SIZE]...: the exports are named "0", "1" ...
 */
#define NBDKIT_API_VERSION 2

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <nbdkit-plugin.h>

#include "disklog.h"

#define THREAD_MODEL NBDKIT_THREAD_MODEL_SERIALIZE_ALL_REQUESTS

static struct disk {
	int64_t size;
	char *data;
} disks[DISKLOG_MAX_DISKS];

static unsigned int disk_count;
static FILE *log_file;

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

static int disklog_config(const char *key, const char *value)
{
	if (!strcmp(key, "disk"))
		return add_disk(value);
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
	memcpy(data, ((struct disk *)handle)->data + offset, count);
	return 0;
}

static int disklog_flush(void *handle, uint32_t flags)
{
	(void)flags;
	return add_entry(handle, DISKLOG_FLUSH, NULL, 0, 0);
}

/* A write with FUA comes here as a write and a flush, which nbdkit makes of it. */
static int disklog_pwrite(void *handle, const void *data, uint32_t count, uint64_t offset,
			  uint32_t flags)
{
	(void)flags;
	memcpy(((struct disk *)handle)->data + offset, data, count);
	return add_entry(handle, DISKLOG_WRITE, data, count, offset);
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
