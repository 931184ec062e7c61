// SPDX-License-Identifier: GPL-2.0-only
/*
 * aborted: a swap that is never committed, since the journal can't be written any more. On the disk
 * the file still lies in the blocks that the donor has in memory, so nothing may happen to them:
 * not by a further reloc with the same donor, and not by a discard when the donor is closed.
 *
 * With errors=continue, where ext4 goes on as long as it can. To be run in a virtual machine; exit
 * status 0 if the blocks are as they were.
 */
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hosted.h"

#define PAGE 4096
#define BLOCKS 12

static struct device host;

static int file_of(const char *path, int byte)
{
	static unsigned char bytes[BLOCKS * PAGE];
	int fd = open(path, O_RDWR | O_CREAT, 0600);

	memset(bytes, byte, sizeof(bytes));
	if (fd < 0 || write(fd, bytes, sizeof(bytes)) != sizeof(bytes) || fsync(fd))
		error(2, errno, "%s", path);
	return fd;
}

/* Its fsync commits, or fails to. */
static int late_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT, 0600);

	if (fd < 0 || !fsync(fd))
		error(2, errno, "%s: the journal can be written", path);
	return fd;
}

static int donor_of(unsigned long *ino)
{
	int fd = open(HOST, O_TMPFILE | O_EXCL | O_RDWR, 0600);

	*ino = hosted_ino(fd);
	if (hosted_ask(*ino, "data/alloc", 0, "12") != 2)
		error(2, errno, "data/alloc");
	return fd;
}

static ssize_t reloc(int fd, unsigned long donor)
{
	char text[32];

	snprintf(text, sizeof(text), "%lu", donor);
	return hosted_ask(hosted_ino(fd), "data/reloc", 0, text);
}

static void expect(unsigned long block, int byte, const char *when)
{
	size_t i;

	for (i = 0; i < BLOCKS * PAGE; i++)
		if (host.bytes[block * PAGE + i] != byte)
			error(1, 0, "%s: byte %zu of the file on the disk is 0x%x", when, i,
			      host.bytes[block * PAGE + i]);
}

/* Where the journal lies, but for its superblock, which may say that it has aborted. */
static void journal_fails(void)
{
	FILE *blocks = popen("debugfs -R 'blocks <8>' " HOSTED "/image 2>/dev/null", "r");
	unsigned long block, first = 0, last = 0;

	while (blocks && fscanf(blocks, "%lu", &block) == 1) {
		if (!first)
			first = block + 1;
		last = block;
	}
	if (!blocks || pclose(blocks) || last <= first)
		error(2, 0, "the journal's blocks");
	host.control->bad_start = first * PAGE;
	host.control->bad_end = (last + 1) * PAGE;
}

/* Commits, or tries to: what comes of it is not this test's. */
static void commit(void)
{
	int fd = open(HOST, O_RDONLY | O_DIRECTORY);

	syncfs(fd);
	close(fd);
	usleep(500000);
}

static void start(const char *options)
{
	host.control->bad_end = 0;
	if (mount(host.name, HOST, "ext3", MS_NOATIME, options) ||
	    mount(HOST, META, "ext3meta", 0, NULL))
		error(2, errno, "mount");
}

/* The way back to a filesystem that can be mounted. */
static void mend(void)
{
	host.control->bad_end = 0;
	hosted_end();
	if (system("e2fsck -fy " HOSTED "/image >/dev/null 2>&1") & ~0x100)
		error(2, 0, "e2fsck can't mend it");
	if (system("blockdev --flushbufs /dev/nbd0"))
		error(2, 0, "blockdev");
}

/* A reloc in a process of its own; its exit status is 0 for EROFS. */
static pid_t start_reloc(int fd, unsigned long donor)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	_exit(reloc(fd, donor) >= 0 ? 1 : errno == EROFS ? 0 : 2);
}

static void expect_erofs(pid_t pid)
{
	int status;

	waitpid(pid, &status, 0);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		error(1, 0, "a reloc at the journal's end: not EROFS");
}

/*
 * A second file's data must not go where the first one still lies: not by a request that has begun
 * before the journal's end, and waits for a page of its file to be written, nor by a later one.
 */
static void further_reloc(void)
{
	int one = file_of(HOST "/one", 0x11), two = file_of(HOST "/two", 0x22), donor;
	unsigned long old = hosted_first_block(hosted_ino(one)),
		      held = hosted_first_block(hosted_ino(two)), ino;
	unsigned int tries;
	pid_t mover;

	donor = donor_of(&ino);
	commit();
	if (reloc(one, ino) != BLOCKS)
		error(2, errno, "the first reloc");
	host.control->hold_kind = DEVICE_WRITE;
	host.control->hold_start = held * PAGE;
	host.control->hold_end = (held + 1) * PAGE;
	if (pwrite(two, "\x22", 1, 0) != 1)
		error(2, errno, "dirtying a page");
	mover = start_reloc(two, ino);
	for (tries = 0; !host.control->held; tries++) {
		if (tries > 4000)
			error(2, 0, "the page is never written");
		usleep(5000);
	}
	journal_fails();
	/* a commit that waits for no data */
	close(late_file(HOST "/late"));
	host.control->hold_end = 0;
	expect_erofs(mover);
	expect(old, 0x11, "after a reloc that had begun");
	expect_erofs(start_reloc(two, ino));
	expect(old, 0x11, "after a later reloc");
	close(donor);
	close(one);
	close(two);
}

/* What the donor held must not be discarded when it is closed and can't be freed. */
static void discarded(void)
{
	int three = file_of(HOST "/three", 0x33), donor;
	unsigned long old = hosted_first_block(hosted_ino(three)), ino;

	donor = donor_of(&ino);
	commit();
	journal_fails();
	reloc(three, ino);
	close(donor);
	commit();
	expect(old, 0x33, "with discard");
	close(three);
}

int main(void)
{
	hosted_start(&host, 0, "errors=continue,commit=300");
	further_reloc();
	mend();
	start("errors=continue,commit=300,discard");
	discarded();
	mend();
	device_stop(&host);
	puts("aborted: all kept");
	return 0;
}
