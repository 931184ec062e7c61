// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two kernels that write to one filesystem destroy it, so this makes every check that can show a
 * second user. For a block device the kernel has one: O_EXCL fails if the device or a part of it is
 * mounted, in any namespace, or is used by device mapper, md or swap; and it keeps all of them away
 * while the file is open. For image files there is nothing like that. Instead a lease is tried,
 * which fails if anyone has the file open for writing, as a loop device or a virtual machine does;
 * loop devices are searched for those that only read; and locks are checked, because QEMU locks
 * each image that it uses, and will lock this one.
 */
#include "vm/image.h"

#include <blkid.h>
#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <libmount.h>
#include <linux/loop.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/util.h"
#include "status.h"
#include "vm/overlay.h"

#define SECTOR 512 /* bytes; the unit of libblkid */

/* The fields of the superblock that are read: offsets from its start, little-endian. */
#define SUPER_AT 1024
#define SUPER_SIZE 1024
#define SUPER_INODES 0x0
#define SUPER_FREE_BLOCKS 0xc
#define SUPER_FREE_INODES 0x10
#define SUPER_BLOCK_SIZE 0x18 /* log2 of the size in KiB */
#define SUPER_STATE 0x3a
#define SUPER_COMPAT 0x5c
#define STATE_ERRORS 0x2
#define COMPAT_JOURNAL 0x4

static uint32_t read_field(const unsigned char *super, size_t at)
{
	uint32_t value;

	memcpy(&value, super + at, sizeof(value));
	return le32toh(value);
}

static bool read_super(const struct image *image, unsigned char *super)
{
	ssize_t got = pread(image->fd, super, SUPER_SIZE, (off_t)image->start + SUPER_AT);

	if (got == SUPER_SIZE)
		return true;
	complain(image->shown, got < 0 ? errno : EIO, "can't read its superblock");
	return false;
}

/* If @dev is mounted in this namespace, print a message that says where, and return true. */
static bool tell_mount(const struct image *image, dev_t dev)
{
	struct libmnt_table *table = mnt_new_table_from_file("/proc/self/mountinfo");
	struct libmnt_iter *iter = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_fs *fs;
	bool found = false;

	while (table && iter && !found && !mnt_table_next_fs(table, iter, &fs))
		if (mnt_fs_get_devno(fs) == dev && mnt_fs_get_target(fs)) {
			char *target = printable(mnt_fs_get_target(fs));

			complain(image->shown, 0,
				 "is mounted on %s: unmount it, or run without --vm", target);
			free(target);
			found = true;
		}
	mnt_free_iter(iter);
	mnt_unref_table(table);
	return found;
}

/* The device that @dev is a partition of, or @dev itself. */
static dev_t whole_disk(dev_t dev)
{
	char name[64];
	dev_t whole;

	return blkid_devno_to_wholedisk(dev, name, sizeof(name), &whole) ? dev : whole;
}

/* True if the two block devices are the same, or one is a partition of the other. */
static bool overlap(dev_t a, dev_t b)
{
	return a == b || whole_disk(a) == b || a == whole_disk(b);
}

/* 1 if the loop device @name uses the file or device of @st, 0 if not, -1 if it is not known. */
static int loop_uses(const char *name, const struct stat *st)
{
	struct loop_info64 info;
	struct stat backing;
	char path[512], file[4096];
	ssize_t length;
	int fd, error;

	snprintf(path, sizeof(path), "/dev/%s", name);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0) {
		error = ioctl(fd, LOOP_GET_STATUS64, &info) ? errno : 0;
		close(fd);
		if (error == ENXIO) /* the loop device is no longer in use */
			return 0;
		if (!error)
			return S_ISBLK(st->st_mode) ?
				       overlap(info.lo_rdevice, st->st_rdev) :
				       info.lo_inode == st->st_ino && info.lo_device == st->st_dev;
	}
	/* Only root may open the device, but everyone can read the path of its file. */
	snprintf(path, sizeof(path), "/sys/block/%s/loop/backing_file", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	length = read(fd, file, sizeof(file) - 1);
	close(fd);
	if (length <= 0)
		return length ? -1 : 0;
	file[length - (file[length - 1] == '\n')] = 0;
	if (stat(file, &backing))
		return -1;
	return S_ISBLK(st->st_mode) ? overlap(backing.st_rdev, st->st_rdev) :
				      backing.st_ino == st->st_ino && backing.st_dev == st->st_dev;
}

/*
 * True, after a message, if a loop device other than @except and its partitions uses the file or
 * device of @st, or may use it.
 */
static bool loops_use(const struct image *image, const struct stat *st, dev_t except)
{
	DIR *folder = opendir("/sys/block");
	struct dirent *entry;
	bool used = false;

	while (folder && !used && (entry = readdir(folder))) {
		const char *name = entry->d_name;
		struct stat node;
		char path[512];
		int uses;

		snprintf(path, sizeof(path), "/sys/block/%s/loop", name);
		if (strncmp(name, "loop", 4) || access(path, F_OK))
			continue;
		snprintf(path, sizeof(path), "/dev/%s", name);
		if (except && !stat(path, &node) && node.st_rdev == whole_disk(except))
			continue;
		uses = loop_uses(name, st);
		if (uses > 0)
			complain(image->shown, 0, "is in use: %s is a loop device of it", path);
		else if (uses)
			complain(image->shown, 0, "may be in use by %s: only root can find out",
				 path);
		used = uses != 0;
	}
	if (folder)
		closedir(folder);
	return used;
}

/* For a loop device: true, after a message, if other loop devices use its file. */
static bool twins_use(const struct image *image, dev_t dev)
{
	struct loop_info64 info;
	struct stat st = { 0 };

	if (ioctl(image->fd, LOOP_GET_STATUS64, &info))
		return false;
	st.st_dev = info.lo_device;
	st.st_ino = info.lo_inode;
	st.st_rdev = info.lo_rdevice;
	st.st_mode = info.lo_rdevice ? S_IFBLK : S_IFREG;
	return loops_use(image, &st, dev);
}

/* True, after a message, if another process has locked a part of the image. */
static bool is_locked(const struct image *image)
{
	/* QEMU takes only read locks, even to write, so test for a conflict with a write lock. */
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fcntl(image->fd, F_OFD_GETLK, &lock) || lock.l_type == F_UNLCK)
		return false;
	complain(image->shown, 0,
		 "is in use: it is locked by another program, as virtual machines do");
	return true;
}

static int open_device(struct image *image, const struct stat *st)
{
	image->device = true;
	image->fd = open(image->path,
			 (image->readonly ? O_RDONLY : O_RDWR) | O_EXCL | O_NONBLOCK | O_CLOEXEC);
	if (image->fd < 0) {
		if (errno != EBUSY)
			complain(image->shown, errno, "can't open it");
		else if (!tell_mount(image, st->st_rdev))
			complain(image->shown, 0,
				 "is in use: it, or a part of it, is mounted, swapped to, a part "
				 "of a RAID or a volume group, or held by another program");
		return STATUS_REFUSED;
	}
	if (loops_use(image, st, st->st_rdev) || twins_use(image, st->st_rdev))
		return STATUS_REFUSED;
	return STATUS_DONE;
}

static int open_image(struct image *image, const struct stat *st)
{
	char link[64];
	int fd = open(image->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0) {
		/* Another run of --vm has a lease. */
		complain(image->shown, errno, errno == EWOULDBLOCK ? "is in use" : "can't open it");
		return STATUS_REFUSED;
	}
	/* Take a lease for a moment. Only EAGAIN means a user; other errors tell nothing. */
	if (fcntl(fd, F_SETLEASE, F_RDLCK)) {
		if (errno == EAGAIN) {
			if (!loops_use(image, st, 0))
				complain(image->shown, 0,
					 "is in use: another program has it open for writing");
			close(fd);
			return STATUS_REFUSED;
		}
	} else {
		fcntl(fd, F_SETLEASE, F_UNLCK);
	}
	if (image->readonly) {
		image->fd = fd;
	} else if (!(st->st_mode & 0222)) {
		/* Root could write to it all the same, but it was made read-only for a reason. */
		close(fd);
		complain(image->shown, 0, "is read-only: use -c for a report only");
		return STATUS_REFUSED;
	} else {
		/* Open the file that was checked, even if another one has its name now. */
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		image->fd = open(link, O_RDWR | O_CLOEXEC);
		close(fd);
		if (image->fd < 0) {
			complain(image->shown, errno, "can't write to it");
			return STATUS_REFUSED;
		}
	}
	return loops_use(image, st, 0) ? STATUS_REFUSED : STATUS_DONE;
}

static bool has_ext(const char *type)
{
	return type && (!strcmp(type, "ext3") || !strcmp(type, "ext4"));
}

/* The type of the filesystem at @start, malloc'd; NULL if there is none, or more than one. */
static char *filesystem_at(const struct image *image, uint64_t start, uint64_t size)
{
	blkid_probe probe = blkid_new_probe();
	const char *value;
	char *type = NULL;

	if (probe &&
	    !blkid_probe_set_device(probe, image->fd, (blkid_loff_t)start, (blkid_loff_t)size)) {
		blkid_probe_enable_superblocks(probe, 1);
		blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_TYPE);
		if (!blkid_do_safeprobe(probe) &&
		    !blkid_probe_lookup_value(probe, "TYPE", &value, NULL))
			type = xstrdup(value);
	}
	blkid_free_probe(probe);
	return type;
}

/*
 * Set the place of partition @wanted in @image; or, if @wanted is 0, print a message for each
 * partition that holds an ext3 or ext4 filesystem. Returns false if there is none.
 */
static bool look_at_partitions(struct image *image, unsigned int wanted)
{
	blkid_probe probe = blkid_new_probe();
	blkid_partlist list = NULL;
	blkid_partition part;
	bool found = false;
	int i;

	if (probe && !blkid_probe_set_device(probe, image->fd, 0, 0)) {
		blkid_probe_enable_partitions(probe, 1);
		list = blkid_probe_get_partitions(probe);
	}
	for (i = 0; list && i < blkid_partlist_numof_partitions(list); i++) {
		uint64_t start, size;

		part = blkid_partlist_get_partition(list, i);
		start = SECTOR * (uint64_t)blkid_partition_get_start(part);
		size = SECTOR * (uint64_t)blkid_partition_get_size(part);
		if (wanted) {
			if (blkid_partition_get_partno(part) != (int)wanted)
				continue;
			/* A partition that extends beyond the image is refused. */
			if (blkid_partition_is_extended(part) || start > image->size ||
			    size > image->size - start)
				break;
			image->start = start;
			image->size = size;
			found = true;
		} else {
			char *type = filesystem_at(image, start, size);

			if (has_ext(type)) {
				complain(image->shown, 0,
					 "partition %d holds %s: use --partition=%d",
					 blkid_partition_get_partno(part), type,
					 blkid_partition_get_partno(part));
				found = true;
			}
			free(type);
		}
	}
	if (wanted && !found)
		complain(image->shown, 0, "has no partition %u", wanted);
	blkid_free_probe(probe);
	return found;
}

static int refuse_errors(const struct image *image)
{
	complain(image->shown, 0, "has errors: let e2fsck repair it first");
	return STATUS_REFUSED;
}

/*
 * A sparse image grows when blocks are moved into its holes. If there is no room for it to grow,
 * the guest's kernel gets I/O errors. Nothing is lost then, but the filesystem needs e2fsck.
 */
static bool has_room(const struct image *image, uint64_t free_bytes)
{
	char more[HUMAN_SIZE], there[HUMAN_SIZE];
	uint64_t holes, room, taken;
	struct statvfs vfs;
	struct stat st;

	if (image->device || image->readonly || fstat(image->fd, &st) || fstatvfs(image->fd, &vfs))
		return true;
	taken = 512 * (uint64_t)st.st_blocks;
	holes = (uint64_t)st.st_size > taken ? (uint64_t)st.st_size - taken : 0;
	if (holes > free_bytes)
		holes = free_bytes;
	room = (uint64_t)vfs.f_bavail * vfs.f_frsize;
	if (room >= holes)
		return true;
	complain(image->shown, 0, "is sparse and may grow by %s, but there is only room for %s",
		 human(holes, more), human(room, there));
	return false;
}

static int look_inside(struct image *image, unsigned int partition)
{
	unsigned char super[SUPER_SIZE];
	unsigned int shift;
	char *type;
	bool ext;

	if (partition && !look_at_partitions(image, partition))
		return STATUS_REFUSED;
	type = filesystem_at(image, image->start, image->size);
	ext = has_ext(type);
	if (ext)
		image->type = strcmp(type, "ext3") ? "ext4" : "ext3";
	else if (type)
		complain(image->shown, 0, "holds %s, not ext3", type);
	else if (partition || !look_at_partitions(image, 0))
		complain(image->shown, 0,
			 "holds no ext3 filesystem, or also remains of others (see wipefs)");
	free(type);
	if (!ext || !read_super(image, super))
		return STATUS_REFUSED;
	image->inodes = read_field(super, SUPER_INODES) - read_field(super, SUPER_FREE_INODES);
	image->free_blocks = read_field(super, SUPER_FREE_BLOCKS);
	if (super[SUPER_STATE] & STATE_ERRORS)
		return refuse_errors(image);
	if (!image->readonly && !(read_field(super, SUPER_COMPAT) & COMPAT_JOURNAL)) {
		complain(image->shown, 0, "has no journal: nothing is moved without one");
		return STATUS_REFUSED;
	}
	shift = 10 + read_field(super, SUPER_BLOCK_SIZE) % 16;
	if (!has_room(image, image->free_blocks << shift))
		return STATUS_REFUSED;
	return STATUS_DONE;
}

int image_open(struct image *image, const char *name, unsigned int partition, bool readonly)
{
	char *spec = blkid_evaluate_spec(name, NULL);
	struct stat st, open_st;
	off_t end;
	int status;

	*image = (struct image){
		.fd = -1, .overlay = -1, .readonly = readonly, .shown = printable(name)
	};
	image->path = spec ? realpath(spec, NULL) : NULL;
	if (!spec)
		errno = ENODEV;
	free(spec);
	if (!image->path || stat(image->path, &st)) {
		complain(image->shown, errno, "can't open it");
		return STATUS_REFUSED;
	}
	if (!S_ISBLK(st.st_mode) && !S_ISREG(st.st_mode)) {
		complain(image->shown, 0, "is neither an image file nor a block device");
		return STATUS_REFUSED;
	}
	status = S_ISBLK(st.st_mode) ? open_device(image, &st) : open_image(image, &st);
	if (status)
		return status;
	end = lseek(image->fd, 0, SEEK_END);
	if (end < 0 || fstat(image->fd, &open_st)) {
		complain(image->shown, errno, "can't get its status");
		return STATUS_FAILED;
	}
	if (open_st.st_dev != st.st_dev || open_st.st_ino != st.st_ino) {
		complain(image->shown, 0, "was replaced by another file during the checks");
		return STATUS_REFUSED;
	}
	image->size = (uint64_t)end;
	if (is_locked(image))
		return STATUS_REFUSED;
	/* QEMU's disk has whole sectors. */
	image->largest = image->size + SECTOR - 1;
	status = look_inside(image, partition);
	if (status || !readonly)
		return status;
	image->overlay = overlay_make(image->size, &image->largest);
	return image->overlay < 0 ? STATUS_FAILED : STATUS_DONE;
}

/* The kernel keeps others away from a device. */
void image_guard(struct image *image)
{
	if (!image->device)
		lease_take(&image->lease, image->fd, image->readonly);
}

bool image_intruded(struct image *image)
{
	struct stat st;

	if (image->device)
		return false;
	if (lease_broken(&image->lease)) {
		complain(image->shown, 0, "another program opens it for writing: ending the work");
		return true;
	}
	return !image->lease.held && !fstat(image->fd, &st) && loops_use(image, &st, 0);
}

int image_settle(struct image *image)
{
	unsigned char super[SUPER_SIZE];

	if (image->readonly)
		return STATUS_DONE;
	if (fsync(image->fd)) {
		complain(image->shown, errno, "can't write all of it to disk");
		return STATUS_FAILED;
	}
	if (!read_super(image, super))
		return STATUS_FAILED;
	if (super[SUPER_STATE] & STATE_ERRORS) {
		refuse_errors(image);
		return STATUS_FAILED;
	}
	return STATUS_DONE;
}

void image_close(struct image *image)
{
	if (image->overlay >= 0)
		close(image->overlay);
	if (image->fd >= 0)
		close(image->fd);
	free(image->path);
	free(image->shown);
}
