// SPDX-License-Identifier: GPL-2.0-only
/*
 * Before each request, and before the file that it is written to is opened, everything is evicted;
 * only between the two ends of a request, or of an open, does the device count.
 */
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cold.h"
#include "reread.h"

const char *const op_names[OPS] = { "nothing",	  "donor",	"open",		  "metadata/alloc",
				    "data/alloc", "data/reloc", "metadata/reloc", "tool" };

static struct device *device;
static const struct image_files *files;
static struct reread_report *report;

static void bad(const char *what)
{
	if (!*report->bad)
		snprintf(report->bad, sizeof(report->bad), "%s", what);
}

static void begin(enum op op)
{
	device->control->tag = (int)op;
	device->control->paused = false;
}

static enum owner owner_of(uint32_t block)
{
	unsigned int i;

	for (i = 0; i < report->indirects; i++)
		if (report->indirect[i].block == block)
			return report->indirect[i].owner;
	return OWNER_NONE;
}

static void end(void)
{
	struct device_control *control = device->control;
	unsigned int seen;

	control->paused = true;
	control->tag = OP_NONE;
	seen = control->seen < DEVICE_LOG ? control->seen : DEVICE_LOG;
	for (; report->owners < seen; report->owners++)
		report->owner[report->owners] = owner_of(
			(uint32_t)(control->log[report->owners].start / image_blocksize()));
}

/* -------- what is where, as the module sees it -------- */

static size_t list(uint32_t ino, const char *name, char *text, size_t size)
{
	size_t used = 0;
	ssize_t got = 1;
	char path[128];
	int fd;

	snprintf(path, sizeof(path), META "/nodes/%u/%s", ino, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && used + 1 < size && (got = read(fd, text + used, size - 1 - used)) > 0)
		used += (size_t)got;
	if (fd < 0 || got < 0)
		used = (size_t)snprintf(text, size, "%s: %s", name, strerror(errno));
	text[used] = '\0';
	if (fd >= 0)
		close(fd);
	return used;
}

static void learn_indirect(uint32_t ino, enum owner owner)
{
	unsigned int level, logical, physical;
	char text[4096], *line, *rest;

	if (!ino)
		return;
	list(ino, "metadata/blocks", text, sizeof(text));
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		if (sscanf(line, "%u %u %u", &level, &logical, &physical) != 3 ||
		    report->indirects == sizeof(report->indirect) / sizeof(*report->indirect))
			continue;
		report->indirect[report->indirects].block = physical;
		report->indirect[report->indirects++].owner = owner;
	}
}

static void learn(void)
{
	unsigned int i;

	report->indirects = 0;
	for (i = 0; i < OWNERS; i++)
		learn_indirect(report->ino[i], (enum owner)i);
}

/* All that the files' pointers say. */
static void maps(char *text, size_t size)
{
	unsigned int i;
	size_t used = 0;

	*text = '\0';
	for (i = 0; i < OWNERS; i++) {
		if (!report->ino[i])
			continue;
		used += list(report->ino[i], "data/extents", text + used, size - used);
		used += list(report->ino[i], "metadata/blocks", text + used, size - used);
	}
}

static void evict(void)
{
	static const char *const kinds[] = { "block bitmap", "inode bitmap", "inode table",
					     "file indirect" };
	const char *complaint = cold();
	uint64_t size = image_blocksize(), block;
	char text[96];
	unsigned int i;

	if (complaint)
		bad(complaint);
	for (block = 0; block < device->size / size; block++) {
		const char *site = image_site(block * size);
		bool meant = false;

		for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
			meant = meant || !strcmp(site, kinds[i]);
		for (i = 0; i < report->indirects; i++)
			meant = meant || report->indirect[i].block == block;
		if (!meant || !cold_resident(block * size))
			continue;
		snprintf(text, sizeof(text), "%s, block %u, isn't evicted", site, (unsigned)block);
		bad(text);
	}
}

/* -------- requests -------- */

static bool failed(enum op op, int err)
{
	report->failed = op;
	report->err = err;
	return false;
}

/* False once something has failed; *@done: what the write returned, or the position then. */
static bool ask(enum op op, uint32_t ino, const char *name, uint32_t position, const char *text,
		long *done)
{
	char path[128], before[8192], after[8192];
	ssize_t wrote;
	int fd, err;

	learn();
	maps(before, sizeof(before));
	evict();
	snprintf(path, sizeof(path), META "/nodes/%u/%s", ino, name);
	begin(OP_OPEN);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	err = errno;
	end();
	if (fd < 0)
		return failed(OP_OPEN, err);
	if (lseek(fd, position, SEEK_SET) < 0)
		error(2, errno, "%s: lseek", path);
	evict();
	begin(op);
	wrote = write(fd, text, strlen(text));
	err = errno;
	end();
	*done = op == OP_ALLOC ? (long)lseek(fd, 0, SEEK_CUR) : (long)wrote;
	close(fd);
	if (wrote >= 0)
		return true;
	maps(after, sizeof(after));
	report->changed = strcmp(before, after) != 0;
	return failed(op, err);
}

static bool metadata_alloc(uint32_t ino, uint32_t block, unsigned int level)
{
	char text[16];
	long done;

	snprintf(text, sizeof(text), "%u", level);
	return ask(OP_META_ALLOC, ino, "metadata/alloc", block, text, &done);
}

static bool alloc(uint32_t ino, uint32_t first, uint32_t count)
{
	uint32_t at = first;
	char text[16];
	long done;

	while (at < first + count) {
		snprintf(text, sizeof(text), "%u", first + count - at);
		if (!ask(OP_ALLOC, ino, "data/alloc", at, text, &done))
			return false;
		if (done <= (long)at) {
			bad("data/alloc got nothing and says so with success");
			return false;
		}
		at = (uint32_t)done;
		report->cut = report->cut || at < first + count;
	}
	return true;
}

static bool reloc(uint32_t first, uint32_t count)
{
	char text[32];
	long done;

	snprintf(text, sizeof(text), "%u %u", report->ino[OWNER_DONOR], count);
	if (!ask(OP_RELOC, files->ino, "data/reloc", first, text, &done))
		return false;
	if (done != (long)count)
		bad("a step of data/reloc moved less than it could");
	return true;
}

static bool metadata_reloc(uint32_t block, unsigned int level)
{
	char text[32];
	long done;

	snprintf(text, sizeof(text), "%u %u", report->ino[OWNER_DONOR], level);
	return ask(OP_META_RELOC, files->ino, "metadata/reloc", block, text, &done);
}

static int donor_open(void)
{
	struct stat st;
	int fd, err, flags;

	learn();
	evict();
	begin(OP_DONOR);
	fd = open(HOST, O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
	err = errno;
	end();
	if (fd < 0 || fstat(fd, &st)) {
		failed(OP_DONOR, err);
		return -1;
	}
	if (!ioctl(fd, FS_IOC_GETFLAGS, &flags) && flags & FS_EXTENT_FL) {
		flags &= ~FS_EXTENT_FL;
		if (ioctl(fd, FS_IOC_SETFLAGS, &flags))
			error(2, errno, "the donor's flags");
	}
	report->ino[OWNER_DONOR] = (uint32_t)st.st_ino;
	return fd;
}

/* Where the allocator looks first depends on the process's number if nobody says it. */
static void goal(uint32_t ino)
{
	char path[128], text[16];
	uint32_t length;
	int fd, n;

	snprintf(path, sizeof(path), META "/nodes/%u/alloc_goal", ino);
	n = snprintf(text, sizeof(text), "%u", image_longest(&length));
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, (size_t)n) < 0)
		error(2, errno, "alloc_goal");
	close(fd);
}

static void know(struct device *d, const struct image_files *f, struct reread_report *r)
{
	device = d;
	files = f;
	report = r;
	report->ino[OWNER_ORIGINAL] = f->ino;
}

/*
 * Run by run, each one level deeper than the one before: all indirect blocks but the lowest by
 * metadata/alloc, and that one with the data, except where there is no other.
 */
static bool fill(uint32_t ino, const struct places *places)
{
	unsigned int run, level;

	for (run = 0; run < places->runs; run++) {
		for (level = run; level > (run > 1 ? 1 : 0); level--)
			if (!metadata_alloc(ino, places->first[run], level))
				return false;
		if (!alloc(ino, places->first[run], places->count[run]))
			return false;
	}
	return true;
}

static bool move(const struct places *places)
{
	unsigned int run, level;

	if (!fill(report->ino[OWNER_DONOR], places))
		return false;
	for (run = 0; run < places->runs; run++)
		if (!reloc(places->first[run], places->count[run]))
			return false;
	for (level = places->runs - 1; level > 0; level--)
		if (!metadata_reloc(places->first[places->runs - 1], level))
			return false;
	return true;
}

void reread_move(struct device *d, const struct image_files *f, const struct places *places,
		 struct reread_report *r)
{
	int donor;

	know(d, f, r);
	donor = donor_open();
	if (donor >= 0) {
		goal(report->ino[OWNER_DONOR]);
		move(places);
		close(donor);
	}
	report->ended = true;
}

void reread_named(struct device *d, const struct image_files *f, const struct places *places,
		  struct reread_report *r)
{
	know(d, f, r);
	report->ino[OWNER_NAMED] = f->sparse_ino;
	goal(f->sparse_ino);
	fill(f->sparse_ino, places);
	report->ended = true;
}

/* -------- the tool -------- */

static bool ends_with(const char *text, const char *end)
{
	size_t a = strlen(text), b = strlen(end);

	return a >= b && !strcmp(text + a - b, end);
}

static bool is_request_file(const char *path)
{
	return ends_with(path, "/alloc") || ends_with(path, "/reloc");
}

static void peek_string(pid_t pid, unsigned long at, char *text, size_t size)
{
	size_t used;

	for (used = 0; used + sizeof(long) < size; used += sizeof(long)) {
		long word = ptrace(PTRACE_PEEKDATA, pid, at + used, NULL);

		memcpy(text + used, &word, sizeof(word));
		if (memchr(&word, 0, sizeof(word)))
			return;
	}
	text[used] = '\0';
}

/* Whether this call, which is about to be made, is a request, or opens what one needs. */
static bool is_request(pid_t pid, const struct __ptrace_syscall_info *call)
{
	char link[64], path[512];
	ssize_t got;

	switch (call->entry.nr) {
	case SYS_write:
	case SYS_pwrite64:
		snprintf(link, sizeof(link), "/proc/%d/fd/%d", pid, (int)call->entry.args[0]);
		got = readlink(link, path, sizeof(path) - 1);
		path[got > 0 ? got : 0] = '\0';
		return is_request_file(path);
	case SYS_openat:
		peek_string(pid, call->entry.args[1], path, sizeof(path));
		return is_request_file(path) || (call->entry.args[2] & O_TMPFILE) == O_TMPFILE;
	}
	return false;
}

int reread_tool(struct device *d, const char *output, struct reread_report *r)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL | PTRACE_O_TRACECLONE |
			     PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK;
	struct __ptrace_syscall_info call;
	pid_t pid = fork(), in = 0, who;
	int status, result = -1;

	device = d;
	report = r;
	if (pid < 0)
		error(2, errno, "fork");
	if (!pid) {
		int fd = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0600);

		dup2(fd, 1);
		dup2(fd, 2);
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		execlp("e3defrag", "e3defrag", HOST, NULL);
		error(2, errno, "e3defrag");
	}
	waitpid(pid, &status, 0);
	ptrace(PTRACE_SETOPTIONS, pid, NULL, options);
	ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
	while (result < 0 && (who = waitpid(-1, &status, __WALL)) > 0) {
		int signal = 0;

		if (WIFEXITED(status) || WIFSIGNALED(status)) {
			if (who == pid)
				result = status;
			continue;
		}
		if (!WIFSTOPPED(status))
			continue;
		if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
			ptrace(PTRACE_GET_SYSCALL_INFO, who, sizeof(call), &call);
			if (in == who && call.op == PTRACE_SYSCALL_INFO_EXIT) {
				end();
				in = 0;
			} else if (!in && call.op == PTRACE_SYSCALL_INFO_ENTRY &&
				   is_request(who, &call)) {
				cold();
				in = who;
				begin(OP_TOOL);
			}
		} else if (WSTOPSIG(status) != SIGTRAP && WSTOPSIG(status) != SIGSTOP) {
			signal = WSTOPSIG(status);
		}
		ptrace(PTRACE_SYSCALL, who, NULL, (long)signal);
	}
	end();
	return result;
}
