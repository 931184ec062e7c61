// SPDX-License-Identifier: GPL-2.0-only
#include "survey.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "claims.h"
#include "shared.h"
#include "util.h"

void survey_free(struct survey *survey)
{
	names_free(&survey->names);
	free(survey->file);
	memset(survey, 0, sizeof(*survey));
}

char *survey_name(const struct survey *survey, const struct file *file)
{
	char *path, *shown;

	if (file->name == NAME_NONE)
		return xasprintf("<inode %" PRIu32 ">", file->ino);
	path = names_path(&survey->names, file->name);
	shown = printable(path);
	free(path);
	return shown;
}

enum outcome survey_outcome(const struct file *file)
{
	if (file->planned)
		return OUTCOME_PLANNED;
	if (file->fragments >= file->before || !file->moved)
		return file->failed ? OUTCOME_FAILED : OUTCOME_ALONE;
	if (file->failed)
		return OUTCOME_PARTLY;
	switch (file->reason) {
	case REASON_CHANGED:
	case REASON_VANISHED:
	case REASON_BUSY:
	case REASON_STOPPED:
		return OUTCOME_PARTLY;
	default:
		return OUTCOME_IMPROVED;
	}
}

int survey_again(struct file *file, struct node *node, const struct info *info,
		 struct layout *layout, struct sequence *seq)
{
	int err = 0;

	layout_clear(layout);
	file->size = info->size;
	if (info->mapping == MAPPING_INDIRECT)
		err = node_layout(node, layout, info->blocks);
	if (err)
		return err;
	sequence_build(seq, layout, &node->meta->geo);
	file->blocks = seq->blocks;
	file->fragments = seq->fragments;
	file->fiemap = seq->fiemap;
	file->score = (uint8_t)score_file(seq->blocks, node->meta->geo.blocksize, seq->fragments);
	return 0;
}

/* What one look at an object needs at hand. */
struct look {
	struct layout layout;
	struct sequence seq;
	struct claims claims;
	uint64_t least; /* bytes of a piece, for --min-fragment-size */
};

static int add_file(struct survey *survey, struct file *file, struct node *node,
		    const struct info *info, struct look *look)
{
	int err = survey_again(file, node, info, &look->layout, &look->seq);

	if (err)
		return err;
	file->generation = info->generation;
	file->before = file->fragments;
	file->best = file->fragments;
	if (info->relocatable)
		file->reason = (uint8_t)info->relocatable;
	else if (file->fragments <= 1)
		file->reason = file->blocks ? REASON_PERFECT : REASON_EMPTY;
	else if (look->least && !sequence_pays(&look->seq, node->meta->geo.blocksize, look->least))
		file->reason = REASON_LONG_PIECES;
	vec_more(survey->file, survey->files, survey->room);
	survey->file[survey->files++] = *file;
	return 0;
}

/*
 * Add inode @ino if it is a regular file, and its blocks to what is claimed in any case. Objects
 * that vanish are passed over.
 */
static void survey_inode(struct survey *survey, struct meta *meta, uint32_t ino, uint32_t name,
			 struct look *look)
{
	struct file file = { .ino = ino, .name = name };
	struct info info;
	struct node node;
	int err;

	layout_clear(&look->layout);
	err = node_open(&node, meta, ino, NULL, &info);
	if (!err) {
		if (info.type == TYPE_REGULAR)
			err = add_file(survey, &file, &node, &info, look);
		else if (info.mapping == MAPPING_INDIRECT)
			err = node_layout(&node, &look->layout, info.blocks);
		node_close(&node);
	}
	if (!err)
		claims_add(&look->claims, &look->layout);
	if (err && err != -ENOENT && err != -ESTALE) {
		char *shown = survey_name(survey, &file);

		complain(shown, -err, "can't look at its blocks");
		survey->failed++;
		survey->damaged |= err == -EUCLEAN;
		free(shown);
	}
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

/* The whole filesystem: the inodes in use, and names for them from a walk. */
static int survey_whole(struct survey *survey, struct meta *meta, const struct host *host,
			struct look *look, struct pace *pace, const volatile int *stop)
{
	uint32_t *inodes;
	size_t count, i;
	int err;

	err = meta_inodes(meta, &inodes, &count);
	if (err) {
		complain(host->device, -err, "can't list its inodes");
		return err;
	}
	for (i = 0; i < count && !*stop; i++) {
		survey_inode(survey, meta, inodes[i], NAME_NONE, look);
		pace_point(pace, false);
	}

	if (!*stop)
		names_walk(&survey->names, host->root_fd, host->dev, host->prefix, pace);
	for (i = 0; i < survey->names.count; i++) {
		uint32_t ino = survey->names.name[i].ino;
		struct file *file = ino ? survey_file(survey, ino) : NULL;

		if (file && file->name == NAME_NONE)
			file->name = (uint32_t)i;
	}
	shared_find(survey, meta, &look->claims, inodes, count, stop);
	free(inodes);
	return 0;
}

struct found {
	uint32_t ino, name;
};

static int by_inode(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	if (x->ino != y->ino)
		return x->ino < y->ino ? -1 : 1;
	return x->name < y->name ? -1 : x->name > y->name;
}

/* Files and directories: what a walk finds, each inode once. */
static void survey_targets(struct survey *survey, struct meta *meta, const struct host *host,
			   struct look *look, struct pace *pace, const volatile int *stop)
{
	const struct names *names = &survey->names;
	struct found *found = NULL;
	size_t count = 0, room = 0, kept = 0, i;
	uint32_t *inodes;

	for (i = 0; i < host->targets && !*stop; i++) {
		const struct target *target = &host->target[i];

		if (target->directory)
			names_walk(&survey->names, target->fd, host->dev, target->path, pace);
		else
			names_add(&survey->names, NAME_NONE, target->path, target->ino);
	}
	for (i = 0; i < names->count; i++) {
		if (!names->name[i].ino)
			continue;
		vec_more(found, count, room);
		found[count++] = (struct found){ names->name[i].ino, (uint32_t)i };
	}
	if (count)
		qsort(found, count, sizeof(*found), by_inode);
	inodes = xreallocarray(NULL, count, sizeof(*inodes));
	for (i = 0; i < count && !*stop; i++) {
		if (i && found[i].ino == found[i - 1].ino)
			continue;
		inodes[kept++] = found[i].ino;
		survey_inode(survey, meta, found[i].ino, found[i].name, look);
		pace_point(pace, false);
	}
	shared_find(survey, meta, &look->claims, inodes, kept, stop);
	free(inodes);
	free(found);
}

int survey_host(struct survey *survey, struct meta *meta, const struct host *host, uint64_t least,
		struct pace *pace, const volatile int *stop)
{
	struct look look;
	int err = 0;

	memset(survey, 0, sizeof(*survey));
	layout_init(&look.layout);
	sequence_init(&look.seq);
	claims_init(&look.claims);
	look.least = least;
	if (host->whole)
		err = survey_whole(survey, meta, host, &look, pace, stop);
	else
		survey_targets(survey, meta, host, &look, pace, stop);
	survey->failed += survey->names.failed;
	claims_free(&look.claims);
	sequence_free(&look.seq);
	layout_free(&look.layout);
	return err;
}

void survey_best(struct survey *survey, const struct freemap *map)
{
	size_t i;

	for (i = 0; i < survey->files; i++) {
		struct file *file = &survey->file[i];
		uint32_t pieces = 0;

		if (file->fragments > 1)
			pieces = freemap_pieces(map, file->blocks, file->fragments);
		file->best = pieces ? pieces : file->fragments;
	}
}

void survey_totals(const struct survey *survey, uint32_t blocksize, bool before,
		   struct totals *totals)
{
	struct cost cost = { 0, 0 };
	size_t i;

	memset(totals, 0, sizeof(*totals));
	for (i = 0; i < survey->files; i++) {
		const struct file *file = &survey->file[i];
		uint32_t fragments = before ? file->before : file->fragments;

		if (!file->blocks || (!before && file->reason == REASON_VANISHED))
			continue;
		totals->files++;
		totals->fragmented += fragments > 1;
		totals->blocks += file->blocks;
		totals->fragments += fragments;
		totals->best += file->best;
		totals->fiemap += file->fiemap;
		cost_add(&cost, file->blocks, blocksize, fragments);
	}
	totals->score = score(&cost);
}
