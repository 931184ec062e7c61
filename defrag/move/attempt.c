// SPDX-License-Identifier: GPL-2.0-only
#include "move/attempt.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/util.h"
#include "progress/terminal.h"

void attempt_init(struct attempt *t)
{
	layout_init(&t->layout);
	sequence_init(&t->seq);
	plan_init(&t->plan);
}

void attempt_free(struct attempt *t)
{
	plan_free(&t->plan);
	sequence_free(&t->seq);
	layout_free(&t->layout);
}

enum reason attempt_failed(struct job *job, struct file *file, int err, const char *what)
{
	enum reason reason = reason_of_errno(-err);
	char *shown;

	if (err == -EAGAIN && *job->stop)
		return REASON_STOPPED;
	if (reason == REASON_VANISHED || (reason == REASON_BUSY && !job->last_try))
		return reason;
	shown = survey_name(&job->survey, file);
	if (reason == REASON_BUSY)
		complain(shown, 0, "%s: another program keeps it busy; the next run tries it again",
			 what);
	else
		complain(shown, -err, "%s", what);
	file->failed = true;
	free(shown);
	return reason;
}

int attempt_open(struct node *node, struct job *job, const struct file *file, struct info *info)
{
	struct detail *detail = &job->survey.detail[file->detail];
	const int err = node_open(node, &job->meta, file->ino, &detail->generation, info);

	if (!err)
		detail->owner = info->uid;
	return err;
}

enum reason attempt_look(struct job *job, struct file *file, struct node *node, struct attempt *t)
{
	struct info info;
	int err = node_info(node, &info);

	if (!err)
		err = survey_again(&job->survey, file, node, &info, &t->layout, &t->seq);
	if (err)
		return attempt_failed(job, file, err, "can't look at its blocks");
	return info.relocatable;
}

void attempt_tell(const struct job *job, const struct file *file, uint32_t before)
{
	char *shown = survey_name(&job->survey, file);

	terminal_clear();
	printf("%s: %" PRIu32 " -> %" PRIu32 " fragments", shown, before, file->fragments);
	if (file->reason != REASON_NONE && file->reason != REASON_PERFECT)
		printf(" (%s)", reason_text((enum reason)file->reason));
	putchar('\n');
	fflush(stdout);
	free(shown);
}
