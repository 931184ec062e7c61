// SPDX-License-Identifier: GPL-2.0-only
/*
 * manifest: everything a user can see of each file in a tree, a line each, in an order that only
 * depends on the names. Two manifests of a tree that nobody changed are identical. Nothing it does
 * changes a time of a file or directory (a symbolic link's atime needs a noatime mount).
 */
#include <dirent.h>
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "pattern.h"

#define CHUNK (1 << 20)

static char *buffer;

/* O_NOATIME belongs to the owner and root; anyone else reads as he can. */
static int open_quietly(int dir, const char *name, int flags)
{
	int fd = openat(dir, name, flags | O_NOATIME | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && errno == EPERM)
		fd = openat(dir, name, flags | O_NOFOLLOW | O_CLOEXEC);
	return fd;
}

/* Of each part that is not a hole: where it lies in the file, and its bytes. */
static uint64_t hash_content(int fd, const char *path, off_t size)
{
	off_t offset, end = 0;
	struct hash hash;
	ssize_t got;

	hash_start(&hash, 0);
	while ((offset = lseek(fd, end, SEEK_DATA)) >= 0) {
		end = lseek(fd, offset, SEEK_HOLE);
		if (end < 0)
			error(1, errno, "%s", path);
		hash_add(&hash, &offset, sizeof(offset));
		for (; offset < end; offset += got) {
			got = read_fully(fd, buffer, end - offset < CHUNK ? end - offset : CHUNK,
					 offset);
			if (got <= 0)
				error(1, got ? errno : EIO, "%s", path);
			hash_add(&hash, buffer, got);
		}
	}
	if (errno != ENXIO)
		error(1, errno, "%s", path);
	hash_add(&hash, &size, sizeof(size));
	return hash_end(&hash);
}

static uint64_t hash_xattrs(int fd)
{
	ssize_t size = flistxattr(fd, buffer, CHUNK / 2), value;
	char *name;
	struct hash hash;

	hash_start(&hash, 0);
	for (name = buffer; size > 0 && name < buffer + size; name += strlen(name) + 1) {
		value = fgetxattr(fd, name, buffer + CHUNK / 2, CHUNK / 2);
		hash_add(&hash, name, strlen(name) + 1);
		if (value > 0)
			hash_add(&hash, buffer + CHUNK / 2, value);
	}
	return hash_end(&hash);
}

static const char *type_name(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return "file";
	case S_IFDIR:
		return "directory";
	case S_IFLNK:
		return "symlink";
	case S_IFBLK:
		return "block";
	case S_IFCHR:
		return "char";
	case S_IFIFO:
		return "fifo";
	default:
		return "socket";
	}
}

static void print_time(const char *name, const struct timespec *time)
{
	printf(" %s=%lld.%09ld", name, (long long)time->tv_sec, time->tv_nsec);
}

static void print_entry(int dir, const char *name, const char *path, const struct stat *st)
{
	int fd, flags, generation;

	printf("%s inode=%ju type=%s mode=%o uid=%u gid=%u links=%ju size=%jd blocks=%jd", path,
	       (uintmax_t)st->st_ino, type_name(st->st_mode), st->st_mode & 07777, st->st_uid,
	       st->st_gid, (uintmax_t)st->st_nlink, (intmax_t)st->st_size, (intmax_t)st->st_blocks);
	print_time("mtime", &st->st_mtim);
	print_time("ctime", &st->st_ctim);
	print_time("atime", &st->st_atim);
	if (S_ISLNK(st->st_mode)) {
		ssize_t length = readlinkat(dir, name, buffer, CHUNK - 1);

		if (length < 0)
			error(1, errno, "%s", path);
		printf(" target=%.*s", (int)length, buffer);
	} else if (S_ISBLK(st->st_mode) || S_ISCHR(st->st_mode)) {
		printf(" device=%u:%u", major(st->st_rdev), minor(st->st_rdev));
	} else if (S_ISREG(st->st_mode) || S_ISDIR(st->st_mode)) {
		fd = open_quietly(dir, name, O_RDONLY);
		if (fd < 0)
			error(1, errno, "%s", path);
		if (ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0)
			printf(" flags=%x", flags);
		if (ioctl(fd, FS_IOC_GETVERSION, &generation) == 0)
			printf(" generation=%u", generation);
		printf(" xattrs=%016" PRIx64, hash_xattrs(fd));
		if (S_ISREG(st->st_mode))
			printf(" xxh64=%016" PRIx64, hash_content(fd, path, st->st_size));
		close(fd);
	}
	putchar('\n');
}

static int by_name(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

/* scandir(3) would open the directory its own way and leave an atime behind. */
static char **read_names(int fd, const char *path, size_t *count)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;
	char **names = NULL;

	if (!dir)
		error(1, errno, "%s", path);
	*count = 0;
	while ((errno = 0, entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		names = realloc(names, (*count + 1) * sizeof(*names));
		if (!names || !(names[(*count)++] = strdup(entry->d_name)))
			error(1, ENOMEM, "%s", path);
	}
	if (errno)
		error(1, errno, "%s", path);
	closedir(dir);
	qsort(names, *count, sizeof(*names), by_name);
	return names;
}

static void walk(int parent, const char *name, const char *path, dev_t device)
{
	int fd = open_quietly(parent, name, O_RDONLY | O_DIRECTORY), names_fd;
	size_t i, count;
	char **names;

	if (fd < 0 || (names_fd = open_quietly(fd, ".", O_RDONLY | O_DIRECTORY)) < 0)
		error(1, errno, "%s", path);
	names = read_names(names_fd, path, &count);
	for (i = 0; i < count; i++) {
		struct stat st;
		char *below;

		if (fstatat(fd, names[i], &st, AT_SYMLINK_NOFOLLOW))
			error(1, errno, "%s/%s", path, names[i]);
		if (asprintf(&below, "%s/%s", path, names[i]) < 0)
			error(1, ENOMEM, "%s", path);
		print_entry(fd, names[i], below, &st);
		if (S_ISDIR(st.st_mode) && st.st_dev == device)
			walk(fd, names[i], below, device);
		free(below);
		free(names[i]);
	}
	free(names);
	close(fd);
}

int main(int argc, char **argv)
{
	struct stat st;

	if (argc != 2 || argv[1][0] == '-') {
		fprintf(stderr, "usage: manifest DIR\n");
		return 2;
	}
	buffer = malloc(CHUNK);
	if (!buffer)
		error(1, ENOMEM, "manifest");
	if (chdir(argv[1]) || stat(".", &st))
		error(1, errno, "%s", argv[1]);
	print_entry(AT_FDCWD, ".", ".", &st);
	walk(AT_FDCWD, ".", ".", st.st_dev);
	if (fflush(stdout) || ferror(stdout))
		error(1, errno, "stdout");
	return 0;
}
