/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files that hold the write-intent bitmaps of md arrays (mdadm --bitmap=FILE). md looks up the
 * block numbers of such a file once, when the array is assembled, and writes to these blocks of the
 * disk as long as the array runs. If the file moved, md would overwrite whatever gets its old
 * blocks. The inode doesn't show that a file is one of these.
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
 * Read /proc/mdstat and add the bitmap files of the arrays that run now. None is ever removed: if
 * one read misses a file because arrays start and stop at that moment, it is still known from
 * another read. Without md in the kernel nothing is added.
 *
 * Returns NULL if all bitmap files are known; else a message about what could not be found out,
 * printable and malloc'd. Then any file may be a bitmap file.
 */
char *md_files_read(struct md_files *files);
void md_files_free(struct md_files *files);

/* True if the file @ino on device @dev is one of them. */

bool md_files_have(const struct md_files *files, dev_t dev, uint64_t ino);

#endif
