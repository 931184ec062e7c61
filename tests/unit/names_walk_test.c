// SPDX-License-Identifier: GPL-2.0-only
/* Walks for names that don't end by themselves, or that find more than they can take. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/util.h"
#include "survey/name_stream.h"
#include "survey/names_walk.h"
#include "tap.h"

#define DEPTH 5000

static char *top;
static volatile int stop;
static struct throttle throttle;

/* All numbers of files that a walk of the tree shown as @prefix finds. */
static size_t walk(struct names *names, const char *prefix, struct names_watch *watch,
		   uint32_t *(*slot)(void *to, uint32_t ino), struct inode_set *found)
{
	struct names_wanted wanted = {
		.slot = slot, .to = found, .left = SIZE_MAX, .numbers = !watch, .watch = watch
	};
	struct names_place place = { .fd = open(top, O_RDONLY | O_DIRECTORY), .path = prefix };
	struct stat st;

	fstat(place.fd, &st);
	place.dev = st.st_dev;
	names_walk(names, &place, &wanted, &throttle, &stop);
	close(place.fd);
	return found->count;
}

static uint32_t *note(void *to, uint32_t ino)
{
	inode_set_add(to, ino);
	return NULL;
}

static void make_file(int dir, const char *name)
{
	close(openat(dir, name, O_CREAT | O_WRONLY, 0600));
}

/* A file at each level, down to where no path reaches. */
static void make_deep(void)
{
	int dir = open(top, O_RDONLY | O_DIRECTORY), i, below;

	for (i = 0; i < DEPTH; i++) {
		make_file(dir, "f");
		mkdirat(dir, "d", 0700);
		below = openat(dir, "d", O_RDONLY | O_DIRECTORY);
		close(dir);
		dir = below;
	}
	close(dir);
}

static void deep(void)
{
	struct inode_set found = { 0 };
	struct names names = { 0 };
	struct rlimit limit, old;
	char *prefix = xreallocarray(NULL, 1001, 1);

	make_deep();
	/* With "/p" each level takes two bytes more; the last one has a path of 4094. */
	is(walk(&names, "/p", NULL, note, &found), 2047, "a walk goes as deep as paths reach");
	is(names.gaps.deep, 1, "and counts what it did not enter");
	ok(!names.gaps.failed && names_have_gaps(&names), "which is no failure, but a gap");
	is(walk(&names, "/p", NULL, note, &found), 2047, "a second walk finds the same");
	is(names.gaps.deep, 1, "and counts nothing twice");
	names_free(&names);
	inode_set_free(&found);

	memset(prefix, 'p', 1000);
	prefix[1000] = 0;
	is(walk(&names, prefix, NULL, note, &found), 1548, "the path to its beginning counts, too");
	names_free(&names);
	inode_set_free(&found);
	free(prefix);

	getrlimit(RLIMIT_NOFILE, &old);
	limit = (struct rlimit){ 100, 100 };
	/* Only root can raise it again. */
	if (!geteuid() && !setrlimit(RLIMIT_NOFILE, &limit)) {
		const size_t few = walk(&names, "/p", NULL, note, &found);

		setrlimit(RLIMIT_NOFILE, &old);
		ok(few > 50 && few < 100, "with few descriptors it goes less deep");
		is(names.gaps.refused, 1, "and says so");
		is(names.gaps.error, EMFILE, "with the reason");
		names_free(&names);
		inode_set_free(&found);
	}
}

static uint32_t *unwanted(void *to, uint32_t ino)
{
	(void)to;
	(void)ino;
	return NULL;
}

static void nothing(void *to, const char *name)
{
	(void)to;
	(void)name;
}

static void leave(void *to)
{
	(void)to;
}

static uint32_t sleep_long(void *to, int dir, const char *name, uint32_t ino)
{
	const struct timespec pause = { 5, 0 };

	nothing(to, name);
	(void)dir;
	(void)ino;
	nanosleep(&pause, NULL);
	return 0;
}

static uint32_t crash(void *to, int dir, const char *name, uint32_t ino)
{
	nothing(to, name);
	(void)dir;
	(void)ino;
	raise(SIGKILL);
	return 0;
}

static void alarmed(int number)
{
	(void)number;
	stop = 1;
}

/* @seconds is when the run shall end; 0: never. Returns the microseconds that the walk took. */
static uint64_t watched(struct names *names,
			uint32_t (*file)(void *to, int dir, const char *name, uint32_t ino),
			unsigned int seconds)
{
	struct names_watch watch = { .file = file, .enter = nothing, .leave = leave, .left = 1 };
	struct inode_set found = { 0 };
	const uint64_t start = clock_now();

	signal(SIGALRM, alarmed);
	alarm(seconds);
	walk(names, "/p", &watch, unwanted, &found);
	alarm(0);
	stop = 0;
	return clock_now() - start;
}

static void ends(void)
{
	struct names names = { 0 };
	uint64_t took = watched(&names, sleep_long, 1);

	ok(took >= CLOCK_SECOND / 2 && took < 3 * CLOCK_SECOND,
	   "a walk that goes on for hours ends with the run");
	ok(!names_have_gaps(&names), "without a word about it");
	watched(&names, crash, 0);
	ok(names.gaps.given_up && names.gaps.failed == 1, "where its process dies, it is told");
	took = watched(&names, sleep_long, 0);
	ok(took < CLOCK_SECOND && names.gaps.failed == 1, "and not tried again");
	names_free(&names);
}

static void streams(void)
{
	struct name_stream *out = xreallocarray(NULL, 1, sizeof(*out));
	struct name_stream *in = xreallocarray(NULL, 1, sizeof(*in));
	struct found found = { .kind = FOUND_FILE, .ino = 7, .parent = 8, .value = 9 };
	char *text = xreallocarray(NULL, STREAM_TEXT + 2, 1);
	int end[2], i;

	ok(!pipe(end), "a pipe");
	*out = (struct name_stream){ .fd = end[1] };
	*in = (struct name_stream){ .fd = end[0] };
	memset(text, 'x', STREAM_TEXT + 1);
	text[STREAM_TEXT + 1] = 0;
	stream_put(out, found, text);
	stream_put(out, found, NULL);
	stream_flush(out);
	ok(stream_fill(in) && stream_next(in, &found) == 1, "what was put in comes out");
	is(strlen(in->text), STREAM_TEXT, "with as much text as there may be");
	is(found.ino + found.parent + found.value, 24, "and all else");
	ok(stream_next(in, &found) == 1 && !*in->text, "without text, too");
	is(stream_next(in, &found), 0, "and no more");
	for (i = 0; i < (int)sizeof(found); i++)
		if (write(end[1], "", 1) != 1)
			break;
	ok(stream_fill(in) && stream_next(in, &found) == -1, "what is no record is refused");
	in->parsed = in->used;
	found = (struct found){ .kind = FOUND_FILE, .length = 2 };
	ok(write(end[1], &found, sizeof(found)) == sizeof(found) && write(end[1], "a", 1) == 1,
	   "a part of one");
	ok(stream_fill(in) && !stream_next(in, &found), "is waited for");
	ok(write(end[1], "\0", 1) == 1 && stream_fill(in) && stream_next(in, &found) == -1,
	   "a name with a zero byte is refused");
	close(end[1]);
	ok(!stream_fill(in), "and the end is seen");
	close(end[0]);
	free(text);
	free(in);
	free(out);
}

static void numbers(void)
{
	struct inode_set set = { 0 };
	uint32_t *list;

	ok(inode_set_add(&set, 70000) && inode_set_add(&set, 3) && inode_set_add(&set, UINT32_MAX),
	   "numbers that are new");
	ok(!inode_set_add(&set, 3) && set.count == 3, "and one that is not");
	list = inode_set_list(&set);
	ok(list[0] == 3 && list[1] == 70000 && list[2] == UINT32_MAX, "come out in order");
	free(list);
	inode_set_free(&set);
}

void test_names_walk(void)
{
	char template[] = "/tmp/names-walk-XXXXXX", *command;

	top = mkdtemp(template);
	numbers();
	streams();
	deep();
	ends();
	command = xasprintf("rm -rf %s", top);
	ok(!system(command), "cleaned up");
	free(command);
}
