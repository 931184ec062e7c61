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
 */
#include "vm/vm.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/output.h"
#include "lib/util.h"
#include "report/reports.h"
#include "status.h"
#include "vm/image.h"
#include "vm/qemu.h"

/*
 * Two signals within this many seconds count as one: timeout(1) sends its signal to the process
 * and to its group.
 */
#define TWICE_SECONDS 2

/* The options that name a file to write; the files are opened as in reports.c. */
static const struct vm_file {
	const char *option;
	mode_t mode;
	bool masked;
} vm_files[] = {
	/* clang-format off */
	{ "csv", 0666, true },
	{ "html", 0666, true },
	{ "json", 0666, true },
	{ "plan", 0644, true },
	{ "prometheus", 0644, false },
	/* clang-format on */
};
#define FILES (sizeof(vm_files) / sizeof(*vm_files))

struct vm {
	const struct options *options;
	struct image image;
	struct qemu qemu;
	struct output file[FILES];
	bool complete[FILES]; /* all of the file was received */
	bool merge;	      /* standard output and standard error are the same file */

	bool begun;	/* the settings were sent: from now on the guest writes to the image */
	int stops;	/* how many times a stop was requested */
	uint64_t asked; /* when the last time, by clock_now() */
	bool output_broken;
	int status; /* of the tool in the guest; -1: not known */
	bool ran;   /* the tool has ended with that status, and was not refused before it began */

	/* The control channel: a line that isn't complete yet, or the rest of a file. */
	char line[128];
	size_t length;
	uint64_t rest;
	size_t to;
};

/* --- what the guest is told ------------------------------------------------------------------ */

/* Quote @text for a shell: between single quotes only the single quote itself is special. */
static void put_quoted(FILE *stream, const char *text)
{
	fputc('\'', stream);
	for (; *text; text++)
		if (*text == '\'')
			fputs("'\\''", stream);
		else
			fputc(*text, stream);
	fputc('\'', stream);
}

static void put_setting(FILE *stream, const char *name, const char *value)
{
	fprintf(stream, "%s=", name);
	put_quoted(stream, value);
	fputc('\n', stream);
}

static size_t file_of(const char *option)
{
	size_t i;

	for (i = 0; i < FILES && strcmp(vm_files[i].option, option); i++)
		;
	return i;
}

/*
 * Write the arguments of the tool in the guest. A report goes to a file in the guest, "-" to
 * standard output.
 */
static void put_arguments(FILE *stream, const struct options *options, const char *point)
{
	size_t i;

	fputs("set --", stream);
	for (i = 0; i < options->given_count; i++) {
		const struct option_given *given = &options->given[i];
		char *text = given->file && strcmp(given->value, "-") ?
				     xasprintf("--%s=/out/%s", given->name, given->name) :
			     given->value ? xasprintf("--%s=%s", given->name, given->value) :
					    xasprintf("--%s", given->name);

		fputc(' ', stream);
		put_quoted(stream, text);
		free(text);
	}
	fputs(" -- ", stream);
	if (!options->target[0])
		put_quoted(stream, point);
	for (i = 0; options->target[i]; i++) {
		char *text = xasprintf("%s/%s", point, options->target[i]);

		fputc(' ', stream);
		put_quoted(stream, text);
		free(text);
	}
	fputc('\n', stream);
}

static bool send_all(int fd, const char *text, size_t size)
{
	while (size) {
		ssize_t sent = write(fd, text, size);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return false;
		text += sent;
		size -= (size_t)sent;
	}
	return true;
}

/* Send the length of a script on a line, then the script, which the guest's init reads. */
static void send_settings(struct vm *vm)
{
	const struct options *options = vm->options;
	char *script = NULL, *head;
	size_t size = 0, i;
	FILE *stream = open_memstream(&script, &size);
	char *point = options->partition ?
			      xasprintf("/vm%s:%ld", vm->image.path, options->partition) :
			      xasprintf("/vm%s", vm->image.path);

	if (!stream) {
		complain(NULL, errno, "can't make the settings of the virtual machine");
		exit(STATUS_FAILED);
	}
	put_setting(stream, "type", vm->image.type);
	put_setting(stream, "point", point);
	put_setting(stream, "image", vm->image.shown);
	put_setting(stream, "merge", vm->merge ? "yes" : "");
	fputs("files='", stream);
	for (i = 0; i < FILES; i++)
		if (vm->file[i].stream)
			fprintf(stream, "%s ", vm_files[i].option);
	fputs("'\n", stream);
	put_arguments(stream, options, point);
	fclose(stream);

	head = xasprintf("%zu\n", size);
	vm->begun = true;
	/* Errors are ignored here: if the guest has died, the end of its channels shows it. */
	if (send_all(vm->qemu.fd[CHANNEL_CONTROL], head, strlen(head)))
		send_all(vm->qemu.fd[CHANNEL_CONTROL], script, size);
	free(head);
	free(script);
	free(point);
}

/* --- what comes from the guest --------------------------------------------------------------- */

static void shut(struct vm *vm, enum channel channel)
{
	close(vm->qemu.fd[channel]);
	vm->qemu.fd[channel] = -1;
}

static void say(struct vm *vm, const char *word)
{
	if (vm->qemu.fd[CHANNEL_CONTROL] >= 0)
		send_all(vm->qemu.fd[CHANNEL_CONTROL], word, strlen(word));
}

/* A stop was requested: by a signal, or because the reader of the output has gone. */
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
		say(vm, "TERM\n");
	} else {
		complain(vm->image.shown, 0,
			 "ending the virtual machine at once: the next mount replays the journal");
		/* On SIGTERM QEMU still completes the writes that it has begun. */
		kill(vm->qemu.pid, vm->stops == 2 ? SIGTERM : SIGKILL);
	}
}

/* Pass on an output stream of the tool, up to the 0 byte that ends it: no report contains one. */
static void relay(struct vm *vm, enum channel channel, int to)
{
	char text[65536], *end;
	ssize_t got = read(vm->qemu.fd[channel], text, sizeof(text));

	if (got < 0 && errno == EINTR)
		return;
	end = got > 0 ? memchr(text, 0, (size_t)got) : NULL;
	if (got <= 0 || end)
		shut(vm, channel);
	if (end)
		got = end - text;
	if (got <= 0 || vm->output_broken || send_all(to, text, (size_t)got))
		return;
	complain("standard output", errno, "can't write it");
	vm->output_broken = true;
	ask_to_stop(vm);
}

/* Handle "ready"; "file NAME SIZE", which SIZE bytes follow; "refused"; or "exit STATUS". */
static void hear_line(struct vm *vm, const char *line)
{
	char name[32];
	uint64_t size;

	if (!strcmp(line, "ready") && !vm->begun) {
		send_settings(vm);
	} else if (sscanf(line, "file %31s %" SCNu64, name, &size) == 2) {
		vm->to = file_of(name);
		vm->rest = size;
		if (vm->to < FILES && !size)
			vm->complete[vm->to] = true;
	} else if (!strcmp(line, "refused")) {
		vm->status = STATUS_REFUSED;
		say(vm, "bye\n");
	} else if (sscanf(line, "exit %d", &vm->status) == 1) {
		vm->ran = vm->status <= 128;
		say(vm, "bye\n");
	}
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
	while (at < text + got) {
		size_t left = (size_t)(text + got - at), part;

		if (vm->rest) {
			part = vm->rest < left ? (size_t)vm->rest : left;
			/* An error stays in the stream until output_commit() reports it. */
			if (vm->to < FILES && vm->file[vm->to].stream)
				fwrite(at, 1, part, vm->file[vm->to].stream);
			vm->rest -= part;
			if (!vm->rest && vm->to < FILES)
				vm->complete[vm->to] = true;
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

/* Handle the channels until all have ended, which they do when QEMU ends. */
static void converse(struct vm *vm, int signals)
{
	struct pollfd events[CHANNELS + 1];
	int i, open;

	for (;;) {
		for (i = open = 0; i < CHANNELS; i++) {
			events[i] = (struct pollfd){ .fd = vm->qemu.fd[i], .events = POLLIN };
			open |= vm->qemu.fd[i] >= 0;
		}
		events[CHANNELS] = (struct pollfd){ .fd = signals, .events = POLLIN };
		if (!open)
			return;
		if (poll(events, CHANNELS + 1, -1) < 0)
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
	}
}

/* --- the run --------------------------------------------------------------------------------- */

static bool open_files(struct vm *vm)
{
	size_t i;

	for (i = 0; i < vm->options->given_count; i++) {
		const struct option_given *given = &vm->options->given[i];
		const size_t number = file_of(given->name);

		if (!given->file || !strcmp(given->value, "-"))
			continue;
		/* If an option is given twice the last one counts, as without --vm. */
		output_drop(&vm->file[number]);
		if (!output_open(&vm->file[number], given->value, vm_files[number].mode,
				 vm_files[number].masked))
			return false;
	}
	return true;
}

/* Complete the files that were received as a whole; of the others the old file stays. */
static bool commit_files(struct vm *vm)
{
	bool good = true;
	size_t i;

	for (i = 0; i < FILES; i++)
		if (!vm->file[i].stream || !vm->complete[i])
			output_drop(&vm->file[i]);
		else
			good &= output_commit(&vm->file[i]);
	return good;
}

/* The exit status of the run when QEMU has ended with @ended, a status of waitpid(2). */
static int verdict(struct vm *vm, int ended)
{
	if (vm->output_broken)
		return STATUS_FAILED;
	if (vm->status >= 0 && vm->status <= 128)
		return vm->status;
	/* A signal before the tool in the guest was ready for it, or a second one. */
	if (vm->stops)
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

/* The option that names a file which can't be passed to the guest; NULL if there is none. */
static const char *strange_file(const struct options *options)
{
	size_t i;

	for (i = 0; i < options->given_count; i++)
		if (options->given[i].file && file_of(options->given[i].name) == FILES)
			return options->given[i].name;
	return NULL;
}

static int run_in_vm(struct vm *vm)
{
	const struct options *options = vm->options;
	struct appliance appliance = { 0 };
	int status, settled;

	status = image_open(&vm->image, options->vm, (unsigned int)options->partition,
			    options->check || options->dry_run);
	if (status)
		return status;
	if (!appliance_find(&appliance))
		status = STATUS_REFUSED;
	else
		status = run_machine(vm, &appliance);
	if (vm->begun) {
		settled = image_settle(&vm->image);
		if (settled)
			status = status_worse(status, settled);
	}
	appliance_free(&appliance);
	return status;
}

int vm_run(const struct options *options)
{
	struct vm vm = { .options = options, .status = -1, .merge = same_place(1, 2) };
	const char *strange = strange_file(options);
	struct reports reports;
	int status;

	if (strange) {
		complain(NULL, 0, "--%s can't be used with --vm", strange);
		return STATUS_USAGE;
	}
	if (!open_files(&vm)) {
		commit_files(&vm);
		return STATUS_FAILED;
	}
	status = run_in_vm(&vm);
	if (!commit_files(&vm))
		status = STATUS_FAILED;
	image_close(&vm.image);
	/* A run that was refused or that died gets its reports, too. */
	if (!vm.ran && (!reports_open(&reports, options) ||
			!reports_close(&reports, status, vm.stops ? STOP_SIGNAL : STOP_NOT)))
		status = STATUS_FAILED;
	return status;
}
