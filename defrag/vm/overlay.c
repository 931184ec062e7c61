// SPDX-License-Identifier: GPL-2.0-only
/*
 * QEMU could make the file itself (snapshot=on), but only with the right to write to a directory.
 * Its layout, in clusters: the header, the table of refcount blocks, the only refcount block, and
 * the table of the tables that have the place of each cluster (L1), which is empty.
 */
#include "vm/overlay.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/util.h"
#include "vm/room.h"

#define MAGIC 0x514649fb /* "QFI\xfb" */
#define VERSION 3
#define CLUSTER_BITS 16
#define CLUSTER (1ULL << CLUSTER_BITS)
#define REFCOUNT_ORDER 4 /* log2 of the bits of a refcount */
/* A table of the second level is a cluster of references, each of 8 bytes. */
#define MAPPED_BY_L1 (CLUSTER / 8 * CLUSTER)
#define L1_AT 3 /* clusters */

struct header {
	uint32_t magic, version;
	uint64_t backing_file;
	uint32_t backing_file_size, cluster_bits;
	uint64_t size;
	uint32_t encryption, l1_size;
	uint64_t l1_table, refcount_table;
	uint32_t refcount_table_clusters, snapshots;
	uint64_t snapshots_table, incompatible, compatible, autoclear;
	uint32_t refcount_order, header_length;
};

static int unnamed_file(void)
{
	const char *folder = getenv("TMPDIR");
	char *path = xasprintf("%s/e3defrag.XXXXXX", folder && *folder ? folder : "/var/tmp");
	int fd = mkostemp(path, O_CLOEXEC);
	char *shown = printable(path);

	if (fd < 0 || unlink(path)) {
		complain(shown, errno, "can't make a temporary file (see TMPDIR)");
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	free(shown);
	free(path);
	return fd;
}

static bool put(int fd, const void *data, size_t size, uint64_t cluster)
{
	return pwrite(fd, data, size, (off_t)(cluster * CLUSTER)) == (ssize_t)size;
}

static bool fill(int fd, uint64_t size)
{
	const uint64_t entries = (size + MAPPED_BY_L1 - 1) / MAPPED_BY_L1;
	const uint64_t clusters = L1_AT + (entries * 8 + CLUSTER - 1) / CLUSTER;
	const struct header header = {
		.magic = htobe32(MAGIC),
		.version = htobe32(VERSION),
		.cluster_bits = htobe32(CLUSTER_BITS),
		/* In whole sectors. */
		.size = htobe64((size + 511) / 512 * 512),
		.l1_size = htobe32((uint32_t)entries),
		.l1_table = htobe64(L1_AT * CLUSTER),
		.refcount_table = htobe64(1 * CLUSTER),
		.refcount_table_clusters = htobe32(1),
		.refcount_order = htobe32(REFCOUNT_ORDER),
		.header_length = htobe32(sizeof(header)),
	};
	const uint64_t refcount_block = htobe64(2 * CLUSTER);
	uint16_t refcounts[CLUSTER / 2] = { 0 };
	uint64_t i;

	_Static_assert(sizeof(header) == 104, "the fields of the header have no gaps");
	if (clusters > CLUSTER / 2) {
		errno = EFBIG;
		return false;
	}
	for (i = 0; i < clusters; i++)
		refcounts[i] = htobe16(1);
	return !ftruncate(fd, (off_t)(clusters * CLUSTER)) && put(fd, &header, sizeof(header), 0) &&
	       put(fd, &refcount_block, sizeof(refcount_block), 1) &&
	       put(fd, refcounts, sizeof(refcounts), 2);
}

int overlay_make(uint64_t size, uint64_t *largest)
{
	int fd = unnamed_file();

	if (fd < 0)
		return -1;
	*largest = room_of(fd);
	if (!fill(fd, size)) {
		complain(NULL, errno, "can't write a temporary file (see TMPDIR)");
		close(fd);
		return -1;
	}
	return fd;
}
