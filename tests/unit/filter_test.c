// SPDX-License-Identifier: GPL-2.0-only
/* Which files are left alone: by what was found of them, by their paths, and by their age. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/util.h"
#include "survey/filter.h"
#include "survey/filter_names.h"
#include "survey/names_walk.h"
#include "survey/survey.h"
#include "tap.h"

/* Would a walk from the root leave the file @path alone? */
static bool excludes(const struct exclude *exclude, const char *path)
{
	struct trail trail = { 0 };
	char *copy = xstrdup(path);
	const char *last = trail_start(&trail, exclude, copy);
	bool excluded = trail_excludes(&trail, exclude, last);

	trail_free(&trail);
	free(copy);
	return excluded;
}

static void globs(void)
{
	static const struct {
		const char *glob, *path;
		bool excluded;
	} rule[] = {
		/* one component: a file, or a directory above it, wherever */
		{ "mail", "/srv/mail", true },
		{ "mail", "/srv/mail/a/b", true },
		{ "mail", "/mail", true },
		{ "mail", "mail/a", true },
		{ "mail", "/srv/mails/a", false },
		{ "mail", "/srv/amail", false },
		{ "*.jpg", "/srv/a.jpg", true },
		{ "*.jpg", "/srv/a.jpg/b", true },
		{ "*.jpg", "/srv/a.jpg.txt", false },
		{ "*", "/srv/.hidden", true },
		{ "?", "/ab/cd", false },
		{ "[a-c]", "/x/b", true },
		{ "[!a-c]", "/xx/b", false },
		{ "\\*", "/srv/a", false },
		{ "\\*", "/srv/*", true },
		{ "[ab", "/srv/[ab", true },
		{ "srv", "/srv/a", true },
		{ ".", NULL, false },
		/* from the start of the path */
		{ "/srv/mail", "/srv/mail", true },
		{ "/srv/mail", "/srv/mail/a/b", true },
		{ "/srv/mail", "/srv/mailbox", false },
		{ "/srv/mail", "/x/srv/mail", false },
		{ "/srv/mail", "srv/mail", true },
		{ "/mail", "/srv/mail", false },
		{ "/*", "/srv/mail", true },
		{ "/srv/*/x", "/srv/a/x", true },
		{ "/srv/*/x", "/srv/a/b/x", false },
		{ "/srv/*/x", "/srv/x", false },
		{ "/s*x", "/srv/x", false },
		{ "//srv/./mail", "/srv/mail/a", true },
		{ "/srv/mail", "//srv//./mail/a", true },
		/* more than one component, from any directory */
		{ "mail/new", "/srv/mail/new", true },
		{ "mail/new", "/srv/a/mail/new/b", true },
		{ "mail/new", "/mail/x/new", false },
		{ "mail/new", "/srv/xmail/new", false },
		{ "mail/*.eml", "/srv/mail/a.eml", true },
		{ "mail/*.eml", "/srv/mail/b/a.eml", false },
		{ "./mail", "/srv/mail/a", true },
		/* directories alone */
		{ "mail/", "/srv/mail", false },
		{ "mail/", "/srv/mail/a", true },
		{ "/srv/mail/", "/srv/mail", false },
		{ "/srv/mail/", "/srv/mail/a/b", true },
		/* any number of them */
		{ "/srv/**/x", "/srv/x", true },
		{ "/srv/**/x", "/srv/a/x", true },
		{ "/srv/**/x", "/srv/a/b/x/c", true },
		{ "/srv/**/x", "/var/a/x", false },
		{ "/srv/**/x", "/var/srv/a/x", false },
		{ "mail/**", "/srv/mail", false },
		{ "mail/**", "/srv/mail/a", true },
		{ "mail/**", "/srv/mail/a/b", true },
		{ "a/**/b/**/c", "/x/a/b/1/b/2/c", true },
		{ "a/**/b/**/c", "/x/a/1/2/c", false },
		{ "a/**/b/c", "/a/b/x/b/c", true },
		{ "a/**/b/c", "/a/b/x/b/d", false },
		{ "**/a/b", "/a/a/b", true },
		{ "/**", "/a", true },
		/* within a component it is what * is */
		{ "a**z", "/a/z", false },
		{ "a**z", "/abcz", true },
	};
	size_t i;

	for (i = 0; i < sizeof(rule) / sizeof(*rule); i++) {
		struct exclude exclude = { 0 };
		const char *wrong = exclude_add(&exclude, rule[i].glob);

		if (rule[i].path)
			ok(!wrong && excludes(&exclude, rule[i].path) == rule[i].excluded,
			   "'%s' %s '%s'", rule[i].glob,
			   rule[i].excluded ? "excludes" : "lets pass", rule[i].path);
		else
			ok(wrong, "'%s' is no pattern", rule[i].glob);
		exclude_free(&exclude);
	}
}

static void bad_globs(void)
{
	static const char *const bad[] = { "", "/", "//", "./", "a\\", "a\\/b", "\\" };
	struct exclude exclude = { 0 };
	char *text = xreallocarray(NULL, EXCLUDE_LENGTH + 2, 1);
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ok(exclude_add(&exclude, bad[i]), "'%s' is no pattern", bad[i]);
	memset(text, 'a', EXCLUDE_LENGTH + 1);
	text[EXCLUDE_LENGTH + 1] = 0;
	ok(exclude_add(&exclude, text), "nor what is too long");
	text[EXCLUDE_LENGTH] = 0;
	ok(!exclude_add(&exclude, text), "the longest one");
	ok(!exclude_add(&exclude, "a\\\\") && !exclude_add(&exclude, "\\a"),
	   "what is escaped is there");
	while (exclude.count < EXCLUDE_MOST)
		exclude_add(&exclude, "a");
	ok(exclude_add(&exclude, "a"), "one more than there may be");
	is(exclude.count, EXCLUDE_MOST, "isn't there");
	free(text);
	exclude_free(&exclude);
}

static void file_is(const char *text, size_t size, size_t count, size_t wrong_line)
{
	struct exclude exclude = { 0 };
	char *copy = malloc(size + !size);
	size_t line;
	const char *wrong;

	memcpy(copy, text, size);
	wrong = exclude_parse(&exclude, copy, size, &line);
	ok(!wrong == !wrong_line && (!wrong || line == wrong_line), "%s", wrong ? wrong : "a list");
	is(exclude.count, count, "so many patterns");
	exclude_free(&exclude);
	free(copy);
}

static void lists(void)
{
	struct exclude exclude = { 0 };
	char *large = malloc(EXCLUDE_FILE_BYTES + 1);
	size_t line;

#define IS(text, count, line) file_is(text, sizeof(text) - 1, count, line)
	IS("", 0, 0);
	IS("\n\n", 0, 0);
	IS("# nothing\n", 0, 0);
	IS("#", 0, 0);
	IS("a\n# b\n\nc/d\n", 2, 0);
	IS("a\nb", 2, 0);
	IS("\\#a\na#b\nc d\n", 3, 0);
	IS("a\nb \nc\n", 1, 2);
	IS("a\n\tb\n", 1, 2);
	IS("a\r\n", 0, 1);
	IS("a\n \n", 1, 2);
	IS("a\n\nb\\\n", 1, 3);
	IS("a\nb\0c\n", 1, 2);
	IS("/\n", 0, 1);
#undef IS
	memset(large, '\n', EXCLUDE_FILE_BYTES + 1);
	ok(!exclude_parse(&exclude, large, EXCLUDE_FILE_BYTES, &line), "the largest list");
	ok(exclude_parse(&exclude, large, EXCLUDE_FILE_BYTES + 1, &line) && !line,
	   "a byte too many is nobody's line");
	free(large);
	exclude_free(&exclude);
}

/* What is below a directory that is excluded is, and not what is beside it. */
static void trails(void)
{
	struct exclude exclude = { 0 };
	struct trail trail = { 0 };
	char path[] = "/srv";

	exclude_add(&exclude, "cache");
	trail_push(&trail, &exclude, trail_start(&trail, &exclude, path));
	ok(!trail_excludes(&trail, &exclude, "a"), "above");
	trail_push(&trail, &exclude, "cache");
	ok(trail_excludes(&trail, &exclude, "a"), "in it");
	trail_push(&trail, &exclude, "cache");
	ok(trail_excludes(&trail, &exclude, "a"), "below it");
	trail_pop(&trail);
	ok(trail_excludes(&trail, &exclude, "a"), "in it again");
	trail_pop(&trail);
	ok(!trail_excludes(&trail, &exclude, "a"), "out of it");
	trail_push(&trail, &exclude, "b");
	ok(!trail_excludes(&trail, &exclude, "a"), "beside it");
	trail_free(&trail);
	exclude_free(&exclude);
}

/* Nobody but the user decides how deep the path is that a pattern is held against. */
static void deep_trail(void)
{
	struct exclude exclude = { 0 };
	struct trail trail = { 0 };
	const clock_t start = clock();
	bool excluded = false;
	int i;

	exclude_add(&exclude, "d/**/x/**/y");
	exclude_add(&exclude, "/**/d/**/z");
	for (i = 0; i < 30000; i++) {
		trail_push(&trail, &exclude, "d");
		excluded |= trail_excludes(&trail, &exclude, "x");
	}
	ok(!excluded, "30,000 components match none of two patterns");
	ok(trail_excludes(&trail, &exclude, "z"), "and with one more they do");
	ok(clock() - start < 2 * CLOCKS_PER_SEC, "which takes no time worth mentioning");
	while (trail.parts)
		trail_pop(&trail);
	ok(!trail_excludes(&trail, &exclude, "z"), "and back at the start they don't");
	trail_free(&trail);
	exclude_free(&exclude);
}

static void found(void)
{
	static const struct filter filter = {
		.min_fragments = 3, .min_score = 30, .min_size = 1000, .max_size = 2000
	};
	static const struct filter none;

	is(filter_look(&filter, 3, 30, 1000), REASON_NONE, "just enough of all");
	is(filter_look(&filter, 3, 30, 2000), REASON_NONE, "the largest that may be");
	is(filter_look(&filter, 2, 30, 1000), REASON_FEW_FRAGMENTS, "a fragment too few");
	is(filter_look(&filter, 3, 29, 1000), REASON_LOW_SCORE, "a score too low");
	is(filter_look(&filter, 3, 30, 999), REASON_SIZE, "a byte too few");
	is(filter_look(&filter, 3, 30, 2001), REASON_SIZE, "a byte too many");
	is(filter_look(&none, 2, 0, 0), REASON_NONE, "nothing asked for, nothing left alone");
	is(filter_look(&none, 2, 0, UINT64_MAX), REASON_NONE, "not the largest, either");
}

static void options(void)
{
	struct filter_options given = { .min_fragments = xstrdup("007"),
					.min_score = xstrdup("100"),
					.min_size = xstrdup("4K"),
					.max_size = xstrdup("1G"),
					.older_than = xstrdup("7d") };
	struct filter filter = { 0 };

	filter_option_add(&given.exclude, xstrdup("a"));
	filter_option_add(&given.exclude, xstrdup("b"));
	ok(filter_parse(&filter, &given), "each option");
	ok(filter.min_fragments == 7 && filter.min_score == 100 && filter.min_size == 4096 &&
		   filter.max_size == 1 << 30 && filter.older_than == 604800,
	   "is read");
	is(filter.exclude.count, 2, "and those that come twice are");
	filter_free(&filter);
	filter_options_free(&given);
}

/* --- on a walk ------------------------------------------------------------------------------ */

static char *top;
static struct throttle throttle;
static const int go_on;

static uint32_t make(const char *name, time_t age)
{
	char *path = xasprintf("%s/%s", top, name);
	const struct timespec times[2] = { { time(NULL), 0 }, { time(NULL) - age, 0 } };
	int fd = open(path, O_CREAT | O_WRONLY, 0600);
	struct stat st = { 0 };

	futimens(fd, times);
	fstat(fd, &st);
	close(fd);
	free(path);
	return (uint32_t)st.st_ino;
}

static int by_ino(const void *a, const void *b)
{
	const struct file *x = a, *y = b;

	return x->ino < y->ino ? -1 : x->ino > y->ino;
}

static uint32_t *nobody(void *to, uint32_t ino)
{
	(void)to;
	(void)ino;
	return NULL;
}

/* Walk the tree, shown as @prefix, with files that are all candidates, to their @reason. */
static void walk(const struct filter *filter, const char *prefix, const uint32_t *ino, size_t count,
		 enum reason *reason, bool failed)
{
	struct names_wanted wanted = { .slot = nobody };
	struct survey survey = { .scope.filter = filter, .files = count };
	int fd = open(top, O_RDONLY | O_DIRECTORY);
	struct names_place place = { .fd = fd, .path = prefix };
	struct filter_names choice;
	struct stat st;
	size_t i;

	fstat(fd, &st);
	place.dev = st.st_dev;
	survey.file = xreallocarray(NULL, count, sizeof(*survey.file));
	for (i = 0; i < count; i++)
		survey.file[i] = (struct file){ .ino = ino[i], .fragments = 2 };
	qsort(survey.file, count, sizeof(*survey.file), by_ino);
	wanted.watch = filter_names_begin(&choice, &survey, st.st_dev);
	if (wanted.watch) {
		filter_names_start(&choice, prefix);
		names_walk(&survey.names, &place, &wanted, &throttle, &go_on);
	}
	survey.names.gaps.failed += failed;
	filter_names_end(&choice);
	for (i = 0; i < count; i++)
		reason[i] = survey_file(&survey, ino[i])->reason;
	names_free(&survey.names);
	free(survey.file);
	close(fd);
}

/* By the time of the look the name has become another file's. */
static void renamed(const uint32_t *ino)
{
	static const struct filter filter = { .older_than = 1000 };
	struct file file = { .ino = ino[1], .fragments = 2 };
	struct survey survey = { .scope.filter = &filter, .file = &file, .files = 1 };
	struct names_watch *watch;
	struct filter_names choice;
	struct stat st;
	int fd = open(top, O_RDONLY | O_DIRECTORY);

	fstat(fd, &st);
	watch = filter_names_begin(&choice, &survey, st.st_dev);
	filter_names_start(&choice, "/shown");
	is(watch->file(watch->to, fd, "old", ino[1]), 0, "the age of another file says nothing");
	is(watch->file(watch->to, fd, "gone", ino[1]), 0, "nor does a name that is gone");
	filter_names_end(&choice);
	is(file.reason, REASON_NAMELESS, "and what nobody knows of is left alone");
	close(fd);
}

static void choices(void)
{
	char template[] = "/tmp/filter-XXXXXX", *path, *other;
	struct filter filter = { .older_than = 1000 };
	enum reason reason[5];
	uint32_t ino[5];

	top = mkdtemp(template);
	path = xasprintf("%s/d", top);
	mkdir(path, 0700);
	free(path);
	ino[0] = make("old", 2000);
	ino[1] = make("new", 500);
	ino[2] = make("d/tomorrow", -86400);
	ino[3] = UINT32_MAX - 1; /* nowhere */
	path = xasprintf("%s/e", top);
	mkdir(path, 0700);
	free(path);
	ino[4] = make("e/old", 2000);
	path = xasprintf("%s/old", top);
	other = xasprintf("%s/d/again", top);
	ok(!link(path, other), "a file with two names");
	free(path);
	free(other);

	walk(&filter, "/shown", ino, 4, reason, false);
	is(reason[0], REASON_NONE, "changed long enough ago");
	is(reason[1], REASON_RECENT, "changed too recently");
	is(reason[2], REASON_RECENT, "changed tomorrow");
	is(reason[3], REASON_NAMELESS, "nobody knows when");

	filter.older_than = 0;
	exclude_add(&filter.exclude, "again");
	walk(&filter, "/shown", ino, 4, reason, false);
	is(reason[0], REASON_EXCLUDED, "one of two names is excluded");
	is(reason[1], REASON_NONE, "others are not");
	is(reason[3], REASON_NONE, "what has no name can't be");
	walk(&filter, "/shown", ino, 4, reason, true);
	is(reason[1], REASON_NONE, "where a directory can't be read, what has a name is moved");
	is(reason[3], REASON_NAMELESS, "and what has none known may be the excluded one");

	filter.older_than = 10000;
	walk(&filter, "/shown", ino, 4, reason, false);
	is(reason[0], REASON_EXCLUDED, "an excluded name counts, whatever the age");
	is(reason[2], REASON_RECENT, "of others the age counts");
	exclude_free(&filter.exclude);
	exclude_add(&filter.exclude, "old");
	walk(&filter, "/shown", ino, 4, reason, false);
	is(reason[0], REASON_EXCLUDED, "and whichever of its names a walk meets first");
	/* When each file has shown a name, there may be others. */
	filter.older_than = 0;
	walk(&filter, "/shown", ino, 1, reason, false);
	is(reason[0], REASON_EXCLUDED, "one name of the only file is excluded");
	exclude_free(&filter.exclude);
	exclude_add(&filter.exclude, "again");
	walk(&filter, "/shown", ino, 1, reason, false);
	is(reason[0], REASON_EXCLUDED, "the other one is");
	exclude_free(&filter.exclude);
	renamed(ino);

	filter.older_than = 0;
	exclude_add(&filter.exclude, "/shown/d");
	walk(&filter, "/shown", ino, 4, reason, false);
	is(reason[0], REASON_EXCLUDED, "by the path that is shown");
	is(reason[1], REASON_NONE, "which others don't have");
	is(reason[2], REASON_EXCLUDED, "but all have that are below");
	walk(&filter, "/", ino, 4, reason, false);
	is(reason[2], REASON_NONE, "where it is shown otherwise, it is another");
	exclude_free(&filter.exclude);
	/* Whichever directory a walk comes to first, it leaves it again. */
	exclude_add(&filter.exclude, "d");
	walk(&filter, "/shown", ino, 5, reason, false);
	is(reason[4], REASON_NONE, "one directory is excluded, another isn't");
	exclude_free(&filter.exclude);
	exclude_add(&filter.exclude, "e");
	walk(&filter, "/shown", ino, 5, reason, false);
	is(reason[4], REASON_EXCLUDED, "the other one is excluded");
	is(reason[2], REASON_NONE, "the one isn't");
	exclude_free(&filter.exclude);
	walk(&filter, "/shown", ino, 4, reason, true);
	is(reason[3], REASON_NONE, "with nothing asked for, all are moved");

	path = xasprintf("rm -rf %s", top);
	ok(!system(path), "cleaned up");
	free(path);
}

void test_filter(void)
{
	globs();
	bad_globs();
	lists();
	trails();
	deep_trail();
	found();
	options();
	choices();
	is(sizeof(struct file), 24, "there are millions of files");
}
