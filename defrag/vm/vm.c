// SPDX-License-Identifier: GPL-2.0-only
/*
 * A run in the appliance. The tool in the guest gets the options that were given to this one and
 * works on the filesystem. Its output, its reports and its status are passed on as if it had run
 * here.
 *
 * The machine must not be ended in the middle of its work: it unmounts the filesystem and turns
 * itself off. A signal is passed on to the tool in the guest. If this process dies, the control
 * channel is closed, which the guest treats like SIGTERM. A second signal ends the machine at once,
 * like a power cut, after which the journal recovers the filesystem.
 *
 * The filesystem may have been made to take over the kernel that mounts it. So nothing that comes
 * from the guest is believed, and neither how much it sends nor how long it takes is left to it:
 * watch() and the limits of relay.h and files.h.
 */
#include "vm/vm.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/descriptors.h"
#include "lib/util.h"
#include "report/reports.h"
#include "status.h"
#include "vm/appliance.h"
#include "vm/files.h"
#include "vm/guest_wait.h"
#include "vm/image.h"
#include "vm/limits.h"
#include "vm/qemu.h"
#include "vm/relay.h"
#include "vm/script.h"

/*
 * Two signals within this many seconds count as one: timeout(1) sends its signal to the process
 * and to its group.
 */
#define TWICE_SECONDS 2

/* How often to look at the clock and at the image, in milliseconds. */
#define TICK 500

struct vm {
	const struct options *options;
	struct image image;
	struct qemu qemu;
	struct files files;
	struct relay relay[CHANNELS];
	struct guest_wait wait;
	uint64_t text_left; /* bytes of output that are still passed on */
	bool merge;	    /* standard output and standard error are the same file */

	bool begun;	    /* the settings were sent: from now on the guest writes to the image */
	int stops;	    /* how many times a stop was requested */
	uint64_t asked;	    /* when the last time, by clock_now() */
	bool output_broken; /* no more output is passed on */
	bool failed;	    /* something was complained about that makes the run a failure */
	int status;	    /* of the tool in the guest; -1: not known */
	bool ran; /* the tool has ended with that status, and was not refused before it began */

	/* The control channel: a line that isn't complete yet. */
	char line[128];
	size_t length;
};

/* --- talking to the guest -------------------------------------------------------------------- */

/* Send the length of a script on a line, then the script, which the guest's init reads. */
static void send_settings(struct vm *vm)
{
	const struct settings settings = {
		.options = vm->options,
		.image = &vm->image,
		.files = &vm->files,
		.merge = vm->merge,
		.seconds = guest_wait_left(&vm->wait),
	};
	size_t size = 0;
	char *script = script_make(&settings, &size);
	char *head = xasprintf("%zu\n", size);
	const int fd = vm->qemu.fd[CHANNEL_CONTROL];

	vm->begun = true;
	guest_wait_begin(&vm->wait);
	/* Errors are ignored here: if the guest has died, the end of its channels shows it. */
	if (write_all(fd, head, strlen(head)))
		write_all(fd, script, size);
	free(head);
	free(script);
}

static void shut(struct vm *vm, enum channel channel)
{
	close(vm->qemu.fd[channel]);
	vm->qemu.fd[channel] = -1;
}

static void say(struct vm *vm, const char *word)
{
	if (vm->qemu.fd[CHANNEL_CONTROL] >= 0)
		write_all(vm->qemu.fd[CHANNEL_CONTROL], word, strlen(word));
}

/* A stop was requested: by a signal, or because the run can't go on. */
static void ask_to_stop(struct vm *vm)
{
	const uint64_t now = clock_now();

	if (vm->stops && now - vm->asked < TWICE_SECONDS * CLOCK_SECOND)
		return;
	vm->asked = now;
	vm->stops++;
	if (!vm->begun) {
		kill(vm->qemu.pid, SIGKILL);
	} else if (vm->stops == 1) {
		guest_wait_close(&vm->wait);
		say(vm, "TERM\n");
	} else {
		complain(vm->image.shown, 0,
			 "ending the virtual machine at once: the next mount replays the journal");
		/* On SIGTERM QEMU still completes the writes that it has begun. */
		kill(vm->qemu.pid, vm->stops == 2 ? SIGTERM : SIGKILL);
	}
}

/* The run can't go on, about which a message was printed: let the guest unmount. */
static void fail(struct vm *vm)
{
	const bool first = !vm->failed;

	vm->failed = true;
	if (first && !vm->stops)
		ask_to_stop(vm);
}

/* Pass on an output stream of the tool, up to the 0 byte that ends it: no report contains one. */
static void relay(struct vm *vm, enum channel channel, int to)
{
	char text[65536], *end;
	ssize_t got = read(vm->qemu.fd[channel], text, sizeof(text));
	enum relayed relayed = RELAYED;

	if (got < 0 && errno == EINTR)
		return;
	guest_wait_heard(&vm->wait);
	end = got > 0 ? memchr(text, 0, (size_t)got) : NULL;
	if (got <= 0 || end)
		shut(vm, channel);
	if (end)
		got = end - text;
	if (vm->output_broken)
		return;
	if (got > 0)
		relayed = relay_text(&vm->relay[channel], to, text, (size_t)got, &vm->text_left);
	if (relayed == RELAYED && vm->qemu.fd[channel] < 0)
		relayed = relay_text(&vm->relay[channel], to, "", 0, &vm->text_left);
	if (relayed == RELAYED)
		return;
	vm->output_broken = true;
	if (relayed == RELAY_BROKEN)
		complain("standard output", errno, "can't write it");
	else
		complain(vm->image.shown, 0,
			 "the virtual machine printed more than a run can print: the rest is cut "
			 "off, and the work ended");
	fail(vm);
}

/* The statuses that the tool can end with, and those of a shell for a signal. */
static bool is_status(long status)
{
	return (status >= 0 && status < STATUSES) || (status > 128 && status <= 128 + SIGRTMAX);
}

/* A guest has ended its work with @text as its status. */
static void hear_status(struct vm *vm, const char *text)
{
	char *end;
	const long status = strtol(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || !is_status(status)) {
		complain(vm->image.shown, 0,
			 "the virtual machine sent a status that e3defrag does not have");
		fail(vm);
	} else {
		vm->status = (int)status;
		vm->ran = status <= 128;
	}
}

static void hear_file(struct vm *vm, const char *line)
{
	char name[32];
	uint64_t size;

	if (sscanf(line, "file %31s %" SCNu64, name, &size) != 2)
		return;
	if (files_announce(&vm->files, name, size))
		return;
	complain(vm->image.shown, 0,
		 "the virtual machine sends a report that is too large, or that was not asked for: "
		 "it is not written");
	fail(vm);
}

/* Handle "ready"; "file NAME SIZE", which SIZE bytes follow; "refused"; or "exit STATUS". */
static void hear_line(struct vm *vm, const char *line)
{
	if (!strcmp(line, "ready") && !vm->begun) {
		send_settings(vm);
		return;
	}
	/* The first status counts. */
	if (!vm->begun || vm->status >= 0)
		return;
	if (!strncmp(line, "file ", 5)) {
		hear_file(vm, line);
		return;
	}
	if (!strcmp(line, "refused"))
		vm->status = STATUS_REFUSED;
	else if (!strncmp(line, "exit ", 5))
		hear_status(vm, line + 5);
	else
		return;
	guest_wait_close(&vm->wait);
	say(vm, "bye\n");
}

static void hear(struct vm *vm)
{
	char text[65536], *at = text;
	ssize_t got = read(vm->qemu.fd[CHANNEL_CONTROL], text, sizeof(text));

	if (got < 0 && errno == EINTR)
		return;
	if (got <= 0) {
		shut(vm, CHANNEL_CONTROL);
		return;
	}
	guest_wait_heard(&vm->wait);
	while (at < text + got) {
		size_t left = (size_t)(text + got - at), part;

		if (vm->files.rest) {
			part = vm->files.rest < left ? (size_t)vm->files.rest : left;
			files_receive(&vm->files, at, part);
			at += part;
		} else if (*at == '\n') {
			vm->line[vm->length] = 0;
			vm->length = 0;
			hear_line(vm, vm->line);
			at++;
		} else {
			/* A longer line is not valid: cut it off. */
			if (vm->length + 1 < sizeof(vm->line))
				vm->line[vm->length++] = *at;
			at++;
		}
	}
}

static void hear_signal(struct vm *vm, int fd)
{
	struct signalfd_siginfo info;

	if (read(fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo != SIGUSR1)
		ask_to_stop(vm);
	else if (vm->begun)
		say(vm, "USR1\n");
}

/* Look at the clock and at the image. */
static void watch(struct vm *vm)
{
	const char *overdue = guest_wait_overdue(&vm->wait);

	if (overdue) {
		complain(vm->image.shown, 0, "the virtual machine %s: ending it%s", overdue,
			 vm->begun ? "; the next mount replays the journal" : "");
		/* A limit that was too short to begin is no failure. */
		vm->failed = vm->begun || !vm->wait.closing;
		guest_wait_forget(&vm->wait);
		kill(vm->qemu.pid, SIGKILL);
	}
	if (!vm->failed && image_intruded(&vm->image))
		fail(vm);
}

/* Handle the channels until all have ended, which they do when QEMU ends. */
static void converse(struct vm *vm, int signals)
{
	struct pollfd events[CHANNELS + 1];
	uint64_t watched = clock_now();
	int i, open;

	for (;;) {
		for (i = open = 0; i < CHANNELS; i++) {
			events[i] = (struct pollfd){ .fd = vm->qemu.fd[i], .events = POLLIN };
			open |= vm->qemu.fd[i] >= 0;
		}
		events[CHANNELS] = (struct pollfd){ .fd = signals, .events = POLLIN };
		if (!open)
			return;
		if (poll(events, CHANNELS + 1, TICK) < 0)
			continue;
		if (events[CHANNELS].revents)
			hear_signal(vm, signals);
		if (events[CHANNEL_OUT].revents)
			relay(vm, CHANNEL_OUT, STDOUT_FILENO);
		if (events[CHANNEL_ERR].revents)
			relay(vm, CHANNEL_ERR, STDERR_FILENO);
		if (events[CHANNEL_CONTROL].revents)
			hear(vm);
		if (events[CHANNEL_LOG].revents)
			qemu_log(&vm->qemu);
		/* After what the guest has sent: this process may not have run for a while. */
		if (clock_now() - watched > TICK * (CLOCK_SECOND / 1000)) {
			watched = clock_now();
			watch(vm);
		}
	}
}

/* --- the run --------------------------------------------------------------------------------- */

/* The exit status of the run when QEMU has ended with @ended, a status of waitpid(2). */
static int verdict(struct vm *vm, int ended)
{
	if (vm->failed)
		return STATUS_FAILED;
	if (vm->status >= 0 && vm->status <= 128)
		return vm->status;
	/* Stopped before the tool in the guest was ready, or by a second signal. */
	if (vm->stops || (!vm->begun && vm->wait.closing))
		return STATUS_STOPPED;
	if (vm->status > 128) {
		complain(vm->image.shown, 0, "the run was ended by signal %d", vm->status - 128);
		return STATUS_FAILED;
	}
	qemu_tell(&vm->qemu);
	if (WIFSIGNALED(ended))
		complain(vm->image.shown, 0, "the virtual machine was killed by signal %d",
			 WTERMSIG(ended));
	else
		complain(vm->image.shown, 0, "the virtual machine %s",
			 vm->begun ? "died" : "did not start");
	return STATUS_FAILED;
}

static int run_machine(struct vm *vm, const struct appliance *appliance)
{
	struct sigaction hangup;
	sigset_t set;
	int signals, status;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR1);
	/* Under nohup(1) SIGHUP is ignored, but signalfd(2) would receive it all the same. */
	if (!sigaction(SIGHUP, NULL, &hangup) && hangup.sa_handler != SIG_IGN)
		sigaddset(&set, SIGHUP);
	/* Never unblock them: after the machine has ended its reports must still be written. */
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	if (signals < 0) {
		complain(NULL, errno, "can't wait for signals");
		return STATUS_FAILED;
	}
	image_guard(&vm->image);
	if (!qemu_start(&vm->qemu, appliance, &vm->image)) {
		close(signals);
		return STATUS_FAILED;
	}
	converse(vm, signals);
	status = verdict(vm, qemu_end(&vm->qemu));
	close(signals);
	return status;
}

static bool same_place(int a, int b)
{
	struct stat at, bt;

	return !fstat(a, &at) && !fstat(b, &bt) && at.st_dev == bt.st_dev && at.st_ino == bt.st_ino;
}

static bool wants_kvm(struct appliance *appliance)
{
	const char *accel = getenv("E3DEFRAG_VM_ACCEL");

	return accel && *accel ? !strcmp(accel, "kvm") : qemu_kvm_works(appliance);
}

static int run_in_vm(struct vm *vm)
{
	const struct options *options = vm->options;
	struct appliance appliance;
	int status, settled;

	status = image_open(&vm->image, options->vm, (unsigned int)options->partition,
			    options->check || options->dry_run);
	if (status)
		return status;
	vm->files.limit = limit_reports(&vm->image);
	vm->text_left = limit_text(options, &vm->image);
	if (!appliance_open(&appliance)) {
		status = STATUS_REFUSED;
	} else {
		appliance.kvm = wants_kvm(&appliance);
		status = run_machine(vm, &appliance);
	}
	if (vm->begun) {
		settled = image_settle(&vm->image);
		if (settled)
			status = status_worse(status, settled);
	}
	appliance_close(&appliance);
	return status;
}

/* Where one of the first three is closed, the image could become standard output. */
static bool have_standard_files(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd < 0)
		return false;
	close(fd);
	return true;
}

int vm_run(const struct options *options)
{
	struct vm vm = { .options = options, .status = -1, .merge = same_place(1, 2) };
	const char *strange = files_strange(options);
	struct reports reports;
	int status;

	if (strange) {
		complain(NULL, 0, "--%s can't be used with --vm", strange);
		return STATUS_USAGE;
	}
	if (!have_standard_files()) {
		complain("/dev/null", errno, "can't open it");
		return STATUS_FAILED;
	}
	guest_wait_start(&vm.wait, options->seconds);
	if (!files_open(&vm.files, options)) {
		files_commit(&vm.files);
		return STATUS_FAILED;
	}
	status = run_in_vm(&vm);
	if (!files_commit(&vm.files))
		status = STATUS_FAILED;
	image_close(&vm.image);
	/* A run that was refused or that died gets its reports, too. */
	if (!vm.ran && (!reports_open(&reports, options) ||
			!reports_close(&reports, status, vm.stops ? STOP_SIGNAL : STOP_NOT)))
		status = STATUS_FAILED;
	return status;
}
