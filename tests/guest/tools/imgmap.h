/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IMGMAP_H
#define IMGMAP_H

#include <stdio.h>

/* What an image holds: imgmap.c lists what @argv may ask. */
void imgmap(int argc, char **argv, FILE *to);

#endif
