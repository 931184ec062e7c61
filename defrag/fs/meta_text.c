// SPDX-License-Identifier: GPL-2.0-only
#include "fs/meta_text.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* The part of a text that is not parsed yet. */
struct text {
	const char *at, *end;
};

/* Parse a decimal number up to @max, and the character @stop after it. */
static bool number(struct text *t, uint64_t max, char stop, uint64_t *value)
{
	const char *start = t->at;
	uint64_t sum = 0;

	for (; t->at < t->end && isdigit((unsigned char)*t->at); t->at++) {
		uint64_t digit = (uint64_t)(*t->at - '0');

		if (sum > (UINT64_MAX - digit) / 10)
			return false;
		sum = sum * 10 + digit;
	}
	if (t->at == start || (*start == '0' && t->at - start > 1) || sum > max)
		return false;
	if (t->at == t->end || *t->at++ != stop)
		return false;
	*value = sum;
	return true;
}

static bool number32(struct text *t, char stop, uint32_t *value)
{
	uint64_t wide;

	if (!number(t, UINT32_MAX, stop, &wide))
		return false;
	*value = (uint32_t)wide;
	return true;
}

static bool literal(struct text *t, const char *word)
{
	size_t length = strlen(word);

	if ((size_t)(t->end - t->at) < length || memcmp(t->at, word, length))
		return false;
	t->at += length;
	return true;
}

int meta_text_number(const char *text, size_t length, uint64_t max, uint64_t *value)
{
	struct text t = { text, text + length };

	return number(&t, max, '\n', value) && t.at == t.end ? 0 : -EPROTO;
}

int meta_text_id(const char *text, size_t length, char id[37])
{
	size_t i;

	if (length != 37 || text[36] != '\n')
		return -EPROTO;
	for (i = 0; i < 36; i++) {
		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (text[i] != '-')
				return -EPROTO;
		} else if (!memchr("0123456789abcdef", text[i], 16)) {
			return -EPROTO;
		}
	}
	memcpy(id, text, 36);
	id[36] = 0;
	return 0;
}

static bool feature(struct text *t, const char *key, uint32_t *bits)
{
	static const char digits[] = "0123456789abcdef";
	uint64_t sum = 0;
	int count;

	if (!literal(t, key) || !literal(t, " 0x"))
		return false;
	for (count = 0; t->at < t->end && *t->at != '\n'; count++, t->at++) {
		const char *digit = memchr(digits, *t->at, 16);

		if (!digit)
			return false;
		sum = sum * 16 + (uint64_t)(digit - digits);
		if (sum > UINT32_MAX)
			return false;
	}
	*bits = (uint32_t)sum;
	return count && literal(t, "\n");
}

int meta_text_features(const char *text, size_t length, struct features *f)
{
	struct text t = { text, text + length };

	if (!feature(&t, "compat", &f->compat) || !feature(&t, "incompat", &f->incompat) ||
	    !feature(&t, "ro_compat", &f->ro_compat) || t.at != t.end)
		return -EPROTO;
	return 0;
}

/* Parse a word on this line, and the character @stop after it. */
static bool word_before(struct text *t, char stop, struct text *word)
{
	const char *end = memchr(t->at, stop, (size_t)(t->end - t->at));

	if (!end || end == t->at || memchr(t->at, '\n', (size_t)(end - t->at)))
		return false;
	word->at = t->at;
	word->end = end;
	t->at = end + 1;
	return true;
}

static bool word_is(const struct text *word, const char *text)
{
	return (size_t)(word->end - word->at) == strlen(text) &&
	       !memcmp(word->at, text, strlen(text));
}

static bool rest_of_line(struct text *t, struct text *word)
{
	return word_before(t, '\n', word);
}

static enum file_type type_of_word(const struct text *word)
{
	return word_is(word, "regular")	  ? TYPE_REGULAR :
	       word_is(word, "directory") ? TYPE_DIRECTORY :
					    TYPE_OTHER;
}

static bool mapping_of_word(const struct text *word, enum mapping *mapping)
{
	static const char *const mappings[] = { "indirect", "extents", "inline", "none" };
	unsigned int i;

	for (i = 0; i < 4 && !word_is(word, mappings[i]); i++)
		;
	*mapping = i;
	return i < 4;
}

/* The keys of `info`. Lines with other keys are skipped. */
enum info_key {
	KEY_TYPE,
	KEY_SIZE,
	KEY_BLOCKS,
	KEY_LINKS,
	KEY_GENERATION,
	KEY_FLAGS,
	KEY_MAPPING,
	KEY_RELOCATABLE,
	KEY_UID,
	KEYS,
	KEY_UNKNOWN = KEYS
};

static enum info_key read_key(struct text *t)
{
	static const char *const text[KEYS] = {
		[KEY_TYPE] = "type ",
		[KEY_SIZE] = "size ",
		[KEY_BLOCKS] = "blocks ",
		[KEY_LINKS] = "links ",
		[KEY_GENERATION] = "generation ",
		[KEY_FLAGS] = "flags ",
		[KEY_MAPPING] = "mapping ",
		[KEY_RELOCATABLE] = "relocatable ",
		[KEY_UID] = "uid ",
	};
	unsigned int key = 0;

	while (key < KEYS && !literal(t, text[key]))
		key++;
	return key;
}

static bool read_value(struct text *t, enum info_key key, struct info *info)
{
	struct text word;

	switch (key) {
	case KEY_SIZE:
		return number(t, INT64_MAX, '\n', &info->size);
	case KEY_BLOCKS:
		return number(t, UINT64_MAX, '\n', &info->blocks);
	case KEY_LINKS:
		return number32(t, '\n', &info->links);
	case KEY_GENERATION:
		return number32(t, '\n', &info->generation);
	case KEY_FLAGS:
		return number32(t, '\n', &info->flags);
	case KEY_UID:
		return number32(t, '\n', &info->uid);
	default:
		break;
	}
	if (!rest_of_line(t, &word))
		return false;
	if (key == KEY_TYPE)
		info->type = type_of_word(&word);
	else if (key == KEY_MAPPING)
		return mapping_of_word(&word, &info->mapping);
	else if (key == KEY_RELOCATABLE)
		info->relocatable = reason_of_word(word.at, (size_t)(word.end - word.at));
	return true;
}

int meta_text_info(const char *text, size_t length, struct info *info)
{
	/* Older modules have no `uid`. */
	const unsigned int all = ((1U << KEYS) - 1) & ~(1U << KEY_UID);
	struct text t = { text, text + length };
	unsigned int seen = 0;

	memset(info, 0, sizeof(*info));
	while (t.at < t.end) {
		const enum info_key key = read_key(&t);

		if (key != KEY_UNKNOWN && seen & (1U << key))
			return -EPROTO;
		seen |= 1U << key;
		if (!read_value(&t, key, info))
			return -EPROTO;
	}
	return (seen & all) == all ? 0 : -EPROTO;
}

int meta_text_free_blocks(const char *text, size_t length, const struct geometry *geo,
			  struct freemap *map)
{
	struct text t = { text, text + length };
	uint64_t start, count;
	int err;

	while (t.at < t.end) {
		if (!number(&t, geo->blocks, ' ', &start) || !number(&t, geo->blocks, '\n', &count))
			return -EPROTO;
		if (!count || start < geo->first_block || start + count > geo->blocks)
			return -EPROTO;
		err = freemap_add(map, start, count);
		if (err)
			return err;
	}
	return 0;
}

/* Parse "LOGICAL PHYSICAL LENGTH". If @holes, a hole (physical 0) is skipped, else refused. */
static int extent(struct text *t, const struct geometry *geo, bool holes, struct layout *layout)
{
	uint32_t logical, physical, count;

	if (!number32(t, ' ', &logical) || !number32(t, ' ', &physical) ||
	    !number32(t, '\n', &count) || !count)
		return -EPROTO;
	if (!physical && holes)
		return 0;
	if (physical < geo->first_block || !physical || (uint64_t)physical + count > geo->blocks)
		return -EPROTO;
	return layout_add_extent(layout, logical, physical, count);
}

/* Parse "LEVEL LOGICAL PHYSICAL". */
static int indirect(struct text *t, const struct geometry *geo, struct layout *layout)
{
	uint32_t level, logical, physical;

	if (!number32(t, ' ', &level) || !number32(t, ' ', &logical) ||
	    !number32(t, '\n', &physical))
		return -EPROTO;
	if (!physical || physical < geo->first_block || physical >= geo->blocks)
		return -EPROTO;
	return layout_add_indirect(layout, level, logical, physical);
}

int meta_text_extents(const char *text, size_t length, const struct geometry *geo,
		      struct layout *layout)
{
	struct text t = { text, text + length };
	int err = 0;

	while (!err && t.at < t.end)
		err = extent(&t, geo, true, layout);
	return err;
}

int meta_text_indirects(const char *text, size_t length, const struct geometry *geo,
			struct layout *layout)
{
	struct text t = { text, text + length };
	int err = 0;

	while (!err && t.at < t.end)
		err = indirect(&t, geo, layout);
	return err;
}

/* Parse "INO GENERATION TYPE MAPPING RELOCATABLE SIZE BLOCKS LINKS". */
static bool record_info(struct text *t, struct record *record)
{
	struct info *info = &record->info;
	struct text word;

	if (!number32(t, ' ', &record->ino) || !number32(t, ' ', &info->generation))
		return false;
	if (!word_before(t, ' ', &word))
		return false;
	info->type = type_of_word(&word);
	if (!word_before(t, ' ', &word) || !mapping_of_word(&word, &info->mapping))
		return false;
	if (!word_before(t, ' ', &word))
		return false;
	info->relocatable = reason_of_word(word.at, (size_t)(word.end - word.at));
	return number(t, INT64_MAX, ' ', &info->size) &&
	       number(t, UINT64_MAX, ' ', &info->blocks) && number32(t, '\n', &info->links);
}

int meta_text_record(const char **text, const char *end, const struct geometry *geo,
		     struct record *record, struct layout *layout)
{
	struct text t = { *text, end };
	int err = 0;

	layout_clear(layout);
	memset(record, 0, sizeof(*record));
	record->whole = literal(&t, "i ");
	if (record->whole ? !record_info(&t, record) :
			    !literal(&t, "n ") || !number32(&t, '\n', &record->ino))
		return -EPROTO;
	if (!record->ino)
		return -EPROTO;
	while (record->whole && !err) {
		if (literal(&t, "e "))
			err = extent(&t, geo, false, layout);
		else if (literal(&t, "m "))
			err = indirect(&t, geo, layout);
		else
			break;
	}
	/* Only an inode that is mapped by indirect blocks may list blocks. */
	if (record->whole && record->info.mapping != MAPPING_INDIRECT &&
	    (layout->extents || layout->indirects))
		err = -EPROTO;
	*text = t.at;
	return err;
}

int meta_text_inode(const char *name, uint32_t *ino)
{
	/* The terminating 0 stands in for the newline. */
	struct text t = { name, name + strlen(name) + 1 };

	return number32(&t, 0, ino) && *ino ? 0 : -EPROTO;
}
