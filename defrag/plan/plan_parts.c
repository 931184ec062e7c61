// SPDX-License-Identifier: GPL-2.0-only
#include "plan/plan_parts.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

/*
 * Classes of the lengths of runs: four for each power of two, so that a part that is planned for
 * the shortest run of a class leaves little of the longest unused.
 */
#define CLASSES 124U

/* A run that takes this many fragments is well used. */
#define MANY 8

static unsigned int class_of(uint32_t length)
{
	unsigned int log;

	if (length < 4)
		return length;
	log = 31 - (unsigned int)__builtin_clz(length);
	return 4 * (log - 1) + (length >> (log - 2) & 3);
}

static uint32_t class_least(unsigned int class)
{
	return class < 4 ? class : (4 + class % 4) << (class / 4 - 1);
}

void parts_plan_init(struct parts_plan *plan)
{
	memset(plan, 0, sizeof(*plan));
}

void parts_plan_free(struct parts_plan *plan)
{
	free(plan->part);
	parts_plan_init(plan);
}

static bool same_file(const struct fragments *fragments, size_t a, size_t b)
{
	return fragments->fragment[a].file == fragments->fragment[b].file;
}

/* The most fragments that a part of @room blocks can have. */
static uint32_t most_in(const struct fragments *fragments, uint32_t room)
{
	size_t first = 0, most = 0, i;
	uint64_t sum = 0;

	for (i = 0; i < fragments->count; i++) {
		const struct fragment *fragment = &fragments->fragment[i];

		if (fragment->held || (i && !same_file(fragments, i - 1, i))) {
			first = fragment->held ? i + 1 : i;
			sum = 0;
			if (fragment->held)
				continue;
		}
		sum += fragment->length;
		while (sum > room)
			sum -= fragments->fragment[first++].length;
		if (i + 1 - first > most)
			most = i + 1 - first;
	}
	return (uint32_t)most;
}

static void add_part(struct parts_plan *plan, struct fragments *fragments, size_t first,
		     size_t count, uint32_t goal, uint64_t blocks, uint64_t gain)
{
	size_t i;

	vec_more(plan->part, plan->count, plan->room);
	plan->part[plan->count++] = (struct planned_part){ (uint32_t)first, (uint32_t)count, goal };
	plan->blocks += blocks;
	plan->gain += gain;
	for (i = first; i < first + count; i++)
		fragments->fragment[i].held = 1;
}

static int by_piece(const void *a, const void *b)
{
	const struct planned_part *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

static void sort_parts(struct parts_plan *plan)
{
	if (plan->count)
		qsort(plan->part, plan->count, sizeof(*plan->part), by_piece);
}

/* --- the disk, in the order of its blocks ------------------------------------------------- */

enum kind { FREE, FRAGMENT, END };

struct cursor {
	size_t place, run; /* the next fragment and the next run */
	/* the current one */
	enum kind kind;
	uint32_t number; /* of the fragment or the run */
	uint32_t start, length;
};

/* Advance to what comes next on the disk: a fragment or a free run. */
static void advance(struct cursor *at, const struct fragments *fragments, const struct freemap *map)
{
	const struct fragment *fragment = NULL;

	while (at->run < map->runs && !map->run[at->run].length)
		at->run++;
	if (at->place < fragments->count)
		fragment = &fragments->fragment[fragments->place[at->place]];
	if (at->run < map->runs && (!fragment || map->run[at->run].start < fragment->start)) {
		at->kind = FREE;
		at->number = (uint32_t)at->run;
		at->start = map->run[at->run].start;
		at->length = map->run[at->run++].length;
	} else if (fragment) {
		at->kind = FRAGMENT;
		at->number = fragments->place[at->place++];
		at->start = fragment->start;
		at->length = fragment->length;
	} else {
		at->kind = END;
	}
}

/* --- gaining ------------------------------------------------------------------------------ */

/*
 * How many fragments that follow @anchor in its file (@way 1), or precede it (@way -1), fit into
 * @room blocks. *@blocks is set to the blocks that they have.
 */
static uint32_t joined(const struct fragments *fragments, size_t anchor, int way, uint32_t room,
		       uint32_t *blocks)
{
	uint32_t count = 0;
	size_t i = anchor;

	*blocks = 0;
	if (fragments->fragment[anchor].held)
		return 0;
	while ((way > 0 || i) && (i += (size_t)way) < fragments->count) {
		const struct fragment *fragment = &fragments->fragment[i];

		if (!same_file(fragments, anchor, i) || fragment->held ||
		    fragment->length > room - *blocks)
			break;
		*blocks += fragment->length;
		count++;
	}
	return count;
}

/* The fragments of a file that could move to one end of a free run, beside the anchor. */
struct joint {
	uint32_t anchor;	/* the fragment beside the run */
	bool behind;		/* the run follows the anchor, else it precedes it */
	uint32_t count, blocks; /* fragments and blocks that would move; all count as gain */
};

/* The end of @run that gains more; @before and @after are what is next to the run on the disk. */
static struct joint best_joint(const struct fragments *fragments, const struct cursor *before,
			       const struct cursor *run, const struct cursor *after)
{
	struct joint first = { .anchor = before->number, .behind = true };
	struct joint last = { .anchor = after->number };

	if (before->kind == FRAGMENT && before->start + before->length == run->start)
		first.count = joined(fragments, first.anchor, 1, run->length, &first.blocks);
	if (after->kind == FRAGMENT && after->start == run->start + run->length)
		last.count = joined(fragments, last.anchor, -1, run->length, &last.blocks);
	return first.count >= last.count ? first : last;
}

/*
 * True if @joint should be used. It should not if a part from anywhere else, which has at most
 * @most fragments, would gain much more in the same run.
 */
static bool joint_pays(const struct joint *joint, const struct cursor *run, uint32_t most,
		       const struct parts_plan *plan, const struct parts_limits *limits)
{
	const uint64_t elsewhere = most ? most - 1 : 0;

	return joint->count && joint->blocks <= (uint64_t)joint->count * limits->worth &&
	       (limits->least <= 1 || joint->blocks == run->length) &&
	       4 * (uint64_t)joint->count >= 3 * elsewhere &&
	       plan->blocks + joint->blocks <= limits->scratch;
}

static void use_joint(struct parts_plan *plan, struct fragments *fragments, struct freemap *map,
		      const struct cursor *run, const struct joint *joint)
{
	const uint32_t count = joint->count, blocks = joint->blocks;

	if (joint->behind) {
		add_part(plan, fragments, joint->anchor + 1, count, run->start, blocks, count);
		freemap_claim(map, run->number, blocks);
	} else {
		add_part(plan, fragments, joint->anchor - count, count,
			 run->start + run->length - blocks, blocks, count);
		freemap_claim_end(map, run->number, blocks);
	}
	fragments->fragment[joint->anchor].held = 1;
}

/*
 * Move parts to free runs that adjoin the fragment before or after them in the file, so that each
 * fragment that moves is gained. See joint_pays() for the runs that are left alone.
 */
static void join(struct parts_plan *plan, struct fragments *fragments, struct freemap *map,
		 const struct parts_limits *limits)
{
	struct cursor at = { 0 }, before = { .kind = END }, run;
	uint32_t most[CLASSES];

	memset(most, 0xff, sizeof(most));
	for (advance(&at, fragments, map); at.kind != END; before = run) {
		unsigned int class = class_of(at.length);
		struct joint joint;

		run = at;
		advance(&at, fragments, map);
		if (run.kind != FREE)
			continue;
		if (most[class] == UINT32_MAX)
			most[class] = most_in(fragments, class_least(class));
		joint = best_joint(fragments, &before, &run, &at);
		if (joint_pays(&joint, &run, most[class], plan, limits))
			use_joint(plan, fragments, map, &run, &joint);
	}
}

/*
 * Assign to each of the @runs a part of at least @wanted fragments that have @mean blocks or more
 * on average, as long as there are such parts. Returns how many runs got one: the first ones.
 */
static size_t deal(struct parts_plan *plan, struct fragments *fragments, struct freemap *map,
		   const struct parts_limits *limits, const uint32_t *run, size_t runs,
		   uint32_t wanted, uint64_t mean)
{
	size_t first = 0, end = 0, dealt = 0;
	uint64_t sum = 0;

	while (dealt < runs && first < fragments->count) {
		const uint64_t left = limits->scratch - plan->blocks;
		const uint32_t length = map->run[run[dealt]].length;
		const uint64_t room = length < left ? length : left;
		size_t count;

		if (end < first || fragments->fragment[first].held) {
			first += fragments->fragment[first].held;
			end = first;
			sum = 0;
			continue;
		}
		while (end < fragments->count && same_file(fragments, first, end) &&
		       !fragments->fragment[end].held &&
		       sum + fragments->fragment[end].length <= room)
			sum += fragments->fragment[end++].length;
		count = end - first;
		if (count < wanted || sum < count * mean ||
		    sum > (count - 1) * (uint64_t)limits->worth) {
			if (end == first)
				end++;
			else
				sum -= fragments->fragment[first].length;
			first++;
			continue;
		}
		add_part(plan, fragments, first, count, map->run[run[dealt]].start, sum, count - 1);
		freemap_claim(map, run[dealt++], (uint32_t)sum);
		first = end;
		sum = 0;
	}
	return dealt;
}

/* List the runs of one class, the longest first. Returns how many there are. */
static size_t runs_of_class(const struct freemap *map, unsigned int class, uint32_t **list,
			    size_t *room)
{
	size_t count = 0, run = freemap_longest(map);

	while (run != FREEMAP_NONE && class_of(map->run[run].length) >= class) {
		vec_more(*list, count, *room);
		if (class_of(map->run[run].length) == class)
			(*list)[count++] = (uint32_t)run;
		run = freemap_next_shorter(map, run);
	}
	return count;
}

/* The mean length of the fragments of which at least MANY would fit into @room blocks. */
static uint64_t mean_piece(const struct fragments *fragments, uint32_t room)
{
	uint64_t sum = 0, count = 0;
	size_t i;

	for (i = 0; i < fragments->count; i++) {
		if (fragments->fragment[i].length > room / MANY)
			continue;
		sum += fragments->fragment[i].length;
		count++;
	}
	return count ? (sum + count - 1) / count : 0;
}

/* Plan parts for the runs of one class. Returns false if there can be none for shorter runs. */
static bool gather_class(struct parts_plan *plan, struct fragments *fragments, struct freemap *map,
			 const struct parts_limits *limits, unsigned int class, uint32_t *run,
			 size_t runs)
{
	uint64_t mean = mean_piece(fragments, class_least(class));
	uint32_t least = limits->least > 2 ? limits->least : 2, most, wanted;
	size_t done;

	while ((most = most_in(fragments, class_least(class))) >= least) {
		wanted = mean ? (uint32_t)(class_least(class) / (2 * mean)) : most - 2 * (most / 3);
		done = deal(plan, fragments, map, limits, run, runs,
			    wanted > least ? wanted : least, mean);
		runs -= done;
		memmove(run, run + done, runs * sizeof(*run));
		if (done && runs)
			continue;
		/* Take small fragments only when there are no parts of longer ones left. */
		if (!runs || !mean || least >= MANY)
			return true;
		mean = 0;
	}
	return false;
}

/*
 * Move parts from anywhere to the free runs, the longest runs first. The holes that they leave are
 * needed later for what plan_parts_clear() moves out of the way. So the parts moved are not those
 * of the smallest fragments, which would gain the most, but those that leave holes of at least the
 * average length, as long as there are any. Of these the first are taken, so that a file improves
 * from its start on, with no single fragments left in between.
 */
static void gather(struct parts_plan *plan, struct fragments *fragments, struct freemap *map,
		   const struct parts_limits *limits)
{
	size_t longest = freemap_longest(map), room = 0, runs;
	unsigned int class;
	uint32_t *run = NULL;

	if (longest == FREEMAP_NONE)
		return;
	for (class = class_of(map->run[longest].length); class > 1; class --) {
		runs = runs_of_class(map, class, &run, &room);
		if (runs && !gather_class(plan, fragments, map, limits, class, run, runs))
			break;
	}
	free(run);
}

void plan_parts_gain(struct parts_plan *plan, struct fragments *fragments, struct freemap *map,
		     const struct parts_limits *limits)
{
	gather(plan, fragments, map, limits);
	join(plan, fragments, map, limits);
	sort_parts(plan);
}

/* --- clearing ----------------------------------------------------------------------------- */

/* A range of the disk that holds nothing but fragments and free runs. */
struct region {
	struct cursor from; /* its first fragment or run */
	uint32_t end;
	uint64_t taken, free;
};

/*
 * Advance to the next region of @length blocks or a little more, which ends with the next fragment
 * or run. No fragment in it is held or longer than @most. Returns false at the end of the disk.
 */
static bool next_region(struct region *region, struct cursor *head,
			const struct fragments *fragments, const struct freemap *map,
			uint32_t length, uint32_t most)
{
	for (;;) {
		advance(head, fragments, map);
		if (head->kind == END)
			return false;
		if (head->kind == FRAGMENT &&
		    (fragments->fragment[head->number].held || head->length > most)) {
			region->end = 0;
			continue;
		}
		if (region->end != head->start || !region->end) {
			region->from = *head;
			region->taken = region->free = 0;
		}
		region->end = head->start + head->length;
		if (head->kind == FREE)
			region->free += head->length;
		else
			region->taken += head->length;
		while (region->end - region->from.start - region->from.length >= length) {
			if (region->from.kind == FREE)
				region->free -= region->from.length;
			else
				region->taken -= region->from.length;
			advance(&region->from, fragments, map);
		}
		if (region->end - region->from.start >= length)
			return true;
	}
}

/*
 * Clear a region as far as there are holes elsewhere for its fragments. A fragment for which there
 * is none goes to the front of the region, as far as its first free run has room.
 */
static void clear(struct parts_plan *plan, struct fragments *fragments, struct freemap *map,
		  const struct region *region, uint64_t scratch)
{
	const uint64_t before = plan->blocks;
	struct cursor at = region->from;
	struct free_run front = { 0, 0 };
	size_t hole;

	/* Its own free runs must not be used as holes. */
	while (at.kind != END && at.start < region->end) {
		if (at.kind == FREE) {
			if (!front.length)
				front = map->run[at.number];
			freemap_claim(map, at.number, at.length);
		}
		advance(&at, fragments, map);
	}
	at = region->from;
	for (; at.kind != END && at.start < region->end; advance(&at, fragments, map)) {
		if (at.kind != FRAGMENT || plan->blocks - before + at.length > scratch)
			continue;
		hole = freemap_fit(map, at.length, at.start);
		if (hole != FREEMAP_NONE) {
			add_part(plan, fragments, at.number, 1, map->run[hole].start, at.length, 0);
			freemap_claim(map, hole, at.length);
		} else if (at.start > front.start && at.length <= front.length) {
			add_part(plan, fragments, at.number, 1, front.start, at.length, 0);
			front.start += at.length;
			front.length -= at.length;
		}
	}
}

void plan_parts_clear(struct parts_plan *plan, struct fragments *fragments, struct freemap *map,
		      const struct parts_limits *limits)
{
	uint32_t length = limits->scratch < UINT32_MAX ? (uint32_t)limits->scratch : UINT32_MAX;

	for (; length >= 16 && !plan->count; length /= 2) {
		size_t longest = freemap_longest(map);
		struct cursor head = { 0 };
		struct region region = { 0 };
		uint32_t most = most_in(fragments, length);
		uint32_t longer;
		uint64_t best = 0;

		if (most < 2 || longest == FREEMAP_NONE)
			break;
		/* Allow fragments that are a small part of the region or fit into a hole. */
		longer = length / MANY;
		if (longer < map->run[longest].length)
			longer = map->run[longest].length;
		while (next_region(&region, &head, fragments, map, length, longer))
			if (region.taken && region.free > best)
				best = region.free;
		memset(&head, 0, sizeof(head));
		memset(&region, 0, sizeof(region));
		while (best && plan->blocks < limits->scratch &&
		       next_region(&region, &head, fragments, map, length, longer)) {
			if (!region.taken || region.free < best - best / 4 ||
			    region.taken + length > (most - 1) * (uint64_t)limits->worth)
				continue;
			clear(plan, fragments, map, &region, limits->scratch - plan->blocks);
			region.end = 0;
		}
	}
	sort_parts(plan);
}
