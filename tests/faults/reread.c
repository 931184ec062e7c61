// SPDX-License-Identifier: GPL-2.0-only
/*
 * reread [OPTION]...: the requests of a move, each with nothing in memory, so that it must read
 * the metadata that it looks at; the first of these reads fails, then the second, and so on. What
 * was freed is given to another file at once; then the image is judged.
 *
 *	-s move|named|tool  a file of root's and its donor, a file with a name, e3defrag
 *	-l 0|1|2|3          levels of indirect blocks that the files have
 *	-p                  what can't be read once can't be read again, until the scene has ended
 *	-d                  nobody has the files open: their inodes are evicted, too
 *	-e                  everything is evicted at each read, too, not only before a request
 *	-b BLOCKSIZE -t TYPE -o OPTIONS
 *	-f FIRST -n STRIDE  which reads: FIRST, FIRST + STRIDE, ...
 *	-k OP               only reads of this request ("data/reloc", ...)
 *	-v                  what is read, without a fault
 *
 * One line a fault, as faultrun has it: "FAULT scene blocksize mode number\tREQUEST: read
 * SITE\tSAID\tWHAT THE IMAGE NEEDED"; then "READS ..." with how many reads there were and how many
 * of them failed. A read that a request can't do without and that never came is bad: then what it
 * reads wasn't evicted. Last line: "N faults, M bad". To be run in a virtual machine, as root.
 */
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cold.h"
#include "reread.h"
#include "tell.h"

#define IMAGE "/tmp/faults/image"
#define OUTPUT "/tmp/faults/tool"
#define OTHER_SEED 3
#define FILLER_SEED 7

static struct {
	const char *scene, *type, *options, *only;
	unsigned int levels, blocksize, first, stride;
	bool each, spot, dropped, verbose;
} option = { "move", "ext3", "", NULL, 0, 1024, 1, 1, false, false, false, false };

static struct device device;
static struct image_files files;
static struct places places;
static struct reread_report *report;
static unsigned char *good;
/* The reads of a run without a fault. */
static struct device_io reads[DEVICE_LOG];
static char read_sites[DEVICE_LOG][64];
static unsigned int reads_seen;

static const char *mode_name(void)
{
	static char name[32];

	snprintf(name, sizeof(name), "%s%s%s", option.each ? "each" : "reread",
		 option.spot ? "-spot" : "", option.dropped ? "-dropped" : "");
	return name;
}

static bool is_scene(const char *name)
{
	return !strcmp(option.scene, name);
}

/* -------- the image -------- */

static void host_mount(void)
{
	char options[160];

	/* the neighbours of an inode's block must not come into memory along with it */
	snprintf(options, sizeof(options), "commit=300,inode_readahead_blks=0%s%s",
		 *option.options ? "," : "", option.options);
	if (mount(device.name, HOST, option.type, MS_NOATIME, options))
		error(2, errno, "mounting %s with %s", device.name, options);
}

static void write_blocks(int fd, uint32_t first, uint32_t count, unsigned int seed)
{
	size_t length = (size_t)count * option.blocksize, i;
	unsigned char *bytes = malloc(length);
	uint64_t at = (uint64_t)first * option.blocksize;

	for (i = 0; i < length; i++)
		bytes[i] = image_byte(at + i, seed);
	if (pwrite(fd, bytes, length, (off_t)at) != (ssize_t)length || fsync(fd))
		error(2, errno, "filling the image");
	free(bytes);
}

static uint32_t new_file(const char *name, int *fd)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), HOST "/%s", name);
	*fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (*fd < 0 || fstat(*fd, &st))
		error(2, errno, "%s", path);
	return (uint32_t)st.st_ino;
}

/* "moved" and "other" in turn, so that both are in pieces; the other inodes in another block. */
static void populate(void)
{
	uint32_t per_block = option.blocksize / 256, other = 0, run, i;
	int moved, fd, sparse, pad;
	uint32_t ino = new_file("moved", &moved);
	char name[16];

	for (i = 0; ino % per_block; i++) {
		snprintf(name, sizeof(name), "pad%u", i);
		ino = new_file(name, &pad);
		close(pad);
	}
	new_file("other", &fd);
	new_file("sparse", &sparse);
	for (run = 0; run < places.runs; run++) {
		for (i = 0; i < places.count[run]; i += 3) {
			write_blocks(moved, places.first[run] + i, 3, MOVED_SEED);
			write_blocks(fd, other, 3, OTHER_SEED);
			other += 3;
		}
	}
	run = places.runs - 1;
	if (ftruncate(sparse, (off_t)(places.first[run] + places.count[run]) * option.blocksize))
		error(2, errno, "sparse");
	close(moved);
	close(fd);
	close(sparse);
}

static void places_make(void)
{
	uint32_t per = option.blocksize / 4, first = 12, span = per;
	unsigned int run;

	places.runs = option.levels + 1;
	places.count[0] = 12;
	for (run = 1; run < places.runs; run++) {
		places.first[run] = first;
		places.count[run] = 6;
		first += span;
		span *= per;
	}
}

/* Of what was read so far only what the request holds at the moment stays. */
static void evict_at_read(struct device *d, const struct device_io *io)
{
	(void)io;
	cold_drop_pages(d->fd);
}

static void image_make(void)
{
	size_t size = (size_t)option.blocksize * 2200;
	int fd = open(IMAGE, O_RDWR | O_CREAT | O_TRUNC, 0600);
	unsigned char *bytes = malloc(size);
	char command[256];

	places_make();
	memset(bytes, 0xa5, size);
	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
		error(2, errno, IMAGE);
	close(fd);
	free(bytes);
	snprintf(command, sizeof(command),
		 "mke2fs -q -F -t ext3 -I 256 -b %u -m 0 -N 128 -E nodiscard -J size=%u " IMAGE,
		 option.blocksize, option.blocksize / 1024);
	if (system(command))
		error(2, 0, "'%s' failed", command);
	if (option.each)
		device_on_read = evict_at_read;
	device_start(&device, 0, IMAGE);
	device.control->reads_only = true;
	device.control->paused = true;
	host_mount();
	populate();
	if (umount(HOST))
		error(2, errno, "umount");
	good = malloc(device.size);
	memcpy(good, device.bytes, device.size);
	image_know(IMAGE, &files);
	cold_know(&device, HOST);
}

/* -------- what was read -------- */

/* Of the read @number; its @io may be that of another run. */
static void site_of(unsigned int number, const struct device_io *io, char *text, size_t size)
{
	static const char *const owners[] = { "original", "donor", "named file" };
	uint32_t block = (uint32_t)(io->start / option.blocksize);
	unsigned int i;

	if (number <= report->owners && report->owner[number - 1] != OWNER_NONE) {
		snprintf(text, size, "indirect block, %s", owners[report->owner[number - 1]]);
		return;
	}
	for (i = 0; i < OWNERS; i++) {
		if (report->ino[i] && image_inode_block(report->ino[i]) == block) {
			snprintf(text, size, "inode table, %s", owners[i]);
			return;
		}
	}
	snprintf(text, size, "%s", image_site(io->start));
}

static void remember_reads(void)
{
	unsigned int i;

	reads_seen = device.control->seen;
	if (reads_seen > DEVICE_LOG)
		error(2, 0, "%u reads are more than can be noted", reads_seen);
	for (i = 0; i < reads_seen; i++) {
		reads[i] = device.control->log[i];
		site_of(i + 1, &reads[i], read_sites[i], sizeof(read_sites[i]));
		if (option.verbose)
			fprintf(stderr, "%3u %s: read %u, %u bytes: %s\n", i + 1,
				op_names[reads[i].tag],
				(unsigned int)(reads[i].start / option.blocksize), reads[i].length,
				read_sites[i]);
	}
}

struct must {
	enum op op;
	const char *site;
	unsigned int levels; /* from so many on */
	bool dropped;	     /* only where inodes are evicted */
};

/* What a request can't do without: if it wasn't read, it wasn't evicted. */
static const struct must move_must[] = {
	{ OP_DONOR, "inode bitmap", 0, false },
	{ OP_DONOR, "inode table, donor", 0, false },
	{ OP_OPEN, "inode table, original", 0, true },
	{ OP_META_ALLOC, "block bitmap", 2, false },
	{ OP_META_ALLOC, "inode table, donor", 2, false },
	{ OP_META_ALLOC, "indirect block, donor", 3, false },
	{ OP_ALLOC, "block bitmap", 0, false },
	{ OP_ALLOC, "inode table, donor", 0, false },
	{ OP_ALLOC, "indirect block, donor", 1, false },
	{ OP_RELOC, "inode table, original", 0, false },
	{ OP_RELOC, "inode table, donor", 0, false },
	{ OP_RELOC, "indirect block, original", 1, false },
	{ OP_RELOC, "indirect block, donor", 1, false },
	{ OP_RELOC, "file data", 0, false },
	{ OP_META_RELOC, "inode table, original", 1, false },
	{ OP_META_RELOC, "inode table, donor", 1, false },
	{ OP_META_RELOC, "indirect block, original", 1, false },
	{ OP_META_RELOC, "indirect block, donor", 1, false },
};

static const struct must named_must[] = {
	{ OP_OPEN, "inode table, named file", 0, true },
	{ OP_META_ALLOC, "block bitmap", 2, false },
	{ OP_META_ALLOC, "inode table, named file", 2, false },
	{ OP_META_ALLOC, "indirect block, named file", 3, false },
	{ OP_ALLOC, "block bitmap", 0, false },
	{ OP_ALLOC, "inode table, named file", 0, false },
};

static const struct must tool_must[] = {
	{ OP_TOOL, "inode bitmap", 0, false },	{ OP_TOOL, "inode table, original", 0, false },
	{ OP_TOOL, "block bitmap", 0, false },	{ OP_TOOL, "file data", 0, false },
	{ OP_TOOL, "file indirect", 1, false },
};

/* -------- one run -------- */

struct verdict {
	const char *bad, *how;
	char said[96];
};

static void complain(struct verdict *v, const char *what)
{
	if (!v->bad && what)
		v->bad = strdup(what);
	else if (what && option.verbose)
		fprintf(stderr, "  also: %s\n", what);
}

static bool allowed(enum op op, int err)
{
	switch (err) {
	case EIO:
	case EROFS:
		return true;
	case EUCLEAN: /* a bitmap that can't be read isn't trusted any more */
	case ENOSPC:
		return op == OP_DONOR || op == OP_ALLOC || op == OP_META_ALLOC;
	}
	return false;
}

static void play(struct verdict *v, unsigned int chosen)
{
	int status;
	pid_t pid;

	memset(report, 0, sizeof(*report));
	device_arm(&device,
		   !chosen     ? DEVICE_GOOD :
		   option.spot ? DEVICE_SPOT :
				 DEVICE_ONCE,
		   chosen);
	if (is_scene("tool")) {
		FILE *said = fmemopen(v->said, sizeof(v->said), "w");

		report->ino[OWNER_ORIGINAL] = files.ino;
		status = reread_tool(&device, OUTPUT, report);
		complain(v, tell_tool(said, status, false));
		fclose(said);
		report->ended = true;
		return;
	}
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		error(2, errno, "fork");
	if (!pid) {
		if (is_scene("named"))
			reread_named(&device, &files, &places, report);
		else
			reread_move(&device, &files, &places, report);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	device.control->paused = true;
	snprintf(v->said, sizeof(v->said), "%s%s%s", report->failed ? op_names[report->failed] : "",
		 report->failed ? " " :
		 report->cut	? "a short result" :
				  "no error",
		 report->failed ? strerrorname_np(report->err) : "");
	if (!report->ended)
		complain(v, "the scene died");
	if (report->failed && !allowed(report->failed, report->err))
		complain(v, v->said);
	if (*report->bad)
		complain(v, report->bad);
}

/* All that is free now goes to a new file: who still has one of these blocks loses it. */
static void fill_up(struct verdict *v)
{
	static unsigned char bytes[4096];
	size_t size = option.blocksize, i;
	uint64_t at = 0;
	int fd = open(HOST "/filler", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0) {
		/* an error may have made it read-only, or no inode can be had */
		if (errno != EROFS && errno != EIO && errno != ENOSPC && errno != EUCLEAN)
			complain(v, "no further file can be made");
		return;
	}
	for (;; at += size) {
		for (i = 0; i < size; i++)
			bytes[i] = image_byte(at + i, FILLER_SEED);
		if (write(fd, bytes, size) != (ssize_t)size)
			break;
	}
	fsync(fd);
	close(fd);
}

static const char *see_part(const char *name, uint32_t first, uint32_t count, unsigned int seed)
{
	static unsigned char bytes[4096];
	static char complaint[96];
	uint32_t size = option.blocksize, i;
	char path[64];
	int fd;

	snprintf(path, sizeof(path), HOST "/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	/* ext4 wants to write down where it is mounted, when a file is opened for the first time */
	if (fd < 0)
		fd = open(path, O_RDONLY | O_CLOEXEC);
	for (i = first; i < first + count; i++) {
		uint64_t at = (uint64_t)i * size;

		if (fd < 0 || pread(fd, bytes, size, (off_t)at) != (ssize_t)size ||
		    !image_holds(bytes, at, size, seed))
			break;
	}
	if (fd >= 0)
		close(fd);
	if (i == first + count)
		return NULL;
	snprintf(complaint, sizeof(complaint), "%s, read through the mount, is wrong at block %u",
		 name, i);
	return complaint;
}

static const char *in_image(const char *name, uint32_t first, uint32_t count, unsigned int seed)
{
	return image_part(IMAGE, name, first, count, seed);
}

static void contents(struct verdict *v, const char *(*look)(const char *name, uint32_t first,
							    uint32_t count, unsigned int seed))
{
	unsigned int run;
	uint32_t all = 0;

	for (run = 0; run < places.runs; run++) {
		complain(v, look("moved", places.first[run], places.count[run], MOVED_SEED));
		complain(v, look("sparse", places.first[run], places.count[run], 0));
		all += places.count[run];
	}
	complain(v, look("other", 0, all, OTHER_SEED));
}

static void unmount(struct verdict *v, const char *dir, const char *complaint)
{
	int tries;

	for (tries = 0; tries < 100 && umount2(dir, 0); tries++) {
		if (errno != EBUSY)
			break;
		usleep(20000);
	}
	if (tries == 100)
		complain(v, complaint);
}

/* What can't be read is an error of the request, but a bitmap: there may be others. */
static bool unnoticed(void)
{
	enum op op = (enum op)device.control->first.tag;
	char site[64];

	if (!device.control->fired || op == OP_TOOL || report->failed == op)
		return false;
	site_of(device.control->chosen, &device.control->first, site, sizeof(site));
	return strcmp(site, "block bitmap") && strcmp(site, "inode bitmap");
}

static struct verdict one(unsigned int number)
{
	struct verdict v = { 0 };
	int fd, held[2] = { -1, -1 };

	device.control->paused = true;
	device_reset(&device, good);
	host_mount();
	if (!option.dropped) {
		held[0] = open(HOST "/moved", O_RDONLY | O_CLOEXEC);
		held[1] = open(HOST "/sparse", O_RDONLY | O_CLOEXEC);
	}
	if (!is_scene("tool") && mount(HOST, META, "ext3meta", 0, NULL))
		error(2, errno, "mounting ext3meta");
	play(&v, number);
	device_heal(&device);
	if (!option.dropped) {
		close(held[0]);
		close(held[1]);
	}
	if (!is_scene("tool"))
		unmount(&v, META, "ext3meta can't be unmounted");
	/* What the donor had is free after a commit. An error from here on is ext4's own. */
	fd = open(HOST, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	syncfs(fd);
	close(fd);
	fill_up(&v);
	if (number) /* what can't be evicted after an error may stay */
		cold();
	else
		complain(&v, cold());
	contents(&v, see_part);
	unmount(&v, HOST, "the host can't be unmounted");
	complain(&v, image_fsck(IMAGE, &v.how));
	contents(&v, in_image);
	complain(&v, image_leak(IMAGE));
	if (report->changed)
		complain(&v, "the request said an errno, and something has changed");
	if (unnoticed())
		complain(&v, "nothing was said of a read that failed");
	return v;
}

/* -------- all of them -------- */

static void usage(void)
{
	error(2, 0, "usage: see the head of reread.c");
}

static void options(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "s:l:depb:t:o:f:n:k:v")) >= 0) {
		switch (c) {
		case 's':
			option.scene = optarg;
			break;
		case 'l':
			option.levels = (unsigned int)atoi(optarg);
			break;
		case 'e':
			option.each = true;
			break;
		case 'd':
			option.dropped = true;
			break;
		case 'p':
			option.spot = true;
			break;
		case 'b':
			option.blocksize = (unsigned int)atoi(optarg);
			break;
		case 't':
			option.type = optarg;
			break;
		case 'o':
			option.options = optarg;
			break;
		case 'f':
			option.first = (unsigned int)atoi(optarg);
			break;
		case 'n':
			option.stride = (unsigned int)atoi(optarg);
			break;
		case 'k':
			option.only = optarg;
			break;
		case 'v':
			option.verbose = true;
			break;
		default:
			usage();
		}
	}
	if (option.levels > 3 || !option.stride || !option.first || optind != argc ||
	    !(is_scene("move") || is_scene("named") || is_scene("tool")))
		usage();
}

static bool same_read(unsigned int number)
{
	const struct device_io *io = &device.control->first, *wanted = &reads[number - 1];

	return device.control->fired && io->tag == wanted->tag &&
	       image_site(io->start) == image_site(wanted->start);
}

/* Of the reads that a request can't do without, how many there weren't. */
static unsigned int missing(void)
{
	const struct must *must = move_must;
	size_t count = sizeof(move_must) / sizeof(*move_must), i;
	unsigned int bad = 0, n;

	if (is_scene("named")) {
		must = named_must;
		count = sizeof(named_must) / sizeof(*named_must);
	} else if (is_scene("tool")) {
		must = tool_must;
		count = sizeof(tool_must) / sizeof(*tool_must);
	}
	for (i = 0; i < count; i++) {
		if (option.levels < must[i].levels || (must[i].dropped && !option.dropped))
			continue;
		for (n = 0; n < reads_seen; n++)
			if ((enum op)reads[n].tag == must[i].op &&
			    !strcmp(read_sites[n], must[i].site))
				break;
		if (n < reads_seen)
			continue;
		printf("BAD: %s never had to read: %s\n", op_names[must[i].op], must[i].site);
		bad++;
	}
	return bad;
}

int main(int argc, char **argv)
{
	unsigned int number, faults = 0, bad = 0, tries;
	struct verdict v;

	options(argc, argv);
	if (system("modprobe ext3meta && modprobe nbd nbds_max=2 max_part=0") ||
	    system("mkdir -p " HOST " " META) ||
	    /* a line on the console for each I/O error would take most of the time */
	    system("echo 2 >/proc/sys/kernel/printk"))
		error(2, 0, "the virtual machine isn't as it should be");
	report = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (report == MAP_FAILED)
		error(2, errno, "mmap");
	image_make();
	v = one(0);
	if (v.bad || (report->failed && !is_scene("tool")))
		error(2, 0, "without a fault: %s", v.bad ? v.bad : v.said);
	remember_reads();
	for (number = option.first; number <= reads_seen; number += option.stride) {
		const struct device_io *io = &device.control->first;
		char site[64];

		if (option.only && strcmp(option.only, op_names[reads[number - 1].tag]))
			continue;
		/* a page may be in use for a moment, so that it isn't evicted */
		for (tries = 0; tries < 4; tries++) {
			v = one(number);
			if (v.bad || same_read(number))
				break;
		}
		/* what it is of is known best where all went well, and the donor came to be */
		if (same_read(number))
			snprintf(site, sizeof(site), "%s", read_sites[number - 1]);
		else
			site_of(number, io, site, sizeof(site));
		if (!v.bad && !same_read(number))
			complain(&v, "it isn't the read that there was without a fault");
		printf("FAULT %s-%u %u %s %u\t%s: read %s\t%s\t%s%s%s\n", option.scene,
		       option.levels, option.blocksize, mode_name(), number,
		       op_names[reads[number - 1].tag], site, v.said, v.how ? v.how : "-",
		       v.bad ? "\tBAD: " : "", v.bad ? v.bad : "");
		fflush(stdout);
		faults++;
		bad += v.bad != NULL;
	}
	printf("READS %s-%u %u %s: %u seen, %u failed\n", option.scene, option.levels,
	       option.blocksize, mode_name(), reads_seen, faults);
	bad += missing();
	if (option.first == 1 && option.stride == 1 && !option.only && faults != reads_seen) {
		puts("BAD: not each read has failed");
		bad++;
	}
	if (!bad && syscall(SYS_delete_module, "ext3meta", O_NONBLOCK)) {
		printf("BAD: unloading ext3meta: %s\n", strerror(errno));
		bad++;
	}
	if (!bad)
		device_stop(&device);
	printf("%u faults, %u bad\n", faults, bad);
	return bad ? 1 : 0;
}
