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
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "device.h"
#include "room.h"
#include "scene.h"
#include "tell.h"

#define IMAGE "/tmp/faults/image"

enum kind { KIND_FAULT, KIND_ROOM, KIND_QUOTA };

static struct {
	const char *scene, *mode, *type, *options;
	unsigned int blocksize, seed, first, stride;
	enum device_mode device_mode;
	enum kind kind;
	int signal;
	bool verbose;
} option = { "reloc", "once", "ext3", "", 1024, 1, 1, 1, DEVICE_ONCE, KIND_FAULT, SIGKILL, false };

static struct device device;
static struct image_files files;
static struct scene_setting setting;
static struct report *report, reference;
static unsigned char *good;

static void command(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void command(const char *format, ...)
{
	char line[512];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (system(line))
		error(2, 0, "'%s' failed", line);
}

static void host_mount(void)
{
	char options[128];

	/* nothing but the scene and its end is to cause I/O */
	snprintf(options, sizeof(options), "commit=300,inode_readahead_blks=1%s%s",
		 *option.options ? "," : "", option.options);
	if (mount(device.name, HOST, option.type, MS_NOATIME, options))
		error(2, errno, "mounting %s with %s", device.name, options);
}

static void write_piece(int fd, uint32_t block, uint32_t count, unsigned int seed)
{
	size_t length = (size_t)count * option.blocksize, i;
	unsigned char *bytes = malloc(length);
	uint64_t at = (uint64_t)block * option.blocksize;

	for (i = 0; i < length; i++)
		bytes[i] = image_byte(at + i, seed);
	if (pwrite(fd, bytes, length, (off_t)at) != (ssize_t)length || fsync(fd))
		error(2, errno, "filling the image");
	free(bytes);
}

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

			write_piece(fds[which], first, left < piece ? left : piece,
				    which ? 3 : MOVED_SEED);
		}
	}
	close(fds[0]);
	close(fds[1]);
	fds[0] = open(HOST "/sparse", O_RDWR | O_CREAT, 0644);
	if (ftruncate(fds[0], (off_t)files.sparse_blocks * option.blocksize))
		error(2, errno, "sparse");
	close(fds[0]);
	if (option.kind != KIND_FAULT)
		room_populate(option.blocksize, option.kind == KIND_QUOTA);
	free(order);
}

/* Every block that is free holds something that nobody must ever see. */
static void image_make(void)
{
	unsigned int per = option.blocksize / 4;
	size_t size = (size_t)option.blocksize * 6000;
	int fd = open(IMAGE, O_RDWR | O_CREAT | O_TRUNC, 0600);
	unsigned char *bytes = malloc(size);

	srandom(option.seed);
	files.moved_blocks = 12 + per + (option.kind == KIND_FAULT ? 60 : 20);
	files.sparse_blocks = 12 + per + 10;
	memset(bytes, 0xa5, size);
	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
		error(2, errno, IMAGE);
	close(fd);
	free(bytes);
	command("mke2fs -q -F -t ext3 -b %u -m 0 -N %u -E nodiscard -J size=%u %s %s",
		option.blocksize, per + 256, option.blocksize / 1024,
		option.kind == KIND_QUOTA ? "-O quota" : "", IMAGE);
	device_start(&device, 0, IMAGE);
	host_mount();
	populate();
	if (umount(HOST))
		error(2, errno, "umount");
	good = malloc(device.size);
	memcpy(good, device.bytes, device.size);
	image_know(IMAGE, &files);
	if (!strcmp(option.scene, "dirty")) {
		files.rewritten_first = 12 + per / 2;
		files.rewritten_count = 8;
	}
	setting.name = option.scene;
	setting.limited = option.kind == KIND_QUOTA;
	setting.retry = option.device_mode != DEVICE_KILL && option.kind == KIND_FAULT;
}

/* What was freed may be let go a little later. */
static const char *unmount(const char *dir)
{
	int tries;

	for (tries = 0; tries < 100; tries++) {
		if (!umount2(dir, 0))
			return NULL;
		if (errno != EBUSY)
			break;
		usleep(20000);
	}
	return dir[strlen(dir) - 1] == 'a' ? "ext3meta can't be unmounted" :
					     "the host can't be unmounted";
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
	bool tool = !strcmp(option.scene, "tool");
	sigset_t set;
	int status;
	pid_t pid;

	memset(report, 0, sizeof(*report));
	device.control->victim = 0;
	device.control->signal = option.signal;
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
	if (option.kind == KIND_FAULT)
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
	return !strcmp(option.scene, "tool") && WIFEXITED(status) && WEXITSTATUS(status) == 5;
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
	bool tool = !strcmp(option.scene, "tool"), named = !strcmp(option.scene, "named");
	struct verdict v = { 0 };
	int status;

	device_reset(&device, good);
	host_mount();
	if (mount(HOST, META, "ext3meta", 0, NULL))
		error(2, errno, "mounting ext3meta");
	if (option.kind == KIND_ROOM)
		room_leave(&device, number);
	else if (option.kind == KIND_QUOTA)
		room_limit(&device, number, option.blocksize);
	if (tool && umount(META))
		error(2, errno, "umount");
	status = play(number || option.kind != KIND_FAULT ? option.device_mode : DEVICE_GOOD,
		      number);
	if (tool)
		complain(&v, tell_tool(told, status, option.device_mode == DEVICE_KILL));
	else
		tell_notes(told, report, option.verbose);
	if (!tool && option.device_mode != DEVICE_KILL && !report->ended)
		complain(&v, "the scene died");
	if (!tool)
		complain(&v, tell_wrong(report, option.kind == KIND_FAULT ? &reference : NULL,
					option.kind == KIND_QUOTA));
	room_release();
	/* What fails from here on is ext4's own, but it must come to a good end as well. */
	if (device.control->fired) {
		device_heal(&device);
		if (!sync_failed(status))
			complain(&v, scene_see(&files));
	}
	if (!tool)
		complain(&v, unmount(META));
	complain(&v, unmount(HOST));
	device_heal(&device);
	v.fired = option.kind == KIND_FAULT ? device.control->fired > 0 : limit_met();
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

	if (option.kind != KIND_FAULT)
		return option.kind == KIND_ROOM ? "blocks are left" : "blocks may be had";
	snprintf(text, sizeof(text), "%s %s", kinds[io->kind],
		 io->kind == DEVICE_FLUSH ? "cache" : image_site(io->start));
	return text;
}

/* In room and quota the middle of a leaf is like the rest of it. */
static bool interesting(unsigned int number)
{
	return option.kind == KIND_FAULT || number <= 18 || number >= 12 + option.blocksize / 4;
}

static void usage(void)
{
	error(2, 0, "usage: see the head of run.c");
}

static void options(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "s:m:b:t:o:S:f:n:v")) >= 0) {
		switch (c) {
		case 's':
			option.scene = optarg;
			break;
		case 'm':
			option.mode = optarg;
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
		case 'S':
			option.seed = (unsigned int)atoi(optarg);
			break;
		case 'f':
			option.first = (unsigned int)atoi(optarg);
			break;
		case 'n':
			option.stride = (unsigned int)atoi(optarg);
			break;
		case 'v':
			option.verbose = true;
			break;
		default:
			usage();
		}
	}
	if (!strcmp(option.mode, "once")) {
		option.device_mode = DEVICE_ONCE;
	} else if (!strcmp(option.mode, "dead")) {
		option.device_mode = DEVICE_DEAD;
	} else if (!strcmp(option.mode, "kill") || !strcmp(option.mode, "int")) {
		option.device_mode = DEVICE_KILL;
		option.signal = option.mode[0] == 'k' ? SIGKILL : SIGINT;
	} else if (!strcmp(option.mode, "room") || !strcmp(option.mode, "quota")) {
		option.device_mode = DEVICE_GOOD;
		option.kind = option.mode[0] == 'r' ? KIND_ROOM : KIND_QUOTA;
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
	command("modprobe ext3meta && modprobe nbd nbds_max=2 max_part=0");
	command("mkdir -p " HOST " " META);
	/* a line on the console for each I/O error would take most of the time */
	command("echo 2 >/proc/sys/kernel/printk");
	report = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (report == MAP_FAILED)
		error(2, errno, "mmap");
	image_make();
	setting.goal = image_longest(&number);
	if (option.kind == KIND_FAULT) {
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
			       option.blocksize, option.mode, number, site(), said,
			       v.how ? v.how : "-", v.bad ? "\tBAD: " : "", v.bad ? v.bad : "");
		fflush(stdout);
		free(said);
		faults += v.bad || v.fired;
		bad += v.bad != NULL;
		if (v.bad || !v.fired)
			break;
	}
	/* What the module still held would keep it from going. */
	if (!bad && syscall(SYS_delete_module, "ext3meta", O_NONBLOCK)) {
		printf("BAD: unloading ext3meta: %s\n", strerror(errno));
		bad++;
	}
	if (!bad)
		device_stop(&device);
	printf("%u faults, %u bad\n", faults, bad);
	return bad ? 1 : 0;
}
