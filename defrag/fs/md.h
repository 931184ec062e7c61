/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files that md arrays have their write-intent bitmaps in (mdadm --bitmap=FILE). md asks once,
 * when the array is assembled, where the blocks of such a file lie, and writes to these blocks of
 * the disk for as long as the array runs: where the file moves, it writes over what comes after it.
 * Nothing in the inode tells it from others.
 */
#ifndef E3DEFRAG_MD_H
#define E3DEFRAG_MD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct md_file {
	dev_t dev;
	uint64_t ino;
};

struct md_files {
	struct md_file *file;
	size_t count, room;
};

/*
 * Add the files that there are now; none is taken away, so that one that a look has missed, since
 * arrays came and went at that moment, is still known from another. It is a read of /proc/mdstat,
 * and nothing where the kernel has no md. Returns NULL, or, malloc'd and printable, what is not
 * known: then any file may be one.
 */
char *md_files_read(struct md_files *files);
void md_files_free(struct md_files *files);

bool md_files_have(const struct md_files *files, dev_t dev, uint64_t ino);

#endif
