// SPDX-License-Identifier: GPL-2.0-only
/*
 * plan FILES RUNS SEED [PERCENT]: how long the tool's plans take, and how much memory, without any
 * I/O. A made-up survey of FILES files, PERCENT (100) of them in pieces, and a made-up map of RUNS
 * free runs go through what stands between the survey and the moves:
 *
 * 1. index	the free map's
 * 2. best	what the free space allows each file, for the report
 * 3. sort	those in pieces, worst first
 * 4. plan	for each of these its sequence, its plan, and the plan's claim
 *
 * Prints "KEY VALUE" lines. The main ones are plan_N_seconds, the sum of the four, and plan_N_mib,
 * the most memory that the program had, where N is FILES, short: 1m, 10m. Per file both should be
 * the same for any number. The last lines tell how good the plans were, to compare rules by.
 */
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/util.h"
#include "plan/plan.h"
#include "survey/order.h"
#include "survey/survey.h"

static unsigned int percent = 100; /* files in pieces */
static struct geometry geo = { .blocksize = 4096, .blocks_per_group = 32768 };

/* splitmix64: as random for numbers in a row as for any others. */
static uint64_t next(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15ULL;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

/* From 0 up to, but not, 1. */
static double share(uint64_t *state)
{
	return (double)(next(state) >> 11) / 9007199254740992.0;
}

/* As many from 1 to 2 as from 100 to 200. */
static uint32_t any_size(uint64_t *state, double from, double to)
{
	return (uint32_t)(from * pow(to / from, share(state)));
}

/* Most free runs are short, most free blocks in long ones; what is between them is used. */
static void make_map(struct freemap *map, size_t runs, uint64_t seed)
{
	uint64_t at = 0;

	while (runs--) {
		double kind = share(&seed);
		uint32_t length = kind < 0.920 ? any_size(&seed, 1, 64) :
				  kind < 0.997 ? any_size(&seed, 64, 1024) :
						 any_size(&seed, 1024, 16384);

		at += any_size(&seed, 1, 350);
		if (freemap_add(map, at, length) || map->beyond) {
			fputs("plan: a block-mapped file can't reach so many free runs\n", stderr);
			exit(2);
		}
		at += length;
	}
	geo.blocks = at + 1;
}

/* The layout of a file, the same each time: a few pieces, with their indirect blocks. */
static void make_layout(struct layout *layout, uint32_t ino, uint64_t seed)
{
	uint32_t data, pieces, left, piece, logical = 0, pointers = geo.blocksize / 4;
	uint64_t physical = (uint64_t)inode_group(&geo, ino) * geo.blocks_per_group;

	seed += (uint64_t)ino << 32;
	data = share(&seed) < 0.999 ? any_size(&seed, 2, 256) : any_size(&seed, 256, 65536);
	pieces = 2 + (uint32_t)(share(&seed) * (data / 256.0));
	while (next(&seed) & 1)
		pieces++;
	if (next(&seed) % 100 >= percent)
		pieces = 1;
	layout_clear(layout);
	for (left = data; left; left -= piece, pieces -= pieces > 1) {
		uint32_t end;

		piece = left / pieces ? left / pieces : 1;
		physical = (physical + 1 + next(&seed) % 1000) % (geo.blocks - 100000);
		for (end = logical + piece; logical < end;) {
			uint32_t length = end - logical;

			if (logical == 12 + pointers)
				layout_add_indirect(layout, 2, logical, (uint32_t)physical++);
			if (logical >= 12 && (logical - 12) % pointers == 0)
				layout_add_indirect(layout, 1, logical, (uint32_t)physical++);
			if (logical < 12 && end > 12)
				length = 12 - logical;
			else if (logical >= 12 && (logical - 12) % pointers + length > pointers)
				length = pointers - (logical - 12) % pointers;
			layout_add_extent(layout, logical, (uint32_t)physical, length);
			logical += length;
			physical += length;
		}
	}
}

/* The entries of the survey, as it would fill them in; no names. */
static void make_survey(struct survey *survey, size_t files, uint64_t seed)
{
	uint64_t groups = geo.blocks / geo.blocks_per_group + 1;
	struct layout layout;
	struct sequence seq;
	size_t i;

	/* A fifth of the inodes is free. */
	geo.inodes_per_group = (uint32_t)(files * 5 / 4 / groups + 8) & ~7U;
	geo.inodes = (uint32_t)(groups * geo.inodes_per_group);
	layout_init(&layout);
	sequence_init(&seq);
	for (i = 0; i < files; i++) {
		struct file file = { .ino = (uint32_t)(11 + i * (geo.inodes - 11) / files) };

		make_layout(&layout, file.ino, seed);
		sequence_build(&seq, &layout, &geo);
		file.blocks = seq.blocks;
		file.fragments = seq.fragments;
		file.score = (uint8_t)score_file(seq.blocks, geo.blocksize, seq.fragments);
		vec_more(survey->file, survey->files, survey->room);
		survey->file[survey->files++] = file;
	}
	sequence_free(&seq);
	layout_free(&layout);
}

struct quality {
	uint64_t reasons[REASONS];
	uint64_t one, at_home, distance, pieces, before, blocks;
};

static void plan_all(const struct survey *survey, const uint32_t *order, size_t count,
		     struct freemap *map, uint64_t seed, struct quality *quality)
{
	struct layout layout;
	struct sequence seq;
	struct plan plan;
	size_t i;

	layout_init(&layout);
	sequence_init(&seq);
	plan_init(&plan);
	for (i = 0; i < count; i++) {
		const struct file *file = &survey->file[order[i]];
		uint32_t group = inode_group(&geo, file->ino);
		enum reason reason;

		make_layout(&layout, file->ino, seed);
		sequence_build(&seq, &layout, &geo);
		reason = plan_file(&plan, &seq, map, &geo, group);
		quality->reasons[reason]++;
		quality->before += seq.fragments;
		quality->pieces += reason ? seq.fragments : plan.pieces;
		if (reason)
			continue;
		plan_claim(&plan, map);
		quality->blocks += seq.blocks;
		if (plan.pieces == 1) {
			uint32_t to = block_group(&geo, plan.piece[0].goal);

			quality->one++;
			quality->at_home += to == group;
			quality->distance += to > group ? to - group : group - to;
		}
	}
	plan_free(&plan);
	sequence_free(&seq);
	layout_free(&layout);
}

static double now(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* The most memory that the program had, in KiB. */
static double peak(void)
{
	FILE *status = fopen("/proc/self/status", "r");
	double kib = 0;
	char line[256];

	while (status && fgets(line, sizeof(line), status))
		if (sscanf(line, "VmHWM: %lf", &kib) == 1)
			break;
	if (status)
		fclose(status);
	return kib;
}

/* What the report shows of each: the fewest fragments that the free space allows it. */
static uint64_t best_all(const struct survey *survey, const struct freemap *map)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < survey->files; i++)
		if (survey->file[i].fragments > 1)
			sum += freemap_pieces(map, survey->file[i].blocks,
					      survey->file[i].fragments);
	return sum;
}

static bool is_in_pieces(const struct file *file)
{
	return file->fragments > 1;
}

int main(int argc, char **argv)
{
	const bool good = argc == 4 || argc == 5;
	size_t files = good ? strtoull(argv[1], NULL, 10) : 0, count;
	size_t runs = good ? strtoull(argv[2], NULL, 10) : 0;
	uint64_t seed = good ? strtoull(argv[3], NULL, 10) : 0, best;
	struct quality quality = { 0 };
	struct survey survey = { 0 };
	double times[5], seconds, cpu;
	struct freemap map;
	char number[32];
	uint32_t *order;

	if (argc == 5)
		percent = (unsigned int)strtoul(argv[4], NULL, 10);
	if (!files || !runs || files > 1000000000 || percent > 100) {
		fputs("Usage: plan FILES RUNS SEED [PERCENT]\n", stderr);
		return 2;
	}
	freemap_init(&map);
	make_map(&map, runs, seed);
	make_survey(&survey, files, seed);

	cpu = now(CLOCK_PROCESS_CPUTIME_ID);
	times[0] = now(CLOCK_MONOTONIC);
	freemap_index(&map);
	times[1] = now(CLOCK_MONOTONIC);
	best = best_all(&survey, &map);
	times[2] = now(CLOCK_MONOTONIC);
	order = order_worst_first(&survey, is_in_pieces, &count);
	times[3] = now(CLOCK_MONOTONIC);
	plan_all(&survey, order, count, &map, seed, &quality);
	times[4] = now(CLOCK_MONOTONIC);
	cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu;

	seconds = times[4] - times[0];
	if (files % 1000000 == 0)
		snprintf(number, sizeof(number), "%zum", files / 1000000);
	else if (files % 1000 == 0)
		snprintf(number, sizeof(number), "%zuk", files / 1000);
	else
		snprintf(number, sizeof(number), "%zu", files);
	printf("plan_%s_seconds %.3f\n", number, seconds);
	printf("plan_%s_mib %.1f\n", number, peak() / 1024);
	printf("plan_%s_us_per_file %.3f\n", number, 1e6 * seconds / (double)files);
	printf("plan_%s_bytes_per_file %.1f\n", number, 1024 * peak() / (double)files);
	printf("plan_%s_cpu_seconds %.3f\n", number, cpu);
	printf("plan_%s_index_seconds %.3f\n", number, times[1] - times[0]);
	printf("plan_%s_best_seconds %.3f\n", number, times[2] - times[1]);
	printf("plan_%s_sort_seconds %.3f\n", number, times[3] - times[2]);
	printf("plan_%s_plan_seconds %.3f\n", number, times[4] - times[3]);
	printf("plan_%s_in_pieces %zu\n", number, count);
	printf("plan_%s_planned %" PRIu64 "\n", number, quality.reasons[REASON_NONE]);
	printf("plan_%s_no_room %" PRIu64 "\n", number, quality.reasons[REASON_NO_ROOM]);
	printf("plan_%s_no_better %" PRIu64 "\n", number, quality.reasons[REASON_NO_BETTER]);
	printf("plan_%s_one_piece %" PRIu64 "\n", number, quality.one);
	printf("plan_%s_in_own_group %" PRIu64 "\n", number, quality.at_home);
	printf("plan_%s_groups_away %.1f\n", number,
	       (double)quality.distance / (double)(quality.one ? quality.one : 1));
	printf("plan_%s_fragments_before %" PRIu64 "\n", number, quality.before);
	printf("plan_%s_fragments_best %" PRIu64 "\n", number, best);
	printf("plan_%s_fragments_after %" PRIu64 "\n", number, quality.pieces);
	printf("plan_%s_blocks %" PRIu64 "\n", number, quality.blocks);
	free(order);
	freemap_free(&map);
	free(survey.file);
	return 0;
}
