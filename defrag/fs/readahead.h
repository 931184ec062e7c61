/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading ahead in the file `inodes` by threads, so that the kernel writes the next text while the
 * caller parses the last one. The threads take the block groups in turn.
 */
#ifndef E3DEFRAG_READAHEAD_H
#define E3DEFRAG_READAHEAD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define AHEAD_THREADS 2

struct readahead;

/*
 * Begin to read from inode 1 to @last, with @group inodes in a block group, in reads of @size
 * bytes. @fds are descriptors of `inodes`, one for each of the @threads, at least one, and stay the
 * caller's. If @threads is 0 or no thread can be created, readahead_next() itself reads. Never
 * returns NULL.
 */
struct readahead *readahead_start(const int *fds, unsigned int threads, size_t size, uint32_t group,
				  uint32_t last);

/*
 * Get the next text in the order of the inodes. Returns its length in bytes, 0 at the end, or
 * -errno. *@text is valid until the next call. Ignore records from the inode *@below on: another
 * read returns them.
 */
ssize_t readahead_next(struct readahead *readahead, const char **text, uint64_t *below);

/* Wait for reads in progress, end the threads and free everything. */
void readahead_stop(struct readahead *readahead);

#endif
