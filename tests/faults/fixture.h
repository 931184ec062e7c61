/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What faultrun and reread share: the options that both take, the image on a device whose I/O fails
 * as it is told, and its mounts. What goes wrong here ends the program with status 2: what was to
 * be tested didn't happen.
 */
#ifndef FIXTURE_H
#define FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "device.h"
#include "folders.h"
#include "image.h"

/* For getopt(): those that fixture_option() knows. */
#define FIXTURE_OPTIONS "s:b:t:o:f:n:v"

struct fixture_option {
	const char *scene, *type, *options;
	unsigned int blocksize, first, stride;
	bool verbose;
};

extern struct fixture_option option;
extern struct device device;
extern struct image_files files;

/* Takes an option of FIXTURE_OPTIONS; false: it is none of them. */
bool fixture_option(int c, const char *argument);
bool is_scene(const char *name);

/* The modules are there, and the folders, and the kernel is quiet. */
void fixture_machine(void);
/* Zeroed memory that a child shares. */
void *fixture_shared(size_t size);

/*
 * An ext3 of so many blocks, on the device: every block that is free holds something that nobody
 * must ever see. @mke2fs: further options.
 */
void fixture_mkfs(size_t blocks, const char *mke2fs);
/* The host, unmounted, is what every run begins with. */
void fixture_remember(void);
/* A run begins: the device has the bytes that were remembered. */
void fixture_reset(void);

/* @readahead: inode_readahead_blks. Nothing but the scene and its end is to cause I/O. */
void fixture_mount(unsigned int readahead);
void fixture_mount_meta(void);
/* Returns a complaint, or NULL. */
const char *fixture_unmount(const char *dir);

/* Writes blocks of a file, and what is written is on the disk. */
void fixture_write(int fd, uint32_t first, uint32_t count, unsigned int seed);

/*
 * Unloads the module, which fails if it still holds anything, and prints the sum. Returns the exit
 * status.
 */
int fixture_end(unsigned int faults, unsigned int bad);

#endif
