// SPDX-License-Identifier: GPL-2.0-only
#include "survey/survey.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "fs/scan.h"
#include "lib/util.h"
#include "progress/progress.h"
#include "survey/filter_names.h"
#include "survey/multiply_claimed.h"
#include "survey/order.h"

void survey_free(struct survey *survey)
{
	names_free(&survey->names);
	claims_free(&survey->claims);
	leaf_dirs_free(&survey->leaf_dirs);
	free(survey->trouble);
	free(survey->detail);
	free(survey->file);
	memset(survey, 0, sizeof(*survey));
}

struct detail *survey_detail(struct survey *survey, struct file *file)
{
	if (file->detail == DETAIL_NONE) {
		vec_more(survey->detail, survey->details, survey->detail_room);
		file->detail = (uint32_t)survey->details;
		survey->detail[survey->details++] =
			(struct detail){ .before = file->fragments, .name = NAME_NONE };
	}
	return &survey->detail[file->detail];
}

const char *outcome_key(enum outcome outcome)
{
	static const char *const key[OUTCOMES] = {
		[OUTCOME_ALONE] = "alone",	 [OUTCOME_PLANNED] = "planned",
		[OUTCOME_IMPROVED] = "improved", [OUTCOME_PARTLY] = "partly",
		[OUTCOME_FAILED] = "failed",
	};

	return key[outcome];
}

enum outcome survey_outcome(const struct survey *survey, const struct file *file)
{
	const struct detail *detail = NULL;

	if (file->planned)
		return OUTCOME_PLANNED;
	if (file->detail != DETAIL_NONE)
		detail = &survey->detail[file->detail];
	if (!detail || file->fragments >= detail->before || !detail->moves)
		return file->failed ? OUTCOME_FAILED : OUTCOME_ALONE;
	if (file->failed)
		return OUTCOME_PARTLY;
	switch (file->reason) {
	case REASON_CHANGED:
	case REASON_VANISHED:
	case REASON_BUSY:
	case REASON_STOPPED:
	case REASON_MD_BITMAP:
		return OUTCOME_PARTLY;
	default:
		return OUTCOME_IMPROVED;
	}
}

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

/* What one look after the other needs at hand. */
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
 * Add an object if it is a regular file, and its blocks to what is claimed in any case. Objects
 * that vanish are passed over.
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
	/* Its own name, and its `.` */
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

struct file *survey_file(const struct survey *survey, uint32_t ino)
{
	size_t low = 0, high = survey->files;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (survey->file[middle].ino < ino)
			low = middle + 1;
		else
			high = middle;
	}
	return low < survey->files && survey->file[low].ino == ino ? &survey->file[low] : NULL;
}

struct inodes {
	uint32_t *ino;
	size_t count, room;
};

static uint32_t *note_inode(void *to, uint32_t ino)
{
	struct inodes *inodes = to;

	vec_more(inodes->ino, inodes->count, inodes->room);
	inodes->ino[inodes->count++] = ino;
	return NULL;
}

/* Files and directories: what a walk finds, ascending, each inode once. */
static void list_targets(struct survey *survey, const struct host *host, struct inodes *inodes,
			 struct throttle *throttle, const volatile int *stop)
{
	struct names_wanted wanted = { .slot = note_inode, .to = inodes, .left = SIZE_MAX };
	size_t i, kept = 0;

	progress_begin(STAGE_LIST, 0, 0);
	for (i = 0; i < host->targets && !*stop; i++) {
		const struct target *target = &host->target[i];

		if (target->directory)
			names_walk(&survey->names, target->fd, host->dev, target->path, &wanted,
				   throttle);
		else
			note_inode(inodes, target->ino);
	}
	if (inodes->count)
		qsort(inodes->ino, inodes->count, sizeof(*inodes->ino), by_number);
	for (i = 0; i < inodes->count; i++)
		if (!kept || inodes->ino[kept - 1] != inodes->ino[i])
			inodes->ino[kept++] = inodes->ino[i];
	inodes->count = kept;
}

/* About so many inodes the survey of a whole filesystem finds; 0 if it doesn't tell. */
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
	struct inodes inodes = { 0 };
	int err = 0;

	memset(survey, 0, sizeof(*survey));
	survey->scope = *scope;
	claims_init(&survey->claims);
	sequence_init(&surveyor.seq);
	if (!host->whole)
		list_targets(survey, host, &inodes, throttle, stop);
	progress_begin(STAGE_LOOK, host->whole ? in_use(host) : inodes.count, 0);
	if (host->whole || inodes.count)
		err = scan(meta, inodes.ino, inodes.count, throttle->on, stop, add_look, &surveyor);
	if (err)
		complain(host->device, -err, "can't list its inodes");
	sequence_free(&surveyor.seq);
	free(inodes.ino);
	return err;
}

/* The name is still to be found. */
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

static int by_trouble(const void *a, const void *b)
{
	return by_number(&((const struct trouble *)a)->ino, &((const struct trouble *)b)->ino);
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
		trouble = bsearch(&key, survey->trouble, survey->troubles, sizeof(key), by_trouble);
	return trouble && trouble->name == NAME_NONE ? &trouble->name : NULL;
}

/* One walk more, over directories that are in memory by now unless all was meant. */
static void find_names(struct survey *survey, const struct host *host, const struct geometry *geo,
		       struct throttle *throttle)
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
	if (host->whole) {
		/* Who looks at all names, wanted or not, doesn't want to see them twice. */
		wanted.leaf_dirs = wanted.watch ? NULL : &survey->leaf_dirs;
		names_walk(&survey->names, host->root_fd, host->dev, host->prefix, &wanted,
			   throttle);
	}
	wanted.again = true;
	if (wanted.leaf_dirs)
		names_walk(&survey->names, host->root_fd, host->dev, host->prefix, &wanted,
			   throttle);
	for (i = 0; !host->whole && i < host->targets; i++) {
		const struct target *target = &host->target[i];
		uint32_t *slot;

		if (wanted.watch && target->directory)
			filter_names_start(&names, target->path);
		else if (wanted.watch)
			filter_names_file(&names, target->path, target->fd, target->ino);
		if (target->directory) {
			names_walk(&survey->names, target->fd, host->dev, target->path, &wanted,
				   throttle);
			continue;
		}
		slot = name_slot(survey, target->ino);
		if (slot) {
			*slot = names_add(&survey->names, NAME_NONE, target->path, target->ino);
			wanted.left--;
		}
	}
	filter_names_end(&names);
	for (i = 0; i < survey->details; i++)
		if (survey->detail[i].name == NAME_WANTED)
			survey->detail[i].name = NAME_NONE;
}

static char *name_or_number(const struct survey *survey, uint32_t name, uint32_t ino)
{
	char *path, *shown;

	if (name == NAME_NONE)
		return xasprintf("<inode %" PRIu32 ">", ino);
	path = names_path(&survey->names, name);
	shown = printable(path);
	free(path);
	return shown;
}

char *survey_name(const struct survey *survey, const struct file *file)
{
	uint32_t name = NAME_NONE;

	if (file->detail != DETAIL_NONE)
		name = survey->detail[file->detail].name;
	return name_or_number(survey, name, file->ino);
}

/* Directories have no place in the survey: their trouble is counted by itself. */
static void tell_trouble(struct survey *survey, const struct trouble *trouble)
{
	const struct file *file = survey_file(survey, trouble->ino);
	char *shown = file ? survey_name(survey, file) :
			     name_or_number(survey, trouble->name, trouble->ino);

	if (trouble->err)
		complain(shown, -trouble->err, "can't look at its blocks");
	else if (!trouble->other)
		complain(shown, 0, "has block %" PRIu32 ", which is free: run e2fsck",
			 trouble->block);
	else if (trouble->other == trouble->ino)
		complain(shown, 0, "has block %" PRIu32 " twice: run e2fsck", trouble->block);
	else
		complain(shown, 0, "shares block %" PRIu32 " with inode %" PRIu32 ": run e2fsck",
			 trouble->block, trouble->other);
	free(shown);
	if (!file)
		survey->failed++;
	survey->damaged |= trouble->err == -EUCLEAN || (!trouble->err && !trouble->other);
}

void survey_check(struct survey *survey, struct meta *meta, const struct host *host,
		  const struct freemap *map, struct throttle *throttle, const volatile int *stop)
{
	size_t i;

	multiply_claimed_find(survey, meta, host->whole, map, stop);
	claims_free(&survey->claims);
	if (survey->troubles)
		qsort(survey->trouble, survey->troubles, sizeof(*survey->trouble), by_trouble);
	if (!*stop)
		find_names(survey, host, &meta->geo, throttle);
	leaf_dirs_free(&survey->leaf_dirs);
	for (i = 0; i < survey->troubles; i++)
		tell_trouble(survey, &survey->trouble[i]);
	survey->failed += survey->names.failed;
}

uint32_t survey_best(const struct file *file, const struct freemap *map)
{
	uint32_t pieces = 0;

	if (file->fragments > 1)
		pieces = freemap_pieces(map, file->blocks, file->fragments);
	return pieces ? pieces : file->fragments;
}

void survey_best_all(struct survey *survey, const struct freemap *map)
{
	size_t i;

	survey->best = 0;
	for (i = 0; i < survey->files; i++)
		if (survey->file[i].blocks)
			survey->best += survey_best(&survey->file[i], map);
}

uint64_t survey_fragments(const struct survey *survey)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < survey->files; i++)
		sum += survey->file[i].fragments;
	return sum;
}

void survey_totals(const struct survey *survey, uint32_t blocksize, bool before,
		   struct totals *totals)
{
	struct cost cost = { 0, 0 };
	size_t i;

	memset(totals, 0, sizeof(*totals));
	for (i = 0; i < survey->files; i++) {
		const struct file *file = &survey->file[i];
		uint32_t fragments = file->fragments;

		if (!file->blocks || (!before && file->reason == REASON_VANISHED))
			continue;
		if (before && file->detail != DETAIL_NONE)
			fragments = survey->detail[file->detail].before;
		totals->files++;
		totals->fragmented += fragments > 1;
		totals->blocks += file->blocks;
		totals->fragments += fragments;
		totals->fiemap += file->fiemap;
		cost_add(&cost, file->blocks, blocksize, fragments);
	}
	totals->score = score(&cost);
}
