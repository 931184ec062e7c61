// SPDX-License-Identifier: GPL-2.0-only
/* Opening files, reading and writing them, and what can be seen and set of them. */
#define _GNU_SOURCE
#include "steps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/fs.h>
#include <linux/fscrypt.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define EXTENTS_FL 0x80000

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

void do_open(struct word *w, int count)
{
	opened(w[0].text, open(w[1].text, open_flags(w[2].text) | O_CLOEXEC,
			       count > 3 ? (mode_t)number(&w[3]) : 0644));
}

/* A nameless file mapped by indirect blocks, as the interface wants a donor. */
void do_donor(struct word *w, int count)
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

void do_close(struct word *w, int count)
{
	struct named *n = find(w[0].text);

	(void)count;
	call_result(close(fd_of(&w[0])));
	n->fd = -1;
}

void do_read(struct word *w, int count)
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

void do_write(struct word *w, int count)
{
	if (count > 2)
		call_result(pwrite(fd_of(&w[0]), w[1].text, w[1].length, number(&w[2])));
	else
		call_result(write(fd_of(&w[0]), w[1].text, w[1].length));
}

void do_seek(struct word *w, int count)
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
void do_slurp(struct word *w, int count)
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

void do_truncate(struct word *w, int count)
{
	(void)count;
	call_result(ftruncate(fd_of(&w[0]), number(&w[1])));
}

void do_punch(struct word *w, int count)
{
	(void)count;
	call_result(fallocate(fd_of(&w[0]), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			      number(&w[1]), number(&w[2])));
}

void do_fsync(struct word *w, int count)
{
	(void)count;
	call_result(fsync(fd_of(&w[0])));
}

void do_syncfs(struct word *w, int count)
{
	(void)count;
	call_result(syncfs(fd_of(&w[0])));
}

void do_dontneed(struct word *w, int count)
{
	(void)count;
	errno = posix_fadvise(fd_of(&w[0]), 0, 0, POSIX_FADV_DONTNEED);
	call_result(errno ? -1 : 0);
}

/* -------- what is known of a file -------- */

/* All that stat can see of an open file, and its generation and flags. */
void do_stat(struct word *w, int count)
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

void do_mode(struct word *w, int count)
{
	struct stat st;

	(void)count;
	if (lstat(w[0].text, &st))
		call_result(-1);
	else
		format_result("%o %u:%u %lld", st.st_mode, st.st_uid, st.st_gid,
			      (long long)st.st_size);
}

void do_flags(struct word *w, int count)
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

void do_generation(struct word *w, int count)
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

void do_chown(struct word *w, int count)
{
	(void)count;
	call_result(fchown(fd_of(&w[0]), number(&w[1]), -1));
}

void do_setxattr(struct word *w, int count)
{
	size_t length = number(&w[2]);
	char *value = malloc(length + 1);

	(void)count;
	memset(value, 'x', length);
	call_result(fsetxattr(fd_of(&w[0]), w[1].text, value, length, 0));
	free(value);
}

void do_encrypt(struct word *w, int count)
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
