// SPDX-License-Identifier: GPL-2.0-only
#include "survey/filter_names.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/util.h"

/* Could it still be moved, for all that is known? Another name may exclude a recent one, too. */
static bool is_open(const struct file *file)
{
	return file->fragments > 1 &&
	       (file->reason == REASON_NONE || file->reason == REASON_RECENT);
}

/*
 * One name of a file, which is @name in @dir, or what @dir itself is open on. A name can be another
 * file's by now: then it says nothing about this one.
 */
static void look(struct choice *choice, struct file *file, int dir, const char *name)
{
	struct stat st;

	if (file->named)
		return;
	if (choice->filter->older_than) {
		if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) ||
		    st.st_ino != file->ino || st.st_dev != choice->dev || !S_ISREG(st.st_mode))
			return;
		if (st.st_mtim.tv_sec > choice->since)
			file->reason = REASON_RECENT;
	}
	file->named = true;
	/* One name is enough to tell its time, but any other may still exclude it. */
	if (!choice->filter->exclude.count)
		choice->watch.left--;
}

static void see(void *to, int dir, const char *name, uint32_t ino)
{
	struct choice *choice = to;
	struct file *file = survey_file(choice->survey, ino);

	if (!file || !is_open(file))
		return;
	if (trail_excludes(&choice->trail, &choice->filter->exclude, name))
		file->reason = REASON_EXCLUDED;
	else
		look(choice, file, dir, name);
}

static void enter(void *to, const char *name)
{
	struct choice *choice = to;

	trail_push(&choice->trail, &choice->filter->exclude, name);
}

static void leave(void *to)
{
	struct choice *choice = to;

	trail_pop(&choice->trail);
}

struct names_watch *choice_begin(struct choice *choice, struct survey *survey, dev_t dev)
{
	const struct filter *filter = survey->scope.filter;
	size_t i;

	*choice = (struct choice){
		.survey = survey,
		.filter = filter,
		.dev = dev,
		.watch = { .file = see, .enter = enter, .leave = leave, .to = choice }
	};
	if (!filter || (!filter->older_than && !filter->exclude.count))
		return NULL;
	choice->watched = true;
	choice->since = (int64_t)time(NULL) - (int64_t)filter->older_than;
	for (i = 0; i < survey->files; i++)
		choice->watch.left += is_open(&survey->file[i]);
	return choice->watch.left ? &choice->watch : NULL;
}

/* Set out from @path, all but whose last component goes to the trail. */
static const char *set_out(struct choice *choice, const char *path)
{
	free(choice->path);
	choice->path = xstrdup(path);
	return trail_start(&choice->trail, &choice->filter->exclude, choice->path);
}

void choice_start(struct choice *choice, const char *path)
{
	const char *last = set_out(choice, path);

	if (last)
		trail_push(&choice->trail, &choice->filter->exclude, last);
}

void choice_file(struct choice *choice, const char *path, int fd, uint32_t ino)
{
	struct file *file = survey_file(choice->survey, ino);
	const char *last;

	if (!file || !is_open(file))
		return;
	last = set_out(choice, path);
	if (last && trail_excludes(&choice->trail, &choice->filter->exclude, last))
		file->reason = REASON_EXCLUDED;
	else
		look(choice, file, fd, "");
}

/*
 * Of the candidates that no name was found of, nothing is known of their time; and where a
 * directory couldn't be read, they may have one in it that is excluded.
 */
void choice_end(struct choice *choice)
{
	struct survey *survey = choice->survey;
	size_t i;

	if (choice->watched && (choice->filter->older_than || survey->names.failed))
		for (i = 0; i < survey->files; i++)
			if (is_open(&survey->file[i]) && !survey->file[i].named)
				survey->file[i].reason = REASON_NAMELESS;
	trail_free(&choice->trail);
	free(choice->path);
}
