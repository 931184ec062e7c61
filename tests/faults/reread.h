/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is done with nothing in memory, request by request; it is the scene's part of reread.c.
 */
#ifndef REREAD_H
#define REREAD_H

#include <stdbool.h>
#include <stdint.h>

#include "device.h"
#include "folders.h"
#include "image.h"

enum op {
	OP_NONE,
	OP_DONOR,      /* a nameless file is made */
	OP_OPEN,       /* a file of ext3meta is opened */
	OP_META_ALLOC, /* the requests, and what comes before them in this order */
	OP_ALLOC,
	OP_RELOC,
	OP_META_RELOC,
	OP_TOOL,
	OPS
};

extern const char *const op_names[OPS];

/* Where the files of a scene have blocks: a run without indirect blocks, with one level, two ... */
struct places {
	uint32_t first[4], count[4];
	unsigned int runs;
};

enum owner { OWNER_ORIGINAL, OWNER_DONOR, OWNER_NAMED, OWNERS, OWNER_NONE = OWNERS };

/* Shared by who plays a scene and who judges it. */
struct reread_report {
	struct {
		uint32_t block;
		enum owner owner;
	} indirect[64];
	unsigned int indirects;
	/* Of each read: whose indirect block it was of, at that time. */
	enum owner owner[DEVICE_LOG];
	unsigned int owners;
	uint32_t ino[OWNERS];
	enum op failed; /* the request that had an error */
	int err;	/* which one */
	bool cut;	/* a request did a part */
	bool changed;	/* the files' maps aren't as before the one that failed */
	bool ended;
	char bad[160];
};

/* A read of a run without a fault; the tag of @io is the request. */
struct cold_read {
	struct device_io io;
	char site[64];
};

/* In a process of its own. */
void reread_move(struct device *device, const struct image_files *files,
		 const struct places *places, struct reread_report *report);
void reread_named(struct device *device, const struct image_files *files,
		  const struct places *places, struct reread_report *report);
/* e3defrag, stopped before each request and at its end; its wait status. */
int reread_tool(struct device *device, const char *output, struct reread_report *report);

/* Prints which reads a request can't do without and that there weren't; how many they are. */
unsigned int reread_missing(unsigned int levels, bool dropped, const struct cold_read *reads,
			    unsigned int count);

#endif
