// SPDX-License-Identifier: GPL-2.0-only
/*
 * Partial moves, on models of nearly full disks: whatever is planned is carried out block by block,
 * and looked at by rules that know nothing of how the plan is made.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan/fragments.h"
#include "plan/plan_parts.h"
#include "tap.h"

/* Who has a block, if no file has. */
#define NOBODY UINT32_MAX
#define WALL (UINT32_MAX - 1)	 /* nothing that could be moved */
#define FRESHLY (UINT32_MAX - 2) /* free from the next commit on */

struct model {
	uint32_t blocks, files;
	uint32_t *owner;
	uint32_t **at; /* of each file: where its blocks are */
	uint32_t *size;
	uint64_t moved;
	int overlaps, cuts, raises, overruns, promises;
	/* as e3defrag has it */
	struct fragments fragments;
	struct freemap map;
	struct parts_plan plan;
};

static void model_init(struct model *m, uint32_t blocks, uint32_t files)
{
	memset(m, 0, sizeof(*m));
	m->blocks = blocks;
	m->files = files;
	m->owner = malloc(blocks * sizeof(*m->owner));
	memset(m->owner, 0xff, blocks * sizeof(*m->owner));
	m->at = calloc(files, sizeof(*m->at));
	m->size = calloc(files, sizeof(*m->size));
	fragments_init(&m->fragments);
	freemap_init(&m->map);
	parts_plan_init(&m->plan);
}

static void model_free(struct model *m)
{
	uint32_t i;

	for (i = 0; i < m->files; i++)
		free(m->at[i]);
	free(m->at);
	free(m->size);
	free(m->owner);
	fragments_free(&m->fragments);
	freemap_free(&m->map);
	parts_plan_free(&m->plan);
}

static void add_block(struct model *m, uint32_t file, uint32_t block)
{
	m->owner[block] = file;
	m->at[file] = realloc(m->at[file], (m->size[file] + 1) * sizeof(**m->at));
	m->at[file][m->size[file]++] = block;
}

static void punch(struct model *m, uint32_t file, uint32_t at, uint32_t length)
{
	uint32_t i;

	for (i = at; i < at + length; i++)
		m->owner[m->at[file][i]] = NOBODY;
	m->size[file] -= length;
	memmove(m->at[file] + at, m->at[file] + at + length,
		(m->size[file] - at) * sizeof(**m->at));
}

static uint32_t fragments(const struct model *m, uint32_t file)
{
	uint32_t count = m->size[file] > 0, i;

	for (i = 1; i < m->size[file]; i++)
		count += m->at[file][i] != m->at[file][i - 1] + 1;
	return count;
}

static uint64_t all_fragments(const struct model *m)
{
	uint64_t count = 0;
	uint32_t i;

	for (i = 0; i < m->files; i++)
		count += fragments(m, i);
	return count;
}

/* What a look at a file gives, as far as pieces are concerned; cut more often than needed, too. */
static void look(const struct model *m, uint32_t file, struct sequence *seq)
{
	uint32_t i;

	sequence_init(seq);
	seq->item = malloc((m->size[file] + 1) * sizeof(*seq->item));
	for (i = 0; i < m->size[file]; i++) {
		struct seq_item *last = &seq->item[seq->items - (seq->items > 0)];

		if (i && i % 100 && last->physical + last->length == m->at[file][i])
			last->length++;
		else
			seq->item[seq->items++] = (struct seq_item){ .at = i,
								     .physical = m->at[file][i],
								     .length = 1 };
	}
}

static void commit(struct model *m)
{
	uint32_t i, start;

	for (i = 0; i < m->blocks; i++)
		if (m->owner[i] == FRESHLY)
			m->owner[i] = NOBODY;
	freemap_clear(&m->map);
	for (i = 0; i < m->blocks; i++) {
		for (start = i; i < m->blocks && m->owner[i] == NOBODY; i++)
			;
		if (i > start)
			freemap_add(&m->map, start, i - start);
	}
	freemap_index(&m->map);
}

static void begin(struct model *m)
{
	struct sequence seq;
	uint32_t i;

	for (i = 0; i < m->files; i++) {
		look(m, i, &seq);
		fragments_add(&m->fragments, i, &seq);
		sequence_free(&seq);
	}
	fragments_index(&m->fragments);
	commit(m);
}

/* Move one stretch, block by block; the first of its pieces begins at @at of the file. */
static void move(struct model *m, const struct planned_part *s, uint32_t file, uint32_t at)
{
	const uint32_t first = at;
	uint32_t goal = s->goal, i, n;

	for (n = s->first; n < s->first + s->count; n++) {
		const struct fragment *fragment = &m->fragments.fragment[n];

		m->cuts += fragment->file != file;
		for (i = 0; i < fragment->length; i++, at++, goal++) {
			m->cuts += m->at[file][at] != fragment->start + i;
			if (goal >= m->blocks || m->owner[goal] != NOBODY) {
				m->overlaps++;
				return;
			}
			m->owner[goal] = file;
			m->owner[m->at[file][at]] = FRESHLY;
			m->at[file][at] = goal;
			m->moved++;
		}
	}
	/* whole fragments: neither end is inside of one, as it was before the move */
	m->cuts += first && m->fragments.fragment[s->first - 1].start +
					    m->fragments.fragment[s->first - 1].length ==
				    m->fragments.fragment[s->first].start;
}

/* Carry out what is planned, and look again at what was touched. */
static void carry_out(struct model *m, uint64_t scratch)
{
	const uint64_t before = all_fragments(m), moved = m->moved;
	uint32_t last = 0, file, had;
	struct sequence seq;
	size_t i = 0, k;

	while (i < m->plan.count) {
		size_t first = m->plan.part[i].first, count;
		uint32_t at = 0;

		m->cuts += first < last;
		file = m->fragments.fragment[first].file;
		while (first && m->fragments.fragment[first - 1].file == file)
			first--;
		count = fragments_of_file(&m->fragments, first);
		had = fragments(m, file);
		for (k = first; i < m->plan.count && m->plan.part[i].first < first + count; i++) {
			for (; k < m->plan.part[i].first; k++)
				at += m->fragments.fragment[k].length;
			move(m, &m->plan.part[i], file, at);
		}
		last = (uint32_t)(first + count);
		m->raises += fragments(m, file) > had;
		look(m, file, &seq);
		fragments_renew(&m->fragments, first, count, &seq);
		sequence_free(&seq);
	}
	m->overruns += m->moved - moved > scratch || m->moved - moved != m->plan.blocks;
	/* places may adjoin by chance, so it may be more */
	m->promises += all_fragments(m) + m->plan.gain > before;
	m->plan.count = 0;
	m->plan.blocks = m->plan.gain = 0;
	fragments_index(&m->fragments);
	m->promises += m->fragments.count != all_fragments(m);
	commit(m);
}

/* Rounds, as partial.c does them. */
static int run(struct model *m, uint32_t worth)
{
	struct parts_limits limits = { .worth = worth, .least = 8 };
	const uint64_t total = m->map.total;
	int rounds = 0, bad = 0, step;

	while (bad < 4 && rounds < 5000) {
		const uint64_t before = all_fragments(m), moved = m->moved;
		uint64_t gained;

		rounds++;
		limits.scratch = total / 2;
		for (step = 0; step < 4; step++) {
			plan_parts_clear(&m->plan, &m->fragments, &m->map, &limits);
			if (!m->plan.count)
				break;
			carry_out(m, limits.scratch);
		}
		plan_parts_gain(&m->plan, &m->fragments, &m->map, &limits);
		carry_out(m, limits.scratch);
		gained = before - all_fragments(m);
		bad = gained && gained * worth >= m->moved - moved ? 0 : bad + 1;
		limits.least = 8 >> bad;
	}
	m->promises += m->map.total != total;
	return rounds;
}

static void is_right(const struct model *m, const char *what)
{
	is(m->overlaps, 0, "%s: only to free blocks, each once", what);
	is(m->cuts, 0, "%s: whole fragments", what);
	is(m->raises, 0, "%s: no file gets more of them", what);
	is(m->overruns, 0, "%s: no more blocks than there may be", what);
	is(m->promises, 0, "%s: gains what it says, and leaves as much free", what);
}

/*
 * A disk as tests/lib/age-mounted makes it, then filled, then with holes all over it. @unit is
 * 4 KiB in blocks. With @apart all that fills it is one file, which has shorter pieces than the
 * others and all of the holes.
 */
static void aged(struct model *m, uint32_t blocks, uint32_t unit, uint32_t group,
		 uint32_t per_mille, bool apart)
{
	const uint32_t files = 16, each = apart ? blocks / 30 : blocks / files + 1;
	uint32_t left = (uint32_t)((uint64_t)blocks * per_mille / 1000), pass, i;
	uint32_t file = apart;

	model_init(m, blocks, files);
	for (i = 0; i < blocks; i++)
		if (i % group < group / 60)
			m->owner[i] = WALL;
	/* every other part of the disk first, then the rest */
	for (pass = 0; pass < 2; pass++) {
		for (i = 0; i < blocks && (pass || file + 1 < files || !apart);) {
			uint32_t hole = pass ? blocks : (3 + random_below(7)) * unit;

			for (; hole && i < blocks; i++, hole--) {
				if (m->owner[i] != NOBODY)
					continue;
				file += m->size[file] >= each && file + 1 < files;
				add_block(m, pass && apart ? 0 : file, i);
			}
			i += (1 + random_below(6)) * unit;
		}
	}
	while (left) {
		uint32_t length = (1 + random_below(6)) * unit;

		file = apart ? 0 : random_below(files);
		i = random_below(m->size[file]);
		if (length > left)
			length = left;
		if (i + length > m->size[file])
			continue;
		punch(m, file, i, length);
		left -= length;
	}
	begin(m);
}

static void aged_disks(void)
{
	static const struct {
		const char *what;
		uint32_t blocks, unit, group, per_mille, share;
		bool apart;
	} disk[] = {
		{ "97% full, 4 KiB", 32768, 1, 32768, 30, 8, false },
		{ "97% full, 1 KiB", 65536, 4, 8192, 30, 8, false },
		{ "98.5% full, 4 KiB", 32768, 1, 32768, 15, 3, false },
		{ "99% full, one file of short pieces", 32768, 1, 32768, 10, 3, true },
		{ "90% full, 4 KiB", 16384, 1, 32768, 100, 20, false },
	};
	size_t i;

	for (i = 0; i < sizeof(disk) / sizeof(*disk); i++) {
		struct model m;
		uint64_t before;
		int rounds;

		aged(&m, disk[i].blocks, disk[i].unit, disk[i].group, disk[i].per_mille,
		     disk[i].apart);
		before = all_fragments(&m);
		rounds = run(&m, 256 * disk[i].unit);
		ok(all_fragments(&m) * disk[i].share <= before,
		   "%s: %lu fragments, %lu after %d rounds", disk[i].what, (unsigned long)before,
		   (unsigned long)all_fragments(&m), rounds);
		ok(m.moved <= 3ULL * m.blocks, "%s: %.1f times its blocks moved", disk[i].what,
		   (double)m.moved / m.blocks);
		is_right(&m, disk[i].what);
		model_free(&m);
	}
}

/* Anything: files of all sizes, any order of their blocks, much or little that can't be moved. */
static void random_disk(struct model *m)
{
	uint32_t blocks = 50 + random_below(1500), files = 1 + random_below(20), i, length;
	uint32_t longest = 1 + random_below(40), room = random_below(40), walls = random_below(10);

	model_init(m, blocks, files);
	for (i = random_below(3); i < blocks; i += length) {
		uint32_t file = random_below(files), end, block;

		length = 1 + random_below(longest);
		end = i + length < blocks ? i + length : blocks;
		if (random_below(100) < room)
			continue;
		for (block = i; block < end; block++) {
			if (random_below(100) < walls)
				m->owner[block] = WALL;
			else
				add_block(m, file, block);
		}
	}
	/* in other orders than that of the disk */
	for (i = 0; i < files; i++) {
		uint32_t from, to, swap;

		for (from = 0; random_below(2) && from + 1 < m->size[i];
		     from += 1 + random_below(9)) {
			to = random_below(m->size[i]);
			swap = m->at[i][from];
			m->at[i][from] = m->at[i][to];
			m->at[i][to] = swap;
		}
	}
	begin(m);
}

static void random_disks(void)
{
	int i, most = 0, worse = 0, better = 0;
	struct model sum = { 0 };

	for (i = 0; i < 300; i++) {
		struct model m;
		uint64_t before;
		int rounds;

		random_disk(&m);
		before = all_fragments(&m);
		rounds = run(&m, 1 + random_below(300));
		most = rounds > most ? rounds : most;
		worse += all_fragments(&m) > before;
		better += all_fragments(&m) < before;
		sum.overlaps += m.overlaps;
		sum.cuts += m.cuts;
		sum.raises += m.raises;
		sum.overruns += m.overruns;
		sum.promises += m.promises;
		model_free(&m);
	}
	ok(better > 100, "of 300 random disks many get better (%d)", better);
	is(worse, 0, "none gets worse");
	ok(most < 1000, "each comes to an end (%d rounds at most)", most);
	is_right(&sum, "random disks");
}

/* Three files of pieces of two blocks, one after the other, and a hole of four. */
static void literal(void)
{
	const struct parts_limits limits = { .scratch = 100, .worth = 100, .least = 1 };
	struct model m;
	uint32_t i;

	model_init(&m, 40, 3);
	for (i = 0; i < 24; i++)
		add_block(&m, i / 2 % 3, i);
	m.owner[28] = WALL;
	for (i = 29; i < 40; i++)
		m.owner[i] = WALL;
	begin(&m);
	is(m.fragments.count, 12, "a piece for each fragment");
	is(m.map.total, 4, "a run is free");
	plan_parts_gain(&m.plan, &m.fragments, &m.map, &limits);
	is(m.plan.count, 1, "a stretch for it");
	ok(m.plan.part[0].count == 2 && m.plan.part[0].goal == 24 && m.plan.gain == 1,
	   "of two pieces: one fragment less");
	is(m.map.total, 0, "it is claimed");
	carry_out(&m, limits.scratch);
	is_right(&m, "literal");
	is(all_fragments(&m), 11, "there is one less");
	model_free(&m);

	/* The same hole between what belongs together. */
	model_init(&m, 40, 1);
	for (i = 0; i < 40; i++)
		m.owner[i] = WALL;
	for (i = 0; i < 3; i++)
		add_block(&m, 0, i);
	m.owner[3] = m.owner[4] = NOBODY;
	for (i = 10; i < 12; i++)
		add_block(&m, 0, i);
	for (i = 5; i < 8; i++)
		add_block(&m, 0, i);
	begin(&m);
	plan_parts_gain(&m.plan, &m.fragments, &m.map, &limits);
	ok(m.plan.count == 1 && m.plan.part[0].first == 1 && m.plan.part[0].goal == 3,
	   "a piece goes right behind the one before it");
	carry_out(&m, limits.scratch);
	is(fragments(&m, 0), 1, "and before the next one: three become one");
	is_right(&m, "joined");
	model_free(&m);

	/* The same where only the end of the hole will do. */
	model_init(&m, 40, 1);
	for (i = 0; i < 40; i++)
		m.owner[i] = WALL;
	add_block(&m, 0, 20);
	for (i = 9; i < 14; i++)
		add_block(&m, 0, i);
	for (i = 5; i < 9; i++)
		m.owner[i] = NOBODY;
	begin(&m);
	plan_parts_gain(&m.plan, &m.fragments, &m.map, &limits);
	ok(m.plan.count == 1 && m.plan.part[0].first == 0 && m.plan.part[0].goal == 8,
	   "a piece goes right before the next one");
	ok(m.map.run[0].start == 5 && m.map.run[0].length == 3, "the end of the run is claimed");
	carry_out(&m, limits.scratch);
	is(fragments(&m, 0), 1, "two become one");
	model_free(&m);

	/* A file that was given more pieces by somebody is let go of. */
	model_init(&m, 40, 2);
	for (i = 0; i < 8; i++)
		add_block(&m, i % 2, i * 2);
	begin(&m);
	is(m.fragments.count, 8, "two files of four pieces");
	fragments_renew(&m.fragments, 4, 3,
			&(struct sequence){
				.items = 4,
				.item = (struct seq_item[4]){ { .physical = 1, .length = 1 },
							      { .physical = 3, .length = 1 },
							      { .physical = 5, .length = 1 },
							      { .physical = 7, .length = 1 } } });
	m.fragments.fragment[7].length = 0;
	fragments_index(&m.fragments);
	is(m.fragments.count, 4, "one is left");
	fragments_renew(&m.fragments, 0, 4, NULL);
	fragments_index(&m.fragments);
	is(m.fragments.count, 0, "and one that can't be looked at goes, too");
	model_free(&m);
}

void test_stretch(void)
{
	literal();
	aged_disks();
	random_disks();
}
