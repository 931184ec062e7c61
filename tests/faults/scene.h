/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is done while a fault is in store, in the words of the interface or by e3defrag. A scene
 * runs in a process of its own, which may be killed; what came of each request stays in memory
 * that is shared.
 */
#ifndef SCENE_H
#define SCENE_H

#include <stdbool.h>
#include <stdint.h>

#include "folders.h"
#include "image.h"

#define NOTES_MOST 64

struct note {
	char op[20];
	long long value; /* a negative errno, or what came of it */
};

struct report {
	struct note note[NOTES_MOST];
	unsigned int notes;
	uint32_t had;	/* blocks that the donor got, from the start on */
	uint32_t moved; /* blocks that a reloc said to have moved */
	uint32_t cut;	/* requests that did a part */
	bool silent;	/* it said there was nothing left where there was */
	bool synced;	/* an fsync after the rewriting went well */
	bool ended;
};

struct scene_setting {
	const char *name;
	uint32_t goal;
	bool limited; /* the donor belongs to user 1000, who may not go over his quota */
	bool retry;   /* a request that failed is made once more */
};

void scene_run(const struct scene_setting *setting, const struct image_files *files,
	       struct report *report);
/* Reads the moved file and the others through the mount; NULL, or a complaint. */
const char *scene_see(const struct image_files *files);

#endif
