/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The log that disklog.so keeps of all that was written to its disks: one list for all of them, in
 * the order in which it happened. Each entry is this header, followed by the data of a write.
 */
#ifndef TESTS_DISKLOG_H
#define TESTS_DISKLOG_H

#include <stdint.h>

#define DISKLOG_MAX_DISKS 16
#define DISKLOG_SECTOR 512 /* what a device writes wholly or not at all */

enum disklog_kind {
	DISKLOG_WRITE = 1,
	DISKLOG_FLUSH = 2,
	DISKLOG_DISK = 3, /* at the start, for each disk: its length */
};

struct disklog_entry {
	uint32_t disk;
	uint32_t kind;
	uint64_t offset; /* in bytes, and multiples of a sector, as is length */
	uint64_t length;
};

#endif
