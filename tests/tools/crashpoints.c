// SPDX-License-Identifier: GPL-2.0-only
/*
 * crashpoints: builds what crashes at chosen moments leave on the devices, out of a disklog, has
 * e2fsck replay the journal, and judges the result: e2fsck finds nothing then, nothing is lost, and
 * pointers and inodes are as before or as after the transaction that was being committed, not
 * between.
 * crashpoints [--jobs N] [--list FILE] [--sample COUNT:FOLDER] [--folder FOLDER] [--lying] LOG FS
 * POINTS SEED
 *	looks at about POINTS points of filesystem FS. FILE gets a line "EVENT.CHOICE SIGNATURE" for
 *	each; COUNT of the states are put into FOLDER, so that something else can replay them. The
 *	last line is "N points, M bad". With --lying the devices only say that they flushed, and
 *	there must be bad ones. FOLDER, /dev/shm by default, is for scratch files.
 * crashpoints --point EVENT.CHOICE [--image FILE | --replayed FILE] LOG FS
 *	looks at that one; FILE gets its state with the journal not yet replayed, or is the state
 *	with the journal replayed by someone else. An external journal is in FILE.journal.
 */
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crashfsck.h"
#include "crashjudge.h"
#include "crashplan.h"
#include "crashstate.h"
#include "pattern.h"

#define MAX_JOBS 64
#define TRIES 8
#define SAID 1000 /* of what e2fsck says */

struct point {
	size_t event;
	uint64_t choice, digest;
	bool bad;
};

struct totals {
	uint64_t points, bad;
};

static struct options {
	const char *list, *image, *replayed, *folder, *sample_folder;
	uint64_t jobs, sample, points, seed;
	struct point point;
	bool lying;
} options = { .folder = "/dev/shm", .jobs = 1 };

static struct crash_log crash_log;
static struct crash_plan plan;
static unsigned int number;

/* One process's. */
static struct crash_state state;
static struct judge *judge;
static struct totals totals;
static FILE *list;
static struct point last_end; /* the last state with nothing lost, so that it's judged once */

/* Returns how much is wrong. @replayed: the journal is already. */
static unsigned int replay_and_judge(bool replayed, FILE *report, uint64_t *digest)
{
	const char *journal = crash_log.sizes[1] ? state.files[1] : NULL;
	char said[SAID], copy[SAID];
	unsigned int problems = 0;
	int status;

	if (!replayed) {
		status = run_e2fsck("-p", state.files[0], journal, said, sizeof(said));
		strcpy(copy, said);
		if (status > 1 || !is_e2fsck_replay(copy)) {
			fprintf(report, "  e2fsck -p ends with %d:\n%s", status, said);
			problems++;
		}
	}
	status = run_e2fsck("-fn", state.files[0], journal, said, sizeof(said));
	if (status) {
		fprintf(report, "  e2fsck -fn ends with %d:\n%s", status, said);
		problems++;
	}
	return problems + judge_image(judge, state.files[0], state.scratch, report, digest);
}

/* -------- points -------- */

static int by_value(const void *a, const void *b)
{
	const uint64_t *left = a, *right = b;

	return *left < *right ? -1 : *left > *right;
}

/* True if @signature is new. */
static bool see(uint64_t signature)
{
	static void *seen;
	uint64_t *key = malloc(sizeof(*key));
	void *entry;

	if (!key)
		error(2, ENOMEM, "signatures");
	*key = signature;
	entry = tsearch(key, &seen, by_value);
	if (!entry)
		error(2, ENOMEM, "signatures");
	if (*(uint64_t **)entry == key)
		return true;
	free(key);
	return false;
}

static void say_bad(const struct point *point, const char *report)
{
	totals.bad++;
	printf("BAD filesystem %u point %zu.%" PRIu64 "\n%s", number, point->event, point->choice,
	       report);
	fflush(stdout);
}

static void sample(const struct point *point)
{
	uint64_t dice = options.seed ^ point->event << 20 ^ point->choice;
	char file[512];

	if (below(&dice, options.points) >= options.sample)
		return;
	snprintf(file, sizeof(file), "%s/%u-%zu.%" PRIu64, options.sample_folder, number,
		 point->event, point->choice);
	crash_state_save(&state, file);
}

/* The state is in the scratch files. */
static void judge_point(struct point *point, uint64_t signature)
{
	bool wanted = point->event == options.point.event && point->choice == options.point.choice;
	bool replayed = wanted && options.replayed;
	unsigned int problems;
	char *text = NULL;
	size_t size = 0;
	FILE *report = open_memstream(&text, &size);

	if (!report)
		error(2, ENOMEM, "report");
	if (wanted && options.image)
		crash_state_save(&state, options.image);
	if (replayed)
		crash_state_load(&state, options.replayed);
	if (options.sample && point->choice)
		sample(point);
	if (list)
		fprintf(list, "%zu.%" PRIu64 " %016" PRIx64 "\n", point->event, point->choice,
			signature);
	problems = replay_and_judge(replayed, report, &point->digest);
	fclose(report);
	point->bad = problems;
	if (problems)
		say_bad(point, text);
	free(text);
	crash_state_restore(&state);
}

/* The state after event @event with nothing lost. */
static uint64_t judge_end(size_t event)
{
	struct point point = { .event = event };
	uint64_t signature;

	if (last_end.event == event && event)
		return last_end.digest;
	signature = crash_state_build(&state, 0);
	totals.points += see(signature);
	judge_point(&point, signature);
	last_end = point;
	return point.digest;
}

/* A cut after event @event; false if all that was tried is known already. */
static bool judge_cut(struct point *point, uint64_t *random)
{
	int tries;

	for (tries = 0; tries < TRIES; tries++) {
		uint64_t signature;
		bool new;

		if (!options.point.event)
			point->choice = 1 + below(random, 1 << 30);
		signature = crash_state_build(&state, point->choice);
		new = see(signature);
		if (new || options.point.event) {
			totals.points += new;
			judge_point(point, signature);
			return true;
		}
		crash_state_restore(&state);
	}
	return false;
}

/* The events that a cut may come after, of an epoch: its writes and marks. */
static uint64_t *choose_cuts(const struct crash_epoch *epoch, uint64_t *random)
{
	uint64_t *cuts = calloc(epoch->cuts + 1, sizeof(*cuts)), i;

	if (!cuts)
		error(2, ENOMEM, "cuts");
	for (i = 0; i < epoch->cuts; i++)
		cuts[i] = options.point.event ?
				  options.point.event :
				  epoch->first + below(random, epoch->last - epoch->first);
	qsort(cuts, epoch->cuts, sizeof(*cuts), by_value);
	return cuts;
}

/* The state is that before the epoch's first event. */
static void do_epoch(const struct crash_epoch *epoch)
{
	uint64_t random = options.seed ^ (uint64_t)number << 48 ^ epoch->first, before, after;
	uint64_t *cuts = choose_cuts(epoch, &random);
	size_t event, next = 0, done = 0, i;
	struct point *points = calloc(epoch->cuts + 1, sizeof(*points));

	if (!points)
		error(2, ENOMEM, "points");
	before = judge_end(epoch->first - 1);
	for (event = epoch->first; event <= epoch->last; event++) {
		if (crash_log.events[event].kind == CRASH_MARK)
			judge_mark(judge, crash_log.events[event].data);
		crash_state_step(&state, event);
		for (; next < epoch->cuts && cuts[next] == event; next++) {
			points[done].event = event;
			points[done].choice = options.point.choice;
			done += judge_cut(&points[done], &random);
		}
	}
	after = judge_end(epoch->last);
	for (i = 0; i < done; i++)
		if (!points[i].bad && points[i].digest != before && points[i].digest != after)
			say_bad(&points[i], "  inodes or pointers are neither those before nor "
					    "those after the transaction\n");
	free(points);
	free(cuts);
}

/*
 * With data=writeback and an external journal fsync leaves the flush of the filesystem's device to
 * the commit, which makes it for ordered data only, and for a swap of ours.
 */
static struct judge_rules rules(void)
{
	return (struct judge_rules){
		.ordered = crash_log.ordered,
		.unflushed = !crash_log.ordered && crash_log.sizes[1],
	};
}

static void start_process(void)
{
	struct judge_rules of_kind = rules();
	size_t event;

	crash_state_open(&state, &crash_log, options.folder);
	judge = judge_new(&of_kind);
	for (event = 0; event < crash_log.base; event++)
		crash_state_step(&state, event);
	state.lying = options.lying;
	crash_state_build(&state, 0);
	judge_base(judge, state.files[0], state.scratch);
	crash_state_restore(&state);
}

/* Epochs @from to @to, in one process. */
static void do_epochs(size_t from, size_t to)
{
	size_t event = crash_log.base, i;

	start_process();
	if (options.list) {
		list = fopen(options.list, "ae");
		if (!list)
			error(2, errno, "%s", options.list);
	}
	for (i = from; i < to; i++) {
		const struct crash_epoch *epoch = &plan.epochs[i];

		if (!epoch->wanted)
			continue;
		for (; event < epoch->first; event++) {
			if (crash_log.events[event].kind == CRASH_MARK)
				judge_mark(judge, crash_log.events[event].data);
			crash_state_step(&state, event);
		}
		do_epoch(epoch);
		event = epoch->last + 1;
	}
	if (list && fclose(list))
		error(2, errno, "%s", options.list);
	crash_state_close(&state);
}

/* Where part @job of @jobs begins, so that each has as many points to do. */
static size_t part_begin(uint64_t job, uint64_t jobs)
{
	uint64_t all = 0, sum = 0;
	size_t i;

	for (i = 0; i < plan.count; i++)
		all += plan.epochs[i].wanted + plan.epochs[i].cuts;
	for (i = 0; i < plan.count && sum * jobs < all * job; i++)
		sum += plan.epochs[i].wanted + plan.epochs[i].cuts;
	return job == jobs ? plan.count : i;
}

static void do_jobs(void)
{
	struct totals of_job;
	int pipes[2], status;
	uint64_t job;

	if (pipe2(pipes, O_CLOEXEC))
		error(2, errno, "pipe");
	fflush(stdout);
	for (job = 0; job < options.jobs; job++) {
		pid_t pid = fork();

		if (pid < 0)
			error(2, errno, "fork");
		if (pid)
			continue;
		do_epochs(part_begin(job, options.jobs), part_begin(job + 1, options.jobs));
		if (write(pipes[1], &totals, sizeof(totals)) != sizeof(totals))
			error(2, errno, "pipe");
		exit(0);
	}
	close(pipes[1]);
	for (job = 0; job < options.jobs; job++)
		if (wait(&status) < 0 || status)
			error(2, 0, "a process ended with status %x", status);
	for (job = 0; job < options.jobs; job++) {
		if (read(pipes[0], &of_job, sizeof(of_job)) != sizeof(of_job))
			error(2, errno, "pipe");
		totals.points += of_job.points;
		totals.bad += of_job.bad;
	}
}

/* Only the epoch that the point is in. */
static void do_one_point(void)
{
	size_t i;

	for (i = 0; i < plan.count; i++) {
		struct crash_epoch *epoch = &plan.epochs[i];

		if (options.point.event + 1 < epoch->first || options.point.event > epoch->last)
			continue;
		epoch->wanted = true;
		epoch->cuts = options.point.choice != 0;
		do_epochs(i, i + 1);
		return;
	}
	error(2, 0, "no epoch has event %zu", options.point.event);
}

static int usage(void)
{
	fprintf(stderr,
		"usage: crashpoints [--jobs N] [--list FILE] [--sample COUNT:FOLDER]\n"
		"                   [--folder FOLDER] [--lying] LOG FS POINTS SEED\n"
		"       crashpoints --point EVENT.CHOICE [--image FILE | --replayed FILE] LOG "
		"FS\n");
	return 2;
}

static bool parse_options(int argc, char **argv)
{
	static const struct option known[] = {
		{ "jobs", required_argument, NULL, 'j' },
		{ "list", required_argument, NULL, 'l' },
		{ "sample", required_argument, NULL, 's' },
		{ "folder", required_argument, NULL, 'f' },
		{ "point", required_argument, NULL, 'p' },
		{ "image", required_argument, NULL, 'i' },
		{ "replayed", required_argument, NULL, 'r' },
		{ "lying", no_argument, NULL, 'L' },
		{ NULL, 0, NULL, 0 },
	};
	int option, at;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (option) {
		case 'j':
			options.jobs = parse_number(optarg, "N");
			break;
		case 'l':
			options.list = optarg;
			break;
		case 's':
			if (sscanf(optarg, "%" SCNu64 ":%n", &options.sample, &at) != 1)
				return false;
			options.sample_folder = optarg + at;
			break;
		case 'f':
			options.folder = optarg;
			break;
		case 'p':
			if (sscanf(optarg, "%zu.%" SCNu64, &options.point.event,
				   &options.point.choice) != 2)
				return false;
			break;
		case 'i':
			options.image = optarg;
			break;
		case 'r':
			options.replayed = optarg;
			break;
		case 'L':
			options.lying = true;
			break;
		default:
			return false;
		}
	}
	return options.jobs && options.jobs <= MAX_JOBS;
}

int main(int argc, char **argv)
{
	bool one;

	if (!parse_options(argc, argv))
		return usage();
	one = options.point.event;
	if (argc - optind != (one ? 2 : 4))
		return usage();
	number = parse_number(argv[optind + 1], "FS");
	crash_log_read(&crash_log, argv[optind], number);
	crash_plan_make(&plan, &crash_log);
	if (one) {
		do_one_point();
	} else {
		options.points = parse_number(argv[optind + 2], "POINTS");
		options.seed = parse_number(argv[optind + 3], "SEED");
		crash_plan_choose(&plan, options.points, options.seed);
		printf("filesystem %u: %zu events, %zu epochs\n", number,
		       crash_log.count - crash_log.base, plan.count);
		do_jobs();
	}
	printf("%" PRIu64 " points, %" PRIu64 " bad\n", totals.points, totals.bad);
	return totals.bad ? 1 : 0;
}
