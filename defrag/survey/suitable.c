// SPDX-License-Identifier: GPL-2.0-only
#include "survey/suitable.h"

#include "fs/scan.h"
#include "plan/reason.h"

struct search {
	struct throttle *throttle;
	const volatile int *stop;
	bool mapped; /* a file that is mapped by indirect blocks was found */
	int done;    /* the answer is known, or the run was stopped */
	enum reason reason;
};

static void see_object(void *to, struct scan_result *result)
{
	struct search *search = to;

	throttle_point(search->throttle, false);
	if (*search->stop)
		search->done = 1;
	/* A read returns hundreds of inodes, so this is called again when the answer is known. */
	if (search->done || result->err || result->info.type != TYPE_REGULAR ||
	    result->info.mapping != MAPPING_INDIRECT)
		return;
	search->mapped = true;
	switch (result->info.relocatable) {
	case REASON_READ_ONLY:
	case REASON_NO_JOURNAL:
	case REASON_UNCHECKED:
	case REASON_BIGALLOC:
	case REASON_FAST_COMMIT:
	case REASON_FEATURES:
	case REASON_OPTIONS:
	case REASON_BLOCK_SIZE:
		/*
		 * These reasons concern the filesystem. ext3meta gives them only for a file that
		 * has no reason of its own, so the first one is enough.
		 */
		search->reason = result->info.relocatable;
		search->done = 1;
		break;
	case REASON_NONE:
		search->done = 1;
		break;
	default:
		break;
	}
}

const char *unsuitable(struct meta *meta, struct throttle *throttle, const volatile int *stop)
{
	struct search search = { .throttle = throttle, .stop = stop };

	if (scan(meta, NULL, 0, throttle->on, &search.done, see_object, &search) || *stop)
		return NULL;
	if (search.reason)
		return reason_text(search.reason);
	return search.mapped ? NULL : "no file on it is mapped by blocks";
}
