// SPDX-License-Identifier: GPL-2.0-only
#include "vm/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/descriptors.h"

/* Outlive the signals that are sent to all processes of a terminal or a group. */
static void leave_the_group(void)
{
	sigset_t all;

	setsid();
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
}

static void keep(int tool, int qemu)
{
	struct pollfd events[] = { { .fd = tool, .events = POLLIN },
				   { .fd = qemu, .events = POLLIN } };
	int needed[] = { tool, qemu };

	leave_the_group();
	/* One too many would keep a pipe or the image open. */
	close_others(0, needed, 2);
	while (poll(events, 2, -1) < 0)
		;
	/* The tool has ended before QEMU. */
	if (!events[1].revents && poll(&events[1], 1, 1000 * KEEPER_PATIENCE) <= 0)
		pidfd_send_signal(qemu, SIGKILL, NULL, 0);
	_exit(0);
}

bool keeper_start(struct keeper *keeper, pid_t pid)
{
	int ends[2], qemu = pidfd_open(pid, 0);

	*keeper = (struct keeper){ .pid = -1, .fd = -1 };
	if (qemu < 0)
		return false;
	if (pipe2(ends, O_CLOEXEC)) {
		close(qemu);
		return false;
	}
	keeper->pid = fork();
	if (!keeper->pid) {
		close(ends[1]);
		keep(ends[0], qemu);
	}
	close(ends[0]);
	close(qemu);
	keeper->fd = ends[1];
	return keeper->pid > 0;
}

void keeper_end(struct keeper *keeper)
{
	if (keeper->fd >= 0)
		close(keeper->fd);
	while (keeper->pid > 0 && waitpid(keeper->pid, NULL, 0) < 0 && errno == EINTR)
		;
}
