// SPDX-License-Identifier: GPL-2.0-only
/*
 * e3defrag: defragment files of a mounted ext3 filesystem while it is in use.
 *
 * The stages, in the order in which data flows through them, a folder each. A stage uses lib/ and
 * the stages above it in this list, never one below it: tests/includes checks that.
 *
 * lib/        what any program could use: memory, messages, output files, columns, the clock
 * fs/         the filesystem: host.c finds the mounted filesystems (hosts) that were named; meta.c
 *             shows the inside of one as text, by ext3meta, which modprobe.c has loaded, and is the
 *             only file that opens files of ext3meta; meta_text.c reads that text, scan.c all
 *             inodes of it, readahead.c ahead of time; md.c and mdstat.c know which files md
 *             arrays write to by block numbers
 * plan/       what is computed without any I/O: layout.c and sequence.c, the blocks of a file in
 *             the order in which they are read, with fragments and score; freemap.c, the free
 *             blocks, whose runs bylength.c finds by their length; plan.c, a place for a file;
 *             plan_parts.c, places for parts of files where no whole file finds a place, as on a
 *             nearly full disk, by the fragments that fragments.c knows, and part.c, what to
 *             request for them; reason.c, why a file is left alone
 * progress/   how far the run is: progress.c is told by all stages; status_line.c has the words of
 *             the line, usage.c what is where on the disk, screen_map.c draws it, terminal.c shows
 *             line or map
 * pacing/     what a run may take: budget.c ends it, throttle.c waits while others use the disk
 * survey/     each file: where its blocks lie (survey.c, with records in files.c), what it is
 *             called (names.c keeps the names, walk.c finds them, in the process of walk_child.c
 *             that names_walk.c waits for and that tells by name_stream.c; inode_set.c says where
 *             it was, leaf_dirs.c where to go first, find_names.c which names are wanted),
 *             whether the user wants it to be left alone (filter.c by what the inode tells,
 *             filter_names.c by its names, with the patterns of exclude.c), which comes first
 *             (order.c), and whether two files claim the same block (claims.c,
 *             multiply_claimed.c); suitable.c, which filesystems are worth a run with --all
 * options.c   the command line
 * job.c       one run on one filesystem: what all that follow share
 * state/      what one run hands on to the next with --state: history.c uses it, by the rules of
 *             state.c; state_text.c is its form, state_file.c keeps it in a file
 * planfile/   the plan of a whole run in a file, written and read
 * move/       defragment.c decides which file is next, attempt.c opens it and looks where it lies,
 *             move.c carries out one plan as far as reserve.c has room for it, partial.c moves
 *             parts of files, apply.c does what a plan from a file says
 * report/     what there is to tell: report.c gathers it, report_*.c tell it, each in a form of its
 *             own, and reports.c has them written to files
 * vm/         where the module can't be loaded: vm.c lets another e3defrag do all of the above in a
 *             virtual machine (qemu.c), on an image or a device that nobody else uses (image.c)
 *
 * status.c has the exit statuses, which any of them may return.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/host.h"
#include "fs/md.h"
#include "fs/meta.h"
#include "job.h"
#include "lib/util.h"
#include "move/apply.h"
#include "move/busy.h"
#include "move/defragment.h"
#include "options.h"
#include "pacing/budget.h"
#include "progress/progress.h"
#include "report/report.h"
#include "report/reports.h"
#include "state/history.h"
#include "status.h"
#include "survey/suitable.h"
#include "vm/vm.h"

static volatile int stop;

static void on_signal(int number)
{
	(void)number;
	if (!stop)
		stop = STOP_SIGNAL;
}

/*
 * SIGINT and SIGTERM finish the step in hand; they don't interrupt system calls. Nor does SIGUSR1,
 * which progress_open() takes.
 */
static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

static bool moves(const struct options *options)
{
	return !options->check && !options->dry_run;
}

/* What the survey and the moves amount to. */
static int job_status(const struct job *job)
{
	bool improved = false;
	size_t i;

	if (job->broken)
		return STATUS_FAILED;
	if (stop)
		return STATUS_STOPPED;
	if (job->survey.failed)
		return STATUS_PARTLY;
	for (i = 0; i < job->survey.files; i++) {
		enum outcome outcome = survey_outcome(&job->survey, &job->survey.file[i]);

		if (outcome == OUTCOME_FAILED || outcome == OUTCOME_PARTLY)
			return STATUS_PARTLY;
		improved |= outcome == OUTCOME_IMPROVED;
	}
	if (job->undone)
		return STATUS_PARTLY;
	return improved || !moves(job->options) ? STATUS_DONE : STATUS_NOTHING;
}

static char *shown_name(const void *survey, const void *file)
{
	return survey_name(survey, file);
}

/* What a function returns that has nothing against going on; else it is the status to end with. */
#define GO_ON (-1)

/*
 * What was written gets its place, what was deleted is free: that is what to look at. On a device
 * that fails nothing is moved; a report may still help.
 */
static int sync_host(struct job *job)
{
	if (job->host->readonly || !job_sync(job))
		return GO_ON;
	return moves(job->options) ? STATUS_FAILED : GO_ON;
}

/* With --map: what is free is seen from the start, and not only what the survey finds. */
static int begin_map(struct job *job)
{
	if (!job->options->map)
		return GO_ON;
	progress_map(&job->usage_before);
	if (job_refresh_free(job))
		return STATUS_FAILED;
	usage_freemap(&job->usage_before, &job->free);
	return GO_ON;
}

/* Look at all that was asked for; the free blocks are read then, too. */
static int survey_job(struct job *job)
{
	const struct options *options = job->options;
	const struct survey_scope scope = {
		/* All that is asked of each; another order may name any of them. */
		.all = options->verbose || options->csv || options->sort != SORT_SCORE,
		.moves = !options->check,
		.top = options->top,
		.least = options->min_fragment,
		.usage = options->usage ? &job->usage_before : NULL,
		.filter = &options->filter,
		.md = job->md,
	};
	int status = sync_host(job);

	if (status != GO_ON)
		return status;
	if (options->usage)
		usage_init(&job->usage_before, job->meta.geo.blocks, USAGE_CELLS);
	progress_host(job->host, job->meta.geo.blocksize, shown_name, &job->survey);
	status = begin_map(job);
	if (status != GO_ON)
		return status;
	free(md_files_read(job->md));
	if (survey_host(&job->survey, &job->meta, job->host, &scope, &job->throttle, job->stop) ||
	    job_refresh_free(job))
		return STATUS_FAILED;
	survey_check(&job->survey, &job->meta, job->host, &job->free, &job->throttle, job->stop);
	if (moves(options))
		progress_end();
	else
		progress_keep();
	if (!stop)
		return GO_ON;
	complain(job->host->mountpoint, 0, "stopped before all files were looked at");
	return STATUS_STOPPED;
}

/* Whether anything may be moved. What forbids it is complained about. */
static bool may_move(struct job *job)
{
	char *unknown;

	if (job->survey.damaged) {
		/* Any block may be one that a map claims which can't be read. */
		complain(job->host->mountpoint, 0,
			 "is damaged: nothing is moved before e2fsck has repaired it");
		return false;
	}
	unknown = md_files_read(job->md);
	if (unknown)
		complain(job->host->mountpoint, 0,
			 "nothing is moved, since any file may be one that must not be: "
			 "%s; e3defrag(8), BLOCK NUMBERS, has more",
			 unknown);
	free(unknown);
	return !unknown;
}

static void move_job(struct job *job)
{
	if (job->options->usage)
		usage_shrink(&job->usage_after, &job->usage_before, USAGE_CELLS);
	if (job->planned)
		apply(job);
	else
		defragment(job);
	report_free_space(&job->free_after, &job->free, &job->meta.geo);
	usage_freemap(&job->usage_after, &job->free);
}

/* Survey, report, move, report. */
static int run_job(struct job *job, struct report *report)
{
	const struct options *options = job->options;
	const int status = survey_job(job);

	if (status != GO_ON)
		return status;
	if (job->planned)
		apply_survey(job);
	report_free_space(&job->free_before, &job->free, &job->meta.geo);
	usage_freemap(&job->usage_before, &job->free);
	history_cool(job);
	survey_best_all(&job->survey, &job->free);
	report_gather(report, job);
	report_survey(report);

	if (options->dry_run) {
		defragment_dry_run(job);
		report_after(report);
		report_dry_run(report);
	} else if (!options->check) {
		if (!may_move(job))
			return STATUS_REFUSED;
		move_job(job);
		report_after(report);
		report_run(report);
	}
	return job_status(job);
}

/* Between what is told of two filesystems. */
static void separate(void)
{
	static bool told;

	if (told)
		putchar('\n');
	told = true;
}

/* With --all: one that nobody named, and that is none for us, is no error. */
#define LEFT_OUT (-1)

static int leave_out(const struct options *options, const struct host *host, const char *why)
{
	if (options->verbose) {
		separate();
		printf("%s: left out: %s\n", host->mountpoint, why);
	}
	return LEFT_OUT;
}

/* All of the work on a host that is fit for it, and what is told of it. */
static int run_fit(struct job *job, struct reports *reports)
{
	struct report report = { 0 };
	int status;

	separate();
	freemap_init(&job->free);
	history_begin(job);
	status = run_job(job, &report);
	progress_host_done();
	history_end(job, status);
	if (report.job)
		reports_add(reports, &report, status);
	report_free(&report);
	freemap_free(&job->free);
	usage_free(&job->usage_before);
	usage_free(&job->usage_after);
	survey_free(&job->survey);
	share_free(&job->share);
	return status;
}

/* Can the module do what is asked for? 0, or the status; that it can't was complained about. */
static int check_module(struct job *job)
{
	const struct features *features = &job->meta.features;

	if (moves(job->options) && features->ro_compat & ~META_RO_COMPAT_KNOWN) {
		complain(job->host->mountpoint, 0,
			 "ext3meta has features that this version only knows "
			 "how to read: ro_compat 0x%" PRIx32,
			 features->ro_compat);
		return STATUS_REFUSED;
	}
	return apply_fits(job) ? 0 : STATUS_REFUSED;
}

/* One invocation, on all filesystems that were named. */
struct run {
	const struct options *options;
	struct hosts hosts;
	struct budget budget;
	struct history *history; /* with --state, else NULL */
	struct planfile planned; /* of --apply */
	struct reports reports;
};

/* ext3meta refuses the host, or can't show it: what to do about it, and the status. */
static int tell_not_open(const struct run *run, const struct host *host, int err, const char *why)
{
	if (run->options->all && err == -ENODEV)
		return leave_out(run->options, host, *why ? why : "ext3meta refuses it");
	if (*why)
		complain(host->mountpoint, 0, "%s", why);
	else
		complain(host->mountpoint, -err, "can't mount ext3meta for it");
	return err == -EPROTO ? STATUS_FAILED : STATUS_REFUSED;
}

/* With the inside of the host open. */
static int run_open(struct run *run, struct job *job)
{
	const struct options *options = run->options;
	const struct host *host = job->host;
	const char *unsuited = NULL;
	int status = check_module(job);

	if (status)
		return status;
	if (options->nice)
		throttle_open(&job->throttle, host->dev, host->device, &stop);
	if (options->all)
		unsuited = unsuitable(&job->meta, &job->throttle, &stop);
	status = unsuited ? leave_out(options, host, unsuited) : run_fit(job, &run->reports);
	throttle_close(&job->throttle);
	return status;
}

static int run_host(struct run *run, const struct host *host)
{
	const struct options *options = run->options;
	struct md_files md = { 0 };
	struct job job = {
		.options = options,
		.host = host,
		.stop = &stop,
		.budget = &run->budget,
		.history = run->history,
		.plan = run->reports.plan,
		.planned = options->apply ? &run->planned : NULL,
		.md = &md,
	};
	char why[512];
	int status, err;

	if (options->all && host->readonly)
		return leave_out(options, host, "mounted read-only");
	if (moves(options) && host->readonly) {
		complain(host->mountpoint, 0, "is mounted read-only; -c reports all the same");
		return STATUS_REFUSED;
	}
	err = meta_open(&job.meta, host->fd, why, sizeof(why));
	if (err)
		return tell_not_open(run, host, err, why);
	job.meta.frozen = busy_frozen;
	job.meta.frozen_arg = &job;
	status = run_open(run, &job);
	md_files_free(&md);
	meta_close(&job.meta);
	return status;
}

/* The filesystems that were asked for. Returns the status of those that can't be had. */
static int find_hosts(struct run *run)
{
	const struct options *options = run->options;
	int status = moves(options) ? STATUS_NOTHING : STATUS_DONE, found = STATUS_DONE;
	size_t i;

	if (options->apply)
		found = apply_read(&run->planned, options, &run->hosts);
	if (found)
		status = status_worse(status, found);
	/* Without the plan that was asked for, there is nothing to do anywhere. */
	for (i = 0; !found && options->target[i]; i++) {
		const int target = hosts_add(&run->hosts, options->target[i]);

		if (target)
			status = status_worse(status, target);
	}
	if (options->all)
		status = status_worse(status, hosts_add_all(&run->hosts));
	return status;
}

/* One filesystem after the other. Returns the worst of @status and theirs. */
static int run_hosts(struct run *run, int status)
{
	size_t i, left_out = 0;

	for (i = 0; i < run->hosts.count && !stop; i++) {
		struct host *host = &run->hosts.host[i];
		/* One that was unmounted before its turn came is none any more. */
		const int found = host_hold(host) ? run_host(run, host) : LEFT_OUT;

		host_release(host);
		if (found == LEFT_OUT)
			left_out++;
		else
			status = status_worse(status, found);
	}
	if (run->options->all && left_out == run->hosts.count && status != STATUS_FAILED)
		puts("No ext3 filesystem is mounted here that e3defrag can work on.");
	/* Those that it didn't come to. */
	if (i < run->hosts.count)
		status = status_worse(status, STATUS_STOPPED);
	return status;
}

/* Put what a run leaves behind where it belongs; only now is known whether that succeeds. */
static int finish(struct run *run, int status)
{
	hosts_free(&run->hosts);
	planfile_free(&run->planned);
	if (run->history && !history_close(run->history))
		status = STATUS_FAILED;
	if (fflush(stdout) || ferror(stdout)) {
		complain("standard output", errno, "can't write it");
		status = STATUS_FAILED;
	}
	return reports_close(&run->reports, status, stop) ? status : STATUS_FAILED;
}

static int run_here(const struct options *options)
{
	struct run run = { .options = options };
	struct history history;
	int status;

	if (geteuid()) {
		complain(NULL, 0, "only root can look inside a filesystem; run it as root");
		return STATUS_REFUSED;
	}
	if (!reports_open(&run.reports, options))
		return STATUS_FAILED;
	/* What has its place on standard output by now keeps it. */
	if (options->quiet && !freopen("/dev/null", "w", stdout)) {
		complain("/dev/null", errno, "can't write it");
		reports_close(&run.reports, STATUS_FAILED, STOP_NOT);
		return STATUS_FAILED;
	}
	if (options->state) {
		status = history_open(&history, options->state, moves(options));
		if (status)
			return reports_close(&run.reports, status, stop) ? status : STATUS_FAILED;
		run.history = &history;
	}
	catch_signals();
	progress_open(options->quiet, options->map);
	progress_bounds(options->seconds, options->max_bytes);
	budget_start(&run.budget, options->seconds, options->max_bytes, options->rate, &stop);

	status = find_hosts(&run);
	if (run.history)
		history_order(run.history, &run.hosts);
	return finish(&run, run_hosts(&run, status));
}

int main(int argc, const char **argv)
{
	struct options options = { 0 };
	int status = options_parse(&options, argc, argv);

	if (status < 0)
		status = options.vm ? vm_run(&options) : run_here(&options);
	options_free(&options);
	return status;
}
