/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The common part of each attempt to move a file, whichever plan it follows: open the file, read
 * where its blocks are now, print what failed, and report the result.
 */
#ifndef E3DEFRAG_ATTEMPT_H
#define E3DEFRAG_ATTEMPT_H

#include <stdbool.h>
#include <stdint.h>

#include "job.h"
#include "plan/plan.h"

/* Where the blocks of a file are, and where they should go. It is used for many files in turn. */
struct attempt {
	struct layout layout;
	struct sequence seq;
	struct plan plan;
};

void attempt_init(struct attempt *t);
void attempt_free(struct attempt *t);

/*
 * Open the surveyed file, and note its owner. 0 or -errno; -ENOENT or -ESTALE if another has its
 * inode number now.
 */
int attempt_open(struct node *node, struct job *job, const struct file *file, struct info *info);

/*
 * The reason for an error (@err, -errno) of a request about the file, which is complained about as
 * @what and marks the file as failed. That the file was deleted is no error, nor that it is busy,
 * before the last try; and -EAGAIN means that the run was stopped while the filesystem was frozen.
 */
enum reason attempt_failed(struct job *job, struct file *file, int err, const char *what);

/* Read where an open file lies, into @t. REASON_NONE, or the reason why it can't be moved. */
enum reason attempt_look(struct job *job, struct file *file, struct node *node, struct attempt *t);

/* Print, for -v, "FILE: 712 -> 2 fragments", and the reason if that is not the best possible. */
void attempt_tell(const struct job *job, const struct file *file, uint32_t before);

#endif
