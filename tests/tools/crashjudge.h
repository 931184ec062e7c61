/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Judges what a crash left of a filesystem, its journal replayed: against what it held at the
 * start, and against what the writers were promised since.
 */
#ifndef TESTS_CRASHJUDGE_H
#define TESTS_CRASHJUDGE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct judge;

/* What a filesystem's kind promises about new files. That of others is the same for all kinds. */
struct judge_rules {
	bool ordered;	/* data=ordered: what is not there yet is zeros, until it's deleted, too */
	bool unflushed; /* nothing: fsync does not flush the filesystem's device */
};

struct judge *judge_new(const struct judge_rules *rules);
/* Takes the image in @file, mapped at @map, for what must stay. */
void judge_base(struct judge *judge, const char *file, const char *map);
/* From now on a mark's promise holds. */
void judge_mark(struct judge *judge, const char *mark);
/*
 * Returns how many things are wrong, each of them (the first few) said in @report. *digest is equal
 * for equal inodes, pointers and directories of all files there are.
 */
unsigned int judge_image(struct judge *judge, const char *file, const char *map, FILE *report,
			 uint64_t *digest);

#endif
