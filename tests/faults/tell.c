// SPDX-License-Identifier: GPL-2.0-only
#include "tell.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>

static const char *errno_of(const struct note *n)
{
	const char *name = strerrorname_np((int)-n->value);

	return name ? name : "?";
}

/* The errors, each once. */
void tell_notes(FILE *to, const struct report *report, bool verbose)
{
	unsigned int i, j;
	bool any = false;

	for (i = 0; i < report->notes; i++) {
		const struct note *n = &report->note[i];

		if (verbose)
			fprintf(stderr, "  %s: %lld\n", n->op, n->value);
		if (n->value >= 0)
			continue;
		for (j = 0; j < i; j++)
			if (report->note[j].value == n->value && !strcmp(report->note[j].op, n->op))
				break;
		if (j < i)
			continue;
		fprintf(to, "%s%s %s", any ? ", " : "", n->op, errno_of(n));
		any = true;
	}
	if (!any)
		fputs(report->cut ? "a short result" : "no error", to);
}

const char *tell_tool(FILE *to, int status, bool killed)
{
	FILE *from = fopen(TOOL_OUTPUT, "re");
	char line[512], said[512] = "";

	while (from && fgets(line, sizeof(line), from))
		if (!strncmp(line, "e3defrag: ", 10) && !*said)
			snprintf(said, sizeof(said), "%s", line + 10);
	if (from)
		fclose(from);
	said[strcspn(said, "\n")] = '\0';
	if (WIFSIGNALED(status)) {
		fprintf(to, "signal %d", WTERMSIG(status));
		return killed ? NULL : "the tool died";
	}
	fprintf(to, "exit %d%s%s", WEXITSTATUS(status), *said ? ": " : "", said);
	if (WEXITSTATUS(status) > 6 || WEXITSTATUS(status) == 2)
		return "that is no exit status of the tool";
	if (WEXITSTATUS(status) == 0 && *said)
		return "it complains and says that all went well";
	/* nothing to do, or stopped: the report says so */
	if (WEXITSTATUS(status) && WEXITSTATUS(status) != 4 && WEXITSTATUS(status) != 6 && !*said)
		return "it failed without a word";
	return NULL;
}

static bool allowed(const struct note *n, bool quota)
{
	switch (-n->value) {
	case EIO:
	case EROFS:
		return true;
	case EUCLEAN: /* a bitmap that can't be trusted any more */
	case ENOSPC:
		return !strcmp(n->op, "alloc") || !strcmp(n->op, "metadata alloc") ||
		       !strcmp(n->op, "donor");
	case EDQUOT:
		return quota;
	case ENOENT: /* what an allocation that failed didn't make */
		return !strncmp(n->op, "metadata", 8);
	}
	return false;
}

static bool is_list(const struct note *n)
{
	return n->value >= 0 && (!strcmp(n->op, "extents") || !strcmp(n->op, "metadata") ||
				 !strcmp(n->op, "free_blocks"));
}

/* Lists are right or an errno; nothing else than a fault's errnos is said. */
const char *tell_wrong(const struct report *report, const struct report *reference, bool quota)
{
	static char complaint[128];
	unsigned int i, j;

	for (i = 0; i < report->notes; i++) {
		const struct note *n = &report->note[i];

		if (n->value < 0 && !allowed(n, quota)) {
			snprintf(complaint, sizeof(complaint), "%s says %s", n->op, errno_of(n));
			return complaint;
		}
		for (j = 0; is_list(n) && reference && j < reference->notes; j++) {
			if (strcmp(n->op, reference->note[j].op) ||
			    n->value == reference->note[j].value)
				continue;
			snprintf(complaint, sizeof(complaint), "%s is not all of it", n->op);
			return complaint;
		}
	}
	if (report->silent)
		return "a reloc that moved less than it could says that there is nothing left";
	return NULL;
}
