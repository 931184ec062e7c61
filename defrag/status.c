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
 * What an administrator must hear of comes last. One filesystem that was improved makes it a run
 * that did something. One that was stopped has more to do than one that only had busy files, and
 * the next night does it. What was refused, though, will be refused every night until somebody
 * looks, which a run that was stopped on another filesystem must not hide. Where the run could not
 * go on, a disk or a kernel is at fault.
 */
int status_worse(int a, int b)
{
	static const unsigned char gravity[STATUSES] = {
		[STATUS_NOTHING] = 0, [STATUS_DONE] = 1,  [STATUS_PARTLY] = 2, [STATUS_STOPPED] = 3,
		[STATUS_REFUSED] = 4, [STATUS_USAGE] = 5, [STATUS_FAILED] = 6,
	};

	return gravity[a] > gravity[b] ? a : b;
}
