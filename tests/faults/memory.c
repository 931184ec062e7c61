// SPDX-License-Identifier: GPL-2.0-only
/*
 * faultmemory [BLOCKSIZE]: makes the first allocation of memory in a request fail, then the
 * second, and so on until the request needs no more; and so for each kind of request. The kernel
 * must be one with fault injection; on others it says so and ends with 77.
 *
 * Last line: "N faults, M bad". To be run in a virtual machine, as root.
 */
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#define FOLDER "/tmp/faultmemory"
#define HOST FOLDER "/host"
#define META FOLDER "/meta"
#define IMAGE FOLDER "/image"
#define NTH "/proc/thread-self/fail-nth"
#define NTH_MOST 2000

static unsigned int blocksize = 1024, per, faults, bad;
static unsigned long ino, donor_ino;
static int donor, nth = -1;
/* where the next allocation and the next reloc are to be */
static unsigned int alloc_at, alloc_meta, reloc_at = 5;

static void nth_set(unsigned int n)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%u", n);

	if (pwrite(nth, text, (size_t)length, 0) != length)
		error(2, errno, NTH);
}

/* How many more allocations it would have taken. */
static unsigned int nth_left(void)
{
	char text[16] = "";

	if (pread(nth, text, sizeof(text) - 1, 0) <= 0)
		error(2, errno, NTH);
	return (unsigned int)atoi(text);
}

static void set(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY);

	if (fd >= 0) {
		if (write(fd, value, strlen(value)) < 0)
			error(2, errno, "%s", path);
		close(fd);
	}
}

static int node(unsigned long number, const char *name, int flags)
{
	char path[128];

	snprintf(path, sizeof(path), META "/nodes/%lu/%s", number, name);
	return open(path, flags);
}

/* -------- the requests: 0, or -1 and errno; one that went well has moved on -------- */

static int slurp(int fd)
{
	static char text[16384];
	ssize_t got;

	if (fd < 0)
		return -1;
	while ((got = read(fd, text, sizeof(text))) > 0)
		;
	close(fd);
	return got < 0 ? -1 : 0;
}

static int request(int fd, off_t at, const char *text)
{
	int saved, result = 0;

	if (fd < 0)
		return -1;
	if (lseek(fd, at, SEEK_SET) < 0 || write(fd, text, strlen(text)) < 0)
		result = -1;
	saved = errno;
	close(fd);
	errno = saved;
	return result;
}

static int do_mount(void)
{
	if (mount(HOST, META, "ext3meta", 0, NULL))
		return -1;
	/* Its path may be what there is no memory for; only one allocation fails. */
	if (umount(META) && umount(META))
		error(2, errno, "unmounting ext3meta");
	return 0;
}

static int do_free_blocks(void)
{
	return slurp(open(META "/allocation/free_blocks", O_RDONLY));
}

static int do_extents(void)
{
	return slurp(node(ino, "data/extents", O_RDONLY));
}

static int do_metadata(void)
{
	return slurp(node(ino, "metadata/blocks", O_RDONLY));
}

static int do_info(void)
{
	return slurp(node(ino, "info", O_RDONLY));
}

static int do_goal(void)
{
	return request(node(donor_ino, "alloc_goal", O_WRONLY), 0, "2000");
}

/* Each into another leaf: with the indirect blocks above. */
static int do_alloc(void)
{
	if (request(node(donor_ino, "data/alloc", O_WRONLY), alloc_at, "1"))
		return errno == EEXIST ? (alloc_at++, 0) : -1;
	alloc_at = alloc_at < 12 ? 12 : alloc_at + per;
	return 0;
}

static int do_alloc_named(void)
{
	static unsigned int at;
	struct stat st;

	if (stat(HOST "/sparse", &st))
		return -1;
	if (request(node((unsigned long)st.st_ino, "data/alloc", O_WRONLY), at, "1"))
		return errno == EEXIST ? (at++, 0) : -1;
	at += 3;
	return 0;
}

static int do_metadata_alloc(void)
{
	if (request(node(donor_ino, "metadata/alloc", O_WRONLY), alloc_meta, "1"))
		return errno == EEXIST ? (alloc_meta += per, 0) : -1;
	alloc_meta += per;
	return 0;
}

/*
 * A block in each leaf, where both have one: in the middle, so that what ext4 remembers of the
 * file as one extent must be split, which takes memory.
 */
static int do_reloc(void)
{
	char text[32];

	snprintf(text, sizeof(text), "%lu 1", donor_ino);
	if (request(node(ino, "data/reloc", O_WRONLY), reloc_at, text))
		return -1;
	reloc_at = reloc_at < 12 ? 12 + per / 2 : reloc_at + per;
	if (reloc_at >= 12 + 8 * per)
		reloc_at = 5;
	return 0;
}

static int do_metadata_reloc(void)
{
	char text[32];

	snprintf(text, sizeof(text), "%lu 1", donor_ino);
	return request(node(ino, "metadata/reloc", O_WRONLY), 12, text);
}

static void visit(const char *name, int (*run)(void))
{
	unsigned int n, failed = 0, went_on = 0;

	for (n = 1; n < NTH_MOST; n++) {
		bool fired;
		int result, err;

		nth_set(n);
		result = run();
		err = errno;
		fired = nth_left() == 0;
		nth_set(0);
		if (result && (!fired || (err != ENOMEM && err != EIO))) {
			printf("%s, allocation %u: %s BAD\n", name, n, strerrorname_np(err));
			bad++;
			break;
		}
		if (!fired)
			break;
		faults++;
		failed += result != 0;
		went_on += result == 0;
	}
	printf("%s: %u allocations failed: %u times an error, %u times it went on\n", name, n - 1,
	       failed, went_on);
}

static void fill(const char *path, unsigned int blocks)
{
	unsigned int size = blocks * blocksize, i;
	unsigned char *bytes = malloc(size);
	int fd = open(path, O_RDWR | O_CREAT, 0644);

	for (i = 0; i < size; i++)
		bytes[i] = (unsigned char)(i * 2654435761u >> 13);
	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size || fsync(fd))
		error(2, errno, "%s", path);
	close(fd);
	free(bytes);
}

static bool right(const char *path, unsigned int blocks)
{
	unsigned int size = blocks * blocksize, i;
	unsigned char *bytes = malloc(size);
	int fd = open(path, O_RDONLY);
	bool same;

	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	same = read(fd, bytes, size) == (ssize_t)size;
	for (i = 0; i < size && same; i++)
		same = bytes[i] == (unsigned char)(i * 2654435761u >> 13);
	close(fd);
	free(bytes);
	return same;
}

static void wrong(const char *what)
{
	printf("BAD: %s\n", what);
	bad++;
}

static unsigned long free_now(void)
{
	struct statfs st;

	sync();
	if (statfs(HOST, &st))
		error(2, errno, "statfs");
	return (unsigned long)st.f_bfree;
}

int main(int argc, char **argv)
{
	unsigned long before, sparse_before, after;
	unsigned int blocks, tries;
	struct stat st, sparse;
	char text[512];
	int fd;

	nth = open(NTH, O_RDWR);
	if (nth < 0) {
		puts("this kernel injects no faults\n0 faults, 0 bad");
		return 77;
	}
	if (argc > 1)
		blocksize = (unsigned int)atoi(argv[1]);
	per = blocksize / 4;
	blocks = 12 + 8 * per;
	set("/sys/kernel/debug/failslab/ignore-gfp-wait", "N");
	set("/sys/kernel/debug/failslab/verbose", "0");
	set("/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "N");
	set("/sys/kernel/debug/fail_page_alloc/ignore-gfp-highmem", "N");
	set("/sys/kernel/debug/fail_page_alloc/min-order", "0");
	set("/sys/kernel/debug/fail_page_alloc/verbose", "0");
	snprintf(text, sizeof(text),
		 "mkdir -p " HOST " " META " && modprobe ext3meta && "
		 "mke2fs -q -F -t ext3 -b %u -m 0 " IMAGE " %uk && "
		 "mount -t ext3 -o loop,noatime " IMAGE " " HOST,
		 blocksize, (blocks * 4 + 2048) * blocksize / 1024);
	if (system(text))
		error(2, 0, "no filesystem to work on");
	fill(HOST "/file", blocks);
	fd = open(HOST "/sparse", O_RDWR | O_CREAT, 0644);
	if (ftruncate(fd, (off_t)blocks * blocksize))
		error(2, errno, "ftruncate");
	close(fd);
	stat(HOST "/file", &st);
	ino = (unsigned long)st.st_ino;
	before = free_now();
	stat(HOST "/sparse", &sparse);
	sparse_before = (unsigned long)sparse.st_blocks;

	visit("mount", do_mount);
	if (mount(HOST, META, "ext3meta", 0, NULL))
		error(2, errno, "mounting ext3meta");
	donor = open(HOST, O_TMPFILE | O_EXCL | O_RDWR, 0600);
	if (donor < 0 || fstat(donor, &st))
		error(2, errno, "donor");
	donor_ino = (unsigned long)st.st_ino;
	visit("free_blocks", do_free_blocks);
	visit("extents", do_extents);
	visit("metadata", do_metadata);
	visit("info", do_info);
	visit("alloc_goal", do_goal);
	visit("data/alloc", do_alloc);
	visit("data/alloc on a named file", do_alloc_named);
	/* what the rest is to work on */
	snprintf(text, sizeof(text), "%u", blocks);
	for (tries = 0; tries < 20000 && tries < blocks; tries++) {
		fd = node(donor_ino, "data/alloc", O_WRONLY);
		if (request(fd, tries, "1") && errno != EEXIST)
			error(2, errno, "filling the donor");
	}
	/* the third level begins where no data is */
	alloc_meta = blocks;
	visit("metadata/alloc", do_metadata_alloc);
	visit("data/reloc", do_reloc);
	visit("metadata/reloc", do_metadata_reloc);
	close(donor);

	if (!right(HOST "/file", blocks))
		wrong("the file's content");
	stat(HOST "/sparse", &sparse);
	for (tries = 0; tries < 100; tries++) {
		after = free_now() +
			((unsigned long)sparse.st_blocks - sparse_before) / (blocksize / 512);
		if (after == before)
			break;
		usleep(50000);
	}
	if (after != before) {
		printf("%lu blocks of %lu came back\n", after, before);
		wrong("a leak");
	}
	if (umount(META) || umount(HOST))
		wrong("it can't be unmounted");
	if (system("e2fsck -fn " IMAGE " >/tmp/faultmemory/fsck 2>&1 || "
		   "{ cat /tmp/faultmemory/fsck; false; }"))
		wrong("e2fsck finds something");
	if (system("rmmod ext3meta"))
		wrong("the module can't be unloaded");
	printf("%u faults, %u bad\n", faults, bad);
	return bad ? 1 : 0;
}
