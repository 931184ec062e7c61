// SPDX-License-Identifier: GPL-2.0-only
#include "survey/suitable.h"

#include "fs/scan.h"
#include "plan/reason.h"

struct search {
	struct pace *pace;
	const volatile int *stop;
	bool mapped; /* there is a file that is mapped by blocks */
	int done;    /* more wouldn't tell anything else */
	enum reason reason;
};

static void see(void *to, struct look *look)
{
	struct search *search = to;

	pace_point(search->pace, false);
	if (*search->stop)
		search->done = 1;
	/* A read has some hundreds; only the last one would count else. */
	if (search->done || look->err || look->info.type != TYPE_REGULAR ||
	    look->info.mapping != MAPPING_INDIRECT)
		return;
	search->mapped = true;
	switch (look->info.relocatable) {
	case REASON_READ_ONLY:
	case REASON_NO_JOURNAL:
	case REASON_UNCHECKED:
	case REASON_BIGALLOC:
	case REASON_FAST_COMMIT:
	case REASON_FEATURES:
	case REASON_OPTIONS:
	case REASON_BLOCK_SIZE:
		/* The filesystem's reasons, which it gives only for a file that has none itself. */
		search->reason = look->info.relocatable;
		search->done = 1;
		break;
	case REASON_NONE:
		search->done = 1;
		break;
	default:
		break;
	}
}

const char *unsuitable(struct meta *meta, struct pace *pace, const volatile int *stop)
{
	struct search search = { .pace = pace, .stop = stop };

	if (look_at(meta, NULL, 0, pace->on, &search.done, see, &search) || *stop)
		return NULL;
	if (search.reason)
		return reason_text(search.reason);
	return search.mapped ? NULL : "no file on it is mapped by blocks";
}
