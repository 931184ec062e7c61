// SPDX-License-Identifier: GPL-2.0-only
#include "survey/files.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"
#include "plan/sequence.h"

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

struct detail *survey_detail(struct survey *survey, struct file *file)
{
	if (file->detail == DETAIL_NONE) {
		vec_more(survey->detail, survey->details, survey->detail_room);
		file->detail = (uint32_t)survey->details;
		survey->detail[survey->details++] = (struct detail){ .before = file->fragments,
								     .name = NAME_NONE,
								     .owner = OWNER_UNKNOWN };
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

static uint32_t name_of(const struct survey *survey, const struct file *file)
{
	return file->detail == DETAIL_NONE ? NAME_NONE : survey->detail[file->detail].name;
}

char *survey_object_name(const struct survey *survey, uint32_t name, uint32_t ino)
{
	char *path, *shown;

	if (name == NAME_NONE)
		return xasprintf("<inode %" PRIu32 ">", ino);
	path = names_path(&survey->names, name);
	shown = names_shown(path, ino);
	free(path);
	return shown;
}

char *survey_name(const struct survey *survey, const struct file *file)
{
	return survey_object_name(survey, name_of(survey, file), file->ino);
}

char *survey_path(const struct survey *survey, const struct file *file, size_t *cut)
{
	const uint32_t name = name_of(survey, file);
	char *path, *end;
	size_t ignored;

	if (!cut)
		cut = &ignored;
	*cut = 0;
	if (name == NAME_NONE)
		return survey_object_name(survey, name, file->ino);
	path = names_path(&survey->names, name);
	end = names_end(path, NAME_WRITTEN, cut);
	free(path);
	return end;
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

int trouble_by_inode(const void *a, const void *b)
{
	return by_number(&((const struct trouble *)a)->ino, &((const struct trouble *)b)->ino);
}
