// SPDX-License-Identifier: GPL-2.0-only
/*
 * steps REQUESTS REPLIES: do the system calls that a script names, one a line,
 * in one process, and compare each result with the one the script expects.
 * Starting a program takes long in an emulated machine, so this one serves all
 * tests of a file: scripts come from the pipe REQUESTS, each ended by a byte 4,
 * and run in a child; REPLIES gets the status, a newline, what was printed, and
 * a byte 4.
 *
 *	COMMAND [ARG]... [-> NAME] [=> RESULT]
 *
 * A result is a number, the name of an errno, or text. Without "=>" the step
 * must not end in an errno. "->" keeps the result as %NAME, which any later
 * word may use; opening a file NAME sets %NAME to its inode number. Words are
 * separated by blanks; "..." is one word and knows \n \t \0 \\ \". "any" as the
 * RESULT fits all, "A|B" fits either. "within MS COMMAND..." repeats the step until it fits.
 * "start NAME COMMAND..." does it in a child; "finish NAME" gives its result.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/fscrypt.h>
#include <linux/if_xdp.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/quota.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "steps.h"

#define MAX_WORDS 32
#define CHUNK (256 * 1024)
#define EXTENTS_FL 0x80000

struct word {
	char *text;
	size_t length;
};

struct named {
	struct named *next;
	char *name;
	char *text;
	size_t text_length;
	int fd;
	unsigned char *map;
	size_t map_length;
	off_t map_offset;
	pid_t child;
};

static struct named *everything;
static char *result;
static size_t result_length;
static bool failed;
static unsigned int line_number;
static unsigned char *chunk;

static void __attribute__((noreturn, format(printf, 1, 2))) die(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "steps: line %u: ", line_number);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	_exit(2);
}

static struct named *find(const char *name)
{
	struct named *n;

	for (n = everything; n; n = n->next)
		if (!strcmp(n->name, name))
			return n;
	return NULL;
}

static struct named *find_or_add(const char *name)
{
	struct named *n = find(name);

	if (n)
		return n;
	n = calloc(1, sizeof(*n));
	if (!n)
		die("out of memory");
	n->name = strdup(name);
	n->fd = -1;
	n->next = everything;
	everything = n;
	return n;
}

static void keep(const char *name, const char *text, size_t length)
{
	struct named *n = find_or_add(name);

	free(n->text);
	n->text = malloc(length + 1);
	memcpy(n->text, text, length);
	n->text[length] = '\0';
	n->text_length = length;
}

static void text_result(const char *text, size_t length)
{
	free(result);
	result = malloc(length + 1);
	memcpy(result, text, length);
	result[length] = '\0';
	result_length = length;
	failed = false;
}

static void string_result(const char *text)
{
	text_result(text, strlen(text));
}

static void __attribute__((format(printf, 1, 2))) format_result(const char *format, ...)
{
	char *text;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		die("out of memory");
	va_end(args);
	string_result(text);
	free(text);
}

/* What a system call gave: its value, or the errno's name. */
static void call_result(long long value)
{
	if (value < 0) {
		string_result(strerrorname_np(errno));
		failed = true;
	} else {
		format_result("%lld", value);
	}
}

static long long number(const struct word *w)
{
	char *end;
	long long value;

	errno = 0;
	value = strtoll(w->text, &end, 0);
	if (*end || end == w->text || errno)
		die("'%s' is not a number", w->text);
	return value;
}

static int fd_of(const struct word *w)
{
	struct named *n = find(w->text);

	if (!n || n->fd < 0)
		die("no open file '%s'", w->text);
	return n->fd;
}

static struct named *map_of(const struct word *w)
{
	struct named *n = find(w->text);

	if (!n || !n->map)
		die("no mapping '%s'", w->text);
	return n;
}

/* -------- files -------- */

static int open_flags(char *text)
{
	static const struct {
		const char *name;
		int flag;
	} names[] = {
		{ "r", O_RDONLY },	    { "w", O_WRONLY },	      { "rw", O_RDWR },
		{ "creat", O_CREAT },	    { "excl", O_EXCL },	      { "trunc", O_TRUNC },
		{ "append", O_APPEND },	    { "direct", O_DIRECT },   { "dir", O_DIRECTORY },
		{ "nonblock", O_NONBLOCK }, { "tmpfile", O_TMPFILE }, { "path", O_PATH },
		{ "noatime", O_NOATIME },   { "sync", O_SYNC },	      { "nofollow", O_NOFOLLOW },
	};
	char *save, *part;
	int flags = 0;

	for (part = strtok_r(text, ",", &save); part; part = strtok_r(NULL, ",", &save)) {
		size_t i;

		for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			if (!strcmp(part, names[i].name))
				break;
		if (i == sizeof(names) / sizeof(names[0]))
			die("unknown open flag '%s'", part);
		flags |= names[i].flag;
	}
	return flags;
}

static void opened(const char *name, int fd)
{
	struct named *n;
	struct stat st;
	char text[32];

	if (fd < 0) {
		call_result(-1);
		return;
	}
	n = find_or_add(name);
	if (n->fd >= 0)
		close(n->fd);
	n->fd = fd;
	fstat(fd, &st);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)st.st_ino);
	keep(name, text, strlen(text));
	call_result(0);
}

static void do_open(struct word *w, int count)
{
	opened(w[0].text, open(w[1].text, open_flags(w[2].text) | O_CLOEXEC,
			       count > 3 ? (mode_t)number(&w[3]) : 0644));
}

/* A nameless file mapped by indirect blocks, as the interface wants a donor. */
static void do_donor(struct word *w, int count)
{
	int fd = open(w[1].text, O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
	int flags;

	(void)count;
	if (fd >= 0 && !ioctl(fd, FS_IOC_GETFLAGS, &flags) && flags & EXTENTS_FL) {
		flags &= ~EXTENTS_FL;
		if (ioctl(fd, FS_IOC_SETFLAGS, &flags))
			die("clearing the extents flag: %s", strerror(errno));
	}
	opened(w[0].text, fd);
}

static void do_close(struct word *w, int count)
{
	struct named *n = find(w[0].text);

	(void)count;
	call_result(close(fd_of(&w[0])));
	n->fd = -1;
}

static void do_read(struct word *w, int count)
{
	size_t size = number(&w[1]);
	char *buffer = malloc(size + 1);
	ssize_t got;

	if (count > 2)
		got = pread(fd_of(&w[0]), buffer, size, number(&w[2]));
	else
		got = read(fd_of(&w[0]), buffer, size);
	if (got < 0)
		call_result(got);
	else
		text_result(buffer, got);
	free(buffer);
}

static void do_write(struct word *w, int count)
{
	if (count > 2)
		call_result(pwrite(fd_of(&w[0]), w[1].text, w[1].length, number(&w[2])));
	else
		call_result(write(fd_of(&w[0]), w[1].text, w[1].length));
}

static void do_seek(struct word *w, int count)
{
	const char *whence = count > 2 ? w[2].text : "set";

	call_result(lseek(fd_of(&w[0]), number(&w[1]),
			  !strcmp(whence, "cur")  ? SEEK_CUR :
			  !strcmp(whence, "end")  ? SEEK_END :
			  !strcmp(whence, "data") ? SEEK_DATA :
			  !strcmp(whence, "hole") ? SEEK_HOLE :
						    SEEK_SET));
}

/* The whole of a file, through a buffer of SIZE bytes, from POSITION on. */
static void do_slurp(struct word *w, int count)
{
	size_t size = count > 1 ? number(&w[1]) : 65536, have = 0, room = 0;
	char *text = NULL;
	ssize_t got;
	int fd = open(w[0].text, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		call_result(fd);
		return;
	}
	if (count > 2 && lseek(fd, number(&w[2]), SEEK_SET) < 0) {
		call_result(-1);
		close(fd);
		return;
	}
	do {
		if (room < have + size + 1) {
			room = 2 * (have + size + 1);
			text = realloc(text, room);
		}
		got = read(fd, text + have, size);
		if (got > 0)
			have += got;
	} while (got > 0);
	if (got < 0)
		call_result(got);
	else
		text_result(text, have);
	free(text);
	close(fd);
}

static int skip_dots(const struct dirent *d)
{
	return strcmp(d->d_name, ".") && strcmp(d->d_name, "..");
}

static void do_names(struct word *w, int count)
{
	struct dirent **list;
	int n = scandir(w[0].text, &list, skip_dots, versionsort), i;
	char *text = calloc(1, 1);

	(void)count;
	if (n < 0) {
		call_result(n);
		return;
	}
	for (i = 0; i < n; i++) {
		char *longer;

		if (asprintf(&longer, "%s%s%s", text, i ? " " : "", list[i]->d_name) < 0)
			die("out of memory");
		free(text);
		text = longer;
		free(list[i]);
	}
	free(list);
	string_result(text);
	free(text);
}

/* All that stat can see of an open file, and its generation and flags. */
static void do_stat(struct word *w, int count)
{
	struct stat st;
	int fd = fd_of(&w[0]), generation = 0, flags = 0;

	(void)count;
	if (fstat(fd, &st)) {
		call_result(-1);
		return;
	}
	(void)ioctl(fd, FS_IOC_GETVERSION, &generation);
	(void)ioctl(fd, FS_IOC_GETFLAGS, &flags);
	format_result("ino %llu mode %o links %llu owner %u:%u size %lld blocks %lld "
		      "atime %lld.%09ld mtime %lld.%09ld ctime %lld.%09ld generation %u flags %x",
		      (unsigned long long)st.st_ino, st.st_mode, (unsigned long long)st.st_nlink,
		      st.st_uid, st.st_gid, (long long)st.st_size, (long long)st.st_blocks,
		      (long long)st.st_atim.tv_sec, st.st_atim.tv_nsec,
		      (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
		      (long long)st.st_ctim.tv_sec, st.st_ctim.tv_nsec, (unsigned int)generation,
		      (unsigned int)flags);
}

static void do_mode(struct word *w, int count)
{
	struct stat st;

	(void)count;
	if (lstat(w[0].text, &st))
		call_result(-1);
	else
		format_result("%o %u:%u %lld", st.st_mode, st.st_uid, st.st_gid,
			      (long long)st.st_size);
}

static void do_pattern(struct word *w, int count)
{
	unsigned long long at = number(&w[1]), end = at + number(&w[2]);
	unsigned int seed = number(&w[3]);

	(void)count;
	while (at < end) {
		size_t part = end - at < CHUNK ? end - at : CHUNK, i;
		ssize_t done;

		for (i = 0; i < part; i++)
			chunk[i] = pattern_byte(at + i, seed);
		done = pwrite(fd_of(&w[0]), chunk, part, at);
		if (done < 0) {
			call_result(done);
			return;
		}
		at += done;
	}
	call_result(0);
}

/* The pattern in COUNT pieces of SIZE bytes, at every STEP-th piece from FIRST on. */
static void do_comb(struct word *w, int count)
{
	unsigned long long first = number(&w[1]), pieces = number(&w[2]), step = number(&w[3]);
	size_t size = number(&w[4]), i;
	unsigned int seed = number(&w[5]);

	(void)count;
	for (; pieces; pieces--, first += step) {
		for (i = 0; i < size; i++)
			chunk[i] = pattern_byte(first * size + i, seed);
		if (pwrite(fd_of(&w[0]), chunk, size, first * size) != (ssize_t)size) {
			call_result(-1);
			return;
		}
	}
	call_result(0);
}

/* Seed 0 stands for zeros. */
static bool compare(const unsigned char *bytes, unsigned long long at, size_t length,
		    unsigned int seed)
{
	size_t i;

	for (i = 0; i < length; i++) {
		unsigned char want = seed ? pattern_byte(at + i, seed) : 0;

		if (bytes[i] != want) {
			format_result("byte %llu is %02x, not %02x", at + i, bytes[i], want);
			return false;
		}
	}
	return true;
}

static void do_check(struct word *w, int count)
{
	unsigned long long at = number(&w[1]), end = at + number(&w[2]);
	unsigned int seed = number(&w[3]);

	(void)count;
	while (at < end) {
		size_t part = end - at < CHUNK ? end - at : CHUNK;
		ssize_t got = pread(fd_of(&w[0]), chunk, part, at);

		if (got < 0) {
			call_result(got);
			return;
		}
		if (!got) {
			format_result("end of file at %llu", at);
			return;
		}
		if (!compare(chunk, at, got, seed))
			return;
		at += got;
	}
	string_result("right");
}

static void do_map(struct word *w, int count)
{
	struct named *n = find_or_add(w[0].text);

	(void)count;
	n->map_offset = number(&w[2]);
	n->map_length = number(&w[3]);
	n->map = mmap(NULL, n->map_length, PROT_READ | PROT_WRITE, MAP_SHARED, fd_of(&w[1]),
		      n->map_offset);
	if (n->map == MAP_FAILED) {
		n->map = NULL;
		call_result(-1);
	} else {
		call_result(0);
	}
}

static void do_unmap(struct word *w, int count)
{
	struct named *n = map_of(&w[0]);

	(void)count;
	call_result(munmap(n->map, n->map_length));
	n->map = NULL;
}

/* A fault that can't be served is SIGBUS; it must not end the whole script. */
static volatile sig_atomic_t catching;
static __attribute__((noreturn)) void on_bus(int signal)
{
	static const char text[] = "steps: SIGBUS\n";

	(void)signal;
	(void)!write(2, text, sizeof(text) - 1);
	_exit(catching ? 42 : 3);
}

static void do_mcheck(struct word *w, int count)
{
	struct named *n = map_of(&w[0]);

	(void)count;
	if (compare(n->map, n->map_offset, n->map_length, number(&w[1])))
		string_result("right");
}

static void do_mpattern(struct word *w, int count)
{
	struct named *n = map_of(&w[0]);
	unsigned int seed = number(&w[1]);
	size_t i;

	(void)count;
	for (i = 0; i < n->map_length; i++)
		n->map[i] = pattern_byte(n->map_offset + i, seed);
	call_result(0);
}

static void do_msync(struct word *w, int count)
{
	struct named *n = map_of(&w[0]);

	(void)count;
	call_result(msync(n->map, n->map_length, MS_SYNC));
}

/* Whether a store through the mapping is served: "written" or "SIGBUS". */
static void do_mstore(struct word *w, int count)
{
	struct named *n = map_of(&w[0]);
	pid_t child = fork();
	int status;

	(void)count;
	if (!child) {
		catching = 1;
		n->map[0] = 0x5a;
		_exit(0);
	}
	waitpid(child, &status, 0);
	string_result(WIFEXITED(status) && !WEXITSTATUS(status) ? "written" : "SIGBUS");
}

/* Pins the pages of a mapping for writing, as a network card's ring would. */
static void do_pin(struct word *w, int count)
{
	struct named *n = find_or_add(w[0].text), *map = map_of(&w[1]);
	struct xdp_umem_reg reg = {
		.addr = (uintptr_t)map->map,
		.len = map->map_length,
		.chunk_size = 4096,
	};
	int fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);

	(void)count;
	if (fd < 0 || setsockopt(fd, SOL_XDP, XDP_UMEM_REG, &reg, sizeof(reg))) {
		call_result(-1);
		return;
	}
	n->fd = fd;
	call_result(0);
}

static void do_truncate(struct word *w, int count)
{
	(void)count;
	call_result(ftruncate(fd_of(&w[0]), number(&w[1])));
}

static void do_punch(struct word *w, int count)
{
	(void)count;
	call_result(fallocate(fd_of(&w[0]), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			      number(&w[1]), number(&w[2])));
}

static void do_fsync(struct word *w, int count)
{
	(void)count;
	call_result(fsync(fd_of(&w[0])));
}

static void do_syncfs(struct word *w, int count)
{
	(void)count;
	call_result(syncfs(fd_of(&w[0])));
}

static void do_flags(struct word *w, int count)
{
	int flags;

	if (ioctl(fd_of(&w[0]), FS_IOC_GETFLAGS, &flags)) {
		call_result(-1);
		return;
	}
	if (count > 1) {
		if (w[1].text[0] == '+')
			flags |= strtol(w[1].text + 1, NULL, 0);
		else
			flags &= ~strtol(w[1].text + 1, NULL, 0);
		call_result(ioctl(fd_of(&w[0]), FS_IOC_SETFLAGS, &flags));
	} else {
		call_result((unsigned int)flags);
	}
}

static void do_generation(struct word *w, int count)
{
	int generation;

	if (count > 1) {
		generation = (int)number(&w[1]);
		call_result(ioctl(fd_of(&w[0]), FS_IOC_SETVERSION, &generation));
	} else if (ioctl(fd_of(&w[0]), FS_IOC_GETVERSION, &generation)) {
		call_result(-1);
	} else {
		call_result((unsigned int)generation);
	}
}

static void do_dontneed(struct word *w, int count)
{
	(void)count;
	errno = posix_fadvise(fd_of(&w[0]), 0, 0, POSIX_FADV_DONTNEED);
	call_result(errno ? -1 : 0);
}

static void do_setxattr(struct word *w, int count)
{
	size_t length = number(&w[2]);
	char *value = malloc(length + 1);

	(void)count;
	memset(value, 'x', length);
	call_result(fsetxattr(fd_of(&w[0]), w[1].text, value, length, 0));
	free(value);
}

static void do_encrypt(struct word *w, int count)
{
	struct {
		struct fscrypt_add_key_arg arg;
		unsigned char raw[64];
	} key = { .arg = { .raw_size = 64 } };
	struct fscrypt_policy_v2 policy = {
		.version = FSCRYPT_POLICY_V2,
		.contents_encryption_mode = FSCRYPT_MODE_AES_256_XTS,
		.filenames_encryption_mode = FSCRYPT_MODE_AES_256_CTS,
		.flags = FSCRYPT_POLICY_FLAGS_PAD_32,
	};

	(void)count;
	memset(key.raw, 0x2a, sizeof(key.raw));
	key.arg.key_spec.type = FSCRYPT_KEY_SPEC_TYPE_IDENTIFIER;
	if (ioctl(fd_of(&w[0]), FS_IOC_ADD_ENCRYPTION_KEY, &key)) {
		call_result(-1);
		return;
	}
	memcpy(policy.master_key_identifier, key.arg.key_spec.u.identifier,
	       sizeof(policy.master_key_identifier));
	call_result(ioctl(fd_of(&w[0]), FS_IOC_SET_ENCRYPTION_POLICY, &policy));
}

/* -------- names -------- */

static void do_unlink(struct word *w, int count)
{
	(void)count;
	call_result(unlink(w[0].text));
}

static void do_link(struct word *w, int count)
{
	(void)count;
	call_result(link(w[0].text, w[1].text));
}

static void do_mkdir(struct word *w, int count)
{
	(void)count;
	call_result(mkdir(w[0].text, 0755));
}

static void do_symlink(struct word *w, int count)
{
	(void)count;
	call_result(symlink(w[0].text, w[1].text));
}

static void do_mknod(struct word *w, int count)
{
	mode_t type = !strcmp(w[1].text, "fifo")   ? S_IFIFO :
		      !strcmp(w[1].text, "socket") ? S_IFSOCK :
		      !strcmp(w[1].text, "block")  ? S_IFBLK :
						     S_IFCHR;

	(void)count;
	call_result(mknod(w[0].text, type | 0644, makedev(1, 3)));
}

static void do_mount(struct word *w, int count)
{
	static const struct {
		const char *name;
		unsigned long flag;
	} names[] = { { "ro", MS_RDONLY },
		      { "remount", MS_REMOUNT },
		      { "noatime", MS_NOATIME },
		      { "remount,ro", MS_REMOUNT | MS_RDONLY },
		      { "bind", MS_BIND } };
	unsigned long flags = 0;
	size_t i;

	for (i = 0; count > 3 && i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(w[3].text, names[i].name))
			flags = names[i].flag;
	call_result(mount(w[0].text, w[1].text, w[2].text, flags, count > 4 ? w[4].text : NULL));
}

/* "host IMAGE DIR TYPE [OPTIONS]": the image by a loop device, whose name is the result. */
static void do_host(struct word *w, int count)
{
	struct loop_config config = {
		.info = { .lo_flags = LO_FLAGS_AUTOCLEAR },
	};
	const char *options = count > 3 ? w[3].text : "";
	bool ro = !strcmp(options, "ro");
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC), loop, n;
	char name[32];

	config.fd = open(w[0].text, O_RDWR | O_CLOEXEC);
	if (control < 0 || (int)config.fd < 0)
		die("%s: %s", w[0].text, strerror(errno));
	do {
		n = ioctl(control, LOOP_CTL_GET_FREE);
		snprintf(name, sizeof(name), "/dev/loop%d", n);
		loop = open(name, O_RDWR | O_CLOEXEC);
		if (n < 0 || loop < 0)
			die("%s: %s", name, strerror(errno));
	} while (ioctl(loop, LOOP_CONFIGURE, &config) && errno == EBUSY && !close(loop));
	if (mount(name, w[1].text, w[2].text, MS_NOATIME | (ro ? MS_RDONLY : 0),
		  ro ? NULL : options))
		call_result(-1);
	else
		string_result(name);
	close(loop);
	close(config.fd);
	close(control);
}

static void do_umount(struct word *w, int count)
{
	(void)count;
	call_result(umount2(w[0].text, 0));
}

static void do_swapon(struct word *w, int count)
{
	(void)count;
	call_result(swapon(w[0].text, 0));
}

static void do_swapoff(struct word *w, int count)
{
	(void)count;
	call_result(swapoff(w[0].text));
}

static void do_freeze(struct word *w, int count)
{
	(void)count;
	call_result(ioctl(fd_of(&w[0]), FIFREEZE, 0));
}

static void do_thaw(struct word *w, int count)
{
	(void)count;
	call_result(ioctl(fd_of(&w[0]), FITHAW, 0));
}

static void do_quotaon(struct word *w, int count)
{
	(void)count;
	call_result(quotactl(QCMD(Q_QUOTAON, USRQUOTA), w[0].text, 2, w[1].text));
}

static void do_quotaoff(struct word *w, int count)
{
	(void)count;
	call_result(quotactl(QCMD(Q_QUOTAOFF, USRQUOTA), w[0].text, 0, NULL));
}

/* What a user is charged: bytes and inodes. */
static void do_charged(struct word *w, int count)
{
	struct dqblk q;

	(void)count;
	if (quotactl(QCMD(Q_GETQUOTA, USRQUOTA), w[0].text, number(&w[1]), (void *)&q))
		call_result(-1);
	else
		format_result("%llu %llu", (unsigned long long)q.dqb_curspace,
			      (unsigned long long)q.dqb_curinodes);
}

static void do_chown(struct word *w, int count)
{
	(void)count;
	call_result(fchown(fd_of(&w[0]), number(&w[1]), -1));
}

/* -------- who we are -------- */

static void do_euid(struct word *w, int count)
{
	(void)count;
	call_result(seteuid(number(&w[0])));
}

/* Takes CAP_SYS_ADMIN out of the effective set ("drop") or puts it back. */
static void do_admin(struct word *w, int count)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	unsigned int bit = 1U << CAP_SYS_ADMIN;

	(void)count;
	if (syscall(SYS_capget, &head, data))
		die("capget: %s", strerror(errno));
	if (!strcmp(w[0].text, "drop"))
		data[0].effective &= ~bit;
	else
		data[0].effective |= bit;
	call_result(syscall(SYS_capset, &head, data));
}

static void do_userns(struct word *w, int count)
{
	(void)w;
	(void)count;
	call_result(unshare(CLONE_NEWUSER | CLONE_NEWNS));
}

/* -------- requests that may come back short -------- */

/* Asks for COUNT blocks from POSITION on, until they are there or an error comes. */
static void do_alloc(struct word *w, int count)
{
	long long position = number(&w[1]), end = position + number(&w[2]), first = position;
	int fd = fd_of(&w[0]);
	char text[32];

	(void)count;
	if (lseek(fd, position, SEEK_SET) < 0)
		die("seek: %s", strerror(errno));
	while (position < end) {
		ssize_t length = snprintf(text, sizeof(text), "%lld\n", end - position);

		if (write(fd, text, length) != length) {
			if (position == first)
				call_result(-1);
			else
				format_result("%lld %s", position - first, strerrorname_np(errno));
			return;
		}
		position = lseek(fd, 0, SEEK_CUR);
	}
	call_result(position - first);
}

/* Repeats a request until it fails: what it gave altogether, and the errno. */
static void do_drain(struct word *w, int count)
{
	long long total = 0;
	ssize_t got;

	if (count > 2 && lseek(fd_of(&w[0]), number(&w[2]), SEEK_SET) < 0)
		die("seek: %s", strerror(errno));
	while ((got = write(fd_of(&w[0]), w[1].text, w[1].length)) > 0)
		total += got;
	format_result("%lld %s", total, got ? strerrorname_np(errno) : "0");
}

/* -------- the script's own -------- */

static void do_let(struct word *w, int count)
{
	long long value = number(&w[1]);
	char text[32];
	int i;

	for (i = 2; i + 1 < count; i += 2) {
		long long other = number(&w[i + 1]);

		switch (w[i].text[0]) {
		case '+':
			value += other;
			break;
		case '-':
			value -= other;
			break;
		case '*':
			value *= other;
			break;
		case '/':
			value /= other;
			break;
		default:
			die("unknown operator '%s'", w[i].text);
		}
	}
	snprintf(text, sizeof(text), "%lld", value);
	keep(w[0].text, text, strlen(text));
	string_result(text);
}

/* Word WORD of line LINE of TEXT, both counted from 1, -1 is the last line. */
static void do_field(struct word *w, int count)
{
	long long line = number(&w[1]), word = number(&w[2]);
	char *copy = strdup(w[0].text), *save, *at;

	(void)count;
	if (line < 0) {
		size_t length = strlen(copy);

		if (length && copy[length - 1] == '\n')
			copy[length - 1] = '\0';
		at = strrchr(copy, '\n');
		at = at ? at + 1 : copy;
	} else {
		for (at = copy; at && --line; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL)
			;
	}
	if (at)
		at[strcspn(at, "\n")] = '\0';
	for (at = at ? strtok_r(at, " ", &save) : NULL; at && --word;)
		at = strtok_r(NULL, " ", &save);
	string_result(at ? at : "");
	free(copy);
}

/* The value of the "KEY VALUE" line of TEXT. */
static void do_key(struct word *w, int count)
{
	size_t length = strlen(w[1].text);
	char *at = w[0].text;

	(void)count;
	while (at && !(!strncmp(at, w[1].text, length) && at[length] == ' '))
		at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL;
	if (at)
		text_result(at + length + 1, strcspn(at + length + 1, "\n"));
	else
		string_result("");
}

static void do_lines(struct word *w, int count)
{
	long long n = 0;
	size_t i;

	(void)count;
	for (i = 0; i < w[0].length; i++)
		n += w[0].text[i] == '\n';
	call_result(n);
}

/* The longest "START LENGTH" line of TEXT. */
static void do_longest(struct word *w, int count)
{
	unsigned long long start, length, best = 0;
	const char *at = w[0].text;

	(void)count;
	string_result("");
	while (at && sscanf(at, "%llu %llu", &start, &length) == 2) {
		if (length > best)
			format_result("%llu %llu", start, best = length);
		at = strchr(at, '\n');
		at = at ? at + 1 : NULL;
	}
}

/* The sum of word WORD over the lines of TEXT. */
static void do_total(struct word *w, int count)
{
	unsigned long long sum = 0;
	const char *at = w[0].text;

	(void)count;
	while (at && *at) {
		unsigned long long value[3] = { 0 };

		sscanf(at, "%llu %llu %llu", &value[0], &value[1], &value[2]);
		sum += value[number(&w[1]) - 1];
		at = strchr(at, '\n');
		at = at ? at + 1 : NULL;
	}
	format_result("%llu", sum);
}

/* Unmounts all below a directory, what was mounted last first. */
static void do_cleanup(struct word *w, int count)
{
	size_t length = strlen(w[0].text);
	char line[4096], dir[4096], last[4096];
	int rounds;

	(void)count;
	for (rounds = 0; rounds < 32; rounds++) {
		FILE *mounts = fopen("/proc/self/mounts", "re");

		last[0] = '\0';
		while (fgets(line, sizeof(line), mounts))
			if (sscanf(line, "%*s %4095s", dir) == 1 &&
			    !strncmp(dir, w[0].text, length))
				strcpy(last, dir);
		fclose(mounts);
		if (!last[0] || (umount2(last, 0) && umount2(last, MNT_DETACH)))
			break;
	}
	string_result(last);
}

static void do_is(struct word *w, int count)
{
	(void)count;
	text_result(w[0].text, w[0].length);
}

static void do_less(struct word *w, int count)
{
	(void)count;
	string_result(number(&w[0]) < number(&w[1]) ? "yes" : "no");
}

static void do_run(struct word *w, int count)
{
	int status = system(w[0].text);

	(void)count;
	call_result(WIFEXITED(status) ? WEXITSTATUS(status) : 128);
}

/* What a command prints. */
static void do_output(struct word *w, int count)
{
	size_t have = 0, room = 65536, got;
	char *text = malloc(room);
	FILE *from = popen(w[0].text, "re");

	(void)count;
	while ((got = fread(text + have, 1, room - have, from)) > 0) {
		have += got;
		if (have == room)
			text = realloc(text, room *= 2);
	}
	if (pclose(from))
		die("'%s' failed", w[0].text);
	text_result(text, have);
	free(text);
}

static void do_imgmap(struct word *w, int count)
{
	char *argv[MAX_WORDS], *text;
	size_t length;
	FILE *to = open_memstream(&text, &length);
	int i;

	for (i = 0; i < count; i++)
		argv[i] = w[i].text;
	imgmap(count, argv, to);
	fclose(to);
	text_result(text, length);
	free(text);
}

/* The exit status of e2fsck, whose words are shown where it isn't 0. */
static void do_fsck(struct word *w, int count)
{
	char *command;
	char *text = malloc(65536);
	size_t got;
	FILE *from;
	int status;

	if (asprintf(&command, "exec e2fsck %s %s 2>&1", count > 1 ? w[1].text : "-fn", w[0].text) <
	    0)
		die("out of memory");
	from = popen(command, "re");
	got = fread(text, 1, 65536, from);
	status = pclose(from);
	if (status)
		fwrite(text, 1, got, stdout);
	call_result(WIFEXITED(status) ? WEXITSTATUS(status) : 128);
	free(text);
	free(command);
}

/* Copies a file with its holes. */
static void do_copy(struct word *w, int count)
{
	int from = open(w[0].text, O_RDONLY | O_CLOEXEC);
	int to = open(w[1].text, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	off_t data = 0, end;

	(void)count;
	if (from < 0 || to < 0 || ftruncate(to, lseek(from, 0, SEEK_END))) {
		call_result(-1);
		return;
	}
	while ((data = lseek(from, data, SEEK_DATA)) >= 0) {
		end = lseek(from, data, SEEK_HOLE);
		while (data < end) {
			size_t part = end - data < CHUNK ? end - data : CHUNK;
			ssize_t got = pread(from, chunk, part, data);

			if (got <= 0 || pwrite(to, chunk, got, data) != got)
				die("copying %s: %s", w[0].text, strerror(errno));
			data += got;
		}
	}
	close(from);
	close(to);
	call_result(0);
}

/* Whether the kernel's log has TEXT ("yes", "no"); without TEXT it is cleared. */
static void do_dmesg(struct word *w, int count)
{
	size_t room = 4 << 20;
	char *log;
	int length;

	if (!count) {
		call_result(klogctl(5, NULL, 0));
		return;
	}
	log = malloc(room + 1);
	length = klogctl(3, log, room);
	if (length < 0)
		die("reading the log: %s", strerror(errno));
	log[length] = '\0';
	string_result(strcasestr(log, w[0].text) ? "yes" : "no");
	free(log);
}

static void do_print(struct word *w, int count)
{
	(void)count;
	fwrite(w[0].text, 1, w[0].length, stdout);
	fflush(stdout);
	call_result(0);
}

static void do_sleep(struct word *w, int count)
{
	(void)count;
	call_result(usleep(number(&w[0]) * 1000));
}

static const struct command {
	const char *name;
	int least, most;
	void (*run)(struct word *w, int count);
} commands[] = {
	{ "open", 3, 4, do_open },
	{ "donor", 2, 2, do_donor },
	{ "close", 1, 1, do_close },
	{ "read", 2, 3, do_read },
	{ "write", 2, 3, do_write },
	{ "seek", 2, 3, do_seek },
	{ "slurp", 1, 3, do_slurp },
	{ "names", 1, 1, do_names },
	{ "stat", 1, 1, do_stat },
	{ "mode", 1, 1, do_mode },
	{ "pattern", 4, 4, do_pattern },
	{ "check", 4, 4, do_check },
	{ "map", 4, 4, do_map },
	{ "unmap", 1, 1, do_unmap },
	{ "mcheck", 2, 2, do_mcheck },
	{ "mpattern", 2, 2, do_mpattern },
	{ "msync", 1, 1, do_msync },
	{ "mstore", 1, 1, do_mstore },
	{ "pin", 2, 2, do_pin },
	{ "truncate", 2, 2, do_truncate },
	{ "punch", 3, 3, do_punch },
	{ "fsync", 1, 1, do_fsync },
	{ "syncfs", 1, 1, do_syncfs },
	{ "flags", 1, 2, do_flags },
	{ "generation", 1, 2, do_generation },
	{ "dontneed", 1, 1, do_dontneed },
	{ "setxattr", 3, 3, do_setxattr },
	{ "encrypt", 1, 1, do_encrypt },
	{ "unlink", 1, 1, do_unlink },
	{ "link", 2, 2, do_link },
	{ "mkdir", 1, 1, do_mkdir },
	{ "symlink", 2, 2, do_symlink },
	{ "mknod", 2, 2, do_mknod },
	{ "mount", 3, 5, do_mount },
	{ "umount", 1, 1, do_umount },
	{ "swapon", 1, 1, do_swapon },
	{ "swapoff", 1, 1, do_swapoff },
	{ "freeze", 1, 1, do_freeze },
	{ "thaw", 1, 1, do_thaw },
	{ "quotaon", 2, 2, do_quotaon },
	{ "quotaoff", 1, 1, do_quotaoff },
	{ "charged", 2, 2, do_charged },
	{ "chown", 2, 2, do_chown },
	{ "euid", 1, 1, do_euid },
	{ "admin", 1, 1, do_admin },
	{ "userns", 0, 0, do_userns },
	{ "alloc", 3, 3, do_alloc },
	{ "drain", 2, 3, do_drain },
	{ "let", 2, MAX_WORDS, do_let },
	{ "field", 3, 3, do_field },
	{ "key", 2, 2, do_key },
	{ "lines", 1, 1, do_lines },
	{ "longest", 1, 1, do_longest },
	{ "comb", 6, 6, do_comb },
	{ "is", 1, 1, do_is },
	{ "less", 2, 2, do_less },
	{ "run", 1, 1, do_run },
	{ "output", 1, 1, do_output },
	{ "print", 1, 1, do_print },
	{ "imgmap", 2, 6, do_imgmap },
	{ "fsck", 1, 2, do_fsck },
	{ "copy", 2, 2, do_copy },
	{ "dmesg", 0, 1, do_dmesg },
	{ "host", 3, 4, do_host },
	{ "total", 2, 2, do_total },
	{ "cleanup", 1, 1, do_cleanup },
	{ "sleep", 1, 1, do_sleep },
};

static void run_command(struct word *w, int count)
{
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(w[0].text, commands[i].name))
			break;
	if (i == sizeof(commands) / sizeof(commands[0]))
		die("unknown command '%s'", w[0].text);
	if (count - 1 < commands[i].least || count - 1 > commands[i].most)
		die("'%s' with %d arguments", w[0].text, count - 1);
	string_result("");
	commands[i].run(w + 1, count - 1);
}

/* The child's result comes back through a pipe, marked by whether it is an errno. */
static void start_child(const char *name, struct word *w, int count)
{
	struct named *n = find_or_add(name);
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		die("pipe: %s", strerror(errno));
	n->child = fork();
	if (n->child < 0)
		die("fork: %s", strerror(errno));
	if (!n->child) {
		run_command(w, count);
		(void)!write(ends[1], failed ? "!" : "=", 1);
		(void)!write(ends[1], result, result_length);
		_exit(0);
	}
	close(ends[1]);
	n->fd = ends[0];
	call_result(0);
}

static void finish_child(const char *name)
{
	struct named *n = find(name);
	char *text = malloc(65536);
	size_t have = 0;
	ssize_t got;
	int status;

	if (!n || !n->child)
		die("no child '%s'", name);
	while ((got = read(n->fd, text + have, 65536 - have)) > 0)
		have += got;
	waitpid(n->child, &status, 0);
	n->child = 0;
	close(n->fd);
	n->fd = -1;
	if (have) {
		text_result(text + 1, have - 1);
		failed = text[0] == '!';
	} else if (WIFSIGNALED(status)) {
		format_result("signal %d", WTERMSIG(status));
	} else {
		format_result("exit %d", WEXITSTATUS(status));
	}
	free(text);
}

static void run_step(struct word *w, int count)
{
	struct named *n;

	if (!strcmp(w[0].text, "start") && count > 2) {
		start_child(w[1].text, w + 2, count - 2);
	} else if (!strcmp(w[0].text, "finish") && count == 2) {
		finish_child(w[1].text);
	} else if (!strcmp(w[0].text, "running") && count == 2) {
		struct pollfd p = { .events = POLLIN };

		n = find(w[1].text);
		if (!n || !n->child)
			die("no child '%s'", w[1].text);
		p.fd = n->fd;
		string_result(poll(&p, 1, 0) > 0 ? "no" : "yes");
	} else if (!strcmp(w[0].text, "kill") && count == 2) {
		n = find(w[1].text);
		if (!n || !n->child)
			die("no child '%s'", w[1].text);
		call_result(kill(n->child, SIGKILL));
	} else {
		run_command(w, count);
	}
}

/* -------- words -------- */

static void append(struct word *w, const char *text, size_t length)
{
	w->text = realloc(w->text, w->length + length + 1);
	memcpy(w->text + w->length, text, length);
	w->length += length;
	w->text[w->length] = '\0';
}

static const char *expand(struct word *w, const char *at)
{
	char name[64];
	size_t length = 0;
	struct named *n;
	bool brace = *at == '{';

	if (*at == '%') {
		append(w, "%", 1);
		return at + 1;
	}
	at += brace;
	while (length < sizeof(name) - 1 && (isalnum((unsigned char)*at) || *at == '_'))
		name[length++] = *at++;
	name[length] = '\0';
	at += brace && *at == '}';
	n = find(name);
	if (!n || !n->text)
		die("nothing kept as '%s'", name);
	append(w, n->text, n->text_length);
	return at;
}

static const char *unescape(struct word *w, const char *at)
{
	char c = *at;

	if (c == 'n')
		c = '\n';
	else if (c == 't')
		c = '\t';
	else if (c == '0')
		c = '\0';
	append(w, &c, 1);
	return at + 1;
}

static int split(const char *at, struct word *words)
{
	int count = 0;

	for (;;) {
		struct word *w = &words[count];
		bool quoted = false;

		at += strspn(at, " \t\n");
		if (!*at || *at == '#')
			return count;
		if (count == MAX_WORDS)
			die("too many words");
		w->text = NULL;
		w->length = 0;
		append(w, "", 0);
		while (*at && (quoted || !isspace((unsigned char)*at))) {
			if (*at == '"') {
				quoted = !quoted;
				at++;
			} else if (*at == '%') {
				at = expand(w, at + 1);
			} else if (*at == '\\' && at[1]) {
				at = unescape(w, at + 1);
			} else {
				append(w, at++, 1);
			}
		}
		count++;
	}
}

static bool fits(const struct word *expected)
{
	const char *at, *end;

	if (!expected)
		return !failed;
	if (!strcmp(expected->text, "any"))
		return true;
	for (at = expected->text; strchr(expected->text, '|') && at; at = *end ? end + 1 : NULL) {
		end = strchrnul(at, '|');
		if ((size_t)(end - at) == result_length && !memcmp(at, result, result_length))
			return true;
	}
	return expected->length == result_length && !memcmp(expected->text, result, result_length);
}

static void do_line(const char *line)
{
	struct word words[MAX_WORDS], *w = words, *expected = NULL, *name = NULL;
	int count = split(line, words), all = count;
	long long patience = 0;

	if (!count)
		return;
	while (count > 2) {
		if (!strcmp(w[count - 2].text, "=>"))
			expected = &w[count - 1];
		else if (!strcmp(w[count - 2].text, "->"))
			name = &w[count - 1];
		else
			break;
		count -= 2;
	}
	if (!strcmp(w[0].text, "within") && count > 2) {
		patience = number(&w[1]);
		w += 2;
		count -= 2;
	}
	for (;;) {
		run_step(w, count);
		if (fits(expected) || patience <= 0)
			break;
		usleep(50 * 1000);
		patience -= 50;
	}
	if (!fits(expected)) {
		fprintf(stderr, "steps: line %u: %s\n  gave     '%s'\n  expected %s%s%s\n",
			line_number, line, result, expected ? "'" : "",
			expected ? expected->text : "no error", expected ? "'" : "");
		_exit(1);
	}
	if (name)
		keep(name->text, result, result_length);
	while (all--)
		free(words[all].text);
}

static void do_script(char *script)
{
	char *save, *line;

	signal(SIGBUS, on_bus);
	if (posix_memalign((void **)&chunk, 65536, CHUNK))
		die("out of memory");
	for (line = script; line; line = save) {
		save = strchr(line, '\n');
		if (save)
			*save++ = '\0';
		line_number++;
		do_line(line);
	}
}

static int run_script(char *script, FILE *replies)
{
	FILE *printed = tmpfile();
	char buffer[4096];
	size_t got;
	pid_t child = fork();
	int status;

	if (child < 0 || !printed)
		die("%s", strerror(errno));
	if (!child) {
		dup2(fileno(printed), 1);
		dup2(fileno(printed), 2);
		setvbuf(stdout, NULL, _IONBF, 0);
		do_script(script);
		_exit(0);
	}
	waitpid(child, &status, 0);
	fprintf(replies, "%d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	fseek(printed, 0, SEEK_SET);
	while ((got = fread(buffer, 1, sizeof(buffer), printed)) > 0)
		fwrite(buffer, 1, got, replies);
	fputc(4, replies);
	fflush(replies);
	fclose(printed);
	return 0;
}

int main(int argc, char **argv)
{
	char *script = NULL;
	size_t room = 0;
	ssize_t length;
	FILE *requests, *replies;

	if (argc != 3) {
		fputs("usage: steps REQUESTS REPLIES\n", stderr);
		return 2;
	}
	/* Read and write: no end of file between two tests. */
	requests = fopen(argv[1], "r+e");
	replies = fopen(argv[2], "r+e");
	if (!requests || !replies) {
		perror("steps");
		return 2;
	}
	setvbuf(requests, NULL, _IOFBF, 65536);
	while ((length = getdelim(&script, &room, 4, requests)) > 0) {
		script[length - 1] = '\0';
		run_script(script, replies);
	}
	free(script);
	return 0;
}
