// SPDX-License-Identifier: GPL-2.0-only
/*
 * starved: a page that changes all the time, so that no copy of it is ever the same as the page. A
 * reloc must neither give up nor lose what is there when it swaps.
 *
 * Direct I/O reads from a second device into a mapping of the file, a few bytes at a time, all the
 * while that the file is relocated. To be run in a virtual machine; exit status 0 if all is well.
 */
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hosted.h"

#define PAGE 4096
#define BLOCKS 12 /* pinned, all of them: one step, whose slots stand in the inode */
#define TRACING "/sys/kernel/tracing/"

static unsigned char byte_at(size_t at, unsigned int seed)
{
	return (unsigned char)(at * 31 + at / 256 + seed);
}

static void fill(unsigned char *bytes, unsigned int seed)
{
	size_t i;

	for (i = 0; i < BLOCKS * PAGE; i++)
		bytes[i] = byte_at(i, seed);
}

static void file_of(const char *path, const unsigned char *bytes)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, bytes, BLOCKS * PAGE) != BLOCKS * PAGE || fsync(fd))
		error(2, errno, "%s", path);
	close(fd);
}

static void trace(const char *file, const char *text)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), TRACING "%s", file);
	fd = open(path, O_WRONLY | O_APPEND);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		error(2, errno, "%s", path);
	close(fd);
}

/* How often the pages' own contents were written to the new blocks. */
static unsigned int written_again(void)
{
	FILE *profile = fopen(TRACING "kprobe_profile", "r");
	unsigned int hits = 0;
	char line[256];

	while (profile && fgets(line, sizeof(line), profile))
		if (sscanf(line, " again %u", &hits) == 1)
			break;
	if (profile)
		fclose(profile);
	return hits;
}

/* True if the device was still sending when the reloc had ended. */
static bool move(struct device *source, unsigned char *map, unsigned long ino, unsigned long donor,
		 unsigned int pace)
{
	unsigned int sent, tries;
	pid_t reader;
	char text[32];
	ssize_t moved;
	int status;

	source->control->trickled = 0;
	source->control->trickle = pace;
	reader = hosted_read(source, map, BLOCKS * PAGE);
	for (tries = 0; source->control->trickled < PAGE / 2; tries++) {
		if (tries > 10000)
			error(2, 0, "the read into the mapping doesn't begin");
		usleep(1000);
	}
	snprintf(text, sizeof(text), "%lu", donor);
	moved = hosted_ask(ino, "data/reloc", 0, text);
	sent = source->control->trickled;
	source->control->trickle = 0;
	if (moved != BLOCKS)
		error(1, errno, "the reloc gave %zd, not %d, blocks", moved, BLOCKS);
	waitpid(reader, &status, 0);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		error(2, 0, "the read into the mapping failed");
	return sent < (BLOCKS - 1) * PAGE;
}

int main(void)
{
	static unsigned char bytes[BLOCKS * PAGE], page[PAGE] __attribute__((aligned(PAGE)));
	unsigned int pace = 200, seed = 1, before;
	struct device host, source;
	unsigned char *map;
	bool starved = false;
	unsigned int i;
	int fd, donor, direct;

	hosted_start(&host, 1, "");
	if (system("mountpoint -q " TRACING " || mount -t tracefs none " TRACING))
		error(2, 0, "no tracefs");
	trace("kprobe_events", "p:again e3m_step_write_again\n");
	trace("events/kprobes/again/enable", "1");
	fill(bytes, seed);
	file_of(HOSTED "/source", bytes);
	device_start(&source, 1, HOSTED "/source");
	memset(bytes, 0x11, sizeof(bytes));
	file_of(HOST "/file", bytes);
	fd = open(HOST "/file", O_RDWR);
	map = mmap(NULL, BLOCKS * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		error(2, errno, "mmap");

	/* slower each time, until it lasts longer than the reloc and all its tries */
	for (; !starved && pace < 100000; pace *= 4) {
		seed++;
		fill(source.bytes, seed);
		before = written_again();
		donor = open(HOST, O_TMPFILE | O_EXCL | O_RDWR, 0600);
		if (hosted_ask(hosted_ino(donor), "data/alloc", 0, "12") != 2)
			error(2, errno, "data/alloc");
		starved = move(&source, map, hosted_ino(fd), hosted_ino(donor), pace) &&
			  written_again() > before;
		close(donor);
		if (fdatasync(fd))
			error(2, errno, "fdatasync");
	}
	if (!starved)
		error(2, 0, "the pages never changed all the time");

	munmap(map, BLOCKS * PAGE);
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	direct = open(HOST "/file", O_RDONLY | O_DIRECT);
	fill(bytes, seed);
	for (i = 0; i < BLOCKS; i++)
		if (pread(direct, page, PAGE, (off_t)i * PAGE) != PAGE ||
		    memcmp(page, bytes + i * PAGE, PAGE))
			error(1, errno, "block %u isn't what was read into it", i);
	close(fd);
	close(direct);
	trace("events/kprobes/again/enable", "0");
	trace("kprobe_events", "-:again\n");
	hosted_end();
	device_stop(&host);
	device_stop(&source);
	if (system("e2fsck -fn " HOSTED "/image >/dev/null 2>&1"))
		error(1, 0, "e2fsck finds something");
	puts("starved page moved");
	return 0;
}
