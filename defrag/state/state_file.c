// SPDX-License-Identifier: GPL-2.0-only
#include "state/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/output.h"
#include "lib/util.h"
#include "options.h"
#include "state/state_text.h"
#include "status.h"

/* If the file is replaced between open and lock this many times, something is wrong. */
#define TRIES 100

/* Why the file or directory must not be trusted; NULL if it may be. */
static const char *unsafe(const struct stat *st)
{
	if (st->st_uid && st->st_uid != geteuid())
		return "belongs to another user";
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return "is writable by others";
	return NULL;
}

static int refuse_state(const struct state_file *file, const char *what, const char *why)
{
	complain(file->shown, 0, "can't be used as a state file: %s%s", what, why);
	return STATUS_REFUSED;
}

static int fail(const struct state_file *file, const char *what)
{
	complain(file->shown, errno, "%s", what);
	return STATUS_FAILED;
}

static const char *name_of(const struct state_file *file)
{
	const char *slash = strrchr(file->path, '/');

	return slash ? slash + 1 : file->path;
}

static int open_folder(struct state_file *file, bool writes)
{
	const char *name = name_of(file), *why;
	char *folder = name == file->path ?
			       xstrdup(".") :
		       name == file->path + 1 ?
			       xstrdup("/") :
			       xasprintf("%.*s", (int)(name - file->path - 1), file->path);
	struct stat st;
	int status = STATUS_DONE;

	if (writes && !strcmp(file->path, STATE_FILE) && mkdir(folder, 0700) && errno != EEXIST)
		status = fail(file, "can't make its folder");
	if (!status)
		file->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(folder);
	if (status)
		return status;
	if (file->folder < 0)
		return !writes && errno == ENOENT ? STATUS_DONE :
						    fail(file, "can't open its folder");
	if (fstat(file->folder, &st))
		return fail(file, "can't get the status of its folder");
	why = unsafe(&st);
	return why ? refuse_state(file, "its folder ", why) : STATUS_DONE;
}

/* Open the file itself. Another run may replace it a moment later. */
static int open_state(struct state_file *file, bool writes)
{
	const char *name = name_of(file), *why;
	struct stat st;

	/* Check this before opening it: to open a device, for example, can have effects. */
	if (!fstatat(file->folder, name, &st, AT_SYMLINK_NOFOLLOW)) {
		if (!S_ISREG(st.st_mode))
			return refuse_state(file, "it ",
					    S_ISLNK(st.st_mode) ? "is a symbolic link" :
								  "is not a regular file");
	} else if (errno != ENOENT) {
		return fail(file, "can't get its status");
	}
	file->fd = openat(
		file->folder, name,
		O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | (writes ? O_RDWR | O_CREAT : O_RDONLY), 0600);
	if (file->fd < 0)
		return !writes && errno == ENOENT ? STATUS_DONE : fail(file, "can't open it");
	if (fstat(file->fd, &st))
		return fail(file, "can't get its status");
	why = S_ISREG(st.st_mode) ? unsafe(&st) : "is not a regular file";
	return why ? refuse_state(file, "it ", why) : STATUS_DONE;
}

/* True if the name still belongs to the open file. Each write gives it to a new file. */
static bool is_current(const struct state_file *file)
{
	struct stat open, named;

	return !fstat(file->fd, &open) &&
	       !fstatat(file->folder, name_of(file), &named, AT_SYMLINK_NOFOLLOW) &&
	       open.st_dev == named.st_dev && open.st_ino == named.st_ino;
}

static int open_locked(struct state_file *file)
{
	int tries, status;

	for (tries = 0; tries < TRIES; tries++) {
		status = open_state(file, true);
		if (status)
			return status;
		if (flock(file->fd, LOCK_EX | LOCK_NB)) {
			if (errno != EWOULDBLOCK)
				return fail(file, "can't lock it");
			return refuse_state(file, "", "another run uses it");
		}
		if (is_current(file))
			return STATUS_DONE;
		close(file->fd);
		file->fd = -1;
	}
	return refuse_state(file, "it ", "is replaced again and again");
}

int state_file_open(struct state_file *file, const char *path, bool writes)
{
	int status;

	*file = (struct state_file){
		.path = xstrdup(path), .shown = printable(path), .folder = -1, .fd = -1
	};
	status = open_folder(file, writes);
	if (!status && file->folder >= 0)
		status = writes ? open_locked(file) : open_state(file, false);
	if (status)
		state_file_close(file);
	return status;
}

void state_file_close(struct state_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	if (file->folder >= 0)
		close(file->folder);
	free(file->path);
	free(file->shown);
	*file = (struct state_file){ .folder = -1, .fd = -1 };
}

static ssize_t read_state(const struct state_file *file, char *text, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t got = pread(file->fd, text + done, size - done, (off_t)done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (!got)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

void state_file_read(const struct state_file *file, struct state *state)
{
	struct stat st = { 0 };
	ssize_t length;
	size_t line;
	char *text;
	int err;

	memset(state, 0, sizeof(*state));
	/* A file that was just made is empty. */
	if (file->fd < 0 || fstat(file->fd, &st) || !st.st_size)
		return;
	if ((uint64_t)st.st_size > STATE_TEXT_MOST) {
		complain(file->shown, 0, "is too long for a state: starting with an empty one");
		return;
	}
	text = xreallocarray(NULL, (size_t)st.st_size, 1);
	length = read_state(file, text, (size_t)st.st_size);
	if (length < 0) {
		complain(file->shown, errno, "can't read it, starting with an empty state");
		free(text);
		return;
	}
	err = state_parse(state, text, (size_t)length, &line);
	free(text);
	if (err == -EOPNOTSUPP)
		complain(file->shown, 0, "is of another version: starting with an empty state");
	else if (err)
		complain(file->shown, 0, "is damaged in line %zu: starting with an empty state",
			 line);
}

/* True if the directory has not been replaced since it was checked. */
static bool same_folder(const struct state_file *file, const struct output *output)
{
	struct stat ours, theirs;

	return !fstat(file->folder, &ours) && !fstat(output->folder, &theirs) &&
	       ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

bool state_file_write(struct state_file *file, const struct state *state)
{
	struct output output;
	int fd, old;
	bool good;

	if (!output_open(&output, file->path, 0600))
		return false;
	if (!same_folder(file, &output)) {
		complain(file->shown, 0, "can't write it: its folder was replaced");
		output_drop(&output);
		return false;
	}
	/* Lock it before it has its name. The lock lasts until the last descriptor is closed. */
	fd = fcntl(fileno(output.stream), F_DUPFD_CLOEXEC, 0);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB)) {
		complain(file->shown, errno, "can't lock it");
		if (fd >= 0)
			close(fd);
		output_drop(&output);
		return false;
	}
	state_print(state, output.stream);
	good = output_commit(&output);
	old = file->fd;
	file->fd = fd;
	/* Even after an error the new file may have been given its name. */
	if (!good && !is_current(file)) {
		file->fd = old;
		old = fd;
	}
	close(old);
	return good;
}
