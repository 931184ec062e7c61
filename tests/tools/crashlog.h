/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One filesystem's part of a disklog: what was written to its device and to that of its external
 * journal, if it has one, what was flushed, and the marks that were put down meanwhile.
 */
#ifndef TESTS_CRASHLOG_H
#define TESTS_CRASHLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum crash_kind { CRASH_WRITE, CRASH_FLUSH, CRASH_MARK };

struct crash_event {
	enum crash_kind kind;
	unsigned int part; /* 0: the filesystem's device, 1: the journal's */
	const char *data;  /* of a mark, its text */
	/* In one image, where the journal's device follows the filesystem's. */
	uint64_t offset, length;
};

struct crash_log {
	struct crash_event *events;
	size_t count;
	size_t base;	   /* the event from which on points are of interest */
	uint64_t sizes[2]; /* of the parts; the second is 0 without an external journal */
	unsigned int journal_part;
	bool ordered;
};

/* Filesystem @number of the log in @file. It ends the program where that's not to be had. */
void crash_log_read(struct crash_log *log, const char *file, unsigned int number);

#endif
