// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "lib/columns.h"
#include "progress/status_line.h"
#include "tap.h"

#define S 1000000ULL
#define MIB (1ULL << 20)

static void is_text(char *got, const char *wanted, const char *what)
{
	if (!ok(!strcmp(got, wanted), "%s", what))
		ok(false, "it is \"%s\"", got);
	free(got);
}

static void test_rate(void)
{
	struct rate rate;
	int i;

	rate_start(&rate, 5 * S);
	is(rate.each * 1000, 0, "no rate before there is one");
	rate_look(&rate, 5 * S + S / 2, 1000);
	is(rate.each * 1000, 0, "half a second tells nothing");
	rate_look(&rate, 7 * S, 300);
	is(rate.each, 150, "at first it is the mean");
	rate_look(&rate, 7 * S, 300);
	is(rate.each, 150, "no time passes: nothing changes");
	for (i = 1; i <= 400; i++)
		rate_look(&rate, 7 * S + (uint64_t)i * S / 4, 300 + (uint64_t)i * 250);
	ok(rate.each > 990 && rate.each < 1001, "later it follows what happens (%f)", rate.each);
	rate_look(&rate, 112 * S, 100300);
	ok(rate.each > 500 && rate.each < 700, "a rest lowers it slowly (%f)", rate.each);

	rate_start(&rate, 0);
	rate_look(&rate, 100 * S, 5000);
	is(rate.each, 50, "who asks once gets the mean, however late");
}

static void test_left(void)
{
	struct status_line status = { .stage = STAGE_MOVE,
				      .files = 1,
				      .files_all = 2,
				      .bytes = 30 * MIB,
				      .bytes_all = 100 * MIB,
				      .most = UINT64_MAX };
	char clock[CLOCK_SIZE];

	ok(status_line_left(&status) == UINT64_MAX,
	   "without a rate nobody knows how long it takes");
	status.rate.each = 10.0 * MIB;
	is(status_line_left(&status), 7, "70 MiB at 10 MiB a second");
	status.most = 3;
	is(status_line_left(&status), 3, "no longer than the run may");
	status.most = UINT64_MAX;
	status.bytes = 200 * MIB;
	is(status_line_left(&status), 0, "more than all is done");
	status.stage = STAGE_LOOK;
	status.rate.each = 0.5;
	is(status_line_left(&status), 2, "files are what counts where nothing moves");
	status.rate.each = 1e-9;
	ok(status_line_left(&status) == UINT64_MAX, "standing still is no rate");
	status.files_all = 0;
	status.rate.each = 5;
	ok(status_line_left(&status) == UINT64_MAX,
	   "nor is there an end where nobody knows how many");

	ok(!strcmp(status_line_clock(0, clock), "0:00"), "0:00");
	ok(!strcmp(status_line_clock(67, clock), "1:07"), "1:07");
	ok(!strcmp(status_line_clock(3599, clock), "59:59"), "59:59");
	ok(!strcmp(status_line_clock(3600, clock), "1:00:00"), "1:00:00");
	ok(!strcmp(status_line_clock(360061, clock), "100:01:01"), "100:01:01");
}

static void test_lines(void)
{
	struct status_line status = { .stage = STAGE_MOVE,
				      .files = 3,
				      .files_all = 17,
				      .bytes = 12 * MIB,
				      .bytes_all = 96 * MIB,
				      .fragments = 4100,
				      .rate = { .each = 41.0 * MIB },
				      .most = UINT64_MAX };
	const char *const name = "/srv/files/a-rather-long-name-of-a-file";
	unsigned int width, wrong = 0;

	is_text(status_line_line(&status, name, 200, true),
		"moving files: 12.0 MiB of 96.0 MiB, 0:02 left, 41.0 MiB/s, "
		"/srv/files/a-rather-long-name-of-a-file",
		"a wide terminal has room for all");
	is_text(status_line_line(&status, name, 79, true),
		"moving files: 12.0 MiB of 96.0 MiB, 0:02 left, 41.0 MiB/s, ...ng-name-of-a-file",
		"a narrower one for the end of the name");
	is_text(status_line_line(&status, name, 62, true),
		"moving files: 12.0 MiB of 96.0 MiB, 0:02 left, 41.0 MiB/s", "then for none");
	is_text(status_line_line(&status, name, 50, true),
		"moving files: 12.0 MiB of 96.0 MiB, 0:02 left", "nor for the rate");
	is_text(status_line_line(&status, name, 13, true), "moving files",
		"at last only the stage is left");
	is_text(status_line_line(&status, name, 5, true), "", "or nothing");
	for (width = 0; width < 130; width++) {
		char *line = status_line_line(&status, name, width, true);

		wrong += columns_of(line) > width;
		free(line);
	}
	is(wrong, 0, "no line is wider than it may be");
	is_text(where_text(&status, name),
		"moving files: 3 of 17, 12.0 MiB of 96.0 MiB, 4100 fragments, 41.0 MiB/s, "
		"0:02 left, at /srv/files/a-rather-long-name-of-a-file",
		"who asks is told all");

	status = (struct status_line){ .stage = STAGE_LOOK,
				       .files = 12000,
				       .files_all = 54000,
				       .bytes = 3 << 10,
				       .fragments = 9,
				       .rate = { .each = 4000 },
				       .most = UINT64_MAX };
	is_text(status_line_line(&status, "inode 11", 90, true),
		"looking at files: 12000 of 54000, 0:11 left, 4000/s, inode 11", "a survey");
	is_text(where_text(&status, NULL),
		"looking at files: 12000 of 54000, 3.0 KiB, 9 fragments, 4000/s, 0:11 left",
		"who asks about that");
	status = (struct status_line){ .stage = STAGE_NAMES, .files = 7, .most = UINT64_MAX };
	is_text(where_text(&status, NULL), "finding names: 7", "what has no end and no rate");
	status = (struct status_line){ .stage = STAGE_NONE, .most = UINT64_MAX };
	is_text(where_text(&status, NULL), "between two stages", "no stage");
}

/* @text in @most bytes is @wanted, and @cut bytes of it are missing. */
static void tail_bytes(const char *text, size_t most, const char *wanted, size_t cut,
		       const char *what)
{
	size_t missing;
	char *end = columns_tail_bytes(text, most, &missing);

	is(strcmp(end, wanted), 0, "%s: \"%s\"", what, end);
	is(missing, cut, "and says what is missing");
	free(end);
}

static void test_tail_bytes(void)
{
	tail_bytes("12345678", 8, "12345678", 0, "what fits stays");
	tail_bytes("123456789", 8, "...56789", 4, "what doesn't loses its start");
	tail_bytes("\\033\\033\\033", 8, "...\\033", 8, "no escape is cut in two");
	tail_bytes("\\033456789", 8, "...56789", 5, "not if only the rest of it would fit");
	tail_bytes("\\0334567", 8, "\\0334567", 0, "one that fits stays");
	tail_bytes("1234\303\2445678", 8, "...5678", 6, "nor a character");
	tail_bytes("aaaae\314\201345678", 11, "...345678", 7, "an accent goes with its letter");
	tail_bytes("a\314\201\314\201\314\201\314\201", 8, "...", 9, "even if that is all");
}

static void test_columns(void)
{
	is(columns_of(""), 0, "no text has no columns");
	is(columns_of("abc"), 3, "ASCII");
	is(columns_of("\303\244\303\266"), 2, "two bytes, one column");
	is(columns_of("\344\270\255\346\226\207"), 4, "a Chinese character has two");
	is(columns_of("e\314\201"), 1, "a combining accent has none");
	is(columns_of("\360\237\230\200"), 2, "four bytes");
	is_text(columns_tail("abc", 3, true), "abc", "what fits stays");
	is_text(columns_tail("abcdef", 5, true), "...ef", "what doesn't loses its start");
	is_text(columns_tail("abcdef", 3, true), "...", "all of it");
	is_text(columns_tail("abcdef", 2, true), "..", "and more");
	is_text(columns_tail("abcdef", 0, true), "", "no room at all");
	is_text(columns_tail("", 0, true), "", "for nothing");
	is_text(columns_tail("\344\270\255\346\226\207x", 4, true), "...x",
		"half a character is none");
	is_text(columns_tail("aaaae\314\201\303\244", 4, true), "...\303\244",
		"an accent goes with its letter");
	is_text(columns_tail("\344\270\255/\303\244", 9, false), "?/?",
		"elsewhere than in UTF-8 a character is a question mark");
	is_text(columns_tail("\303\244\303\244\303\244\303\244\303\244", 4, false), "...?",
		"and as wide as that");
	test_tail_bytes();
}

void test_where(void)
{
	test_rate();
	test_left();
	test_lines();
	test_columns();
}
