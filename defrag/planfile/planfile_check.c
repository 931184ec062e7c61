// SPDX-License-Identifier: GPL-2.0-only
#include "planfile/planfile_check.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

char *planfile_name(const char *text, size_t length)
{
	char *real = xreallocarray(NULL, length + 1, 1), *at = real, *again;
	size_t i;
	bool same;

	for (i = 0; i < length; i++) {
		const char *digit = text + i + 1;

		if (text[i] == '\\' && length - i > 3 && digit[0] >= '0' && digit[0] <= '3' &&
		    digit[1] >= '0' && digit[1] <= '7' && digit[2] >= '0' && digit[2] <= '7') {
			*at++ = (char)((digit[0] - '0') << 6 | (digit[1] - '0') << 3 |
				       (digit[2] - '0'));
			i += 3;
		} else {
			*at++ = text[i];
		}
	}
	*at = 0;
	again = printable(real);
	same = strlen(again) == length && !memcmp(again, text, length);
	free(again);
	if (same)
		return real;
	free(real);
	return NULL;
}

bool planfile_hex(const char *text, size_t length, size_t count, uint64_t *value)
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	*value = 0;
	for (i = 0; i < length && i < count; i++) {
		const char *digit = memchr(digits, text[i], 16);

		if (!digit)
			return false;
		*value = *value << 4 | (uint64_t)(digit - digits);
	}
	return length == count;
}

bool planfile_id(const char *text, size_t length, char id[37])
{
	static const size_t part[] = { 8, 4, 4, 4, 12 };
	size_t i, at = 0;
	uint64_t value;

	if (length != 36)
		return false;
	for (i = 0; i < 5; i++) {
		if (!planfile_hex(text + at, part[i], part[i], &value))
			return false;
		at += part[i];
		if (i < 4 && text[at++] != '-')
			return false;
	}
	memcpy(id, text, 36);
	id[36] = 0;
	return true;
}

/* A range of numbers that no other move may use, and the move that it belongs to. */
struct taken {
	uint32_t from, length;
	size_t move;
};

static int by_place(const void *a, const void *b)
{
	const struct taken *x = a, *y = b;

	return x->from < y->from ? -1 : x->from > y->from;
}

/* Find two ranges in @taken that overlap: the index of the first, after sorting; or @count. */
static size_t clash(struct taken *taken, size_t count)
{
	size_t i;

	if (count)
		qsort(taken, count, sizeof(*taken), by_place);
	for (i = 1; i < count; i++)
		if (taken[i].from - taken[i - 1].from < taken[i - 1].length)
			return i - 1;
	return count;
}

char *planfile_check(const struct planfile *plan, const struct planfile_fs *fs)
{
	size_t first = fs->moves ? plan->move[fs->first].first : plan->pieces, i, k, at;
	size_t count = plan->pieces - first > fs->moves ? plan->pieces - first : fs->moves;
	struct taken *taken = xreallocarray(NULL, count, sizeof(*taken));
	char *wrong = NULL;

	for (i = 0; i < fs->moves; i++)
		taken[i] = (struct taken){ plan->move[fs->first + i].ino, 1, i };
	at = clash(taken, fs->moves);
	if (at < fs->moves)
		wrong = xasprintf("moves[%zu] and moves[%zu] are of the same inode", taken[at].move,
				  taken[at + 1].move);
	for (i = 0, count = 0; !wrong && i < fs->moves; i++) {
		const struct planfile_move *move = &plan->move[fs->first + i];

		for (k = 0; !wrong && k < move->pieces; k++) {
			const struct planfile_piece *piece = &plan->piece[move->first + k];
			const uint64_t end = (uint64_t)piece->goal + piece->length;

			if (end > fs->blocks || end > (uint64_t)UINT32_MAX + 1)
				wrong = xasprintf("moves[%zu].pieces[%zu] is outside of it", i, k);
			taken[count++] = (struct taken){ piece->goal, piece->length, i };
		}
	}
	at = wrong ? count : clash(taken, count);
	if (at < count)
		wrong = xasprintf("pieces of moves[%zu] and moves[%zu] overlap at block %" PRIu32,
				  taken[at].move, taken[at + 1].move, taken[at + 1].from);
	free(taken);
	return wrong;
}
