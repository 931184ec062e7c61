// SPDX-License-Identifier: GPL-2.0-only
/*
 * late: data that comes between a step's write-back and its swap, through a pin, and is synced to
 * the old block before the swap. The page is clean then, and says something else than the copy: the
 * new block must get it, too, before the swap is committed, since fdatasync has promised it.
 *
 * Direct I/O reads four pages of a second device into a mapping of the file, and the device takes
 * its time; meanwhile the file is relocated, and the write of the copy takes its time. Then the
 * data comes, and is written back; then the copy's write ends. The devices wait for each other, so
 * the order is always this one. To be run in a virtual machine; exit status 0 if the data is there.
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
#define BLOCKS 64
#define FIRST 4 /* pages that are pinned; all of a step is read before it is written */
#define PINNED 4
#define OLD 0x11
#define NEW 0x5a

static void file_of(const char *path, size_t size, int byte)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	char *bytes = malloc(size);

	memset(bytes, byte, size);
	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
		error(2, errno, "%s", path);
	close(fd);
	free(bytes);
}

static void wait_held(const struct device *device, const char *what)
{
	int tries;

	for (tries = 0; !device->control->held; tries++) {
		if (tries > 4000)
			error(2, 0, "%s never came", what);
		usleep(5000);
	}
}

static bool all(const unsigned char *bytes, size_t length, int byte)
{
	while (length--)
		if (bytes[length] != byte)
			return false;
	return true;
}

/* Its exit status says what the system call gave. */
static pid_t start_reloc(int fd, unsigned long donor)
{
	pid_t pid = fork();
	char text[32];
	int length;

	if (pid)
		return pid;
	length = snprintf(text, sizeof(text), "%lu 12", donor);
	_exit(write(fd, text, (size_t)length) == 12 ? 0 : 1);
}

static bool ended_well(pid_t pid)
{
	int status;

	waitpid(pid, &status, 0);
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

int main(void)
{
	static unsigned char page[PAGE] __attribute__((aligned(PAGE)));
	struct device host, source;
	unsigned long ino, donor_ino, old_block, new_block;
	int fd, donor, alloc, reloc, direct, other;
	pid_t reader, mover;
	unsigned char *map;
	unsigned int i;

	hosted_start(&host, 1, "");
	file_of(HOSTED "/source", 1 << 20, NEW);
	device_start(&source, 1, HOSTED "/source");

	file_of(HOST "/file", BLOCKS * PAGE, OLD);
	fd = open(HOST "/file", O_RDWR);
	ino = hosted_ino(fd);
	if (fsync(fd))
		error(2, errno, "fsync");
	donor = open(HOST, O_TMPFILE | O_EXCL | O_RDWR, 0600);
	donor_ino = hosted_ino(donor);
	alloc = hosted_node(donor_ino, "data/alloc", O_WRONLY);
	if (write(alloc, "64", 2) != 2)
		error(2, errno, "data/alloc");
	old_block = hosted_first_block(ino);
	new_block = hosted_first_block(donor_ino);
	map = mmap(NULL, BLOCKS * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		error(2, errno, "mmap");

	source.control->hold_kind = DEVICE_READ;
	source.control->hold_end = source.size;
	reader = hosted_read(&source, map + FIRST * PAGE, PINNED * PAGE);
	wait_held(&source, "the read into the mapping");

	host.control->hold_kind = DEVICE_WRITE;
	host.control->hold_start = new_block * PAGE;
	host.control->hold_end = (new_block + 12) * PAGE;
	reloc = hosted_node(ino, "data/reloc", O_WRONLY);
	mover = start_reloc(reloc, donor_ino);
	wait_held(&host, "the copy's write");

	source.control->hold_end = 0;
	if (!ended_well(reader))
		error(2, 0, "the read into the mapping failed");
	if (fdatasync(fd))
		error(2, errno, "fdatasync");
	/* or what is to be tested didn't happen */
	if (!host.control->held || !all(host.bytes + (old_block + FIRST) * PAGE, PAGE, NEW))
		error(2, 0, "the late data isn't in the old block before the swap");
	host.control->hold_end = 0;
	if (!ended_well(mover))
		error(2, 0, "the reloc didn't move all it was to");
	if (hosted_first_block(ino) != new_block)
		error(2, 0, "the file isn't where it should be");
	/* Another file's, which commits the swap and writes nothing of this one. */
	other = open(HOST "/other", O_WRONLY | O_CREAT, 0600);
	if (write(other, "x", 1) != 1 || fsync(other))
		error(2, errno, "the other file");
	if (!all(host.bytes + (new_block + FIRST) * PAGE, PINNED * PAGE, NEW))
		error(1, 0, "what fdatasync promised is not in the committed block");

	if (fsync(fd))
		error(2, errno, "fsync");
	munmap(map, BLOCKS * PAGE);
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	direct = open(HOST "/file", O_RDONLY | O_DIRECT);
	for (i = 0; i < BLOCKS; i++) {
		bool late = i >= FIRST && i < FIRST + PINNED;

		if (pread(direct, page, PAGE, (off_t)i * PAGE) != PAGE)
			error(2, errno, "reading block %u", i);
		if (!all(page, PAGE, late ? NEW : OLD))
			error(1, 0, "block %u: the data that came late is lost", i);
	}
	close(fd);
	close(direct);
	close(other);
	close(donor);
	close(alloc);
	close(reloc);
	hosted_end();
	device_stop(&host);
	device_stop(&source);
	if (system("e2fsck -fn " HOSTED "/image >/dev/null 2>&1"))
		error(1, 0, "e2fsck finds something");
	puts("late data kept");
	return 0;
}
