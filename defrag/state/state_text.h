/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The form in which a state is kept: lines of text, read as strictly as if somebody else had
 * written them. "e3defrag state 1", and in the order of their turns, of each filesystem
 *
 *	filesystem UUID BEGUN COMPLETED STOPS FREE-BLOCKS FREE-RUNS LONGEST-RUN
 *	moved INODE:GENERATION TIMES LAST FRAGMENTS STOPS
 *	vain INODE:GENERATION TIMES LAST FRAGMENTS BLOCKS PIECES
 *
 * with any number of each of the last two, in this order, each ascending; then "end N", N files in
 * all.
 */
#ifndef E3DEFRAG_STATE_TEXT_H
#define E3DEFRAG_STATE_TEXT_H

#include <stdio.h>

#include "state/state.h"

/* A text can't be longer than this: a line of a file has fewer than 96 bytes, any other 192. */
#define STATE_TEXT_MOST (96UL * STATE_FILES_MOST + 192UL * (STATE_SYSTEMS_MOST + 2))

/*
 * Fill in @state, which is empty. 0; -EPROTO if a line, *@line, is not as above; -EOPNOTSUPP if it
 * is of another version. Then @state is empty still.
 */
int state_parse(struct state *state, const char *text, size_t length, size_t *line);

/* An error is left in the stream. */
void state_print(const struct state *state, FILE *stream);

#endif
