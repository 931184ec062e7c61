// SPDX-License-Identifier: GPL-2.0-only
#include "survey/find_names.h"

#include <stdlib.h>

#include "lib/util.h"
#include "progress/progress.h"
#include "survey/filter_names.h"
#include "survey/names_walk.h"
#include "survey/order.h"

/* Ask for a name of @file. Returns how many more names are wanted: 1, or 0 if it was already. */
static size_t want(struct survey *survey, struct file *file)
{
	struct detail *detail = survey_detail(survey, file);

	if (detail->name == NAME_WANTED)
		return 0;
	detail->name = NAME_WANTED;
	leaf_dirs_want(&survey->leaf_dirs, file->ino);
	return 1;
}

static bool in_pieces(const struct file *file)
{
	return file->fragments > 1;
}

static size_t want_top(struct survey *survey)
{
	size_t count, i, wanted = 0;
	uint32_t *order = order_worst_first(survey, in_pieces, &count);

	for (i = 0; i < count && i < survey->scope.top; i++)
		wanted += want(survey, &survey->file[order[i]]);
	free(order);
	return wanted;
}

static size_t want_names(struct survey *survey)
{
	size_t wanted = want_top(survey), i;

	for (i = 0; i < survey->files; i++) {
		struct file *file = &survey->file[i];

		if (survey->scope.all || file->reason == REASON_MULTIPLY_CLAIMED || file->failed ||
		    (survey->scope.moves && file->fragments > 1 && file->reason == REASON_NONE))
			wanted += want(survey, file);
	}
	for (i = 0; i < survey->troubles; i++)
		if (survey->trouble[i].err) {
			leaf_dirs_want(&survey->leaf_dirs, survey->trouble[i].ino);
			wanted++;
		}
	return wanted;
}

static uint32_t *name_slot(void *to, uint32_t ino)
{
	const struct trouble key = { .ino = ino };
	struct survey *survey = to;
	struct file *file = survey_file(survey, ino);
	struct trouble *trouble = NULL;

	if (file) {
		if (file->detail == DETAIL_NONE || survey->detail[file->detail].name != NAME_WANTED)
			return NULL;
		return &survey->detail[file->detail].name;
	}
	if (survey->troubles)
		trouble = bsearch(&key, survey->trouble, survey->troubles, sizeof(key),
				  trouble_by_inode);
	return trouble && trouble->name == NAME_NONE ? &trouble->name : NULL;
}

/* Walk the whole filesystem: first where names are most likely, then everywhere else. */
static void walk_host(struct survey *survey, const struct host *host, struct names_wanted *wanted,
		      struct throttle *throttle, const volatile int *stop)
{
	const struct names_place place = { host->root_fd, host->dev, host->prefix };

	/* A watch needs each name exactly once, wanted or not: then walk everything, once. */
	if (!wanted->watch) {
		wanted->leaf_dirs = &survey->leaf_dirs;
		names_walk(&survey->names, &place, wanted, throttle, stop);
		wanted->again = true;
	}
	names_walk(&survey->names, &place, wanted, throttle, stop);
}

static void name_target(struct survey *survey, const struct target *target,
			struct names_wanted *wanted)
{
	uint32_t *slot = name_slot(survey, target->ino);

	if (slot) {
		*slot = names_add(&survey->names, NAME_NONE, target->path, target->ino);
		wanted->left--;
	}
}

static void walk_targets(struct survey *survey, const struct host *host,
			 struct names_wanted *wanted, struct filter_names *names,
			 struct throttle *throttle, const volatile int *stop)
{
	size_t i;

	for (i = 0; i < host->targets && !*stop; i++) {
		const struct target *target = &host->target[i];
		const struct names_place place = { target->fd, host->dev, target->path };

		if (target->directory) {
			if (wanted->watch)
				filter_names_start(names, target->path);
			names_walk(&survey->names, &place, wanted, throttle, stop);
		} else {
			if (wanted->watch)
				filter_names_file(names, target->path, target->fd, target->ino);
			name_target(survey, target, wanted);
		}
	}
}

/* Once for all walks, those that listed the files included. */
static void tell_gaps(const struct survey *survey, const struct host *host)
{
	names_tell_gaps(&survey->names, host->mountpoint,
			host->whole ? "files in them are called by inode number" :
				      "files in them were not looked at");
}

void find_names(struct survey *survey, const struct host *host, const struct geometry *geo,
		struct throttle *throttle, const volatile int *stop)
{
	struct names_wanted wanted = { .slot = name_slot, .to = survey };
	struct filter_names names;
	size_t i;

	leaf_dirs_groups(&survey->leaf_dirs, geo->inodes, geo->inodes_per_group);
	wanted.left = want_names(survey);
	wanted.watch = filter_names_begin(&names, survey, host->dev);
	if (host->whole && wanted.watch)
		filter_names_start(&names, host->prefix);
	progress_begin(STAGE_NAMES, 0, 0);
	if (host->whole)
		walk_host(survey, host, &wanted, throttle, stop);
	else
		walk_targets(survey, host, &wanted, &names, throttle, stop);
	filter_names_end(&names);
	tell_gaps(survey, host);
	for (i = 0; i < survey->details; i++)
		if (survey->detail[i].name == NAME_WANTED)
			survey->detail[i].name = NAME_NONE;
}
