// SPDX-License-Identifier: GPL-2.0-only
/* Which of two exit statuses a run ends with. */
#include <string.h>

#include "status.h"
#include "tap.h"

void test_status(void)
{
	/* As the man page has them, and what only a command line gets. */
	static const int row[] = { 6, 0, 1, 4, 3, 2, 5 };
	int a, b;

	for (a = 0; a < STATUSES; a++)
		for (b = 0; b <= a; b++) {
			is(status_worse(row[a], row[b]), row[a], "of %d and %d it is %d", row[a],
			   row[b], row[a]);
			is(status_worse(row[b], row[a]), row[a], "and the other way round");
		}
	for (a = 0; a < STATUSES; a++)
		for (b = 0; b < a; b++)
			ok(strcmp(status_text((enum status)a), status_text((enum status)b)),
			   "%d and %d are told apart", a, b);
}
