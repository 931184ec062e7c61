// SPDX-License-Identifier: GPL-2.0-only
/*
 * The calls of strangers.c that are about attributes and names, and ext4's ioctls.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/fscrypt.h>
#include <linux/fsverity.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/fanotify.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/quota.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "strangers.h"

/* ext4's own, which no header for programs has. */
struct move_extent {
	uint32_t reserved;
	uint32_t donor_fd;
	uint64_t orig_start, donor_start, len, moved_len;
};

#define EXT4_IOC_GETVERSION _IOR('f', 3, long)
#define EXT4_IOC_SETVERSION _IOW('f', 4, long)
#define EXT4_IOC_GROUP_ADD _IOW('f', 8, char[40])
#define EXT4_IOC_GROUP_EXTEND _IOW('f', 7, unsigned long)
#define EXT4_IOC_MIGRATE _IO('f', 9)
#define EXT4_IOC_ALLOC_DA_BLKS _IO('f', 12)
#define EXT4_IOC_MOVE_EXT _IOWR('f', 15, struct move_extent)
#define EXT4_IOC_RESIZE_FS _IOW('f', 16, uint64_t)
#define EXT4_IOC_SWAP_BOOT _IO('f', 17)
#define EXT4_IOC_PRECACHE_EXTENTS _IO('f', 18)
#define EXT4_IOC_CLEAR_ES_CACHE _IO('f', 40)
#define EXT4_IOC_GETSTATE _IOW('f', 41, uint32_t)
#define EXT4_IOC_CHECKPOINT _IOW('f', 43, uint32_t)
#define EXT4_IOC_SHUTDOWN _IOR('X', 125, uint32_t)

/* Attributes. */

static int call_fchmod(struct cell *c)
{
	return answer(fchmod(c->fd, (mode_t)c->call->arg));
}

static int call_fchown(struct cell *c)
{
	return answer(fchown(c->fd, (uid_t)c->call->arg, getegid()));
}

static int call_futimens(struct cell *c)
{
	const struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };

	return answer(futimens(c->fd, c->call->arg ? times : NULL));
}

static int call_fsetxattr(struct cell *c)
{
	return answer(fsetxattr(c->fd, "user.stranger", "1", 1, 0));
}

static int call_fremovexattr(struct cell *c)
{
	return answer(fremovexattr(c->fd, "user.stranger"));
}

static int call_fgetxattr(struct cell *c)
{
	return answer(fgetxattr(c->fd, "user.stranger", c->buffer, c->size));
}

/* The low half is set, the high half is taken off. */
#define SET(flags) (flags)
#define UNSET(flags) ((unsigned long)(flags) << 32)

static int call_setflags(struct cell *c)
{
	int flags;

	if (ioctl(c->fd, FS_IOC_GETFLAGS, &flags))
		return -errno;
	flags |= (int)(c->call->arg & 0xffffffff);
	flags &= ~(int)(c->call->arg >> 32);
	return answer(ioctl(c->fd, FS_IOC_SETFLAGS, &flags));
}

/* Root of a user namespace has each capability, but only in there. */
static int userns_setflags(struct cell *c)
{
	pid_t child = fork();
	int status;

	if (!child) {
		if (unshare(CLONE_NEWUSER))
			_exit(errno);
		_exit(-call_setflags(c));
	}
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
		abort();
	return -WEXITSTATUS(status);
}

/* Of the project where the row names one; with one more flag where not. */
static int call_fssetxattr(struct cell *c)
{
	struct fsxattr x;

	if (ioctl(c->fd, FS_IOC_FSGETXATTR, &x))
		return -errno;
	if (c->call->arg)
		x.fsx_projid = (uint32_t)c->call->arg;
	else
		x.fsx_xflags |= FS_XFLAG_NODUMP;
	return answer(ioctl(c->fd, FS_IOC_FSSETXATTR, &x));
}

/* By what is added to it; and back again where the row says so. */
static int call_setversion(struct cell *c)
{
	int old, next, err;

	if (ioctl(c->fd, EXT4_IOC_GETVERSION, &old))
		return -errno;
	next = old + 1;
	err = answer(ioctl(c->fd, EXT4_IOC_SETVERSION, &next));
	if (!err && c->call->arg)
		err = answer(ioctl(c->fd, EXT4_IOC_SETVERSION, &old));
	return err;
}

/* Names. */

static int link_by_path(struct cell *c)
{
	int err = answer(linkat(AT_FDCWD, c->path, c->dir, "linked", AT_SYMLINK_FOLLOW));

	if (!err)
		unlinkat(c->dir, "linked", 0);
	return err;
}

static int link_by_descriptor(struct cell *c)
{
	int err = answer(linkat(c->fd, "", c->dir, "linked", AT_EMPTY_PATH));

	if (!err)
		unlinkat(c->dir, "linked", 0);
	return err;
}

static int by_handle(struct cell *c)
{
	struct {
		struct file_handle handle;
		unsigned char bytes[MAX_HANDLE_SZ];
	} h = { .handle = { .handle_bytes = MAX_HANDLE_SZ } };
	int mount_id;

	if (name_to_handle_at(c->fd, "", &h.handle, &mount_id, AT_EMPTY_PATH))
		return -errno;
	return answer(open_by_handle_at(c->dir, &h.handle, O_RDWR));
}

static int call_bind(struct cell *c)
{
	return answer(mount(c->path, "/", NULL, MS_BIND, NULL));
}

static int call_swapon(struct cell *c)
{
	return answer(swapon(c->path, 0));
}

static int call_quotaon(struct cell *c)
{
	return answer(quotactl(QCMD(Q_QUOTAON, USRQUOTA), c->device, 2, c->path));
}

static int call_acct(struct cell *c)
{
	return answer(syscall(SYS_acct, c->path));
}

/* ioctls that take no argument, or room for any. */

static int ioctl_plain(struct cell *c)
{
	return answer(ioctl(c->fd, c->call->arg, 0));
}

static int ioctl_zeros(struct cell *c)
{
	uint64_t zeros[64] = {};

	return answer(ioctl(c->fd, c->call->arg, zeros));
}

int stranger_migrate(struct cell *c)
{
	return answer(ioctl(c->fd, EXT4_IOC_MIGRATE, 0));
}

static int move_either(struct cell *c)
{
	struct move_extent move = { .len = BLOCKS };

	move.donor_fd = (uint32_t)(c->call->arg ? c->fd : c->own);
	return answer(ioctl(c->call->arg ? c->own : c->fd, EXT4_IOC_MOVE_EXT, &move));
}

static int call_fiemap(struct cell *c)
{
	struct {
		struct fiemap map;
		struct fiemap_extent extents[BLOCKS];
	} f = { .map = { .fm_length = ~0ULL, .fm_extent_count = BLOCKS } };

	return answer(ioctl(c->fd, FS_IOC_FIEMAP, &f));
}

/* It wants a descriptor that can't be written to, and none that can. */
static int enable_verity(struct cell *c)
{
	struct fsverity_enable_arg arg = { .version = 1,
					   .hash_algorithm = FS_VERITY_HASH_ALG_SHA256 };
	int fd = open(c->path, O_RDONLY);

	if (fd < 0)
		return -errno;
	arg.block_size = (uint32_t)c->block;
	dup2(fd, c->fd);
	return answer_close(fd, ioctl(c->fd, FS_IOC_ENABLE_VERITY, &arg));
}

static int call_ficlone(struct cell *c)
{
	return c->call->arg ? answer(ioctl(c->fd, FICLONE, c->own)) :
			      answer(ioctl(c->own, FICLONE, c->fd));
}

static int call_ficlonerange(struct cell *c)
{
	struct file_clone_range range = { .src_length = c->block };

	range.src_fd = c->call->arg ? c->own : c->fd;
	return answer(ioctl(c->call->arg ? c->fd : c->own, FICLONERANGE, &range));
}

/* The range's own status, which is negative itself. */
static int call_fidedupe(struct cell *c)
{
	struct {
		struct file_dedupe_range range;
		struct file_dedupe_range_info info;
	} d = { .range = { .src_length = c->block, .dest_count = 1 } };
	int err;

	d.info.dest_fd = c->call->arg ? c->fd : c->own;
	err = answer(ioctl(c->call->arg ? c->own : c->fd, FIDEDUPERANGE, &d));
	return err ? err : d.info.status;
}

/* Locks, watching. */

static int call_lease(struct cell *c)
{
	return answer(fcntl(c->fd, F_SETLEASE, (int)c->call->arg));
}

static int call_setlk(struct cell *c)
{
	struct flock lock = { .l_type = F_WRLCK };

	return answer(fcntl(c->fd, (int)c->call->arg, &lock));
}

static int call_flock(struct cell *c)
{
	return answer(flock(c->fd, LOCK_EX | LOCK_NB));
}

static int add_seals(struct cell *c)
{
	return answer(fcntl(c->fd, F_ADD_SEALS, F_SEAL_WRITE));
}

static int call_inotify(struct cell *c)
{
	int fd = inotify_init(), got;

	if (fd < 0)
		return -errno;
	got = inotify_add_watch(fd, c->path, IN_ALL_EVENTS);
	return answer_close(fd, got < 0 ? got : 0);
}

static int call_fanotify(struct cell *c)
{
	int fd = fanotify_init(FAN_CLASS_NOTIF | FAN_REPORT_FID, 0);

	if (fd < 0)
		return -errno;
	return answer_close(fd, fanotify_mark(fd, FAN_MARK_ADD, FAN_MODIFY, c->fd, NULL));
}

/* Name, call and its argument; fresh, sealed, while data/alloc has the lock; the use of each. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
const struct call calls_rest[] = {
	/* Attributes: the flag counts under the lock. */
	{ "fchmod 0777", call_fchmod, 0777, "0/EPERM", "EPERM" },
	{ "fchown to its group", call_fchown, (uid_t)-1, "0/EPERM", "EPERM" },
	{ "fchown to root", call_fchown, 0, "EPERM", "EPERM" },
	{ "futimens now", call_futimens, 0, "0/EACCES", "EPERM" },
	{ "futimens then", call_futimens, 1, "0/EPERM", "EPERM" },
	{ "fsetxattr", call_fsetxattr, 0, "0/EACCES", "EPERM" },
	{ "fremovexattr", call_fremovexattr, 0, "ENODATA/EACCES", "EPERM" },
	{ "fgetxattr", call_fgetxattr, 0, "ENODATA/EACCES", "ENODATA/EACCES" },
	{ "FS_IOC_GETFLAGS", ioctl_zeros, FS_IOC_GETFLAGS, "0", "0" },
	/* What is set is what there was, or what there was before the seal. */
	{ "SETFLAGS as they are", call_setflags, 0, "0/EPERM", "0/EPERM", "0|EPERM/EPERM" },
	{ "SETFLAGS -i", call_setflags, UNSET(FS_IMMUTABLE_FL), "0/EPERM", "EPERM" },
	{ "SETFLAGS -i, in a user namespace", userns_setflags, UNSET(FS_IMMUTABLE_FL), "0/EPERM",
	  "EPERM" },
	{ "SETFLAGS +i", call_setflags, SET(FS_IMMUTABLE_FL), "EPERM", "0/EPERM" },
	{ "SETFLAGS +a", call_setflags, SET(FS_APPEND_FL), "EPERM", "EPERM" },
	{ "SETFLAGS +d", call_setflags, SET(FS_NODUMP_FL), "0/EPERM", "EPERM" },
	{ "SETFLAGS +A", call_setflags, SET(FS_NOATIME_FL), "0/EPERM", "EPERM" },
	{ "SETFLAGS +S", call_setflags, SET(FS_SYNC_FL), "0/EPERM", "EPERM" },
	{ "SETFLAGS +j", call_setflags, SET(FS_JOURNAL_DATA_FL), "EPERM", "EPERM" },
	{ "SETFLAGS +e", call_setflags, SET(FS_EXTENT_FL), "EINVAL/EPERM", "EPERM" },
	{ "SETFLAGS -i +d", call_setflags, SET(FS_NODUMP_FL) | UNSET(FS_IMMUTABLE_FL), "0/EPERM",
	  "EPERM" },
	{ "FSSETXATTR +d", call_fssetxattr, 0, "0/EPERM", "EPERM" },
	{ "FSSETXATTR project 5", call_fssetxattr, 5, "0/EPERM", "EPERM" },
	{ "GETVERSION", ioctl_zeros, EXT4_IOC_GETVERSION, "0", "0" },
	/* No flag keeps the owner from it; the module knows the donor as its own no longer. */
	{ "SETVERSION", call_setversion, 0, "0/EPERM", "0/EPERM", .sealed_use = "EPERM/8" },
	{ "SETVERSION, and back", call_setversion, 1, "0/EPERM", "0/EPERM" },

	/* Names. O_EXCL is what counts under the lock. */
	{ "linkat of /proc/self/fd/N", link_by_path, 0, "ENOENT/ENOENT|EPERM", "EPERM",
	  "ENOENT/ENOENT|EPERM" },
	{ "linkat AT_EMPTY_PATH", link_by_descriptor, 0, "ENOENT", "ENOENT|EPERM", "ENOENT" },
	{ "open_by_handle_at", by_handle, 0, "EPERM", "EPERM" },
	{ "mount --bind", call_bind, 0, "EPERM", "EPERM" },
	{ "swapon", call_swapon, 0, "EPERM", "EPERM" },
	{ "quotaon", call_quotaon, 0, "EPERM", "EPERM" },
	{ "acct", call_acct, 0, "EPERM", "EPERM" },

	/* ext4's own. MIGRATE asks for the owner, and for no flag. */
	{ "MIGRATE", ioctl_plain, EXT4_IOC_MIGRATE, "EINVAL/EACCES", "EINVAL/EACCES" },
	{ "MOVE_EXT out of it", move_either, 0, "EOPNOTSUPP", "EOPNOTSUPP" },
	{ "MOVE_EXT into it", move_either, 1, "EOPNOTSUPP", "EPERM" },
	{ "SWAP_BOOT", ioctl_plain, EXT4_IOC_SWAP_BOOT, "EINVAL", "EINVAL" },
	{ "ALLOC_DA_BLKS", ioctl_plain, EXT4_IOC_ALLOC_DA_BLKS, "0/EACCES", "0/EACCES" },
	{ "PRECACHE_EXTENTS", ioctl_plain, EXT4_IOC_PRECACHE_EXTENTS, "0", "0" },
	{ "CLEAR_ES_CACHE", ioctl_plain, EXT4_IOC_CLEAR_ES_CACHE, "0/EACCES", "0/EACCES" },
	{ "GETSTATE", ioctl_zeros, EXT4_IOC_GETSTATE, "0", "0" },
	{ "GROUP_EXTEND", ioctl_zeros, EXT4_IOC_GROUP_EXTEND, "EPERM", "EPERM" },
	{ "GROUP_ADD", ioctl_zeros, EXT4_IOC_GROUP_ADD, "EPERM", "EPERM" },
	{ "RESIZE_FS", ioctl_zeros, EXT4_IOC_RESIZE_FS, "EPERM", "EPERM" },
	{ "CHECKPOINT", ioctl_zeros, EXT4_IOC_CHECKPOINT, "EPERM", "EPERM" },
	{ "SHUTDOWN", ioctl_zeros, EXT4_IOC_SHUTDOWN, "EPERM", "EPERM" },
	{ "FITRIM", ioctl_zeros, FITRIM, "EPERM", "EPERM" },
	{ "FIFREEZE", ioctl_plain, FIFREEZE, "EPERM", "EPERM" },
	{ "FS_IOC_SETFSLABEL", ioctl_zeros, FS_IOC_SETFSLABEL, "EPERM", "EPERM" },
	{ "FIBMAP", ioctl_zeros, FIBMAP, "EPERM", "EPERM" },
	{ "FIEMAP", call_fiemap, 0, "0", "0" },
	{ "FIONREAD", ioctl_zeros, FIONREAD, "0", "0" },
	{ "FICLONE from it", call_ficlone, 0, "EOPNOTSUPP", "EOPNOTSUPP" },
	{ "FICLONE to it", call_ficlone, 1, "EOPNOTSUPP", "EOPNOTSUPP" },
	{ "FICLONERANGE from it", call_ficlonerange, 0, "EOPNOTSUPP", "EOPNOTSUPP" },
	{ "FICLONERANGE to it", call_ficlonerange, 1, "EOPNOTSUPP", "EOPNOTSUPP" },
	{ "FIDEDUPERANGE from it", call_fidedupe, 0, "EOPNOTSUPP", "EOPNOTSUPP" },
	{ "FIDEDUPERANGE to it", call_fidedupe, 1, "EOPNOTSUPP", "EOPNOTSUPP" },
	/* Permission and flag before the lock, extents under it. */
	{ "FS_IOC_ENABLE_VERITY", enable_verity, 0, "EOPNOTSUPP/EACCES", "EPERM/EACCES",
	  "EOPNOTSUPP/EACCES" },
	{ "FS_IOC_SET_ENCRYPTION_POLICY", ioctl_zeros, FS_IOC_SET_ENCRYPTION_POLICY,
	  "ENOTDIR/EACCES", "ENOTDIR/EACCES" },

	/* What holds nothing and changes nothing. The writer is itself in the way of F_RDLCK. */
	{ "F_SETLEASE F_WRLCK", call_lease, F_WRLCK, "0/EACCES", "0/EACCES" },
	{ "F_SETLEASE F_RDLCK", call_lease, F_RDLCK, "EAGAIN/EACCES", "EAGAIN/EACCES" },
	{ "F_SETLK", call_setlk, F_SETLK, "0", "0" },
	{ "F_OFD_SETLK", call_setlk, F_OFD_SETLK, "0", "0" },
	{ "flock", call_flock, 0, "0", "0" },
	{ "F_ADD_SEALS", add_seals, 0, "EINVAL", "EINVAL" },
	{ "inotify", call_inotify, 0, "0/EACCES", "0/EACCES" },
	{ "fanotify", call_fanotify, 0, "0/EACCES", "0/EACCES" },
};

const size_t calls_rest_count = sizeof(calls_rest) / sizeof(calls_rest[0]);
