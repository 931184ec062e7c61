// SPDX-License-Identifier: GPL-2.0-only
/* Commands that go on in a child while the script does others. */
#define _GNU_SOURCE
#include "steps.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/wait.h>

/* The child's result comes back through a pipe, marked by whether it is an errno. */
void do_start(struct word *w, int count)
{
	struct named *n = find_or_add(w[0].text);
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		die("pipe: %s", strerror(errno));
	n->child = fork();
	if (n->child < 0)
		die("fork: %s", strerror(errno));
	if (!n->child) {
		run_command(w + 1, count - 1);
		(void)!write(ends[1], failed ? "!" : "=", 1);
		(void)!write(ends[1], result, result_length);
		_exit(0);
	}
	close(ends[1]);
	n->fd = ends[0];
	call_result(0);
}

static struct named *child_of(const struct word *w)
{
	struct named *n = find(w->text);

	if (!n || !n->child)
		die("no child '%s'", w->text);
	return n;
}

void do_finish(struct word *w, int count)
{
	struct named *n = child_of(&w[0]);
	char *text = malloc(65536);
	size_t have = 0;
	ssize_t got;
	int status;

	(void)count;
	while ((got = read(n->fd, text + have, 65536 - have)) > 0)
		have += got;
	waitpid(n->child, &status, 0);
	n->child = 0;
	close(n->fd);
	n->fd = -1;
	if (have) {
		text_result(text + 1, have - 1);
		failed = text[0] == '!';
	} else if (WIFSIGNALED(status)) {
		format_result("signal %d", WTERMSIG(status));
	} else {
		format_result("exit %d", WEXITSTATUS(status));
	}
	free(text);
}

void do_running(struct word *w, int count)
{
	struct pollfd p = { .fd = child_of(&w[0])->fd, .events = POLLIN };

	(void)count;
	string_result(poll(&p, 1, 0) > 0 ? "no" : "yes");
}

void do_kill(struct word *w, int count)
{
	(void)count;
	call_result(kill(child_of(&w[0])->child, SIGKILL));
}
