/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Drawing lines repeatedly in the same place of the terminal on standard error. After each drawing
 * the terminal is in its usual state, with the cursor after the last line, so nothing needs to be
 * restored at the end, even if the process is killed.
 *
 * A single line needs no escape sequences, so it works on all terminals. Several lines use these:
 * \033[nA (up), [H (home), [K and [J (erase the rest of the line, of the screen), [?25l and [?25h
 * (hide and show the cursor while it moves); and [...m for colours in the lines themselves.
 */
#ifndef E3DEFRAG_TERMINAL_H
#define E3DEFRAG_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/* Returns false if standard error is not a terminal; then nothing is ever drawn. */
bool terminal_open(void);

/* True if the terminal knows the escape sequences above, according to TERM. */
bool terminal_has_codes(void);
/* True unless the user doesn't want colours (NO_COLOR). */
bool terminal_has_colours(void);

/*
 * Get the size of the terminal. Returns false if nothing can be drawn now, because this process is
 * in the background or the user has stopped the output (Ctrl-S).
 */
bool terminal_size(unsigned int *rows, unsigned int *columns);

/*
 * Draw @count lines of UTF-8 text: fewer than there are rows, each narrower than a row. A single
 * line must not have colours, and @columns is its width; several may.
 */
void terminal_draw(char *const *line, size_t count, size_t columns);
/* Let the next drawing send unchanged lines, too, in case something has overwritten them. */
void terminal_redraw(void);
/* Remove the lines. */
void terminal_clear(void);
/* Leave the lines where they are, and continue below them. */
void terminal_keep(void);

#endif
