// SPDX-License-Identifier: GPL-2.0-only
#include "plan/part.h"

/* The indirect blocks above the current place in the sequence, and whether the donor has them. */
struct path {
	const struct seq_item *above[4]; /* by level; NULL: none */
	bool there[4];
};

/* Note the indirect block @item that the sequence passes; @there: the donor has it. */
static void walk_moving(struct path *path, const struct seq_item *item, bool there)
{
	uint32_t level = item->level;

	if (!level)
		return;
	path->above[level] = item;
	path->there[level] = there;
}

/*
 * Request the indirect blocks above the first item of a part that the donor doesn't have. No other
 * item of the part needs any: in reading order, everything between an indirect block and a block
 * below it is below it, too. Returns false if there is no free block for one.
 */
static bool ask_above(struct plan_requests *out, struct path *path, const struct seq_item *item,
		      const struct geometry *geo, struct freemap *map, uint32_t *count)
{
	uint32_t level;
	size_t run;

	for (level = 3; level > item->level; level--) {
		const struct seq_item *above = path->above[level];

		if (!above || path->there[level] ||
		    item->logical >= above->logical + indirect_span(geo, level))
			continue;
		run = freemap_fit(map, 1, 0);
		if (run == FREEMAP_NONE)
			return false;
		plan_ask(out, ASK_GOAL, 0, map->run[run].start);
		plan_ask(out, ASK_INDIRECT, above->logical, level);
		freemap_claim(map, run, 1);
		path->there[level] = true;
		(*count)++;
	}
	return true;
}

uint32_t part_requests(struct plan_requests *out, struct layout *moving, const struct sequence *seq,
		       const struct geometry *geo, const struct part *parts, size_t count,
		       struct freemap *map)
{
	struct path path = { 0 };
	uint32_t more = 0;
	size_t item = 0, i;

	out->requests = 0;
	layout_clear(moving);
	for (i = 0; i < count; i++) {
		const uint32_t end = parts[i].at + parts[i].length;

		for (; seq->item[item].at < parts[i].at; item++)
			walk_moving(&path, &seq->item[item], false);
		if (!ask_above(out, &path, &seq->item[item], geo, map, &more))
			return UINT32_MAX;
		plan_ask(out, ASK_GOAL, 0, parts[i].goal);
		for (; item < seq->items && seq->item[item].at < end; item++) {
			const struct seq_item *it = &seq->item[item];
			struct plan_request *last = &out->request[out->requests - 1];

			walk_moving(&path, it, true);
			if (it->level) {
				plan_ask(out, ASK_INDIRECT, it->logical, it->level);
				layout_add_indirect(moving, it->level, it->logical, it->physical);
				continue;
			}
			if (last->kind == ASK_DATA && last->logical + last->value == it->logical)
				last->value += it->length;
			else
				plan_ask(out, ASK_DATA, it->logical, it->length);
			layout_add_extent(moving, it->logical, it->physical, it->length);
		}
	}
	return more;
}

void part_planned(struct layout *donor, const struct sequence *seq, const struct part *parts,
		  size_t count)
{
	size_t i, item = 0;

	layout_clear(donor);
	for (i = 0; i < count; i++) {
		const struct part *w = &parts[i];

		while (seq->item[item].at < w->at)
			item++;
		for (; item < seq->items && seq->item[item].at < w->at + w->length; item++) {
			const struct seq_item *it = &seq->item[item];
			uint32_t to = w->goal + (it->at - w->at);

			if (it->level)
				layout_add_indirect(donor, it->level, it->logical, to);
			else
				layout_add_extent(donor, it->logical, to, it->length);
		}
	}
}

/*
 * Find the indirect block of the same place and level in @layout, NULL if it has none. The search
 * begins at *@next, which it advances, so calls must be in the order of the tree.
 */
static const struct indirect *find_indirect(const struct layout *layout, size_t *next,
					    const struct indirect *ind)
{
	for (; *next < layout->indirects; ++*next) {
		const struct indirect *it = &layout->indirect[*next];

		if (it->logical == ind->logical && it->level == ind->level)
			return it;
		/* The order of the tree has parents first. */
		if (it->logical > ind->logical ||
		    (it->logical == ind->logical && it->level < ind->level))
			break;
	}
	return NULL;
}

void part_outcome(struct layout *after, const struct layout *layout, const struct layout *moving,
		  const struct layout *donor)
{
	size_t next = 0, in_part = 0, in_donor = 0, i;

	layout_clear(after);
	for (i = 0; i < layout->extents; i++) {
		struct extent e = layout->extent[i];

		while (e.length) {
			const struct extent *d = &donor->extent[next];
			uint32_t length = e.length, to = e.physical;

			if (next < donor->extents && d->logical + d->length <= e.logical) {
				next++;
				continue;
			}
			if (next < donor->extents && d->logical <= e.logical) {
				to = d->physical + (e.logical - d->logical);
				if (d->logical + d->length - e.logical < length)
					length = d->logical + d->length - e.logical;
			} else if (next < donor->extents && d->logical - e.logical < length) {
				length = d->logical - e.logical;
			}
			layout_add_extent(after, e.logical, to, length);
			e.logical += length;
			e.physical += length;
			e.length -= length;
		}
	}
	for (i = 0; i < layout->indirects; i++) {
		const struct indirect *ind = &layout->indirect[i], *to = NULL;

		if (find_indirect(moving, &in_part, ind))
			to = find_indirect(donor, &in_donor, ind);
		layout_add_indirect(after, ind->level, ind->logical,
				    to ? to->physical : ind->physical);
	}
}
