// SPDX-License-Identifier: GPL-2.0-only
#include "lib/output.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/util.h"

static void forget_output(struct output *output)
{
	if (output->folder >= 0)
		close(output->folder);
	free(output->shown);
	free(output->name);
	free(output->temporary);
	memset(output, 0, sizeof(*output));
	output->folder = -1;
}

/*
 * Return a descriptor of what was standard output, and redirect standard output to /dev/null, so
 * that no other text of the tool mixes with the file. -1 on an error, with errno set.
 */
static int take_stdout(void)
{
	int fd, null;

	fflush(stdout);
	fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return -1;
	null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (null < 0 || dup2(null, STDOUT_FILENO) < 0) {
		int error = errno;

		if (null >= 0)
			close(null);
		close(fd);
		errno = error;
		return -1;
	}
	close(null);
	return fd;
}

static int open_temporary(struct output *output, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	char *folder = slash == path ? xstrdup("/") :
		       slash	     ? xasprintf("%.*s", (int)(slash - path), path) :
				       xstrdup(".");
	struct stat there;
	uint64_t number;
	int fd;

	output->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(folder);
	if (output->folder < 0)
		return -1;
	if (!*name || !strcmp(name, ".") || !strcmp(name, "..")) {
		errno = EISDIR;
		return -1;
	}
	if (!fstatat(output->folder, name, &there, AT_SYMLINK_NOFOLLOW)) {
		if (!S_ISREG(there.st_mode)) {
			/* A rename would replace a device, for example, by a file. */
			errno = S_ISLNK(there.st_mode) ? ELOOP :
				S_ISDIR(there.st_mode) ? EISDIR :
							 EINVAL;
			return -1;
		}
	} else if (errno != ENOENT) {
		return -1;
	}
	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		return -1;
	output->name = xstrdup(name);
	output->temporary = xasprintf(".e3defrag.%016" PRIx64, number);
	fd = openat(output->folder, output->temporary,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) {
		free(output->temporary);
		output->temporary = NULL;
	}
	return fd;
}

bool output_open(struct output *output, const char *path, mode_t mode)
{
	int fd;

	memset(output, 0, sizeof(*output));
	output->folder = -1;
	output->shown = strcmp(path, "-") ? printable(path) : xstrdup("standard output");
	if (!strcmp(path, "-")) {
		fd = take_stdout();
	} else {
		fd = open_temporary(output, path);
		if (fd >= 0 && fchmod(fd, mode)) {
			int error = errno;

			unlinkat(output->folder, output->temporary, 0);
			close(fd);
			errno = error;
			fd = -1;
		}
	}
	if (fd >= 0)
		output->stream = fdopen(fd, "w");
	if (output->stream)
		return true;
	complain(output->shown, errno, "can't write it");
	if (fd >= 0)
		close(fd);
	forget_output(output);
	return false;
}

bool output_commit(struct output *output)
{
	FILE *stream = output->stream;
	int error = 0;

	errno = 0;
	if (ferror(stream) || fflush(stream) || (output->name && fsync(fileno(stream))))
		error = errno ? errno : EIO;
	if (fclose(stream) && !error)
		error = errno;
	output->stream = NULL;
	if (output->name) {
		if (!error &&
		    renameat(output->folder, output->temporary, output->folder, output->name))
			error = errno;
		if (error)
			unlinkat(output->folder, output->temporary, 0);
		else if (fsync(output->folder))
			error = errno;
	}
	if (error)
		complain(output->shown, error, "can't write it");
	forget_output(output);
	return !error;
}

void output_drop(struct output *output)
{
	if (!output->stream)
		return;
	fclose(output->stream);
	if (output->name)
		unlinkat(output->folder, output->temporary, 0);
	forget_output(output);
}
