// SPDX-License-Identifier: GPL-2.0-only
#include "planfile/planfile_read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/util.h"
#include "planfile/planfile_parse.h"
#include "status.h"

/* Why the file itself must not be read as a plan; NULL if it may be. */
static const char *untrusted(const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return "is not a regular file";
	if (st->st_uid && st->st_uid != geteuid())
		return "belongs to another user, who could have written anything into it";
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return "can be written by others, who could have written anything into it";
	if (st->st_size > (off_t)PLANFILE_MOST)
		return "is too large for a plan";
	return NULL;
}

int planfile_read(struct planfile *plan, const char *path)
{
	char *shown = printable(path), *wrong;
	int status = STATUS_REFUSED, fd;
	const char *why;
	struct stat st;

	memset(plan, 0, sizeof(*plan));
	/* O_NONBLOCK, O_NOCTTY: opening a pipe or a terminal must not wait or take it over. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st)) {
		complain(shown, errno, "can't read it");
		goto out;
	}
	why = untrusted(&st);
	if (why) {
		complain(shown, 0, "%s", why);
		goto out;
	}
	wrong = planfile_parse(plan, fd);
	if (wrong)
		complain(shown, 0, "%s", wrong);
	else
		status = STATUS_DONE;
	free(wrong);
out:
	if (fd >= 0)
		close(fd);
	free(shown);
	return status;
}
