/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What each attempt to move a file begins and ends with, by whatever plan: open it, look where it
 * lies now, complain about what went wrong, and say what came of it.
 */
#ifndef E3DEFRAG_ATTEMPT_H
#define E3DEFRAG_ATTEMPT_H

#include <stdbool.h>
#include <stdint.h>

#include "job.h"
#include "plan/plan.h"

/* How the file lies, and where it should go. One object serves one file after the other. */
struct attempt {
	struct layout layout;
	struct sequence seq;
	struct plan plan;
};

void attempt_init(struct attempt *t);
void attempt_free(struct attempt *t);

/* Open the node of the file that was surveyed, not of one that has its number now. 0 or -errno. */
int attempt_open(struct node *node, struct job *job, const struct file *file, struct info *info);

/*
 * The reason for an error (@err, -errno) of a request about the file, which is complained about as
 * @what and marks the file as failed. That the file was deleted is no error.
 */
enum reason attempt_failed(struct job *job, struct file *file, int err, const char *what);

/* Look at an open file: how it lies goes to @t. REASON_NONE, or what keeps it from being moved. */
enum reason attempt_look(struct job *job, struct file *file, struct node *node, struct attempt *t);

/* With -v: "FILE: 712 -> 2 fragments", and why not fewer. */
void attempt_tell(const struct job *job, const struct file *file, uint32_t before);

#endif
