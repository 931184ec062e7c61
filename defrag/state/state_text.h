/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The format of the state file: lines of text, which are parsed strictly, as untrusted input. The
 * first is "e3defrag state 1". Then follow, for each filesystem in the order of their turns,
 *
 *	filesystem UUID BEGUN COMPLETED STOPS FREE-BLOCKS FREE-RUNS LONGEST-RUN
 *	moved INODE:GENERATION TIMES LAST FRAGMENTS STOPS
 *	vain INODE:GENERATION TIMES LAST FRAGMENTS BLOCKS PIECES
 *
 * with any number of "moved" and then of "vain" lines, each ascending by inode and generation. The
 * last line is "end N", where N is the number of "moved" and "vain" lines in all.
 */
#ifndef E3DEFRAG_STATE_TEXT_H
#define E3DEFRAG_STATE_TEXT_H

#include <stdio.h>

#include "state/state.h"

/* The most bytes of a text: a line of a file has fewer than 96 bytes, any other fewer than 192. */
#define STATE_TEXT_MOST (96UL * STATE_FILES_MOST + 192UL * (STATE_SYSTEMS_MOST + 2))

/*
 * Parse a text into @state, which must be empty. Returns 0, or with @state still empty -EPROTO if
 * line *@line is not in this format, or -EOPNOTSUPP if the text is of another version.
 */
int state_parse(struct state *state, const char *text, size_t length, size_t *line);

/* Write @state to @stream; check for errors with ferror(3). */
void state_print(const struct state *state, FILE *stream);

#endif
