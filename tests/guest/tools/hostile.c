// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a user does to a program that walks directories.
 *
 * hostile deep DIRECTORY DEPTH
 *	Makes DEPTH directories, each in the one before it, and a file in many pieces in the last.
 * hostile links FILE DIRECTORY COUNT
 *	Makes COUNT links to FILE in DIRECTORY.
 * hostile names DIRECTORY COUNT
 *	Makes COUNT empty files in DIRECTORY.
 * hostile chase DIRECTORY COUNT
 *	Makes COUNT directories in DIRECTORY, and one more, the prey. Whenever somebody opens the
 *	prey it is moved to the next of the others, in the order in which they are read. Prints
 *	"ready", and how often the prey was read when it is ended by SIGTERM.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE 1024
#define PIECES 30

static void die(const char *what)
{
	fprintf(stderr, "hostile: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Written backwards, and to the disk each time. */
static void write_in_pieces(const char *name)
{
	static const char piece[PIECE] = "piece";
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600), i;

	if (fd < 0)
		die(name);
	for (i = PIECES; i-- > 0;)
		if (pwrite(fd, piece, PIECE, (off_t)i * PIECE) != PIECE || fdatasync(fd))
			die(name);
	close(fd);
}

static void deep(int depth)
{
	while (depth-- > 0)
		if (mkdir("d", 0700) || chdir("d"))
			die("making directories");
	write_in_pieces("bottom");
}

static void links(int dir, const char *file, int count)
{
	char name[64];

	while (count-- > 0) {
		snprintf(name, sizeof(name), "link-%d", count);
		if (linkat(AT_FDCWD, file, dir, name, 0))
			die(name);
	}
}

static void names(int count)
{
	char name[64];
	int fd;

	while (count-- > 0) {
		snprintf(name, sizeof(name), "name-%d", count);
		fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd < 0)
			die(name);
		close(fd);
	}
}

static char **list(const char *path, int count)
{
	char **name = calloc((size_t)count, sizeof(*name));
	const struct dirent *entry;
	DIR *dir = opendir(path);
	int i = 0;

	if (!dir || !name)
		die(path);
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.' && i < count)
			name[i++] = strdup(entry->d_name);
	closedir(dir);
	return name;
}

static volatile sig_atomic_t reads;

static void on_term(int number)
{
	char text[32];
	int length = snprintf(text, sizeof(text), "%d\n", (int)reads);

	(void)number;
	if (write(1, text, (size_t)length) < 0)
		_exit(1);
	_exit(0);
}

static void chase(int count)
{
	struct inotify_event event;
	char from[600], to[600];
	int fd = inotify_init1(IN_CLOEXEC), i;
	char **name;

	for (i = 0; i < count; i++) {
		snprintf(to, sizeof(to), "sibling-%d", i);
		if (mkdir(to, 0700))
			die(to);
	}
	name = list(".", count);
	snprintf(from, sizeof(from), "%s/prey", name[0]);
	if (mkdir(from, 0700) || inotify_add_watch(fd, from, IN_OPEN | IN_ACCESS) < 0)
		die(from);
	signal(SIGTERM, on_term);
	puts("ready");
	fflush(stdout);
	/* No event of the prey itself has a name. */
	for (i = 1; read(fd, &event, sizeof(event)) == sizeof(event);) {
		reads += !!(event.mask & IN_ACCESS);
		if (!(event.mask & IN_OPEN) || i >= count)
			continue;
		snprintf(to, sizeof(to), "%s/prey", name[i++]);
		if (rename(from, to))
			die(to);
		strcpy(from, to);
	}
	die("reading events");
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (argc == 5 && !strcmp(what, "links")) {
		links(open(argv[3], O_RDONLY | O_DIRECTORY), argv[2], atoi(argv[4]));
		return 0;
	}
	if (argc != 4 || (strcmp(what, "deep") && strcmp(what, "names") && strcmp(what, "chase"))) {
		fputs("Usage: hostile deep DIRECTORY DEPTH | links FILE DIRECTORY COUNT | "
		      "names DIRECTORY COUNT | chase DIRECTORY COUNT\n",
		      stderr);
		return 2;
	}
	if (chdir(argv[2]))
		die(argv[2]);
	if (!strcmp(what, "deep"))
		deep(atoi(argv[3]));
	else if (!strcmp(what, "names"))
		names(atoi(argv[3]));
	else
		chase(atoi(argv[3]));
	return 0;
}
