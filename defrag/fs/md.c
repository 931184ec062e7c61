// SPDX-License-Identifier: GPL-2.0-only
#include "fs/md.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/mdstat.h"
#include "lib/util.h"

#define MDSTAT "/proc/mdstat"
/* Bytes; an array takes a few hundred. */
#define MDSTAT_MOST (16U << 20)

void md_files_free(struct md_files *files)
{
	free(files->file);
	memset(files, 0, sizeof(*files));
}

bool md_files_have(const struct md_files *files, dev_t dev, uint64_t ino)
{
	size_t i;

	for (i = 0; i < files->count; i++)
		if (files->file[i].dev == dev && files->file[i].ino == ino)
			return true;
	return false;
}

/*
 * The kernel shows the path in the mount namespace of the array, and in this one the same path may
 * lead to another file. So look for the four bytes that each bitmap begins with. They are the same
 * on the disk and in the page cache, which md bypasses.
 */
static bool is_bitmap(int fd)
{
	char magic[4];

	return pread(fd, magic, sizeof(magic), 0) == sizeof(magic) &&
	       !memcmp(magic, "bitm", sizeof(magic));
}

static bool add_bitmap_path(struct md_files *files, const char *path)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_NOATIME | O_CLOEXEC;
	int fd = open(path, flags);
	bool found = false;
	struct stat st;

	if (fd < 0)
		return false;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && is_bitmap(fd)) {
		found = true;
		if (!md_files_have(files, st.st_dev, st.st_ino)) {
			vec_more(files->file, files->count, files->room);
			files->file[files->count++] = (struct md_file){ st.st_dev, st.st_ino };
		}
	}
	close(fd);
	return found;
}

static bool add_bitmap(struct md_files *files, const struct mdstat_file *named)
{
	bool found = false;
	int raw;

	/* If both readings of the path lead to a bitmap, either may be the array's: add both. */
	for (raw = 0; raw < 2; raw++) {
		char *path = mdstat_path(named, raw);

		if (path)
			found |= add_bitmap_path(files, path);
		free(path);
	}
	return found;
}

static char *not_found(const struct mdstat_file *named)
{
	char *text = xasprintf("the array %.*s has its bitmap in a file, %.*s, that can't be found",
			       named->array_length > 32 ? 32 : (int)named->array_length,
			       named->array_length ? named->array : "",
			       named->path_length > 4096 ? 4096 : (int)named->path_length,
			       named->path);
	char *shown = printable(text);

	free(text);
	return shown;
}

/* Return the whole text, malloc'd, or NULL with errno set. */
static char *read_mdstat(size_t *size)
{
	int fd = open(MDSTAT, O_RDONLY | O_CLOEXEC);
	size_t room = 16384;
	char *text;
	ssize_t got;

	*size = 0;
	if (fd < 0)
		return NULL;
	text = xreallocarray(NULL, room, 1);
	while ((got = read(fd, text + *size, room - *size)) > 0 || (got < 0 && errno == EINTR)) {
		*size += got > 0 ? (size_t)got : 0;
		if (*size < room)
			continue;
		room *= 2;
		if (room > MDSTAT_MOST) {
			errno = EFBIG;
			got = -1;
			break;
		}
		text = xreallocarray(text, room, 1);
	}
	close(fd);
	if (got < 0) {
		free(text);
		return NULL;
	}
	return text;
}

char *md_files_read(struct md_files *files)
{
	struct mdstat_file named = { 0 };
	char *unknown = NULL;
	const char *at, *end;
	size_t size;
	char *text = read_mdstat(&size);

	/*
	 * The file is absent without md, but also in a /proc that is mounted to show only processes
	 * (subset=pid). Only if the module isn't loaded either there are no arrays.
	 */
	if (!text && errno == ENOENT && access("/sys/module/md_mod", F_OK))
		return NULL;
	if (!text)
		return xasprintf("%s can't be read: %s", MDSTAT, strerror(errno));
	at = text;
	end = text + size;
	while (mdstat_next(&at, end, &named))
		if (!add_bitmap(files, &named) && !unknown)
			unknown = not_found(&named);
	free(text);
	return unknown;
}
