// SPDX-License-Identifier: GPL-2.0-only
#include "survey/names_walk.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/util.h"
#include "progress/progress.h"
#include "survey/walk_child.h"

/*
 * How long to wait at a time, in ms. Waiting is counted in slices and not by the clock, so that
 * time in which this process itself was stopped does not count.
 */
#define SLICE 100
/*
 * A walk that stands still for so many slices on end, 10 s, waits for a lock that a user holds: a
 * call reads a few blocks, and even a busy disk delivers these sooner. Nor may slices of stillness
 * add up to a minute, by a lock that is held again and again.
 */
#define STILL_SLICES 100
#define STILL_SLICES_ALL 600
/* How long to wait for a killed process, in ns. If it sleeps in the kernel, it ends some time. */
#define REAP_TIME 1000000000L

enum end {
	END_WHOLE,
	END_STOPPED, /* by the flag */
	END_STILL,
	END_SHORT, /* the process ended, but not the walk */
	END_WRONG, /* what it tells makes no sense */
};

/* One process that walks, as the one that waits sees it. */
struct following {
	struct names *names;
	struct names_wanted *wanted;
	const volatile int *stop;
	struct name_stream *in;
	struct walk_where *where;
	uint64_t beats, entries; /* seen so far */
	unsigned int still, still_all;
};

/* --- what the process tells ------------------------------------------------------------------ */

static void add_failed(struct names *names, const struct found *record)
{
	char *path, *shown;

	if (!inode_set_add(&names->gaps.known, record->ino))
		return;
	names->gaps.failed++;
	if (names->gaps.errors++ >= FAILED_TOLD_MOST)
		return;
	path = record->parent == NAME_NONE ? xasprintf("<inode %" PRIu32 ">", record->ino) :
					     names_path(names, record->parent);
	shown = names_shown(path, record->ino);
	complain(shown, (int)record->value, "can't read this directory");
	free(shown);
	free(path);
}

static void add_left_out(struct names_gaps *gaps, const struct found *record)
{
	if (!inode_set_add(&gaps->known, record->ino))
		return;
	if (!record->value)
		gaps->deep++;
	else if (!gaps->refused++)
		gaps->error = (int)record->value;
}

static void add_file(struct following *f, const struct found *record, const char *text)
{
	uint32_t *slot = f->wanted->slot(f->wanted->to, record->ino);

	if (!slot)
		return;
	*slot = names_add(f->names, record->parent, text, record->ino);
	f->wanted->left--;
}

/* Returns false if @record can't be. */
static bool take(struct following *f, const struct found *record, const char *text)
{
	const struct names_watch *watch = f->wanted->watch;
	struct names *names = f->names;

	if (record->parent != NAME_NONE && record->parent && record->parent >= names->count)
		return false;
	switch ((enum found_kind)record->kind) {
	case FOUND_DIRECTORY:
		names_add(names, record->parent, text, 0);
		return true;
	case FOUND_FILE:
		if (record->parent >= names->count || f->wanted->numbers || !f->wanted->left)
			return false;
		add_file(f, record, text);
		return true;
	case FOUND_INODE:
		if (!f->wanted->numbers)
			return false;
		f->wanted->slot(f->wanted->to, record->ino);
		return true;
	case FOUND_VERDICT:
		if (!watch)
			return false;
		watch->decided(watch->to, record->ino, record->value);
		return true;
	case FOUND_FAILED:
		if (!record->value || record->value > INT_MAX)
			return false;
		add_failed(names, record);
		return true;
	case FOUND_LEFT_OUT:
		if (record->value > INT_MAX)
			return false;
		add_left_out(&names->gaps, record);
		return true;
	case FOUND_END:
		break;
	}
	return false;
}

/* Take all whole records. Returns false when the walk has ended, or goes wrong: @end says which. */
static bool take_all(struct following *f, enum end *end)
{
	struct found record;
	int got;

	while ((got = stream_next(f->in, &record)) > 0) {
		if (record.kind == FOUND_END) {
			*end = END_WHOLE;
			return false;
		}
		if (!take(f, &record, f->in->text))
			break;
	}
	if (!got)
		return true;
	*end = END_WRONG;
	return false;
}

/* --- waiting for it -------------------------------------------------------------------------- */

/* Returns false if it has stood still for too long. */
static bool goes_on(struct following *f, bool slice_over)
{
	const uint64_t entries = atomic_load_explicit(&f->where->entries, memory_order_relaxed);
	const uint64_t beats = atomic_load_explicit(&f->where->beats, memory_order_relaxed);

	progress_counted(entries - f->entries);
	f->entries = entries;
	if (beats != f->beats) {
		f->beats = beats;
		f->still = 0;
	} else if (slice_over) {
		f->still++;
		f->still_all++;
	}
	return f->still < STILL_SLICES && f->still_all < STILL_SLICES_ALL;
}

static enum end follow(struct following *f)
{
	struct pollfd fd = { .fd = f->in->fd, .events = POLLIN };
	enum end end = END_SHORT;
	int ready;

	while (!*f->stop) {
		ready = poll(&fd, 1, SLICE);
		if (!goes_on(f, !ready))
			return END_STILL;
		if (ready <= 0)
			continue;
		if (!stream_fill(f->in) || !take_all(f, &end))
			return end;
	}
	return END_STOPPED;
}

/* Returns true and its wait status if it has ended, else it is left to itself. */
static bool reap(pid_t pid, int *status)
{
	/* At first for a moment: most have ended by themselves. */
	struct timespec pause = { 0, 100 * 1000 };
	long waited;

	kill(pid, SIGKILL);
	for (waited = 0; waited < REAP_TIME; waited += pause.tv_nsec) {
		if (waitpid(pid, status, WNOHANG) == pid)
			return true;
		nanosleep(&pause, NULL);
		if (pause.tv_nsec < 10 * 1000 * 1000)
			pause.tv_nsec *= 2;
	}
	return false;
}

/* --- what is made of its end ----------------------------------------------------------------- */

static void give_up(struct names *names, const char *path, int error, const char *why)
{
	char *shown = printable(path);

	complain(shown, error, "the search for names ended early: %s", why);
	names->gaps.given_up = true;
	names->gaps.failed++;
	free(shown);
}

/* Pass over the directory that doesn't answer. */
static void avoid(struct names *names, const struct walk_where *where, const char *top)
{
	struct names_gaps *gaps = &names->gaps;
	char *shown;

	gaps->avoided[gaps->avoided_count++] =
		(struct avoided){ .ino = where->ino, .uid = where->uid };
	gaps->failed++;
	shown = names_shown(*where->path ? where->path : top, where->ino);
	complain(shown, 0,
		 "this directory (inode %" PRIu32 ", of user %" PRIu32 ") can't be read: a process "
		 "holds its lock; names in it%s are not searched for",
		 where->ino, (uint32_t)where->uid,
		 where->uid ? ", and in others of this user," : "");
	free(shown);
	if (gaps->avoided_count == AVOIDED_MOST)
		give_up(names, top, 0, "too many directories can't be read");
}

/* Returns true if another walk is worth it, around what doesn't answer. */
static bool take_end(struct following *f, enum end end, bool ended, int status, const char *top)
{
	char *why;

	switch (end) {
	case END_WHOLE:
	case END_STOPPED:
		return false;
	case END_STILL:
		avoid(f->names, f->where, top);
		return !f->names->gaps.given_up;
	case END_SHORT:
		why = !ended || !WIFSIGNALED(status) ?
			      xstrdup("its process has ended") :
			      xasprintf("its process was killed by signal %d", WTERMSIG(status));
		give_up(f->names, top, 0, why);
		free(why);
		return false;
	case END_WRONG:
		give_up(f->names, top, 0, "what its process tells makes no sense");
		return false;
	}
	return false;
}

/* Walk in a new process. Returns true if another walk is worth it. */
static bool walk_once(struct names *names, const struct names_place *place,
		      struct names_wanted *wanted, struct throttle *throttle,
		      const volatile int *stop)
{
	const size_t size = sizeof(struct walk_where);
	struct following f = { .names = names, .wanted = wanted, .stop = stop };
	struct name_stream *in = xreallocarray(NULL, 1, sizeof(*in));
	struct walk_child child;
	bool again = false, ended;
	int status = 0;
	enum end end;

	f.in = in;
	f.where = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (f.where == MAP_FAILED ||
	    !walk_child_start(&child, names, place, wanted, throttle, f.where)) {
		give_up(names, place->path, errno, "can't start its process");
	} else {
		*in = (struct name_stream){ .fd = child.fd };
		end = follow(&f);
		close(child.fd);
		ended = reap(child.pid, &status);
		again = take_end(&f, end, ended, status, place->path);
		throttle_again(throttle);
	}
	if (f.where != MAP_FAILED)
		munmap(f.where, size);
	free(in);
	return again;
}

void names_walk(struct names *names, const struct names_place *place, struct names_wanted *wanted,
		struct throttle *throttle, const volatile int *stop)
{
	/* A walk that begins again finds nothing twice: what was found is no longer wanted. */
	while (names_wants_more(wanted) && !names->gaps.given_up && !*stop &&
	       walk_once(names, place, wanted, throttle, stop))
		;
}

void names_tell_gaps(const struct names *names, const char *subject, const char *effect)
{
	const struct names_gaps *gaps = &names->gaps;

	if (gaps->errors > FAILED_TOLD_MOST)
		complain(subject, 0, "%" PRIu64 " more directories can't be read: %s",
			 gaps->errors - FAILED_TOLD_MOST, effect);
	if (gaps->deep)
		complain(subject, 0,
			 "%" PRIu64 " directories were not searched, because their paths have "
			 "%d bytes or more: %s",
			 gaps->deep, PATH_MAX, effect);
	if (gaps->refused)
		complain(subject, gaps->error, "%" PRIu64 " directories were not searched: %s",
			 gaps->refused, effect);
}
