// SPDX-License-Identifier: GPL-2.0-only
/* What is accepted from a guest that was taken over: text, files, and the time it takes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/util.h"
#include "tap.h"
#include "vm/files.h"
#include "vm/guest_wait.h"
#include "vm/relay.h"

/* Relay @text in pieces of @piece bytes, and return what was written, up to @limit bytes. */
static char *relayed(const char *text, size_t size, size_t piece, uint64_t limit,
		     enum relayed *result)
{
	FILE *file = tmpfile();
	struct relay relay = { 0 };
	char *got;
	size_t at;
	long end;

	*result = RELAYED;
	for (at = 0; at < size && *result == RELAYED; at += piece)
		*result = relay_text(&relay, fileno(file), text + at,
				     size - at < piece ? size - at : piece, &limit);
	if (*result == RELAYED)
		*result = relay_text(&relay, fileno(file), "", 0, &limit);
	end = (long)lseek(fileno(file), 0, SEEK_END);
	got = xreallocarray(NULL, (size_t)end + 1, 1);
	ok(pread(fileno(file), got, (size_t)end, 0) == end, "what was written is read");
	got[end] = 0;
	fclose(file);
	return got;
}

static void relays(const char *text, const char *wanted, const char *what)
{
	enum relayed result;
	size_t piece;

	for (piece = 1; piece < 8; piece++) {
		char *got = relayed(text, strlen(text), piece, 1000, &result);

		ok(!strcmp(got, wanted) && result == RELAYED, "%s, %zu bytes at a time", what,
		   piece);
		if (strcmp(got, wanted))
			printf("# got %s\n", got);
		free(got);
	}
}

static void test_relay(void)
{
	enum relayed result;
	char *got;

	relays("one\ntwo \\012 three\n", "one\ntwo \\012 three\n", "plain text stays as it is");
	relays("\033]0;title\a\r\t\b\177", "\\033]0;title\\007\\015\\011\\010\\177",
	       "control characters are escaped");
	relays("\302\205 \342\202\254 \360\237\230\200 \303\251", /* NEL, then real letters */
	       "\\302\\205 \342\202\254 \360\237\230\200 \303\251",
	       "UTF-8 stays, controls of C1 don't");
	relays("\300\200 \342\202 \377 \355\240\200 \360\237\230",
	       "\\300\\200 \\342\\202 \\377 \\355\\240\\200 \\360\\237\\230",
	       "what is not UTF-8 is escaped");
	got = relayed("0123456789", 10, 10, 10, &result);
	ok(!strcmp(got, "0123456789") && result == RELAYED, "as much as is allowed");
	free(got);
	got = relayed("0123456789", 10, 3, 9, &result);
	ok(!strcmp(got, "012345678") && result == RELAY_FULL, "and no byte more");
	free(got);
	got = relayed("\a\a\a\a\a\a\a\a\a\a", 10, 10, 12, &result);
	ok(strlen(got) == 12 && result == RELAY_FULL, "counted as it is written");
	free(got);
}

static void announce(struct files *files, const char *name, uint64_t size, bool wanted,
		     const char *what)
{
	is(files_announce(files, name, size), wanted, "%s", what);
	is((long long)files->rest, (long long)size, "its bytes are awaited all the same");
	files->rest = 0;
}

static void test_files(void)
{
	char folder[] = "/tmp/e3defrag-vm-test.XXXXXX";
	struct option_given given[2] = { { .name = "json", .file = true },
					 { .name = "csv", .file = true } };
	const struct options options = { .given = given, .given_count = 2 };
	struct files files = { .limit = 100 };
	char text[16] = "";
	FILE *file;

	if (!ok(mkdtemp(folder) != NULL, "a folder"))
		return;
	given[0].value = xasprintf("%s/json", folder);
	given[1].value = xasprintf("%s/csv", folder);
	ok(files_open(&files, &options), "files are opened");
	announce(&files, "json", 101, false, "a file larger than all may be is not accepted");
	announce(&files, "json", UINT64_MAX, false, "nor the largest there is");
	announce(&files, "plan", 1, false, "nor one that was not asked for");
	announce(&files, "../../x", 1, false, "nor a name that is none");
	files.room[0] = 9;
	announce(&files, "csv", 10, false,
		 "nor one that would take more than its half of the room");
	ok(files_announce(&files, "json", 5), "a file is accepted");
	files_receive(&files, "ab", 2);
	files_receive(&files, "cde", 3);
	announce(&files, "json", 1, false, "but only once");
	announce(&files, "csv", 96, false, "all together are bounded");
	ok(files_announce(&files, "csv", 4), "another one");
	files_receive(&files, "123", 3);
	ok(files_commit(&files), "what was received is completed");
	file = fopen(given[0].value, "r");
	ok(file && fgets(text, sizeof(text), file) && !strcmp(text, "abcde"), "it is all there");
	if (file)
		fclose(file);
	ok(access(given[1].value, F_OK), "and what was received in part is not");
	unlink(given[0].value);
	rmdir(folder);
	free(given[0].value);
	free(given[1].value);
}

/* A machine that was started @started seconds ago, and heard of last @heard seconds ago. */
static struct guest_wait waiting(uint64_t started, uint64_t heard, uint64_t closing)
{
	const uint64_t now = clock_now();

	return (struct guest_wait){
		.begun = true,
		.started = now - started * CLOCK_SECOND,
		.heard = now - heard * CLOCK_SECOND,
		.closing = closing ? now - closing * CLOCK_SECOND : 0,
	};
}

static void overdue(struct guest_wait patience, bool wanted, const char *what)
{
	is(guest_wait_overdue(&patience) != NULL, wanted, "%s", what);
}

/* The moment when the time is over must not be later than the one that it is compared with. */
static void overdue_at_once(void)
{
	int i, early = 0;

	for (i = 0; i < 100000; i++) {
		struct guest_wait patience = waiting(10, 0, 0);

		patience.limit = patience.started + CLOCK_SECOND;
		early += guest_wait_overdue(&patience) != NULL;
	}
	is(early, 0, "when the time is over, a machine is never ended at once");
}

static void test_patience(void)
{
	struct guest_wait patience;

	guest_wait_start(&patience, 0);
	patience.started -= 299 * CLOCK_SECOND;
	overdue(patience, false, "a machine may take five minutes to boot");
	patience.started -= 2 * CLOCK_SECOND;
	overdue(patience, true, "and no more");
	overdue(waiting(100000, 299, 0), false, "nothing is heard for five minutes");
	overdue(waiting(100000, 301, 0), true, "or longer");
	overdue(waiting(100000, 1, 3), false, "it was told to end, and is alive");
	overdue(waiting(100000, 100, 3), false, "it may be quiet for four seconds then");
	overdue(waiting(100000, 5, 5), true, "and no longer");
	overdue(waiting(100000, 1, 59), false, "alive, it has a minute");
	overdue(waiting(100000, 0, 61), true, "and no more, whatever it says");

	guest_wait_start(&patience, 10);
	patience.limit -= CLOCK_SECOND / 2;
	is((long long)guest_wait_left(&patience), 9, "the time left is rounded down");
	guest_wait_begin(&patience);
	patience.limit -= 9 * CLOCK_SECOND;
	is((long long)guest_wait_left(&patience), 1, "but is never nothing");
	overdue(patience, false, "until the time is over");
	is((long long)patience.closing, 0, "it is not told to end");
	patience.limit -= CLOCK_SECOND;
	overdue(patience, false, "and when it is, there is some more");
	guest_wait_overdue(&patience);
	ok(patience.closing != 0, "but then it ends");
	overdue_at_once();
	guest_wait_start(&patience, 10);
	patience.limit -= 11 * CLOCK_SECOND;
	overdue(patience, true, "a machine that is not ready by then is ended");
	guest_wait_forget(&patience);
	overdue(patience, false, "once");
}

void test_vm(void)
{
	test_relay();
	test_files();
	test_patience();
}
