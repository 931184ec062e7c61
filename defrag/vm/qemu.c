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
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/util.h"
#include "vm/confine.h"

#define QEMU "qemu-system-x86_64"
#define MIB (1ULL << 20)
/* A QEMU that was built without its sandbox ends with an error, and nothing is run without one. */
#define SANDBOX "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"

/* How long to wait for a guest to boot on KVM, in milliseconds; usually it takes a second. */
#define KVM_PATIENCE 10000

/* --- its arguments --------------------------------------------------------------------------- */

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

static void add_descriptor(struct arguments *a, int fd, int set)
{
	add_argument(a, xstrdup("-add-fd"));
	add_argument(a, xasprintf("fd=%d,set=%d", fd, set));
}

/*
 * Writes go to the host's page cache, and each flush of the guest reaches the disk. An I/O error of
 * the image is reported to the guest: by default QEMU would stop the machine and wait for an
 * operator. For a report, what the guest writes goes to the overlay, which is gone with QEMU: the
 * guest can mount as usual and replay the journal, and the image is not changed.
 */
static void add_disk(struct arguments *a, const struct image *image)
{
	const char *backing = image->readonly ? "backing." : "";
	/* The guest gets only the partition, not the rest of the disk. */
	char *part = image->start ? xasprintf(",%soffset=%" PRIu64 ",%ssize=%" PRIu64, backing,
					      image->start, backing, image->size) :
				    xstrdup("");
	char *file = xasprintf("%sdriver=raw%s,%sfile.driver=%s,%sfile.filename=/dev/fdset/1,"
			       "%sfile.locking=on",
			       backing, part, backing, image->device ? "host_device" : "file",
			       backing, backing);

	add_descriptor(a, image->fd, 1);
	if (image->readonly)
		add_descriptor(a, image->overlay, 2);
	add_argument(a, xstrdup("-drive"));
	/*
	 * By default QEMU opens an image for reading and reopens it for writing later, which is
	 * impossible with a file that is passed as a descriptor.
	 */
	add_argument(a,
		     xasprintf("if=none,id=disk,discard=ignore,rerror=report,werror=report,"
			       "read-only=off,auto-read-only=off,%s,%s",
			       image->readonly ? "cache=unsafe,driver=qcow2,file.driver=file,"
						 "file.filename=/dev/fdset/2,backing.read-only=on" :
						 "cache=writeback",
			       file));
	add_argument(a, xstrdup("-device"));
	add_argument(a, xstrdup("virtio-blk-pci,drive=disk"));
	free(file);
	free(part);
}

static char **arguments(const struct appliance *appliance, const struct image *image,
			const int *guest)
{
	static const char *const qemu[] = { QEMU,	  "-nodefaults", "-no-user-config",
					    "-no-reboot", "-display",	 "none",
					    "-nic",	  "none",	 "-machine",
					    "pc",	  "-sandbox",	 SANDBOX,
					    NULL };
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
	add_argument(&a, xasprintf("/proc/self/fd/%d", appliance->kernel));
	add_argument(&a, xstrdup("-initrd"));
	add_argument(&a, xasprintf("/proc/self/fd/%d", appliance->initramfs));
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

/* Leave to QEMU the descriptors that it needs, and no others. */
static void pass_descriptors(const struct appliance *appliance, const struct image *image,
			     const int *guest)
{
	int i;

	close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	for (i = 0; i < CHANNELS; i++)
		fcntl(guest[i], F_SETFD, 0);
	fcntl(appliance->kernel, F_SETFD, 0);
	fcntl(appliance->initramfs, F_SETFD, 0);
	if (image)
		fcntl(image->fd, F_SETFD, 0);
	if (image && image->overlay >= 0)
		fcntl(image->overlay, F_SETFD, 0);
}

/*
 * In the child process. It gets a session of its own, because Ctrl-C at the terminal is for the
 * tool, which lets the guest finish its step. QEMU would end the machine at once.
 */
static void become_qemu(char *const *argv, const int *guest, const struct appliance *appliance,
			const struct image *image, const struct confinement *confinement)
{
	const char *failed;
	sigset_t none;
	int null;

	setsid();
	signal(SIGPIPE, SIG_DFL);
	signal(SIGIO, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	pass_descriptors(appliance, image, guest);
	null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(guest[CHANNEL_LOG], STDOUT_FILENO) < 0 ||
	    dup2(guest[CHANNEL_LOG], STDERR_FILENO) < 0)
		_exit(126);
	failed = confine(confinement);
	if (failed) {
		dprintf(STDERR_FILENO, "%s: %s\n", failed, strerror(errno));
		_exit(126);
	}
	/*
	 * A guest with a disk notices when the tool dies, and ends cleanly by itself. After the
	 * change of the user, which clears this.
	 */
	if (!image)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	execvp(argv[0], argv);
	dprintf(STDERR_FILENO, "%s: %s%s\n", argv[0], strerror(errno),
		errno == ENOENT ? "; install the package qemu-system-x86" : "");
	_exit(127);
}

/* A guest that doesn't read what it is told must not keep the tool waiting. */
static void limit_waiting(int fd)
{
	const struct timeval patience = { .tv_sec = 2 };

	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
}

bool qemu_start(struct qemu *qemu, const struct appliance *appliance, const struct image *image)
{
	int pair[2], guest[CHANNELS], opened, i;
	struct confinement confinement = { .file_size = image ? image->largest : 0 };
	char **argv = NULL;

	memset(qemu, 0, sizeof(*qemu));
	qemu->pid = -1;
	qemu->keeper = (struct keeper){ .pid = -1, .fd = -1 };
	confine_choose(&confinement, appliance->kvm);
	for (opened = 0; opened < CHANNELS; opened++) {
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
			break;
		qemu->fd[opened] = pair[0];
		guest[opened] = pair[1];
	}
	if (opened == CHANNELS) {
		limit_waiting(qemu->fd[CHANNEL_CONTROL]);
		argv = arguments(appliance, image, guest);
		fflush(NULL);
		qemu->pid = fork();
		if (!qemu->pid)
			become_qemu(argv, guest, appliance, image, &confinement);
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
	if (qemu->pid >= 0 && image && !keeper_start(&qemu->keeper, qemu->pid)) {
		complain(NULL, errno, "can't start the process that watches %s", QEMU);
		kill(qemu->pid, SIGKILL);
		qemu_end(qemu);
		return false;
	}
	return qemu->pid >= 0;
}

bool qemu_kvm_works(struct appliance *appliance)
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
	keeper_end(&qemu->keeper);
	return status;
}
