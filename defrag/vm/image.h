/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Opening an unmounted filesystem in an image file or on a block device, for --vm, after checking
 * that nothing else uses it.
 */
#ifndef E3DEFRAG_IMAGE_H
#define E3DEFRAG_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "vm/lease.h"

struct image {
	char *path;  /* absolute, symbolic links resolved */
	char *shown; /* the name as given, printable */
	int fd;	     /* while this is open, a block device is held exclusively */
	int overlay; /* takes what is written if the image is read-only; else -1 */
	bool readonly, device;
	uint64_t largest;     /* how large the file that is written to may become, in bytes */
	uint64_t start, size; /* of the filesystem, in bytes */
	const char *type;     /* the type to mount it as: "ext3" or "ext4" */
	uint32_t inodes;      /* inodes in use */
	uint64_t free_blocks;
	struct lease lease;
};

/*
 * Open the image or device @name; @partition is the number of a partition on it, or 0. It is
 * refused if it is in use or isn't an ext3 or ext4 filesystem without errors. Returns STATUS_DONE,
 * or another exit status after a message.
 */
int image_open(struct image *image, const char *name, unsigned int partition, bool readonly);

/* Begin to watch an image file. */
void image_guard(struct image *image);
/*
 * Call this every now and then. Returns true, after a message, if another program begins to use the
 * image: then the machine must end.
 */
bool image_intruded(struct image *image);

/*
 * Call this after the work: it writes everything to disk, and checks if the guest's kernel has
 * found errors. Returns STATUS_DONE, or another exit status after a message.
 */
int image_settle(struct image *image);
void image_close(struct image *image);

#endif
