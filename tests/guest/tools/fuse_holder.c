// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuse_holder write FILE
 * fuse_holder direct FILE
 * fuse_holder readdir DIRECTORY
 *
 * Holds a lock for as long as it lives, with no more rights than any user has: it maps a file of
 * its own FUSE server, which never answers a read, and passes this memory to a system call that
 * copies under the lock.
 *
 *   write    write(2) from the mapping holds the lock of the inode of FILE.
 *   direct   A direct read(2) into the mapping holds it shared, and counts as direct I/O in flight.
 *   readdir  getdents64(2) into the mapping holds the lock of DIRECTORY shared, and a mkdir(2) in
 *            it waits for the lock, so that nobody else gets it, not even shared.
 *
 * Started by root, it becomes user 1000. FILE and DIRECTORY must be that user's. It prints "ready"
 * when the lock is held, and stays until it is killed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define USER 1000
#define PAGE 4096
/* The version of FUSE. */
#define PROTOCOL 7
#define PROTOCOL_MINOR 31
#define FILE_SIZE (16 * PAGE)

static int held = -1; /* FILE or DIRECTORY */
static int server = -1;
static char *mapping;
static atomic_bool asked; /* the server was asked for what it will not tell */
static atomic_int waiter; /* the thread that waits for the lock */

static void die(const char *what)
{
	fprintf(stderr, "fuse_holder: %s: %s\n", what, strerror(errno));
	_exit(1);
}

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		die(path);
	close(fd);
}

/* As any user, in a namespace in which that user may mount FUSE. */
static void become_user(void)
{
	char user[64], group[64];

	if (!geteuid() && (setresgid(USER, USER, USER) || setresuid(USER, USER, USER)))
		die("setresuid");
	/* Changing the user has made /proc/self root's. */
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	snprintf(user, sizeof(user), "0 %d 1", (int)geteuid());
	snprintf(group, sizeof(group), "0 %d 1", (int)getegid());
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
		die("unshare");
	put("/proc/self/setgroups", "deny");
	put("/proc/self/uid_map", user);
	put("/proc/self/gid_map", group);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		die("making the mounts private");
}

/* The file of the server: it is the root of its filesystem. */
static void set_attr(struct fuse_attr *attr)
{
	*attr = (struct fuse_attr){ .ino = FUSE_ROOT_ID,
				    .size = FILE_SIZE,
				    .mode = S_IFREG | 0644,
				    .nlink = 1,
				    .blksize = PAGE };
}

static void answer(const struct fuse_in_header *in, int error, const void *data, size_t size)
{
	char reply[sizeof(struct fuse_out_header) + 256];
	struct fuse_out_header out = { .len = (uint32_t)(sizeof(out) + size),
				       .error = error,
				       .unique = in->unique };

	memcpy(reply, &out, sizeof(out));
	if (size)
		memcpy(reply + sizeof(out), data, size);
	if (write(server, reply, out.len) != (ssize_t)out.len && errno != ENOENT)
		die("answering a request");
}

static void serve_one(const struct fuse_in_header *in)
{
	/* What waits for a read can be killed only if reads are asynchronous. */
	struct fuse_init_out init = { .major = PROTOCOL,
				      .minor = PROTOCOL_MINOR,
				      .flags = FUSE_ASYNC_READ,
				      .max_readahead = PAGE,
				      .max_write = PAGE,
				      .time_gran = 1 };
	struct fuse_attr_out attr = { .attr_valid = 3600 };
	struct fuse_open_out opened = { .fh = 1 };

	switch (in->opcode) {
	case FUSE_INIT:
		answer(in, 0, &init, sizeof(init));
		break;
	case FUSE_GETATTR:
		set_attr(&attr.attr);
		answer(in, 0, &attr, sizeof(attr));
		break;
	case FUSE_OPEN:
		answer(in, 0, &opened, sizeof(opened));
		break;
	case FUSE_READ:
		atomic_store(&asked, true);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break;
	case FUSE_FLUSH:
	case FUSE_RELEASE:
		answer(in, 0, NULL, 0);
		break;
	default:
		answer(in, -ENOSYS, NULL, 0);
		break;
	}
}

static void *serve(void *unused)
{
	static char request[FUSE_MIN_READ_BUFFER + (64 << 10)] __attribute__((aligned(8)));
	ssize_t got;

	(void)unused;
	while ((got = read(server, request, sizeof(request))) >= 0 || errno == EINTR)
		if (got >= (ssize_t)sizeof(struct fuse_in_header))
			serve_one((const struct fuse_in_header *)request);
	die("reading a request");
	return NULL;
}

static void start(void *(*thread)(void *))
{
	pthread_t id;

	errno = pthread_create(&id, NULL, thread, NULL);
	if (errno)
		die("starting a thread");
}

/* Map the server's file. It has a name only until it is open. */
static void map_file(void)
{
	char point[] = "/tmp/fuse-holder-XXXXXX", options[128];
	struct stat st;
	int fd = mkstemp(point);

	if (fd < 0)
		die(point);
	close(fd);
	server = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (server < 0)
		die("/dev/fuse");
	snprintf(options, sizeof(options), "fd=%d,rootmode=100644,user_id=0,group_id=0", server);
	if (mount("fuse_holder", point, "fuse", MS_NOSUID | MS_NODEV, options))
		die("mounting FUSE");
	start(serve);
	fd = open(point, O_RDONLY | O_CLOEXEC);
	/* Only now does the kernel ask how long the file is. */
	if (fd < 0 || fstat(fd, &st))
		die(point);
	umount2(point, MNT_DETACH);
	unlink(point);
	mapping = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (mapping == MAP_FAILED)
		die("mapping the file");
	/* At the end of this process nobody would answer the flush of an open file. */
	close(fd);
}

static void *hold_write(void *unused)
{
	(void)unused;
	if (write(held, mapping, 100) < 0)
		die("write");
	return NULL;
}

static void *hold_direct(void *unused)
{
	(void)unused;
	if (read(held, mapping, PAGE) < 0)
		die("read");
	return NULL;
}

static void *hold_readdir(void *unused)
{
	(void)unused;
	if (syscall(SYS_getdents64, held, mapping, PAGE) < 0)
		die("getdents64");
	return NULL;
}

static void *wait_for_lock(void *unused)
{
	char name[64];

	(void)unused;
	snprintf(name, sizeof(name), "waits-for-the-lock-%d", (int)getpid());
	atomic_store(&waiter, (int)syscall(SYS_gettid));
	if (mkdirat(held, name, 0700))
		die("mkdir");
	return NULL;
}

/* True if the thread @tid of this process sleeps and can't be interrupted. */
static bool waits(int tid)
{
	char path[64], text[512], *at;
	ssize_t got = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		got = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	if (got <= 0)
		return false;
	text[got] = 0;
	at = strrchr(text, ')');
	return at && at[1] == ' ' && at[2] == 'D';
}

/* How a lock is held, and how what it belongs to is opened for that. */
static const struct way {
	const char *name;
	int flags;
	void *(*hold)(void *unused);
} ways[] = {
	{ "write", O_WRONLY, hold_write },
	{ "direct", O_RDONLY | O_DIRECT, hold_direct },
	{ "readdir", O_RDONLY | O_DIRECTORY, hold_readdir },
};

static const struct way *way_by_name(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(ways) / sizeof(*ways); i++)
		if (!strcmp(ways[i].name, name))
			return &ways[i];
	return NULL;
}

int main(int argc, char **argv)
{
	const struct way *way = argc == 3 ? way_by_name(argv[1]) : NULL;

	if (!way) {
		fputs("Usage: fuse_holder write FILE | direct FILE | readdir DIRECTORY\n", stderr);
		return 2;
	}
	become_user();
	held = open(argv[2], O_CLOEXEC | way->flags);
	if (held < 0)
		die(argv[2]);
	map_file();
	start(way->hold);
	while (!atomic_load(&asked))
		usleep(10000);
	if (way->flags & O_DIRECTORY) {
		start(wait_for_lock);
		while (!waits(atomic_load(&waiter)))
			usleep(10000);
	}
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}
