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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cold.h"
#include "fixture.h"
#include "reread.h"
#include "tell.h"

#define OTHER_SEED 3
#define FILLER_SEED 7

/* Beside those of fixture.h. */
static struct {
	const char *only;
	unsigned int levels;
	bool each, spot, dropped;
} cold_option;

static struct places places;
static struct reread_report *report;
/* The reads of a run without a fault. */
static struct cold_read reads[DEVICE_LOG];
static unsigned int reads_seen;

static const char *mode_name(void)
{
	static char name[32];

	snprintf(name, sizeof(name), "%s%s%s", cold_option.each ? "each" : "reread",
		 cold_option.spot ? "-spot" : "", cold_option.dropped ? "-dropped" : "");
	return name;
}

/* -------- the image -------- */

/* The neighbours of an inode's block must not come into memory along with it. */
#define READAHEAD 0

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
			fixture_write(moved, places.first[run] + i, 3, MOVED_SEED);
			fixture_write(fd, other, 3, OTHER_SEED);
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

	places.runs = cold_option.levels + 1;
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
	places_make();
	if (cold_option.each)
		device_on_read = evict_at_read;
	fixture_mkfs(2200, "-I 256 -N 128");
	device.control->reads_only = true;
	device.control->paused = true;
	fixture_mount(READAHEAD);
	populate();
	fixture_remember();
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
		reads[i].io = device.control->log[i];
		site_of(i + 1, &reads[i].io, reads[i].site, sizeof(reads[i].site));
		if (option.verbose)
			fprintf(stderr, "%3u %s: read %u, %u bytes: %s\n", i + 1,
				op_names[reads[i].io.tag],
				(unsigned int)(reads[i].io.start / option.blocksize),
				reads[i].io.length, reads[i].site);
	}
}

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
		   !chosen	    ? DEVICE_GOOD :
		   cold_option.spot ? DEVICE_SPOT :
				      DEVICE_ONCE,
		   chosen);
	if (is_scene("tool")) {
		FILE *said = fmemopen(v->said, sizeof(v->said), "w");

		report->ino[OWNER_ORIGINAL] = files.ino;
		status = reread_tool(&device, TOOL_OUTPUT, report);
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
	fixture_reset();
	fixture_mount(READAHEAD);
	if (!cold_option.dropped) {
		held[0] = open(HOST "/moved", O_RDONLY | O_CLOEXEC);
		held[1] = open(HOST "/sparse", O_RDONLY | O_CLOEXEC);
	}
	if (!is_scene("tool"))
		fixture_mount_meta();
	play(&v, number);
	device_heal(&device);
	if (!cold_option.dropped) {
		close(held[0]);
		close(held[1]);
	}
	if (!is_scene("tool"))
		complain(&v, fixture_unmount(META));
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
	complain(&v, fixture_unmount(HOST));
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

	option.scene = "move";
	while ((c = getopt(argc, argv, FIXTURE_OPTIONS "l:depk:")) >= 0) {
		switch (c) {
		case 'l':
			cold_option.levels = (unsigned int)atoi(optarg);
			break;
		case 'e':
			cold_option.each = true;
			break;
		case 'd':
			cold_option.dropped = true;
			break;
		case 'p':
			cold_option.spot = true;
			break;
		case 'k':
			cold_option.only = optarg;
			break;
		default:
			if (!fixture_option(c, optarg))
				usage();
		}
	}
	if (cold_option.levels > 3 || !option.stride || !option.first || optind != argc ||
	    !(is_scene("move") || is_scene("named") || is_scene("tool")))
		usage();
}

static bool same_read(unsigned int number)
{
	const struct device_io *io = &device.control->first, *wanted = &reads[number - 1].io;

	return device.control->fired && io->tag == wanted->tag &&
	       image_site(io->start) == image_site(wanted->start);
}

int main(int argc, char **argv)
{
	unsigned int number, faults = 0, bad = 0, tries;
	struct verdict v;

	options(argc, argv);
	fixture_machine();
	report = fixture_shared(sizeof(*report));
	image_make();
	v = one(0);
	if (v.bad || (report->failed && !is_scene("tool")))
		error(2, 0, "without a fault: %s", v.bad ? v.bad : v.said);
	remember_reads();
	for (number = option.first; number <= reads_seen; number += option.stride) {
		const struct device_io *io = &device.control->first;
		char site[64];

		if (cold_option.only &&
		    strcmp(cold_option.only, op_names[reads[number - 1].io.tag]))
			continue;
		/* a page may be in use for a moment, so that it isn't evicted */
		for (tries = 0; tries < 4; tries++) {
			v = one(number);
			if (v.bad || same_read(number))
				break;
		}
		/* what it is of is known best where all went well, and the donor came to be */
		if (same_read(number))
			snprintf(site, sizeof(site), "%s", reads[number - 1].site);
		else
			site_of(number, io, site, sizeof(site));
		if (!v.bad && !same_read(number))
			complain(&v, "it isn't the read that there was without a fault");
		printf("FAULT %s-%u %u %s %u\t%s: read %s\t%s\t%s%s%s\n", option.scene,
		       cold_option.levels, option.blocksize, mode_name(), number,
		       op_names[reads[number - 1].io.tag], site, v.said, v.how ? v.how : "-",
		       v.bad ? "\tBAD: " : "", v.bad ? v.bad : "");
		fflush(stdout);
		faults++;
		bad += v.bad != NULL;
	}
	printf("READS %s-%u %u %s: %u seen, %u failed\n", option.scene, cold_option.levels,
	       option.blocksize, mode_name(), reads_seen, faults);
	bad += reread_missing(cold_option.levels, cold_option.dropped, reads, reads_seen);
	if (option.first == 1 && option.stride == 1 && !cold_option.only && faults != reads_seen) {
		puts("BAD: not each read has failed");
		bad++;
	}
	return fixture_end(faults, bad);
}
