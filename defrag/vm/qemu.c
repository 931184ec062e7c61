// SPDX-License-Identifier: GPL-2.0-only
#include "vm/qemu.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/util.h"
#include "version.h"

#define QEMU "qemu-system-x86_64"
#define MIB (1ULL << 20)

/* How long to wait for a guest to boot on KVM, in milliseconds; usually it takes a second. */
#define KVM_PATIENCE 10000

/* --- the appliance --------------------------------------------------------------------------- */

/* The directory of the appliance, malloc'd: beside an installed tool, or E3DEFRAG_APPLIANCE. */
static char *folder(void)
{
	const char *given = getenv("E3DEFRAG_APPLIANCE");
	char self[4096], *slash;
	ssize_t length;

	if (given && *given)
		return xstrdup(given);
	length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	self[length > 0 ? length : 0] = 0;
	slash = strrchr(self, '/');
	if (!slash)
		return xstrdup("/usr/lib/e3defrag/appliance");
	*slash = 0;
	slash = strrchr(self, '/');
	if (slash)
		*slash = 0;
	return xasprintf("%s/lib/e3defrag/appliance", self);
}

/*
 * True if the appliance has the same version as this tool, else a message is printed. The tool in
 * the appliance gets options of this one, so it must know all of them.
 */
static bool same_version(const char *where)
{
	char *path = xasprintf("%s/version", where);
	FILE *file = fopen(path, "re");
	char version[64];
	bool good;

	good = file && fgets(version, sizeof(version), file);
	if (!good) {
		complain(where, 0,
			 "has no appliance; \"make install-appliance\" in the sources of "
			 "e3defrag builds and installs one");
	} else {
		version[strcspn(version, "\n")] = 0;
		good = !strcmp(version, "e3defrag " E3DEFRAG_VERSION);
		if (!good)
			complain(where, 0,
				 "has the appliance of another version: build and install it "
				 "again");
	}
	if (file)
		fclose(file);
	free(path);
	return good;
}

/* True if a guest boots on KVM. That /dev/kvm exists proves nothing: its use can still hang. */
static bool kvm_works(struct appliance *appliance)
{
	struct pollfd events = { .events = POLLIN };
	struct qemu qemu;
	bool works = false;
	char byte;
	int i;

	if (access("/dev/kvm", R_OK | W_OK))
		return false;
	appliance->kvm = true;
	if (!qemu_start(&qemu, appliance, NULL))
		return false;
	events.fd = qemu.fd[CHANNEL_CONTROL];
	if (poll(&events, 1, KVM_PATIENCE) > 0)
		works = read(events.fd, &byte, 1) == 1;
	/*
	 * The guest has no disk, so it can be killed. If it hangs in the kernel, even that fails;
	 * so don't wait for its end forever.
	 */
	kill(qemu.pid, SIGKILL);
	for (i = 0; i < 20 && !waitpid(qemu.pid, NULL, WNOHANG); i++)
		usleep(50000);
	for (i = 0; i < CHANNELS; i++)
		close(qemu.fd[i]);
	return works;
}

bool appliance_find(struct appliance *appliance)
{
	const char *accel = getenv("E3DEFRAG_VM_ACCEL");
	char *where = folder();

	memset(appliance, 0, sizeof(*appliance));
	if (same_version(where)) {
		appliance->kernel = xasprintf("%s/kernel", where);
		appliance->initramfs = xasprintf("%s/initramfs", where);
	}
	free(where);
	if (!appliance->kernel)
		return false;
	if (accel && *accel)
		appliance->kvm = !strcmp(accel, "kvm");
	else
		appliance->kvm = kvm_works(appliance);
	return true;
}

void appliance_free(struct appliance *appliance)
{
	free(appliance->kernel);
	free(appliance->initramfs);
}

/* --- QEMU ------------------------------------------------------------------------------------ */

struct arguments {
	char **at;
	size_t count, room;
};

static void add_argument(struct arguments *a, char *argument)
{
	vec_more(a->at, a->count, a->room);
	a->at[a->count++] = argument;
}

static void add_all(struct arguments *a, const char *const *list)
{
	while (*list)
		add_argument(a, xstrdup(*list++));
}

/* Return @text with its commas doubled, as a value in QEMU's options needs it; malloc'd. */
static char *doubled(const char *text)
{
	char *to = xreallocarray(NULL, strlen(text) + 1, 2), *at = to;

	for (; *text; text++) {
		*at++ = *text;
		if (*text == ',')
			*at++ = ',';
	}
	*at = 0;
	return to;
}

/*
 * The memory of the guest in MiB. The tool takes 24 bytes and some names for each file, and 18
 * bytes for each run of free blocks, most of which have several blocks. The guest's memory that is
 * never used takes none from the host.
 */
static uint64_t memory(const struct image *image)
{
	uint64_t host = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE) / MIB;
	uint64_t wanted = 512;

	if (!image)
		return 256;
	wanted += (image->inodes * 128ULL + image->free_blocks * 9ULL) / MIB;
	if (wanted > host / 2)
		wanted = host / 2 > 384 ? host / 2 : 384;
	return wanted;
}

/*
 * Writes go to the host's page cache, and each flush of the guest reaches the disk. An I/O error of
 * the image is reported to the guest: by default QEMU would stop the machine and wait for an
 * operator. For a report, what the guest writes goes to a temporary file that is deleted with QEMU:
 * the guest can mount as usual and replay the journal, and the image is not changed.
 */
static void add_disk(struct arguments *a, const struct image *image)
{
	/* The guest gets only the partition, not the rest of the disk. */
	char *part = image->start ? xasprintf(",offset=%" PRIu64 ",size=%" PRIu64, image->start,
					      image->size) :
				    xstrdup("");

	add_argument(a, xstrdup("-add-fd"));
	add_argument(a, xasprintf("fd=%d,set=1", image->fd));
	add_argument(a, xstrdup("-drive"));
	/*
	 * Without these options QEMU opens an image for reading and reopens it for writing later,
	 * which is impossible with a file that is passed as a descriptor.
	 */
	add_argument(a,
		     xasprintf("if=none,id=disk,driver=raw%s,%s,cache=writeback,discard=ignore,"
			       "rerror=report,werror=report,"
			       "file.driver=%s,file.filename=/dev/fdset/1,file.locking=on",
			       part,
			       image->readonly ? "snapshot=on" : "read-only=off,auto-read-only=off",
			       image->device ? "host_device" : "file"));
	add_argument(a, xstrdup("-device"));
	add_argument(a, xstrdup("virtio-blk-pci,drive=disk"));
	free(part);
}

static char **arguments(const struct appliance *appliance, const struct image *image,
			const int *guest)
{
	static const char *const qemu[] = {
		QEMU,	      "-nodefaults", "-no-user-config",
		"-no-reboot", "-display",    "none",
		"-nic",	      "none",	     "-machine",
		"pc",	      "-sandbox",    "on,elevateprivileges=deny,spawn=deny",
		NULL
	};
	static const char *const kvm[] = { "-accel", "kvm", "-cpu", "host", "-smp", "2", NULL };
	static const char *const emulation[] = { "-accel", "tcg", "-cpu", "max,la57=off", NULL };
	static const char *const kernel[] = { "-append",
					      "console=ttyS0 quiet loglevel=6 no_timer_check "
					      "norandmaps oops=panic panic=-1",
					      "-device", "virtio-serial-pci", NULL };
	static const char *const name[] = { "control", "out", "err", "log" };
	struct arguments a = { 0 };
	int i;

	add_all(&a, qemu);
	add_all(&a, appliance->kvm ? kvm : emulation);
	add_argument(&a, xstrdup("-m"));
	add_argument(&a, xasprintf("%" PRIu64, memory(image)));
	add_argument(&a, xstrdup("-kernel"));
	add_argument(&a, doubled(appliance->kernel));
	add_argument(&a, xstrdup("-initrd"));
	add_argument(&a, doubled(appliance->initramfs));
	add_all(&a, kernel);
	for (i = 0; i < CHANNELS; i++) {
		add_argument(&a, xstrdup("-chardev"));
		add_argument(&a, xasprintf("socket,id=%s,fd=%d", name[i], guest[i]));
		add_argument(&a, xstrdup(i == CHANNEL_LOG ? "-serial" : "-device"));
		add_argument(&a, i == CHANNEL_LOG ? xasprintf("chardev:%s", name[i]) :
						    xasprintf("virtserialport,chardev=%s,nr=%d",
							      name[i], i + 1));
	}
	if (image)
		add_disk(&a, image);
	add_argument(&a, NULL);
	return a.at;
}

/*
 * In the child process. It gets a session of its own, because Ctrl-C at the terminal is for the
 * tool, which lets the guest finish its step. QEMU would end the machine at once.
 */
static void become_qemu(char *const *argv, const int *guest, const struct image *image)
{
	sigset_t none;
	int null, i;

	setsid();
	/* A guest with a disk notices when the tool dies, and ends cleanly by itself. */
	if (!image)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	for (i = 0; i < CHANNELS; i++)
		fcntl(guest[i], F_SETFD, 0);
	if (image)
		fcntl(image->fd, F_SETFD, 0);
	null = open("/dev/null", O_RDONLY);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(guest[CHANNEL_LOG], STDOUT_FILENO) < 0 ||
	    dup2(guest[CHANNEL_LOG], STDERR_FILENO) < 0)
		_exit(126);
	execvp(argv[0], argv);
	dprintf(STDERR_FILENO, "%s: %s%s\n", argv[0], strerror(errno),
		errno == ENOENT ? "; install the package qemu-system-x86" : "");
	_exit(127);
}

bool qemu_start(struct qemu *qemu, const struct appliance *appliance, const struct image *image)
{
	int pair[2], guest[CHANNELS], opened, i;
	char **argv = NULL;

	memset(qemu, 0, sizeof(*qemu));
	qemu->pid = -1;
	for (opened = 0; opened < CHANNELS; opened++) {
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
			break;
		qemu->fd[opened] = pair[0];
		guest[opened] = pair[1];
	}
	if (opened == CHANNELS) {
		argv = arguments(appliance, image, guest);
		fflush(NULL);
		qemu->pid = fork();
		if (!qemu->pid)
			become_qemu(argv, guest, image);
	}
	if (qemu->pid < 0)
		complain(NULL, errno, "can't start %s", QEMU);
	for (i = 0; argv && argv[i]; i++)
		free(argv[i]);
	free(argv);
	for (i = 0; i < opened; i++) {
		close(guest[i]);
		if (qemu->pid < 0)
			close(qemu->fd[i]);
	}
	return qemu->pid >= 0;
}

void qemu_log(struct qemu *qemu)
{
	const size_t half = sizeof(qemu->log) / 2;
	ssize_t got;

	if (qemu->logged > half) {
		memmove(qemu->log, qemu->log + qemu->logged - half, half);
		qemu->logged = half;
	}
	got = read(qemu->fd[CHANNEL_LOG], qemu->log + qemu->logged,
		   sizeof(qemu->log) - qemu->logged);
	if (got > 0) {
		qemu->logged += (size_t)got;
	} else {
		close(qemu->fd[CHANNEL_LOG]);
		qemu->fd[CHANNEL_LOG] = -1;
	}
}

void qemu_tell(const struct qemu *qemu)
{
	size_t i;

	for (i = 0; i < qemu->logged; i++) {
		const unsigned char c = (unsigned char)qemu->log[i];

		/* Let no control character through to the terminal. */
		if (c == '\n' || (c >= 0x20 && c < 0x7f))
			fputc(c, stderr);
	}
	if (qemu->logged && qemu->log[qemu->logged - 1] != '\n')
		fputc('\n', stderr);
}

int qemu_end(struct qemu *qemu)
{
	int status = 0, i;

	for (i = 0; i < CHANNELS; i++)
		if (qemu->fd[i] >= 0)
			close(qemu->fd[i]);
	while (waitpid(qemu->pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}
