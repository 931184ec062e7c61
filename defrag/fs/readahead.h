/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading `inodes` ahead of who uses what was read: threads that take turns at the block groups
 * wait for the kernel, which makes the text, while what came before is taken apart.
 */
#ifndef E3DEFRAG_READAHEAD_H
#define E3DEFRAG_READAHEAD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define AHEAD_THREADS 2

struct readahead;

/*
 * From inode 1 to @last, @group of them in a block group, in reads of @size bytes; @fds are
 * @threads open files, one for each. Where not one thread is to be had, readahead_next() reads.
 */
struct readahead *readahead_start(const int *fds, unsigned int threads, size_t size, uint32_t group,
				  uint32_t last);

/*
 * The next read, in the order of the inodes: its bytes, 0 at the end, or -errno. *@text is valid
 * until the next call; from the inode *@below on, other reads have what there is.
 */
ssize_t readahead_next(struct readahead *readahead, const char **text, uint64_t *below);

/* What is being read is waited for. */
void readahead_stop(struct readahead *readahead);

#endif
