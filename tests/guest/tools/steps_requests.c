// SPDX-License-Identifier: GPL-2.0-only
/* Requests to ext3meta that may come back short, and who makes them. */
#define _GNU_SOURCE
#include "steps.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/capability.h>
#include <sys/syscall.h>

/* Asks for COUNT blocks from POSITION on, until they are there or an error comes. */
void do_alloc(struct word *w, int count)
{
	long long position = number(&w[1]), end = position + number(&w[2]), first = position;
	int fd = fd_of(&w[0]);
	char text[32];

	(void)count;
	if (lseek(fd, position, SEEK_SET) < 0)
		die("seek: %s", strerror(errno));
	while (position < end) {
		ssize_t length = snprintf(text, sizeof(text), "%lld\n", end - position);

		if (write(fd, text, length) != length) {
			if (position == first)
				call_result(-1);
			else
				format_result("%lld %s", position - first, strerrorname_np(errno));
			return;
		}
		position = lseek(fd, 0, SEEK_CUR);
	}
	call_result(position - first);
}

/* Repeats a request until it fails: what it gave altogether, and the errno. */
void do_drain(struct word *w, int count)
{
	long long total = 0;
	ssize_t got;

	if (count > 2 && lseek(fd_of(&w[0]), number(&w[2]), SEEK_SET) < 0)
		die("seek: %s", strerror(errno));
	while ((got = write(fd_of(&w[0]), w[1].text, w[1].length)) > 0)
		total += got;
	format_result("%lld %s", total, got ? strerrorname_np(errno) : "0");
}

void do_euid(struct word *w, int count)
{
	(void)count;
	call_result(seteuid(number(&w[0])));
}

/* Takes CAP_SYS_ADMIN out of the effective set ("drop") or puts it back. */
void do_admin(struct word *w, int count)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	unsigned int bit = 1U << CAP_SYS_ADMIN;

	(void)count;
	if (syscall(SYS_capget, &head, data))
		die("capget: %s", strerror(errno));
	if (!strcmp(w[0].text, "drop"))
		data[0].effective &= ~bit;
	else
		data[0].effective |= bit;
	call_result(syscall(SYS_capset, &head, data));
}

void do_userns(struct word *w, int count)
{
	(void)w;
	(void)count;
	call_result(unshare(CLONE_NEWUSER | CLONE_NEWNS));
}
