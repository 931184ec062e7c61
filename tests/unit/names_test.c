// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/util.h"
#include "survey/names_walk.h"
#include "tap.h"

static bool path_is(const struct names *names, uint32_t name, const char *wanted)
{
	char *path = names_path(names, name);
	bool same = !strcmp(path, wanted);

	if (!same)
		printf("# got '%s'\n", path);
	free(path);
	return same;
}

static bool has(const struct names *names, const char *wanted, ino_t ino)
{
	size_t i;

	for (i = 0; i < names->count; i++) {
		char *path = names_path(names, (uint32_t)i);
		bool same = !strcmp(path, wanted) && names->name[i].ino == ino;

		free(path);
		if (same)
			return true;
	}
	return false;
}

static ino_t make_file(const char *path)
{
	struct stat st = { 0 };
	int fd = open(path, O_CREAT | O_WRONLY, 0600);

	fstat(fd, &st);
	close(fd);
	return st.st_ino;
}

/* A walk that wants every name, or that of one inode only. */
struct taken {
	uint32_t name[8], count;
	ino_t only;
};

/* How often the process that walks has asked, in memory that this one sees. */
static unsigned int *asked;
static pid_t waiting;
static struct throttle throttle;
static const int go_on;

static uint32_t *take(void *to, uint32_t ino)
{
	struct taken *taken = to;

	*asked += getpid() != waiting;
	return !taken->only || taken->only == ino ? &taken->name[taken->count++] : NULL;
}

static void walk_from(struct names *names, int fd, dev_t dev, const char *path,
		      struct names_wanted *wanted)
{
	const struct names_place place = { fd, dev, path };

	names_walk(names, &place, wanted, &throttle, &go_on);
}

static void tree(void)
{
	struct taken all = { .count = 0 }, some = { .count = 0 };
	struct names_wanted wanted = { .slot = take, .to = &all, .left = 8 };
	char top[] = "/tmp/e3defrag-unit-XXXXXX", path[256];
	struct names names = { 0 };
	size_t files = 0, i;
	struct stat st;
	ino_t one, two;
	int fd;

	if (!ok(mkdtemp(top) != NULL, "a directory for the walk"))
		return;
	snprintf(path, sizeof(path), "%s/a", top);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/a/b", top);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/a/b/one", top);
	one = make_file(path);
	snprintf(path, sizeof(path), "%s/two", top);
	two = make_file(path);
	snprintf(path, sizeof(path), "%s/link", top);
	ok(!symlink("a", path), "a symbolic link to a directory");

	fd = open(top, O_PATH);
	fstat(fd, &st);
	walk_from(&names, fd, st.st_dev, "top/", &wanted);
	close(fd);
	for (i = 0; i < names.count; i++)
		files += names.name[i].ino != 0;
	is(files, 2, "a walk finds the files, and follows no symbolic link");
	is(wanted.left, 6, "and counts what it took");
	ok(has(&names, "top/a/b/one", one), "the one far below");
	ok(has(&names, "top/two", two), "the one at the top");
	is(names.gaps.failed, 0, "and nothing failed");
	names_free(&names);

	fd = open(top, O_PATH);
	walk_from(&names, fd, st.st_dev + 1, "top", &wanted);
	close(fd);
	ok(!has(&names, "top/a/b/one", one), "a directory of another filesystem is not entered");
	names_free(&names);

	some.only = one;
	*asked = 0;
	wanted = (struct names_wanted){ .slot = take, .to = &some, .left = 2 };
	fd = open(top, O_PATH);
	walk_from(&names, fd, st.st_dev, "top", &wanted);
	is(*asked, 2, "a walk asks about each file");
	is(names.count, 4, "and keeps the one name that is wanted, and the directories above it");
	ok(path_is(&names, some.name[0], "top/a/b/one"), "whose number it hands out");
	names_free(&names);
	*asked = some.count = 0;
	wanted.left = 0;
	walk_from(&names, fd, st.st_dev, "top", &wanted);
	is(*asked, 0, "where no name is wanted there is no walk");
	some.only = 0;
	*asked = 0;
	wanted.left = 1;
	walk_from(&names, fd, st.st_dev, "top", &wanted);
	is(*asked, 1, "the last name that is wanted ends it");
	names_free(&names);
	close(fd);

	snprintf(path, sizeof(path), "rm -rf %s", top);
	ok(!system(path), "cleaned up");
}

/* A directory that can wait is looked into by the second walk, and trouble with it told then. */
static void leaf_dirs(void)
{
	struct taken all = { .count = 0 };
	struct leaf_dirs later = { .count = 0 };
	struct names_wanted wanted = { .slot = take, .to = &all, .left = 8, .leaf_dirs = &later };
	char top[] = "/tmp/e3defrag-unit-XXXXXX", path[256];
	struct names names = { 0 };
	struct stat st;
	uint32_t ino;
	ino_t one;
	int fd;

	if (!ok(mkdtemp(top) != NULL, "a directory for two walks"))
		return;
	snprintf(path, sizeof(path), "%s/leaf", top);
	mkdir(path, 0700);
	stat(path, &st);
	ino = (uint32_t)st.st_ino;
	snprintf(path, sizeof(path), "%s/leaf/one", top);
	one = make_file(path);
	snprintf(path, sizeof(path), "%s/two", top);
	make_file(path);
	/* All that there is lies in one group. */
	*asked = 0;
	leaf_dirs_add(&later, ino);
	leaf_dirs_groups(&later, ino, ino);

	fd = open(top, O_PATH);
	walk_from(&names, fd, st.st_dev, "top", &wanted);
	is(*asked, 1, "a first walk leaves out a directory in whose group nothing is wanted");
	wanted.again = true;
	walk_from(&names, fd, st.st_dev, "top", &wanted);
	is(*asked, 3, "a second one looks into all");
	ok(has(&names, "top/leaf/one", one), "and finds what is there");
	leaf_dirs_want(&later, ino);
	wanted.again = false;
	*asked = all.count = 0;
	walk_from(&names, fd, st.st_dev, "top", &wanted);
	is(*asked, 2, "where something is wanted in its group the first walk looks into it");
	ok(!leaf_dirs_later(&later, ino + 1), "a directory that has others below it doesn't wait");
	names_free(&names);
	leaf_dirs_free(&later);
	close(fd);

	snprintf(path, sizeof(path), "rm -rf %s", top);
	ok(!system(path), "cleaned up");
}

static void sizes(void)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} good[] = { { "0", 0 },
		     { "1", 1 },
		     { "131072", 131072 },
		     { "128K", 131072 },
		     { "007M", 7 << 20 },
		     { "1024G", 1ULL << 40 },
		     { "1073741824K", 1ULL << 40 },
		     { "1099511627776", 1ULL << 40 } };
	static const char *const bad[] = { "",
					   "K",
					   " 1",
					   "1 ",
					   "+1",
					   "-1",
					   "1.5M",
					   "0x10",
					   "1KB",
					   "1KK",
					   "1k",
					   "1T",
					   "1025G",
					   "1073741825K",
					   "1099511627777",
					   "18446744073709551616",
					   "18014398509481985K" };
	uint64_t bytes;
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(*good); i++)
		ok(parse_size(good[i].text, &bytes) && bytes == good[i].bytes, "the size '%s'",
		   good[i].text);
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		bytes = 77;
		ok(!parse_size(bad[i], &bytes) && bytes == 77, "'%s' is no size", bad[i]);
	}
}

void test_names(void)
{
	struct names names = { 0 };
	uint32_t top, dir, file;
	char *shown, size[HUMAN_SIZE];

	waiting = getpid();
	asked = mmap(NULL, sizeof(*asked), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	top = names_add(&names, NAME_NONE, "/", 0);
	dir = names_add(&names, top, "usr", 0);
	file = names_add(&names, dir, "x", 12);
	ok(path_is(&names, file, "/usr/x"), "a path below the root");
	ok(path_is(&names, top, "/"), "the root itself");
	top = names_add(&names, NAME_NONE, "some/dir", 0);
	file = names_add(&names, top, "y", 13);
	ok(path_is(&names, file, "some/dir/y"), "a path below a relative directory");
	file = names_add(&names, NAME_NONE, "z", 14);
	ok(path_is(&names, file, "z"), "a file by itself");
	names_free(&names);
	tree();
	leaf_dirs();

	sizes();
	shown = printable("a\nb\033[0m\\\303\244");
	ok(!strcmp(shown, "a\\012b\\033[0m\\134\303\244"),
	   "names are shown without control characters");
	free(shown);
	ok(!strcmp(human(1023, size), "1023 B"), "1023 bytes");
	ok(!strcmp(human(1024, size), "1.0 KiB"), "1024 bytes");
	ok(!strcmp(human(1048575, size), "1.0 MiB"), "a byte less than a MiB rounds up to one");
	ok(!strcmp(human(UINT64_MAX, size), "16.0 EiB"), "2^64 - 1 bytes");
}
