/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lines on the terminal of standard error that are drawn again and again in the same place. After
 * each drawing the terminal is as it was before, but for the cursor, which stands behind the last
 * line; so nothing needs to be put right at the end, whatever the end is.
 *
 * One line takes no escape sequences, so that works on all terminals. Several take these: \033[nA
 * (up), [H (home), [K and [J (erase the rest of the line, of the screen), [?25l and [?25h (hide and
 * show the cursor, while it moves); and [...m, the colours, in the lines themselves.
 */
#ifndef E3DEFRAG_TERMINAL_H
#define E3DEFRAG_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/* False, and nothing will ever be drawn, if standard error is no terminal. */
bool terminal_open(void);

/* Does it know the codes above, for all that the environment says? */
bool terminal_has_codes(void);
/* Does the user want colours? */
bool terminal_has_colours(void);

/*
 * How large it is at the moment. False if nothing can be drawn now: it is another program's, for
 * this one runs in the background, or it takes nothing, for somebody held it.
 */
bool terminal_size(unsigned int *rows, unsigned int *columns);

/*
 * Draw @count lines, fewer than there are rows, none as wide as a row: UTF-8, with colours if there
 * are several. If it is one, it takes @columns.
 */
void terminal_draw(char *const *line, size_t count, size_t columns);
/* Next time draw also what has not changed, in case that something was written over it. */
void terminal_redraw(void);
/* Take them off. */
void terminal_clear(void);
/* Leave them where they are, and go on below. */
void terminal_keep(void);

#endif
