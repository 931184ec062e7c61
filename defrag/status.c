// SPDX-License-Identifier: GPL-2.0-only
#include "status.h"

const char *status_text(enum status status)
{
	static const char *const text[STATUSES] = {
		[STATUS_DONE] = "all that could be improved was, or the report was made",
		[STATUS_PARTLY] = "the run went through, but some files failed or moved in part",
		[STATUS_USAGE] = "the command line is wrong",
		[STATUS_REFUSED] = "a target can't be worked on, or not by this user",
		[STATUS_STOPPED] = "a signal or a limit ended the run early; the report says which",
		[STATUS_FAILED] = "the run could not go on",
		[STATUS_NOTHING] = "nothing to do: no file could be improved",
	};

	return text[status];
}

/*
 * The order is by how much an administrator needs to know of it. A single improved filesystem makes
 * the run one that did something. A filesystem on which the run was stopped has more left to do
 * than one that only had busy files, but the next run continues there without help. A refused
 * target is refused again in every run until an administrator acts, so a stop on another filesystem
 * must not hide it. A run that could not go on is the gravest: a disk or a kernel is at fault.
 */
int status_worse(int a, int b)
{
	static const unsigned char gravity[STATUSES] = {
		[STATUS_NOTHING] = 0, [STATUS_DONE] = 1,  [STATUS_PARTLY] = 2, [STATUS_STOPPED] = 3,
		[STATUS_REFUSED] = 4, [STATUS_USAGE] = 5, [STATUS_FAILED] = 6,
	};

	return gravity[a] > gravity[b] ? a : b;
}
