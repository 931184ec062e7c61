// SPDX-License-Identifier: GPL-2.0-only
#include "survey/walk_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/descriptors.h"
#include "lib/util.h"
#include "progress/progress.h"

static struct walk_where *heart;

/* Called while it rests: a rest is no standstill. */
static void beat(void)
{
	walk_count(&heart->beats);
}

/* What ends the run ends it by its parent: only that knows what to do with the rest. */
static void leave_signals(void)
{
	static const int ignored[] = { SIGINT, SIGTERM, SIGUSR1 };
	size_t i;

	for (i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
		signal(ignored[i], SIG_IGN);
	signal(SIGALRM, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
}

/* A process that nobody can kill must not hold the end of somebody's pipe. */
static void leave_standard_files(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), i;

	for (i = 0; i < 3; i++) {
		if (null < 0)
			close(i);
		else
			dup2(null, i);
	}
}

/* Each level of the walk holds a descriptor, so deep trees need many. */
static void raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static void run(struct walk *walk, int fd, pid_t parent)
{
	int keep[] = { fd, walk->out->fd, walk->throttle->stat, walk->throttle->inflight };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	leave_signals();
	leave_standard_files();
	/* Nor ext3meta, or a lock. */
	close_others(3, keep, walk->throttle->on ? 4 : 2);
	if (chdir("/"))
		_exit(1);
	raise_limit();
	heart = walk->where;
	progress_divert(beat);
	throttle_again(walk->throttle);
	walk_tree(walk, fd);
	stream_put(walk->out, (struct found){ .kind = FOUND_END }, NULL);
	stream_flush(walk->out);
}

bool walk_child_start(struct walk_child *child, const struct names *names,
		      const struct names_place *place, struct names_wanted *wanted,
		      struct throttle *throttle, struct walk_where *where)
{
	struct name_stream *out = xreallocarray(NULL, 1, sizeof(*out));
	struct names numbers = *names;
	struct walk walk = { .names = &numbers,
			     .wanted = wanted,
			     .prefix = place->path,
			     .throttle = throttle,
			     .out = out,
			     .where = where,
			     .dev = place->dev };
	const pid_t parent = getpid();
	int end[2], error;

	numbers.numbers_only = true;
	if (pipe2(end, O_CLOEXEC)) {
		free(out);
		return false;
	}
	*out = (struct name_stream){ .fd = end[1] };
	child->fd = end[0];
	child->pid = fork();
	if (!child->pid) {
		run(&walk, place->fd, parent);
		_exit(0);
	}
	error = errno;
	free(out);
	close(end[1]);
	if (child->pid < 0)
		close(end[0]);
	errno = error;
	return child->pid > 0;
}
