/* SPDX-License-Identifier: GPL-2.0-only */
/* Descriptors: writing all of something to one, and leaving a process none but those it needs. */
#ifndef E3DEFRAG_DESCRIPTORS_H
#define E3DEFRAG_DESCRIPTORS_H

#include <stdbool.h>
#include <stddef.h>

/* Write all of @text to @fd. Returns false, with errno set, if that fails. */
bool write_all(int fd, const char *text, size_t size);

/* Close the descriptors from @from on, except those in @keep, whose order is changed. */
void close_others(unsigned int from, int *keep, size_t count);

#endif
