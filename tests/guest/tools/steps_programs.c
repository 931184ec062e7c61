// SPDX-License-Identifier: GPL-2.0-only
/* Programs beside the script: commands, the judges of an image, the kernel's log. */
#define _GNU_SOURCE
#include "steps.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/klog.h>
#include <sys/wait.h>

#include "imgmap.h"

void do_run(struct word *w, int count)
{
	int status = system(w[0].text);

	(void)count;
	call_result(WIFEXITED(status) ? WEXITSTATUS(status) : 128);
}

/* What a command prints. */
void do_output(struct word *w, int count)
{
	size_t have = 0, room = 65536, got;
	char *text = malloc(room);
	FILE *from = popen(w[0].text, "re");

	(void)count;
	while ((got = fread(text + have, 1, room - have, from)) > 0) {
		have += got;
		if (have == room)
			text = realloc(text, room *= 2);
	}
	if (pclose(from))
		die("'%s' failed", w[0].text);
	text_result(text, have);
	free(text);
}

void do_imgmap(struct word *w, int count)
{
	char *argv[MAX_WORDS], *text;
	size_t length;
	FILE *to = open_memstream(&text, &length);
	int i;

	for (i = 0; i < count; i++)
		argv[i] = w[i].text;
	imgmap(count, argv, to);
	fclose(to);
	text_result(text, length);
	free(text);
}

/* The exit status of e2fsck, whose words are shown where it isn't 0. */
void do_fsck(struct word *w, int count)
{
	char *command;
	char *text = malloc(65536);
	size_t got;
	FILE *from;
	int status;

	if (asprintf(&command, "exec e2fsck %s %s 2>&1", count > 1 ? w[1].text : "-fn", w[0].text) <
	    0)
		die("out of memory");
	from = popen(command, "re");
	got = fread(text, 1, 65536, from);
	status = pclose(from);
	if (status)
		fwrite(text, 1, got, stdout);
	call_result(WIFEXITED(status) ? WEXITSTATUS(status) : 128);
	free(text);
	free(command);
}

/* Whether the kernel's log has TEXT ("yes", "no"); without TEXT it is cleared. */
void do_dmesg(struct word *w, int count)
{
	size_t room = 4 << 20;
	char *log;
	int length;

	if (!count) {
		call_result(klogctl(5, NULL, 0));
		return;
	}
	log = malloc(room + 1);
	length = klogctl(3, log, room);
	if (length < 0)
		die("reading the log: %s", strerror(errno));
	log[length] = '\0';
	string_result(strcasestr(log, w[0].text) ? "yes" : "no");
	free(log);
}

void do_print(struct word *w, int count)
{
	(void)count;
	fwrite(w[0].text, 1, w[0].length, stdout);
	fflush(stdout);
	call_result(0);
}

void do_sleep(struct word *w, int count)
{
	(void)count;
	call_result(usleep(number(&w[0]) * 1000));
}
