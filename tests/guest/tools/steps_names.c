// SPDX-License-Identifier: GPL-2.0-only
/* The names in directories. */
#define _GNU_SOURCE
#include "steps.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static int skip_dots(const struct dirent *d)
{
	return strcmp(d->d_name, ".") && strcmp(d->d_name, "..");
}

void do_names(struct word *w, int count)
{
	struct dirent **list;
	int n = scandir(w[0].text, &list, skip_dots, versionsort), i;
	char *text = calloc(1, 1);

	(void)count;
	if (n < 0) {
		call_result(n);
		return;
	}
	for (i = 0; i < n; i++) {
		char *longer;

		if (asprintf(&longer, "%s%s%s", text, i ? " " : "", list[i]->d_name) < 0)
			die("out of memory");
		free(text);
		text = longer;
		free(list[i]);
	}
	free(list);
	string_result(text);
	free(text);
}

void do_unlink(struct word *w, int count)
{
	(void)count;
	call_result(unlink(w[0].text));
}

void do_link(struct word *w, int count)
{
	(void)count;
	call_result(link(w[0].text, w[1].text));
}

void do_mkdir(struct word *w, int count)
{
	(void)count;
	call_result(mkdir(w[0].text, 0755));
}

void do_symlink(struct word *w, int count)
{
	(void)count;
	call_result(symlink(w[0].text, w[1].text));
}

void do_mknod(struct word *w, int count)
{
	mode_t type = !strcmp(w[1].text, "fifo")   ? S_IFIFO :
		      !strcmp(w[1].text, "socket") ? S_IFSOCK :
		      !strcmp(w[1].text, "block")  ? S_IFBLK :
						     S_IFCHR;

	(void)count;
	call_result(mknod(w[0].text, type | 0644, makedev(1, 3)));
}
