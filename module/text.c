// SPDX-License-Identifier: GPL-2.0-only
/*
 * Text: the line of a request is split into fields, and records become lines.
 *
 * The parser accepts digits and single spaces only. A sign, a tab, a second
 * space or a number that is too large is an error before anything is done.
 */
#include <linux/ctype.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/math64.h>
#include <linux/string.h>

#include "ext3meta.h"

/**
 * meta_put_number - write a number in decimal
 * @to: where to; up to META_DIGITS characters
 * @value: the number
 *
 * Lists are nearly all numbers, and for those of a whole filesystem snprintf is
 * much of what they take.
 *
 * Return: the place behind it.
 */
char *meta_put_number(char *to, u64 value)
{
	char digits[META_DIGITS];
	unsigned int first = sizeof(digits);
	u32 small;

	/* Dividing 32 bits is a multiplication for every machine. */
	while (value > U32_MAX) {
		u32 digit = do_div(value, 10);

		digits[--first] = '0' + digit;
	}
	small = value;
	do {
		digits[--first] = '0' + small % 10;
		small /= 10;
	} while (small);
	memcpy(to, digits + first, sizeof(digits) - first);
	return to + sizeof(digits) - first;
}

/**
 * meta_list_add - give out one line, or several that belong together
 * @list: the read being answered
 * @next_pos: position after it, in blocks
 * @fmt: the text, with its newlines
 *
 * Return: false where it does not fit whole; the list is full then, and
 * its position is still that of the line that was refused.
 */
bool meta_list_add(struct meta_list *list, u64 next_pos, const char *fmt, ...)
{
	size_t room = list->size - list->used;
	va_list args;
	int len;

	if (list->full)
		return false;
	va_start(args, fmt);
	len = vsnprintf(list->text + list->used, room, fmt, args);
	va_end(args);
	/* The buffer has one byte more than the reader asked for, for the NUL. */
	if (len >= room) {
		list->full = true;
		return false;
	}
	list->used += len;
	list->pos = next_pos;
	return true;
}

/* The same for a line that is there already. */
bool meta_list_put(struct meta_list *list, u64 next_pos, const char *line, size_t len)
{
	if (list->full)
		return false;
	if (len >= list->size - list->used) {
		list->full = true;
		return false;
	}
	memcpy(list->text + list->used, line, len);
	list->used += len;
	list->pos = next_pos;
	return true;
}

/* A line of three numbers at most, behind the @word that it begins with. */
bool meta_list_numbers(struct meta_list *list, u64 next_pos, const char *word, const u64 *numbers,
		       unsigned int count)
{
	char line[META_WORD + 3 * (META_DIGITS + 1)], *to = line;
	unsigned int i;

	while (*word)
		*to++ = *word++;
	for (i = 0; i < count; i++) {
		to = meta_put_number(to, numbers[i]);
		*to++ = i + 1 < count ? ' ' : '\n';
	}
	return meta_list_put(list, next_pos, line, to - line);
}

/*
 * Takes a decimal number off the line. -EINVAL where there is none, where it overflows or begins
 * with a zero that it does not need: a number has one name.
 */
int meta_parse_u64(char **line, u64 *value)
{
	char *s = *line;
	u64 n = 0;

	if (!isdigit(*s) || (*s == '0' && isdigit(s[1])))
		return -EINVAL;
	for (; isdigit(*s); s++) {
		unsigned int digit = *s - '0';

		if (n > (U64_MAX - digit) / 10)
			return -EINVAL;
		n = n * 10 + digit;
	}
	*line = s;
	*value = n;
	return 0;
}

int meta_parse_u32(char **line, u32 *value)
{
	u64 n;
	int err;

	err = meta_parse_u64(line, &n);
	if (err)
		return err;
	if (n > U32_MAX)
		return -EINVAL;
	*value = n;
	return 0;
}

/* INODE or INODE:GENERATION. */
int meta_parse_ident(char **line, struct meta_ident *ident)
{
	int err;

	err = meta_parse_u32(line, &ident->ino);
	if (err)
		return err;
	ident->generation = 0;
	ident->any_generation = **line != ':';
	if (ident->any_generation)
		return 0;
	(*line)++;
	return meta_parse_u32(line, &ident->generation);
}

/* Takes the one space that stands between two fields; false: no further field. */
bool meta_parse_more(char **line)
{
	if (**line != ' ')
		return false;
	(*line)++;
	return true;
}

int meta_parse_end(char *line)
{
	return *line ? -EINVAL : 0;
}
