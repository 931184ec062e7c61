// SPDX-License-Identifier: GPL-2.0-only
#include "survey/survey.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "fs/md.h"
#include "fs/scan.h"
#include "lib/util.h"
#include "progress/progress.h"
#include "survey/filter.h"
#include "survey/find_names.h"
#include "survey/inode_set.h"
#include "survey/multiply_claimed.h"
#include "survey/names_walk.h"

static void measure_file(struct file *file, const struct layout *layout, const struct geometry *geo,
			 struct sequence *seq)
{
	sequence_build(seq, layout, geo);
	file->blocks = seq->blocks;
	file->fragments = seq->fragments;
	file->fiemap = seq->fiemap;
	file->score = (uint8_t)score_file(seq->blocks, geo->blocksize, seq->fragments);
}

int survey_again(struct survey *survey, struct file *file, struct node *node,
		 const struct info *info, struct layout *layout, struct sequence *seq)
{
	int err = 0;

	layout_clear(layout);
	survey_detail(survey, file)->size = info->size;
	if (info->mapping == MAPPING_INDIRECT)
		err = node_layout(node, layout, info->blocks);
	if (!err)
		measure_file(file, layout, &node->meta->geo, seq);
	return err;
}

/* The state of the scan that makes the records. */
struct surveyor {
	struct survey *survey;
	dev_t dev;
	const struct geometry *geo;
	struct throttle *throttle;
	struct sequence seq;
};

static void add_usage(struct usage *usage, const struct scan_result *result, uint32_t fragments)
{
	if (result->info.type == TYPE_REGULAR)
		usage_layout(usage, usage_file_kind(fragments), &result->layout);
	else if (result->info.type == TYPE_DIRECTORY)
		usage_layout(usage, USAGE_DIRECTORY, &result->layout);
}

/*
 * Add the record of an inode if it is a regular file, and claim its blocks in any case. Inodes that
 * were deleted meanwhile are skipped.
 */
static void add_look(void *to, struct scan_result *result)
{
	struct surveyor *s = to;
	struct survey *survey = s->survey;
	struct file file = { .ino = result->ino, .detail = DETAIL_NONE };

	throttle_point(s->throttle, false);
	progress_count(result->ino);
	if (result->err == -ENOENT || result->err == -ESTALE)
		return;
	if (result->err) {
		vec_more(survey->trouble, survey->troubles, survey->trouble_room);
		survey->trouble[survey->troubles++] = (struct trouble){ .ino = result->ino,
									.err = result->err,
									.name = NAME_NONE };
		return;
	}
	claims_add(&survey->claims, &result->layout);
	/* Two links, its own name and its `.`: no subdirectory links to it by `..`. */
	if (result->info.type == TYPE_DIRECTORY && result->info.links == 2)
		leaf_dirs_add(&survey->leaf_dirs, result->ino);
	if (result->info.type == TYPE_REGULAR)
		measure_file(&file, &result->layout, s->geo, &s->seq);
	if (survey->scope.usage)
		add_usage(survey->scope.usage, result, file.fragments);
	if (result->info.type != TYPE_REGULAR)
		return;
	progress_looked(file.blocks, file.fragments);
	if (result->info.relocatable)
		file.reason = (uint8_t)result->info.relocatable;
	else if (file.fragments <= 1)
		file.reason = file.blocks ? REASON_PERFECT : REASON_EMPTY;
	else if (survey->scope.md && md_files_have(survey->scope.md, s->dev, result->ino))
		file.reason = REASON_MD_BITMAP;
	else if (survey->scope.least &&
		 !sequence_pays(&s->seq, s->geo->blocksize, survey->scope.least))
		file.reason = REASON_LONG_PIECES;
	else if (survey->scope.filter)
		file.reason = (uint8_t)filter_look(survey->scope.filter, file.fragments, file.score,
						   result->info.size);
	if (file.fragments > 1 || survey->scope.all) {
		struct detail *detail = survey_detail(survey, &file);

		detail->size = result->info.size;
		detail->generation = result->info.generation;
	}
	vec_more(survey->file, survey->files, survey->room);
	survey->file[survey->files++] = file;
}

static uint32_t *note_inode(void *to, uint32_t ino)
{
	inode_set_add(to, ino);
	return NULL;
}

/*
 * List the inodes of the targets and of the files below them, ascending, each once. The list is
 * malloc'd and has *@count entries.
 */
static uint32_t *list_targets(struct survey *survey, const struct host *host, size_t *count,
			      struct throttle *throttle, const volatile int *stop)
{
	struct inode_set inodes = { 0 };
	struct names_wanted wanted = {
		.slot = note_inode, .to = &inodes, .left = SIZE_MAX, .numbers = true
	};
	uint32_t *list;
	size_t i;

	progress_begin(STAGE_LIST, 0, 0);
	for (i = 0; i < host->targets && !*stop; i++) {
		const struct target *target = &host->target[i];
		const struct names_place place = { target->fd, host->dev, target->path };

		if (target->directory)
			names_walk(&survey->names, &place, &wanted, throttle, stop);
		else
			note_inode(&inodes, target->ino);
	}
	list = inode_set_list(&inodes);
	*count = inodes.count;
	inode_set_free(&inodes);
	return list;
}

/* The number of inodes in use, for the progress display; 0 if the filesystem doesn't tell. */
static uint64_t in_use(const struct host *host)
{
	struct statvfs vfs;

	if (fstatvfs(host->fd, &vfs) || vfs.f_ffree > vfs.f_files)
		return 0;
	return vfs.f_files - vfs.f_ffree;
}

int survey_host(struct survey *survey, struct meta *meta, const struct host *host,
		const struct survey_scope *scope, struct throttle *throttle,
		const volatile int *stop)
{
	struct surveyor surveyor = {
		.survey = survey, .dev = host->dev, .geo = &meta->geo, .throttle = throttle
	};
	uint32_t *listed = NULL;
	size_t count = 0;
	int err = 0;

	memset(survey, 0, sizeof(*survey));
	survey->scope = *scope;
	claims_init(&survey->claims);
	sequence_init(&surveyor.seq);
	if (!host->whole)
		listed = list_targets(survey, host, &count, throttle, stop);
	progress_begin(STAGE_LOOK, host->whole ? in_use(host) : count, 0);
	if (host->whole || count)
		err = scan(meta, listed, count, throttle->on, stop, add_look, &surveyor);
	if (err)
		complain(host->device, -err, "can't list its inodes");
	sequence_free(&surveyor.seq);
	free(listed);
	return err;
}

/* The most errors in inodes that are told one by one: a damaged filesystem can have millions. */
#define TROUBLES_TOLD_MOST 10

/* Print a message about one error. @file is NULL if the survey has no record of the inode. */
static void tell_trouble(const struct survey *survey, const struct file *file,
			 const struct trouble *trouble)
{
	char *shown = file ? survey_name(survey, file) :
			     survey_object_name(survey, trouble->name, trouble->ino);

	if (trouble->err)
		complain(shown, -trouble->err, "can't read its block map");
	else if (!trouble->other)
		complain(shown, 0, "has block %" PRIu32 ", which is free: run e2fsck",
			 trouble->block);
	else if (trouble->other == trouble->ino)
		complain(shown, 0, "has block %" PRIu32 " twice: run e2fsck", trouble->block);
	else
		complain(shown, 0, "shares block %" PRIu32 " with inode %" PRIu32 ": run e2fsck",
			 trouble->block, trouble->other);
	free(shown);
}

/*
 * Print what was found. Inodes without a record in the survey, such as directories, are counted in
 * survey->failed.
 */
static void tell_troubles(struct survey *survey, const char *mountpoint)
{
	size_t i;

	for (i = 0; i < survey->troubles; i++) {
		const struct trouble *trouble = &survey->trouble[i];
		const struct file *file = survey_file(survey, trouble->ino);

		if (i < TROUBLES_TOLD_MOST)
			tell_trouble(survey, file, trouble);
		if (!file)
			survey->failed++;
		survey->damaged |= trouble->err == -EUCLEAN || (!trouble->err && !trouble->other);
	}
	if (i > TROUBLES_TOLD_MOST)
		complain(mountpoint, 0,
			 "%zu more files and directories have such errors: run e2fsck",
			 i - TROUBLES_TOLD_MOST);
}

void survey_check(struct survey *survey, struct meta *meta, const struct host *host,
		  const struct freemap *map, struct throttle *throttle, const volatile int *stop)
{
	multiply_claimed_find(survey, meta, host->whole, map, stop);
	claims_free(&survey->claims);
	if (survey->troubles)
		qsort(survey->trouble, survey->troubles, sizeof(*survey->trouble),
		      trouble_by_inode);
	if (!*stop)
		find_names(survey, host, &meta->geo, throttle, stop);
	leaf_dirs_free(&survey->leaf_dirs);
	tell_troubles(survey, host->mountpoint);
	survey->failed += survey->names.gaps.failed;
}
