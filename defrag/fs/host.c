// SPDX-License-Identifier: GPL-2.0-only
#include "fs/host.h"

#include <blkid.h>
#include <errno.h>
#include <fcntl.h>
#include <libmount.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/util.h"
#include "status.h"

#define ROOT_INODE 2

static struct libmnt_table *read_mounts(void)
{
	struct libmnt_table *table = mnt_new_table_from_file("/proc/self/mountinfo");

	if (!table)
		complain("/proc/self/mountinfo", errno, "can't read it");
	return table;
}

/* The entry of @table for the mount that @fd is on. NULL if it isn't listed. */
static struct libmnt_fs *mount_of_fd(struct libmnt_table *table, int fd)
{
	struct libmnt_iter *iter;
	struct libmnt_fs *fs, *found = NULL;
	struct statx stx;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &stx) || !(stx.stx_mask & STATX_MNT_ID))
		return NULL;
	iter = mnt_new_iter(MNT_ITER_FORWARD);
	while (iter && !mnt_table_next_fs(table, iter, &fs))
		if ((uint64_t)mnt_fs_get_id(fs) == stx.stx_mnt_id)
			found = fs;
	mnt_free_iter(iter);
	return found;
}

/* Open @path if it is a directory on @dev. Returns a descriptor or -1. */
static int open_dir_on(const char *path, dev_t dev)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) || st.st_dev != dev) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool is_root(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISDIR(st.st_mode) && st.st_ino == ROOT_INODE;
}

/* Open the parent directory of what @fd is open on, if it is on @dev. A descriptor or -1. */
static int open_parent(int fd, dev_t dev)
{
	char link[64], path[4096], *slash;
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, sizeof(path) - 1);
	if (length <= 0)
		return -1;
	path[length] = 0;
	slash = strrchr(path, '/');
	if (!slash)
		return -1;
	slash[slash == path] = 0;
	return open_dir_on(path, dev);
}

/*
 * Open a directory of the mounted device @dev: its root if some mount shows it, else the top of any
 * mount of it. Writable mounts are preferred. Returns a descriptor, and in *@mountpoint, malloc'd,
 * where it is mounted; or -1.
 */
static int open_device_mount(struct libmnt_table *table, dev_t dev, char **mountpoint)
{
	int want, fd = -1;

	/* 3: root, writable; 2: root, read-only; 1: a subtree, writable; 0: a subtree, read-only */
	for (want = 3; want >= 0 && fd < 0; want--) {
		struct libmnt_iter *iter = mnt_new_iter(MNT_ITER_FORWARD);
		struct libmnt_fs *fs;

		while (iter && fd < 0 && !mnt_table_next_fs(table, iter, &fs)) {
			bool root = mnt_fs_get_root(fs) && !strcmp(mnt_fs_get_root(fs), "/");
			bool writable = !mnt_fs_match_options(fs, "ro");

			if (mnt_fs_get_devno(fs) != dev || !mnt_fs_get_target(fs) ||
			    2 * root + writable != want)
				continue;
			fd = open_dir_on(mnt_fs_get_target(fs), dev);
			if (fd >= 0)
				*mountpoint = xstrdup(mnt_fs_get_target(fs));
		}
		mnt_free_iter(iter);
	}
	return fd;
}

static struct host *find_host(struct hosts *hosts, dev_t dev)
{
	size_t i;

	for (i = 0; i < hosts->count; i++)
		if (hosts->host[i].dev == dev)
			return &hosts->host[i];
	return NULL;
}

static struct host *add_host(struct hosts *hosts, dev_t dev)
{
	struct host *host;

	vec_more(hosts->host, hosts->count, hosts->room);
	host = &hosts->host[hosts->count++];
	memset(host, 0, sizeof(*host));
	host->dev = dev;
	host->fd = host->root_fd = -1;
	return host;
}

/*
 * Fill in the description of @host, which keeps @dir_fd open to hold the mount. It is only for
 * messages and reports. A user may have named the directories above the mount point, or the label
 * that udisks named it by, so it is made printable here, for all of them.
 */
static void describe(struct host *host, struct libmnt_table *table, int dir_fd)
{
	struct libmnt_fs *fs = mount_of_fd(table, dir_fd);
	struct statvfs vfs;

	free(host->device);
	free(host->mountpoint);
	free(host->type);
	host->fd = dir_fd;
	host->readonly = !fstatvfs(dir_fd, &vfs) && vfs.f_flag & ST_RDONLY;
	host->device = fs && mnt_fs_get_srcpath(fs) ?
			       printable(mnt_fs_get_srcpath(fs)) :
			       xasprintf("device %u:%u", major(host->dev), minor(host->dev));
	host->mountpoint = printable(fs && mnt_fs_get_target(fs) ? mnt_fs_get_target(fs) : "?");
	host->type = printable(fs && mnt_fs_get_fstype(fs) ? mnt_fs_get_fstype(fs) : "ext3");
}

/* Add the host of device @dev, held by the open directory @dir_fd. */
static struct host *new_host(struct hosts *hosts, struct libmnt_table *table, dev_t dev, int dir_fd)
{
	struct host *host = add_host(hosts, dev);

	describe(host, table, dir_fd);
	return host;
}

/* True if @fd is on a filesystem of the ext2, ext3, ext4 family; else a message says what it is. */
static bool is_ext(struct libmnt_table *table, int fd, const char *shown)
{
	struct statfs st;
	struct libmnt_fs *fs;
	char *type;

	if (fstatfs(fd, &st)) {
		complain(shown, errno, "can't find out its filesystem");
		return false;
	}
	if (st.f_type == EXT4_SUPER_MAGIC)
		return true;
	fs = mount_of_fd(table, fd);
	/* For FUSE, whoever mounted it chose a part of the type's name. */
	type = printable(fs && mnt_fs_get_fstype(fs) ? mnt_fs_get_fstype(fs) : "foreign");
	complain(shown, 0, "is on a %s filesystem, not on ext3", type);
	free(type);
	return false;
}

/*
 * The user named the whole filesystem: @fd, which this takes over, is open on its root, or on the
 * mount that shows the largest part of it.
 */
static int add_whole(struct hosts *hosts, struct libmnt_table *table, dev_t dev, int fd,
		     const char *prefix)
{
	struct host *host = find_host(hosts, dev);

	if (!host)
		host = new_host(hosts, table, dev, fcntl(fd, F_DUPFD_CLOEXEC, 0));
	if (host->whole) {
		close(fd);
		return STATUS_DONE;
	}
	host->whole = true;
	host->prefix = xstrdup(prefix);
	host->root_fd = fd;
	return STATUS_DONE;
}

static int add_device(struct hosts *hosts, struct libmnt_table *table, dev_t dev,
		      const char *device, const char *shown)
{
	char *mountpoint = NULL, *type;
	int fd, status;

	fd = open_device_mount(table, dev, &mountpoint);
	if (fd < 0) {
		type = blkid_get_tag_value(NULL, "TYPE", device);
		complain(shown, 0, "is not mounted%s%s%s", type ? "; it holds " : "",
			 type ? type : "",
			 type && strncmp(type, "ext", 3) ? ", not ext3" : ": mount it first");
		free(type);
		return STATUS_REFUSED;
	}
	if (!is_ext(table, fd, shown)) {
		close(fd);
		status = STATUS_REFUSED;
	} else {
		status = add_whole(hosts, table, dev, fd, mountpoint);
	}
	free(mountpoint);
	return status;
}

/* The user named a file or directory; @fd is open on it with O_PATH. */
static int add_path(struct hosts *hosts, struct libmnt_table *table, int fd, const struct stat *st,
		    const char *path, const char *shown)
{
	struct libmnt_fs *fs;
	struct host *host;
	struct target *target;
	char link[64];
	int dir_fd = -1;

	if (!S_ISREG(st->st_mode) && !S_ISDIR(st->st_mode)) {
		complain(shown, 0, "is not a file, a directory or a block device");
		return STATUS_REFUSED;
	}
	if (!is_ext(table, fd, shown))
		return STATUS_REFUSED;
	if (is_root(fd)) {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		dir_fd = open(link, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (dir_fd < 0) {
			complain(shown, errno, "can't open it");
			return STATUS_FAILED;
		}
		return add_whole(hosts, table, st->st_dev, dir_fd, path);
	}

	host = find_host(hosts, st->st_dev);
	if (!host) {
		fs = mount_of_fd(table, fd);
		if (fs && mnt_fs_get_target(fs))
			dir_fd = open_dir_on(mnt_fs_get_target(fs), st->st_dev);
		if (dir_fd < 0 && S_ISDIR(st->st_mode)) {
			snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
			dir_fd = open_dir_on(link, st->st_dev);
		}
		if (dir_fd < 0)
			dir_fd = open_parent(fd, st->st_dev);
		if (dir_fd < 0) {
			complain(shown, errno, "can't open a directory of its filesystem");
			return STATUS_FAILED;
		}
		host = new_host(hosts, table, st->st_dev, dir_fd);
	}
	vec_more(host->target, host->targets, host->room);
	target = &host->target[host->targets++];
	target->path = xstrdup(path);
	target->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	target->ino = (uint32_t)st->st_ino;
	target->directory = S_ISDIR(st->st_mode);
	return STATUS_DONE;
}

int hosts_add(struct hosts *hosts, const char *name)
{
	struct libmnt_table *table = read_mounts();
	char *path = blkid_evaluate_spec(name, NULL), *shown = printable(name);
	int fd = -1, status = STATUS_REFUSED;
	size_t length;
	struct stat st;

	if (!table) {
		status = STATUS_FAILED;
		goto out;
	}
	if (!path) {
		complain(shown, 0, "no such device");
		goto out;
	}
	fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st)) {
		complain(shown, errno, "can't open it");
		goto out;
	}
	for (length = strlen(path); length > 1 && path[length - 1] == '/'; length--)
		path[length - 1] = 0;
	if (S_ISBLK(st.st_mode))
		status = add_device(hosts, table, st.st_rdev, path, shown);
	else
		status = add_path(hosts, table, fd, &st, path, shown);
out:
	if (fd >= 0)
		close(fd);
	free(path);
	free(shown);
	mnt_unref_table(table);
	return status;
}

static bool is_whole_ext(struct libmnt_fs *fs)
{
	const char *type = mnt_fs_get_fstype(fs), *root = mnt_fs_get_root(fs);

	return type && (!strcmp(type, "ext3") || !strcmp(type, "ext4")) && root &&
	       !strcmp(root, "/") && mnt_fs_get_target(fs);
}

int hosts_add_all(struct hosts *hosts)
{
	struct libmnt_table *table = read_mounts();
	struct libmnt_iter *iter;
	struct libmnt_fs *fs;

	if (!table)
		return STATUS_FAILED;
	iter = mnt_new_iter(MNT_ITER_FORWARD);
	while (iter && !mnt_table_next_fs(table, iter, &fs))
		if (is_whole_ext(fs) && !find_host(hosts, mnt_fs_get_devno(fs)))
			add_host(hosts, mnt_fs_get_devno(fs))->whole = true;
	mnt_free_iter(iter);
	mnt_unref_table(table);
	return STATUS_NOTHING;
}

bool host_hold(struct host *host)
{
	struct libmnt_table *table;
	char *mountpoint = NULL;
	int fd = -1;

	if (host->fd >= 0)
		return true;
	table = read_mounts();
	if (table)
		fd = open_device_mount(table, host->dev, &mountpoint);
	if (fd >= 0 && is_root(fd)) {
		describe(host, table, fd);
		free(host->prefix);
		host->prefix = mountpoint;
		host->root_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	} else {
		if (fd >= 0)
			close(fd);
		free(mountpoint);
	}
	mnt_unref_table(table);
	return host->root_fd >= 0;
}

void host_release(struct host *host)
{
	size_t i;

	for (i = 0; i < host->targets; i++) {
		free(host->target[i].path);
		close(host->target[i].fd);
	}
	host->targets = 0;
	if (host->root_fd >= 0)
		close(host->root_fd);
	if (host->fd >= 0)
		close(host->fd);
	host->root_fd = host->fd = -1;
}

bool hosts_ambiguous(const char *id)
{
	struct libmnt_table *table = read_mounts();
	struct libmnt_iter *iter = table ? mnt_new_iter(MNT_ITER_FORWARD) : NULL;
	struct libmnt_fs *fs;
	dev_t first = 0;
	bool more = false;

	while (iter && !more && !mnt_table_next_fs(table, iter, &fs)) {
		const char *type = mnt_fs_get_fstype(fs), *source = mnt_fs_get_srcpath(fs);
		char *found;

		if (!type || strncmp(type, "ext", 3) || !source || mnt_fs_get_devno(fs) == first)
			continue;
		found = blkid_get_tag_value(NULL, "UUID", source);
		if (found && !strcmp(found, id)) {
			more = first;
			first = mnt_fs_get_devno(fs);
		}
		free(found);
	}
	mnt_free_iter(iter);
	mnt_unref_table(table);
	return more;
}

void hosts_free(struct hosts *hosts)
{
	size_t i;

	for (i = 0; i < hosts->count; i++) {
		struct host *host = &hosts->host[i];

		host_release(host);
		free(host->target);
		free(host->device);
		free(host->mountpoint);
		free(host->type);
		free(host->prefix);
	}
	free(hosts->host);
	memset(hosts, 0, sizeof(*hosts));
}
