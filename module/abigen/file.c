// SPDX-License-Identifier: GPL-2.0-only
/* Whole files from and to memory. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "abigen.h"

#define FILE_SIZE_MAX (1UL << 30)

bool file_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

struct blob file_read(const char *path)
{
	struct blob blob = { NULL, 0 };
	size_t room = 0;
	ssize_t got;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die(path, "%s", strerror(errno));
	/* Files in sysfs don't tell their size. */
	do {
		if (blob.size == room) {
			if (room >= FILE_SIZE_MAX)
				die(path, "larger than %lu bytes", FILE_SIZE_MAX);
			room = room ? 2 * room : 1 << 20;
			blob.data = xrealloc(blob.data, room);
		}
		got = read(fd, blob.data + blob.size, room - blob.size);
		if (got < 0 && errno != EINTR)
			die(path, "%s", strerror(errno));
		if (got > 0)
			blob.size += got;
	} while (got);
	close(fd);
	return blob;
}

bool write_all(int fd, const void *data, size_t size)
{
	const char *at = data;
	ssize_t done;

	while (size) {
		done = write(fd, at, size);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return false;
		at += done;
		size -= done;
	}
	return true;
}
