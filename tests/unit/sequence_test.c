// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "plan/sequence.h"
#include "tap.h"

static const struct geometry geo1k = { .blocksize = 1024,
				       .blocks = 1000000,
				       .first_block = 1,
				       .blocks_per_group = 8192,
				       .inodes_per_group = 2048 };
static const struct geometry geo4k = { .blocksize = 4096,
				       .blocks = 1000000,
				       .first_block = 0,
				       .blocks_per_group = 32768,
				       .inodes_per_group = 8192 };

static void perfect(void)
{
	struct layout l;
	struct sequence seq;

	/* 6 MiB on 4 KiB blocks: 12 data, IND, 1024 data, DIND, IND, 500 data. */
	layout_init(&l);
	sequence_init(&seq);
	layout_add_extent(&l, 0, 5000, 12);
	layout_add_indirect(&l, 1, 12, 5012);
	layout_add_extent(&l, 12, 5013, 1024);
	layout_add_indirect(&l, 2, 1036, 6037);
	layout_add_indirect(&l, 1, 1036, 6038);
	layout_add_extent(&l, 1036, 6039, 500);
	sequence_build(&seq, &l, &geo4k);
	is(seq.fragments, 1, "a file with its indirect blocks in reading order is one fragment");
	is(seq.fiemap, 3, "which FIEMAP calls three extents");
	is(seq.blocks, 1539, "and has 1539 blocks");
	is(seq.items, 6, "in six items");
	is(seq.item[3].level, 2, "the parent first");
	is(seq.item[4].at, 1038, "its child behind it");
	is(sequence_find(&seq, 0), 0, "place 0 is in item 0");
	is(sequence_find(&seq, 12), 1, "place 12 is the indirect block");
	is(sequence_find(&seq, 1036), 2, "place 1036 is the last before the next indirect block");
	is(sequence_find(&seq, 1037), 3, "place 1037 is that");
	is(sequence_find(&seq, 1538), 5, "the last place");

	/* The same data, the indirect blocks elsewhere: two breaks for each place they are at. */
	layout_clear(&l);
	layout_add_extent(&l, 0, 5000, 1536);
	layout_add_indirect(&l, 1, 12, 9000);
	layout_add_indirect(&l, 2, 1036, 9001);
	layout_add_indirect(&l, 1, 1036, 9002);
	sequence_build(&seq, &l, &geo4k);
	is(seq.fragments, 5, "indirect blocks elsewhere break a run that FIEMAP calls one");
	is(seq.fiemap, 1, "one extent for FIEMAP");
	layout_free(&l);
	sequence_free(&seq);
}

static void sparse(void)
{
	struct layout l;
	struct sequence seq;

	layout_init(&l);
	sequence_init(&seq);
	sequence_build(&seq, &l, &geo1k);
	is(seq.fragments, 0, "a file without blocks has no fragment");
	is(seq.blocks, 0, "and no block");

	/* On 1 KiB blocks IND spans 256 from 12, DIND 65536 from 268. */
	layout_add_extent(&l, 3, 700, 2);
	layout_add_indirect(&l, 1, 12, 702);
	layout_add_extent(&l, 100, 703, 1);
	layout_add_indirect(&l, 2, 268, 704);
	layout_add_indirect(&l, 1, 780, 705);
	layout_add_extent(&l, 1000, 706, 4);
	sequence_build(&seq, &l, &geo1k);
	is(seq.fragments, 1, "a sparse file that is packed is one fragment");
	is(seq.fiemap, 3, "holes cut it for FIEMAP");
	ok(!seq.item[1].barren && !seq.item[3].barren && !seq.item[4].barren,
	   "no indirect block of it is barren");

	layout_clear(&l);
	layout_add_extent(&l, 3, 700, 2);
	layout_add_extent(&l, 10, 703, 2);
	sequence_build(&seq, &l, &geo1k);
	is(seq.fragments, 2, "a gap on the disk behind a hole is a break");

	/* An empty IND, an empty child of DIND before one with data, an empty TIND at the end. */
	layout_clear(&l);
	layout_add_indirect(&l, 1, 12, 800);
	layout_add_indirect(&l, 2, 268, 801);
	layout_add_indirect(&l, 1, 268, 802);
	layout_add_indirect(&l, 1, 524, 803);
	layout_add_extent(&l, 600, 804, 1);
	layout_add_indirect(&l, 3, 65804, 805);
	sequence_build(&seq, &l, &geo1k);
	is(seq.fragments, 1, "indirect blocks without data are part of the sequence");
	is(seq.blocks, 6, "each counted");
	ok(seq.item[0].barren, "an IND that spans a hole is barren");
	ok(!seq.item[1].barren, "a DIND with data is not");
	ok(seq.item[2].barren, "its first child is");
	ok(!seq.item[3].barren, "its second child is not");
	ok(seq.item[5].barren, "a TIND behind all data is");
	layout_free(&l);
	sequence_free(&seq);
}

/* Count fragments block by block, from an expanded list, as a check of the merging. */
static void random_layouts(void)
{
	int round, wrong = 0, wrong_blocks = 0;

	for (round = 0; round < 500; round++) {
		struct layout l;
		struct sequence seq;
		uint32_t at = 0, fragments = 0, previous = 0, physical = 100, blocks = 0, i;
		uint32_t order[4000];
		size_t n = 0, k;

		layout_init(&l);
		sequence_init(&seq);
		for (i = 0; i < 3000; i++) {
			if (i == 12 || (i >= 268 && (i - 268) % 256 == 0)) {
				if (i == 268) {
					physical += random_below(2);
					layout_add_indirect(&l, 2, 268, physical);
					order[n++] = physical++;
				}
				physical += random_below(3) == 0;
				layout_add_indirect(&l, 1, i, physical);
				order[n++] = physical++;
			}
			if (random_below(40) == 0)
				at = !at;
			if (at)
				continue;
			if (random_below(50) == 0)
				physical += 1 + random_below(5);
			layout_add_extent(&l, i, physical, 1);
			order[n++] = physical++;
		}
		for (k = 0; k < n; k++) {
			fragments += !k || order[k] != previous + 1;
			previous = order[k];
			blocks++;
		}
		sequence_build(&seq, &l, &geo1k);
		/* An indirect block may come earlier in `order`, before a hole: same order. */
		wrong += seq.fragments != fragments;
		wrong_blocks += seq.blocks != blocks;
		layout_free(&l);
		sequence_free(&seq);
	}
	is(wrong, 0, "fragments of 500 random files, counted block by block");
	is(wrong_blocks, 0, "and their blocks");
}

static void scores(void)
{
	struct cost sum = { 0, 0 };
	unsigned int value, last = 0, bad = 0;
	uint32_t f;

	is(score_file(4096, 4096, 1), 0, "one fragment scores 0");
	is(score_file(0, 4096, 0), 0, "so does no block at all");
	/* 16 MiB in 149: 148 / (16 + 149) = 89.7% */
	is(score_file(4096, 4096, 149), 90, "16 MiB in 149 fragments");
	/* 16 MiB in 8: 7 / (16 + 8) = 29.2% */
	is(score_file(4096, 4096, 8), 30, "16 MiB in 8 fragments");
	is(score_file(4096, 4096, 9), 32, "16 MiB in 9 fragments");
	/* 8 KiB in 2: 1024 / (8 + 2048) = 49.8% */
	is(score_file(2, 4096, 2), 50, "8 KiB in 2 fragments");
	is(score_file(1U << 30, 4096, 2), 1, "4 TiB in 2 fragments is not 0");
	is(score_file(2, 1024, UINT32_MAX), 99, "never 100");
	for (f = 1; f < 5000; f++) {
		value = score_file(2048, 1024, f);
		bad += value < last;
		last = value;
	}
	is(bad, 0, "more fragments never score less");
	bad = 0;
	last = 100;
	for (f = 10; f < 20000; f++) {
		value = score_file(f, 1024, 10);
		bad += value > last;
		last = value;
	}
	is(bad, 0, "more data in as many fragments never scores more");
	cost_add(&sum, 4096, 4096, 8);
	cost_add(&sum, 4096, 4096, 1);
	/* 7 / (32 + 9) = 17.07% */
	is(score(&sum), 18, "two files together");
	ok(!strcmp(score_verdict(30), "no problem"), "30 is no problem");
	ok(!strcmp(score_verdict(31), "a little fragmented"), "31 is a little fragmented");
	ok(!strcmp(score_verdict(55), "a little fragmented"), "so is 55");
	ok(!strcmp(score_verdict(56), "needs defragmentation"), "56 needs defragmentation");
}

/* What reading costs where a piece shorter than @least takes as long as one of @least, by hand. */
static bool pays(const uint32_t *piece, size_t pieces, uint64_t least)
{
	uint64_t all = 0, cost = 0;
	size_t i;

	for (i = 0; i < pieces; i++) {
		uint64_t bytes = (uint64_t)piece[i] * 1024;

		all += bytes;
		cost += bytes > least ? bytes : least;
	}
	all = all > least ? all : least;
	return 20 * (cost - all) >= all;
}

static bool paying(const uint32_t *piece, size_t pieces, uint64_t least)
{
	uint32_t logical = 0, physical = 1000;
	struct sequence seq;
	struct layout l;
	bool result;
	size_t i;

	layout_init(&l);
	sequence_init(&seq);
	for (i = 0; i < pieces; i++) {
		uint32_t data = piece[i];

		/* One of them begins with the indirect block. */
		if (logical <= 12 && logical + data > 12) {
			layout_add_extent(&l, logical, physical, 12 - logical);
			physical += 12 - logical;
			layout_add_indirect(&l, 1, 12, physical++);
			data -= 12 - logical + 1;
			logical = 12;
		}
		layout_add_extent(&l, logical, physical, data);
		logical += data;
		physical += data + 7;
	}
	sequence_build(&seq, &l, &geo1k);
	result = sequence_pays(&seq, 1024, least);
	layout_free(&l);
	sequence_free(&seq);
	return result;
}

static void worth_moving(void)
{
	static const uint32_t even[] = { 128, 128, 128, 128 }, tail[] = { 2048, 10 };
	static const uint32_t long_tail[] = { 4096, 10 }, two[] = { 4, 4 }, one[] = { 8 };
	static const uint32_t mixed[] = { 500, 20, 500, 20, 500 };
	uint32_t piece[40];
	int i, wrong = 0, yes = 0;

	ok(!paying(even, 4, 128 << 10), "pieces of 128 KiB are long enough for 128K");
	ok(paying(even, 4, 129 << 10) == false && paying(even, 4, 160 << 10),
	   "for a little more, too, and not for much more");
	ok(paying(tail, 2, 128 << 10), "2 MiB with a short tail elsewhere pay");
	ok(!paying(long_tail, 2, 128 << 10), "4 MiB with one don't");
	ok(paying(two, 2, 128 << 10), "8 KiB in two pieces pay");
	ok(!paying(one, 1, 128 << 10), "in one piece they don't");
	ok(paying(mixed, 5, 128 << 10), "short pieces between long ones count");
	ok(!paying(two, 2, 1), "no piece is shorter than a byte");
	for (i = 0; i < 2000; i++) {
		size_t pieces = 1 + random_below(40), j;
		uint64_t least = 1024 * (1 + random_below(300));
		bool wanted;

		/* Data behind 12 blocks has the indirect block at its start, at least 2 long. */
		for (j = 0; j < pieces; j++)
			piece[j] = 14 + random_below(random_below(2) ? 40 : 2000);
		wanted = pays(piece, pieces, least);
		yes += wanted;
		wrong += paying(piece, pieces, least) != wanted;
	}
	ok(yes > 200 && yes < 1900, "of 2000 random files %d pay", yes);
	is(wrong, 0, "as counted piece by piece");
}

void test_score(void)
{
	perfect();
	sparse();
	random_layouts();
	scores();
	worth_moving();
	is(largest_file(&geo4k, 0), 0, "no run, no file");
	is(largest_file(&geo4k, 12), 12, "12 blocks hold 12");
	is(largest_file(&geo4k, 13), 12, "the 13th is no use alone");
	is(largest_file(&geo4k, 14), 13, "with an indirect block 14 hold 13");
	is(largest_file(&geo4k, 1539), 1536, "1539 hold 6 MiB");
	is(largest_file(&geo4k, 1537), 1534, "both further indirect blocks paid for");
	is(largest_file(&geo4k, 1039), 1036, "two blocks short of the next data block");
}
