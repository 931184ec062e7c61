/* SPDX-License-Identifier: GPL-2.0-only */
/* e2fsck, for crashpoints. */
#ifndef TESTS_CRASHFSCK_H
#define TESTS_CRASHFSCK_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Runs e2fsck with @mode, an option, on @image and its external @journal, if it has one. Returns
 * its status, and the first @size - 1 bytes of what it says in @said.
 */
int run_e2fsck(const char *mode, const char *image, const char *journal, char *said, size_t size);
/*
 * Whether that is no more than e2fsck -p does to any filesystem that was not unmounted; all else is
 * a repair. @said is cut up.
 */
bool is_e2fsck_replay(char *said);

#endif
