// SPDX-License-Identifier: GPL-2.0-only
#include "survey/filter_names.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/util.h"

/*
 * True if a name of @file can still change what is done with it. A recent file may have another
 * name that is excluded, which is then the reason reported.
 */
static bool wants_name(const struct file *file)
{
	return file->fragments > 1 &&
	       (file->reason == REASON_NONE || file->reason == REASON_RECENT);
}

/* What a name tells of a file. */
enum verdict {
	VERDICT_NONE, /* nothing new */
	VERDICT_EXCLUDED,
	VERDICT_RECENT,
	VERDICT_OLD, /* old enough, or its age does not matter */
};

/*
 * Check the time of @file by one of its names: @name in @dir, or "" if @dir is open on the file. By
 * now the name may belong to another file; then it is ignored.
 */
static enum verdict judge_time(const struct filter_names *names, const struct file *file, int dir,
			       const char *name)
{
	struct stat st;

	if (file->named)
		return VERDICT_NONE;
	if (!names->filter->older_than)
		return VERDICT_OLD;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) ||
	    st.st_ino != file->ino || st.st_dev != names->dev || !S_ISREG(st.st_mode))
		return VERDICT_NONE;
	return st.st_mtim.tv_sec > names->since ? VERDICT_RECENT : VERDICT_OLD;
}

static uint32_t see_name(void *to, int dir, const char *name, uint32_t ino)
{
	struct filter_names *names = to;
	const struct file *file = survey_file(names->survey, ino);

	if (!file || !wants_name(file))
		return VERDICT_NONE;
	if (trail_excludes(&names->trail, &names->filter->exclude, name))
		return VERDICT_EXCLUDED;
	return judge_time(names, file, dir, name);
}

static void decide(void *to, uint32_t ino, uint32_t verdict)
{
	struct filter_names *names = to;
	struct file *file = survey_file(names->survey, ino);

	if (!file || !wants_name(file))
		return;
	if (verdict == VERDICT_EXCLUDED) {
		file->reason = REASON_EXCLUDED;
		return;
	}
	if (verdict == VERDICT_NONE || file->named)
		return;
	if (verdict == VERDICT_RECENT)
		file->reason = REASON_RECENT;
	file->named = true;
	/* One name is enough for the time, but any other name may still be excluded. */
	if (!names->filter->exclude.count)
		names->watch.left--;
}

static void enter_directory(void *to, const char *name)
{
	struct filter_names *names = to;

	trail_push(&names->trail, &names->filter->exclude, name);
}

static void leave_directory(void *to)
{
	struct filter_names *names = to;

	trail_pop(&names->trail);
}

struct names_watch *filter_names_begin(struct filter_names *names, struct survey *survey, dev_t dev)
{
	const struct filter *filter = survey->scope.filter;
	size_t i;

	*names = (struct filter_names){ .survey = survey,
					.filter = filter,
					.dev = dev,
					.watch = { .file = see_name,
						   .decided = decide,
						   .enter = enter_directory,
						   .leave = leave_directory,
						   .to = names } };
	if (!filter || (!filter->older_than && !filter->exclude.count))
		return NULL;
	names->watched = true;
	names->since = (int64_t)time(NULL) - (int64_t)filter->older_than;
	for (i = 0; i < survey->files; i++)
		names->watch.left += wants_name(&survey->file[i]);
	return names->watch.left ? &names->watch : NULL;
}

/* Begin at @path: push all but its last component, which is returned. */
static const char *set_out(struct filter_names *names, const char *path)
{
	free(names->path);
	names->path = xstrdup(path);
	return trail_start(&names->trail, &names->filter->exclude, names->path);
}

void filter_names_start(struct filter_names *names, const char *path)
{
	const char *last = set_out(names, path);

	if (last)
		trail_push(&names->trail, &names->filter->exclude, last);
}

void filter_names_file(struct filter_names *names, const char *path, int fd, uint32_t ino)
{
	const struct file *file = survey_file(names->survey, ino);
	const char *last;

	if (!file || !wants_name(file))
		return;
	last = set_out(names, path);
	if (last && trail_excludes(&names->trail, &names->filter->exclude, last))
		decide(names, ino, VERDICT_EXCLUDED);
	else
		decide(names, ino, judge_time(names, file, fd, ""));
}

/*
 * A candidate for which no name was found is left alone if its time matters, which is then not
 * known; or if a directory couldn't be read, which may contain a name of it that is excluded.
 */
void filter_names_end(struct filter_names *names)
{
	struct survey *survey = names->survey;
	size_t i;

	if (names->watched && (names->filter->older_than || names_have_gaps(&survey->names)))
		for (i = 0; i < survey->files; i++)
			if (wants_name(&survey->file[i]) && !survey->file[i].named)
				survey->file[i].reason = REASON_NAMELESS;
	trail_free(&names->trail);
	free(names->path);
}
