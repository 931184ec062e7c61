// SPDX-License-Identifier: GPL-2.0-only
/*
 * faultrun [OPTION]...: the same scene again and again, with the first I/O failing, then the
 * second, and so on until the scene needs no more; after each the image is judged.
 *
 *	-s reloc|dirty|named|tool   what is done (scene.c)
 *	-m once|dead|kill|int       the chosen I/O fails; it and all later ones; it brings SIGKILL
 *	                            or SIGINT
 *	   room|quota               instead: so many blocks are left, 0, 1, 2, ...
 *	-b BLOCKSIZE -t TYPE -o OPTIONS -S SEED
 *	-f FIRST -n STRIDE          which of them: FIRST, FIRST + STRIDE, ...
 *	-v                          each request's result
 *
 * One line a fault: "FAULT scene blocksize mode number SITE SAID; WHAT THE IMAGE NEEDED", where
 * a bad one ends with " BAD: " and why. The last line is "N faults, M bad". To be run in a virtual
 * machine, as root, where the module is installed.
 */
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"
#include "room.h"
#include "scene.h"
#include "tell.h"

enum kind { KIND_FAULT, KIND_ROOM, KIND_QUOTA };

/* Beside those of fixture.h. */
static struct {
	const char *mode;
	unsigned int seed;
	enum device_mode device_mode;
	enum kind kind;
	int signal;
} fault = { "once", 1, DEVICE_ONCE, KIND_FAULT, SIGKILL };

static struct scene_setting setting;
static struct report *report, reference;

/* Two files, piece by piece and in no order, so that both are in pieces. */
static void populate(void)
{
	uint32_t piece = 24, pieces = (files.moved_blocks + piece - 1) / piece, i;
	uint32_t *order = calloc(pieces, sizeof(*order));
	int fds[2], which;

	fds[0] = open(HOST "/moved", O_RDWR | O_CREAT, 0644);
	fds[1] = open(HOST "/other", O_RDWR | O_CREAT, 0644);
	for (i = 0; i < pieces; i++) {
		uint32_t j = (uint32_t)random() % (i + 1);

		order[i] = order[j];
		order[j] = i;
	}
	for (i = 0; i < pieces; i++) {
		for (which = 0; which < 2; which++) {
			uint32_t first = order[i] * piece, left = files.moved_blocks - first;

			fixture_write(fds[which], first, left < piece ? left : piece,
				      which ? 3 : MOVED_SEED);
		}
	}
	close(fds[0]);
	close(fds[1]);
	fds[0] = open(HOST "/sparse", O_RDWR | O_CREAT, 0644);
	if (ftruncate(fds[0], (off_t)files.sparse_blocks * option.blocksize))
		error(2, errno, "sparse");
	close(fds[0]);
	if (fault.kind != KIND_FAULT)
		room_populate(option.blocksize, fault.kind == KIND_QUOTA);
	free(order);
}

static void image_make(void)
{
	unsigned int per = option.blocksize / 4;
	char mke2fs[64];

	srandom(fault.seed);
	files.moved_blocks = 12 + per + (fault.kind == KIND_FAULT ? 60 : 20);
	files.sparse_blocks = 12 + per + 10;
	snprintf(mke2fs, sizeof(mke2fs), "-N %u %s", per + 256,
		 fault.kind == KIND_QUOTA ? "-O quota" : "");
	fixture_mkfs(6000, mke2fs);
	fixture_mount(1);
	populate();
	fixture_remember();
	if (is_scene("dirty")) {
		files.rewritten_first = 12 + per / 2;
		files.rewritten_count = 8;
	}
	setting.name = option.scene;
	setting.limited = fault.kind == KIND_QUOTA;
	setting.retry = fault.device_mode != DEVICE_KILL && fault.kind == KIND_FAULT;
}

static bool limit_met(void)
{
	unsigned int i;

	for (i = 0; i < report->notes; i++)
		if (report->note[i].value == -ENOSPC || report->note[i].value == -EDQUOT)
			return true;
	return false;
}

/* The scene in a child; its exit status. */
static int play(enum device_mode mode, unsigned int chosen)
{
	bool tool = is_scene("tool");
	sigset_t set;
	int status;
	pid_t pid;

	memset(report, 0, sizeof(*report));
	device.control->victim = 0;
	device.control->signal = fault.signal;
	fflush(stdout);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	pid = fork();
	if (pid < 0)
		error(2, errno, "fork");
	if (!pid) {
		/* not before the device knows whom it may kill */
		int got;

		sigwait(&set, &got);
		sigprocmask(SIG_UNBLOCK, &set, NULL);
		scene_run(&setting, &files, report);
		_exit(0);
	}
	device.control->victim = pid;
	if (fault.kind == KIND_FAULT)
		device_arm(&device, mode, chosen);
	kill(pid, SIGUSR1);
	waitpid(pid, &status, 0);
	device.control->victim = 0;
	if (tool)
		report->had = files.moved_blocks;
	return status;
}

/*
 * The tool's end with EIO from syncfs. If what failed was an indirect block on its way from the
 * journal to its place, the kernel has dropped it from memory and will read what is on the disk:
 * then not what the mount shows counts, but what the journal brings back.
 */
static bool sync_failed(int status)
{
	return is_scene("tool") && WIFEXITED(status) && WEXITSTATUS(status) == 5;
}

struct verdict {
	const char *bad, *how;
	bool fired;
};

static void complain(struct verdict *v, const char *what)
{
	if (!v->bad)
		v->bad = what;
}

/* One run from a good image on. @number 0 is the one without a fault. */
static struct verdict one(unsigned int number, FILE *told)
{
	bool tool = is_scene("tool"), named = is_scene("named");
	struct verdict v = { 0 };
	int status;

	fixture_reset();
	fixture_mount(1);
	fixture_mount_meta();
	if (fault.kind == KIND_ROOM)
		room_leave(&device, number);
	else if (fault.kind == KIND_QUOTA)
		room_limit(&device, number, option.blocksize);
	if (tool && umount(META))
		error(2, errno, "umount");
	status = play(number || fault.kind != KIND_FAULT ? fault.device_mode : DEVICE_GOOD, number);
	if (tool)
		complain(&v, tell_tool(told, status, fault.device_mode == DEVICE_KILL));
	else
		tell_notes(told, report, option.verbose);
	if (!tool && fault.device_mode != DEVICE_KILL && !report->ended)
		complain(&v, "the scene died");
	if (!tool)
		complain(&v, tell_wrong(report, fault.kind == KIND_FAULT ? &reference : NULL,
					fault.kind == KIND_QUOTA));
	room_release();
	/* What fails from here on is ext4's own, but it must come to a good end as well. */
	if (device.control->fired) {
		device_heal(&device);
		if (!sync_failed(status))
			complain(&v, scene_see(&files));
	}
	if (!tool)
		complain(&v, fixture_unmount(META));
	complain(&v, fixture_unmount(HOST));
	device_heal(&device);
	v.fired = fault.kind == KIND_FAULT ? device.control->fired > 0 : limit_met();
	files.rewritten_must = report->synced;
	if (!v.bad)
		complain(&v, image_fsck(IMAGE, &v.how));
	if (!v.bad)
		complain(&v, image_judge(IMAGE, &files, named ? 0 : report->had));
	files.rewritten_must = false;
	return v;
}

static const char *site(void)
{
	static const char *const kinds[] = { "read", "write", "flush" };
	static char text[64];
	const struct device_io *io = &device.control->first;

	if (fault.kind != KIND_FAULT)
		return fault.kind == KIND_ROOM ? "blocks are left" : "blocks may be had";
	snprintf(text, sizeof(text), "%s %s", kinds[io->kind],
		 io->kind == DEVICE_FLUSH ? "cache" : image_site(io->start));
	return text;
}

/* In room and quota the middle of a leaf is like the rest of it. */
static bool interesting(unsigned int number)
{
	return fault.kind == KIND_FAULT || number <= 18 || number >= 12 + option.blocksize / 4;
}

static void usage(void)
{
	error(2, 0, "usage: see the head of run.c");
}

static void options(int argc, char **argv)
{
	int c;

	option.scene = "reloc";
	while ((c = getopt(argc, argv, FIXTURE_OPTIONS "m:S:")) >= 0) {
		if (c == 'm')
			fault.mode = optarg;
		else if (c == 'S')
			fault.seed = (unsigned int)atoi(optarg);
		else if (!fixture_option(c, optarg))
			usage();
	}
	if (!strcmp(fault.mode, "once")) {
		fault.device_mode = DEVICE_ONCE;
	} else if (!strcmp(fault.mode, "dead")) {
		fault.device_mode = DEVICE_DEAD;
	} else if (!strcmp(fault.mode, "kill") || !strcmp(fault.mode, "int")) {
		fault.device_mode = DEVICE_KILL;
		fault.signal = fault.mode[0] == 'k' ? SIGKILL : SIGINT;
	} else if (!strcmp(fault.mode, "room") || !strcmp(fault.mode, "quota")) {
		fault.device_mode = DEVICE_GOOD;
		fault.kind = fault.mode[0] == 'r' ? KIND_ROOM : KIND_QUOTA;
		option.first--;
	} else {
		usage();
	}
}

int main(int argc, char **argv)
{
	unsigned int number, faults = 0, bad = 0;
	struct verdict v;

	options(argc, argv);
	fixture_machine();
	report = fixture_shared(sizeof(*report));
	image_make();
	setting.goal = image_longest(&number);
	if (fault.kind == KIND_FAULT) {
		v = one(0, stderr);
		reference = *report;
		fprintf(stderr, ": without a fault, %u I/Os\n", device.control->seen);
		if (v.bad)
			error(2, 0, "without a fault: %s", v.bad);
	}
	for (number = option.first;; number += option.stride) {
		char *said;
		size_t size;
		FILE *told;

		if (!interesting(number))
			continue;
		told = open_memstream(&said, &size);
		v = one(number, told);
		fclose(told);
		if (v.bad || v.fired)
			printf("FAULT %s %u %s %u\t%s\t%s\t%s%s%s\n", option.scene,
			       option.blocksize, fault.mode, number, site(), said,
			       v.how ? v.how : "-", v.bad ? "\tBAD: " : "", v.bad ? v.bad : "");
		fflush(stdout);
		free(said);
		faults += v.bad || v.fired;
		bad += v.bad != NULL;
		if (v.bad || !v.fired)
			break;
	}
	return fixture_end(faults, bad);
}
