/* SPDX-License-Identifier: GPL-2.0-only */
/* An unmounted filesystem in an image or on a block device, that nobody else uses. */
#ifndef E3DEFRAG_IMAGE_H
#define E3DEFRAG_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

struct image {
	char *path;  /* absolute, symbolic links resolved */
	char *shown; /* as named, printable */
	int fd;	     /* on a block device it is held exclusively as long as this is open */
	bool readonly, device;
	uint64_t start, size; /* of the filesystem, in bytes */
	const char *type;     /* "ext3", "ext4": what to mount it as */
	uint32_t inodes;      /* in use */
	uint64_t free_blocks;
};

/*
 * Open what @name names; @partition is the number of a partition on it, or 0. Anything that is in
 * use, or isn't an ext3 or ext4 filesystem in good order, is refused. Messages are printed. Returns
 * an exit status.
 */
int image_open(struct image *image, const char *name, unsigned int partition, bool readonly);

/*
 * After the work: have it on the disk, and look whether the kernel has found errors. Messages are
 * printed. Returns an exit status.
 */
int image_settle(struct image *image);
void image_close(struct image *image);

#endif
