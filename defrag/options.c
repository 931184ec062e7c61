// SPDX-License-Identifier: GPL-2.0-only
#include "options.h"

#include <popt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"
#include "status.h"
#include "version.h"

/* How many files a report names unless told otherwise. */
#define TOP 10
/* Options that may come several times, as popt tells of them. */
enum { OPTION_EXCLUDE = 1, OPTION_EXCLUDE_FROM };
/* A rate below this would have steps of fewer bytes than a block for some filesystems. */
#define RATE_LEAST (64U << 10)

/* The command line as popt leaves it, of which the checks below make options. It is read once. */
static struct {
	int all, check, dry_run, map, nice, quiet, verbose;
	char *min_fragment, *sort, *time, *max_bytes, *rate, *reserve;
	char *json, *csv, *prometheus, *html, *state, *plan, *apply, *vm;
	long top, partition;
	struct filter_options filter;
} raw = { .top = TOP };

static const struct poptOption table[] = {
	{ "all", 0, POPT_ARG_NONE, &raw.all, 0,
	  "Work on each ext3 or ext4 filesystem that is mounted", NULL },
	{ "apply", 0, POPT_ARG_STRING, &raw.apply, 0,
	  "Make the moves of the plan in FILE that are possible", "FILE" },
	{ "bwlimit", 0, POPT_ARG_STRING, &raw.rate, 0, "Move at most RATE bytes per second",
	  "RATE" },
	{ "check", 'c', POPT_ARG_NONE, &raw.check, 0, "Print the report, and move nothing", NULL },
	{ "csv", 0, POPT_ARG_STRING, &raw.csv, 0, "Write the report as CSV to FILE", "FILE" },
	{ "dry-run", 'n', POPT_ARG_NONE, &raw.dry_run, 0,
	  "Print what would be moved where; move nothing", NULL },
	{ "exclude", 0, POPT_ARG_STRING, NULL, OPTION_EXCLUDE,
	  "Leave files alone whose path matches GLOB", "GLOB" },
	{ "exclude-from", 0, POPT_ARG_STRING, NULL, OPTION_EXCLUDE_FROM,
	  "Leave files alone that match a line of FILE", "FILE" },
	{ "html", 0, POPT_ARG_STRING, &raw.html, 0,
	  "Write the report as a web page with maps to FILE", "FILE" },
	{ "json", 0, POPT_ARG_STRING, &raw.json, 0, "Write the report as JSON to FILE", "FILE" },
	{ "map", 0, POPT_ARG_NONE, &raw.map, 0, "Show a map of the filesystem's blocks", NULL },
	{ "max-bytes", 0, POPT_ARG_STRING, &raw.max_bytes, 0, "End the run after moving SIZE bytes",
	  "SIZE" },
	{ "max-size", 0, POPT_ARG_STRING, &raw.filter.max_size, 0,
	  "Leave files alone that are larger than SIZE", "SIZE" },
	{ "min-fragment-size", 0, POPT_ARG_STRING, &raw.min_fragment, 0,
	  "Leave files alone whose fragments are about SIZE long", "SIZE" },
	{ "min-fragments", 0, POPT_ARG_STRING, &raw.filter.min_fragments, 0,
	  "Leave files alone that have fewer than N fragments", "N" },
	{ "min-score", 0, POPT_ARG_STRING, &raw.filter.min_score, 0,
	  "Leave files alone that have a score below N", "N" },
	{ "min-size", 0, POPT_ARG_STRING, &raw.filter.min_size, 0,
	  "Leave files alone that are smaller than SIZE", "SIZE" },
	{ "nice", 'N', POPT_ARG_NONE, &raw.nice, 0, "Use the disk little while others use it",
	  NULL },
	{ "older-than", 0, POPT_ARG_STRING, &raw.filter.older_than, 0,
	  "Leave files alone that changed less than TIME ago", "TIME" },
	{ "partition", 0, POPT_ARG_LONG, &raw.partition, 0,
	  "Work on partition N of IMAGE (with --vm)", "N" },
	{ "plan", 0, POPT_ARG_STRING, &raw.plan, 0, "Do a dry run, and write its moves to FILE",
	  "FILE" },
	{ "prometheus", 0, POPT_ARG_STRING, &raw.prometheus, 0,
	  "Write metrics for node_exporter to FILE", "FILE" },
	{ "quiet", 'q', POPT_ARG_NONE, &raw.quiet, 0,
	  "Print only errors: no progress, no text report", NULL },
	{ "reserve", 0, POPT_ARG_STRING, &raw.reserve, 0,
	  "Always leave SIZE free, or N% of the filesystem", "SIZE" },
	{ "sort", 0, POPT_ARG_STRING, &raw.sort, 0, "List files by score, fragments, size or name",
	  "KEY" },
	{ "state", 0, POPT_ARG_STRING | POPT_ARGFLAG_OPTIONAL, &raw.state, 0,
	  "Continue where the last run stopped, using the state in FILE", "FILE" },
	{ "time", 't', POPT_ARG_STRING, &raw.time, 0, "End the run after TIME", "TIME" },
	{ "top", 0, POPT_ARG_LONG, &raw.top, 0, "List N fragmented files instead of 10", "N" },
	{ "verbose", 'v', POPT_ARG_NONE, &raw.verbose, 0,
	  "Report on every file, not only on the worst", NULL },
	{ "vm", 0, POPT_ARG_STRING, &raw.vm, 0,
	  "Work in a virtual machine on an image or device that is not mounted", "IMAGE" },
	{ "version", 'V', POPT_ARG_NONE, NULL, 'V', "Print the version and exit", NULL },
	{ "help", 'h', POPT_ARG_NONE, NULL, 'h', "Print this help and exit", NULL },
	{ NULL, '?', POPT_ARG_NONE | POPT_ARGFLAG_DOC_HIDDEN, NULL, 'h', NULL, NULL },
	{ "usage", 0, POPT_ARG_NONE, NULL, 'u', "Print a short usage line and exit", NULL },
	POPT_TABLEEND
};

/* SIZE, or N% of the filesystem. */
static bool parse_reserve(const char *text, struct options *options)
{
	char *end;
	unsigned long percent;

	options->reserve_given = true;
	if (*text < '0' || *text > '9')
		return false;
	percent = strtoul(text, &end, 10);
	if (strcmp(end, "%"))
		return parse_size(text, &options->reserve);
	options->percent = (uint32_t)percent;
	return percent <= 100;
}

static bool parse_sort(const char *text, enum sort *sort)
{
	static const char *const name[] = {
		[SORT_SCORE] = "score",
		[SORT_FRAGMENTS] = "fragments",
		[SORT_SIZE] = "size",
		[SORT_NAME] = "name",
	};
	size_t i;

	for (i = 0; i < sizeof(name) / sizeof(*name); i++)
		if (!strcmp(text, name[i])) {
			*sort = (enum sort)i;
			return true;
		}
	return false;
}

/* How many reports go to that file. */
static unsigned int reports_to(const struct options *options, const char *name)
{
	const char *const file[] = { options->json, options->csv, options->prometheus,
				     options->html };
	unsigned int count = 0;
	size_t i;

	for (i = 0; i < sizeof(file) / sizeof(*file); i++)
		count += name && file[i] && !strcmp(file[i], name);
	return count;
}

/*
 * The checks: each returns what is wrong with the command line, or NULL. Those of numbers fill in
 * @options.
 */

static const char *check_modes(const struct options *options)
{
	if (raw.check && raw.dry_run)
		return "--check and --dry-run exclude each other";
	if (options->quiet && options->verbose)
		return "--quiet and --verbose exclude each other";
	if (options->quiet && options->map)
		return "--quiet and --map exclude each other";
	return NULL;
}

static const char *check_bounds(struct options *options)
{
	if (raw.time && (!parse_time(raw.time, &options->seconds) || !options->seconds))
		return "--time wants a TIME like 90, 30m, 5h or 7d, up to 10000d";
	if ((raw.max_bytes &&
	     (!parse_size(raw.max_bytes, &options->max_bytes) || !options->max_bytes)) ||
	    (raw.rate && (!parse_size(raw.rate, &options->rate) || options->rate < RATE_LEAST)))
		return "--max-bytes and --bwlimit want a number like 500M, up to 1024G; "
		       "a RATE of 64K at least";
	if (raw.reserve && !parse_reserve(raw.reserve, options))
		return "--reserve wants a SIZE like 500M, up to 1024G, or like 2%";
	return NULL;
}

static const char *check_choice(struct options *options)
{
	if (raw.min_fragment && !parse_size(raw.min_fragment, &options->min_fragment))
		return "--min-fragment-size wants a SIZE like 128K, up to 1024G";
	if (raw.sort && !parse_sort(raw.sort, &options->sort))
		return "--sort wants score, fragments, size or name";
	if (raw.top < 0 || raw.top > UINT32_MAX)
		return "--top wants a number of files";
	options->top = (uint32_t)raw.top;
	if (options->partition < 0 || options->partition > 255 ||
	    (options->partition && !options->vm))
		return "--partition wants the number of one, and --vm";
	return NULL;
}

static const char *check_reports(const struct options *options)
{
	if (reports_to(options, ""))
		return "a report wants the name of a FILE";
	if (reports_to(options, options->json) > 1 || reports_to(options, options->csv) > 1 ||
	    reports_to(options, options->prometheus) > 1)
		return "two reports can't go to one FILE";
	return NULL;
}

static const char *check_state(const struct options *options)
{
	if (!options->state)
		return NULL;
	if (!*options->state || !strcmp(options->state, "-"))
		return "--state wants the name of a FILE";
	if (reports_to(options, options->state))
		return "a report can't go to the FILE of --state";
	return NULL;
}

static const char *check_plans(const struct options *options)
{
	if (options->plan && raw.check)
		return "--check and --plan exclude each other";
	if (options->apply && (raw.check || raw.dry_run || options->plan))
		return "--apply moves files: it excludes --check, --dry-run and --plan";
	if ((options->plan && !*options->plan) ||
	    (options->apply && (!*options->apply || !strcmp(options->apply, "-"))))
		return "a plan wants the name of a FILE";
	if (reports_to(options, options->plan) || reports_to(options, options->apply))
		return "a plan and a report can't be one FILE";
	return NULL;
}

static const char *check_targets(const struct options *options)
{
	const bool named = options->target[0];

	if (options->all && (named || options->vm))
		return "--all goes with no TARGET, and not with --vm";
	if (options->all && options->apply)
		return "--all and --apply exclude each other";
	if (!named && !options->vm && !options->apply && !options->all)
		return "no TARGET given";
	return NULL;
}

/* Check all of it, in the order in which it is told; what is wrong is complained about. */
static bool check_options(struct options *options)
{
	const char *wrong = check_modes(options);

	if (!wrong)
		wrong = check_bounds(options);
	if (!wrong)
		wrong = check_choice(options);
	/* It complains by itself. */
	if (!wrong && !filter_parse(&options->filter, &raw.filter))
		return false;
	if (!wrong)
		wrong = check_reports(options);
	if (!wrong)
		wrong = check_state(options);
	if (!wrong)
		wrong = check_plans(options);
	if (!wrong)
		wrong = check_targets(options);
	if (wrong)
		complain(NULL, 0, "%s", wrong);
	return !wrong;
}

/*
 * popt would take what follows "--state" for its FILE, though it be a TARGET: the default is put
 * there in full. The answer is malloc'd.
 */
static const char **with_default_state(int argc, const char **argv)
{
	const char **full = xreallocarray(NULL, (size_t)argc + 1, sizeof(*full));
	bool options = true;
	int i;

	for (i = 0; i < argc; i++) {
		options = options && strcmp(argv[i], "--");
		full[i] = options && !strcmp(argv[i], "--state") ? "--state=" STATE_FILE : argv[i];
	}
	full[argc] = NULL;
	return full;
}

/* The command line once more, for the options as they were given: but those of the appliance. */
static void note_given(struct options *options, int argc, const char **argv)
{
	const struct exclude *exclude = &options->filter.exclude;
	const size_t own_count = sizeof(table) / sizeof(*table) - 1;
	struct poptOption own[sizeof(table) / sizeof(*table)] = { 0 };
	poptContext context;
	size_t i, k;
	int got;

	/* All but the end of the table. */
	for (i = 0; i < own_count; i++) {
		const unsigned int kind = table[i].argInfo & POPT_ARG_MASK;

		own[i] = table[i];
		own[i].arg = NULL;
		own[i].val = (int)i + 1;
		own[i].argInfo = kind == POPT_ARG_NONE || kind == POPT_ARG_VAL ? POPT_ARG_NONE :
										 POPT_ARG_STRING;
	}
	context = poptGetContext("e3defrag", argc, argv, own, 0);
	while ((got = poptGetNextOpt(context)) > 0) {
		const struct poptOption *option = &table[got - 1];
		char *value = poptGetOptArg(context);

		/* What excludes comes below, without the files that it may have come from. */
		if (option->arg == &raw.vm || option->arg == &raw.partition ||
		    option->val == OPTION_EXCLUDE || option->val == OPTION_EXCLUDE_FROM) {
			free(value);
			continue;
		}
		vec_more(options->given, options->given_count, options->given_room);
		options->given[options->given_count++] = (struct option_given){
			.name = option->longName,
			.value = value,
			.file = option->argDescrip && !strcmp(option->argDescrip, "FILE"),
		};
	}
	poptFreeContext(context);
	for (k = 0; k < exclude->count; k++) {
		vec_more(options->given, options->given_count, options->given_room);
		options->given[options->given_count++] = (struct option_given){
			.name = "exclude",
			.value = xstrdup(exclude->pattern[k].text),
		};
	}
}

static void print_help(poptContext context)
{
	int i;

	poptPrintHelp(context, stdout, 0);
	printf("\nDefragments files of mounted ext3 filesystems while they are in use.\n"
	       "\nA TARGET is a file, a directory (the files below it), a mount point or mounted\n"
	       "block device (the whole filesystem). With --vm it is a path in IMAGE, by default\n"
	       "the whole filesystem. With --apply, the default is all filesystems of the plan.\n"
	       "\nA SIZE is in bytes, or has the suffix K, M or G. A RATE is a SIZE per second.\n"
	       "A TIME is in seconds, or has the suffix m, h or d. See e3defrag(8) for more.\n"
	       "\nExit status:\n");
	for (i = 0; i < STATUSES; i++)
		printf("  %d  %s\n", i, status_text((enum status)i));
}

/* Read them one by one. Returns -1 to go on, else the status to exit with. */
static int read_options(poptContext context)
{
	char *wrong;
	int got;

	while ((got = poptGetNextOpt(context)) != -1) {
		switch (got) {
		case OPTION_EXCLUDE:
			filter_option_add(&raw.filter.exclude, poptGetOptArg(context));
			break;
		case OPTION_EXCLUDE_FROM:
			filter_option_add(&raw.filter.exclude_from, poptGetOptArg(context));
			break;
		case 'h':
			print_help(context);
			return STATUS_DONE;
		case 'u':
			poptPrintUsage(context, stdout, 0);
			return STATUS_DONE;
		case 'V':
			puts("e3defrag " E3DEFRAG_VERSION);
			return STATUS_DONE;
		default:
			/* A shell may have made it from the name of somebody's file. */
			wrong = printable(poptBadOption(context, POPT_BADOPTION_NOALIAS));
			complain(NULL, 0, "%s: %s", wrong, poptStrerror(got));
			free(wrong);
			return STATUS_USAGE;
		}
	}
	return -1;
}

/* What needs no check. @args is NULL or ended by NULL. */
static void take_values(struct options *options, const char **args)
{
	size_t count = 0, i;

	*options = (struct options){
		.all = raw.all,
		.check = raw.check,
		.dry_run = raw.dry_run || raw.plan,
		.nice = raw.nice,
		.verbose = raw.verbose,
		.usage = raw.html || raw.map,
		.quiet = raw.quiet,
		.map = raw.map,
		.json = raw.json,
		.csv = raw.csv,
		.prometheus = raw.prometheus,
		.html = raw.html,
		.state = raw.state,
		.plan = raw.plan,
		.apply = raw.apply,
		.vm = raw.vm,
		.partition = raw.partition,
	};
	while (args && args[count])
		count++;
	options->target = xreallocarray(NULL, count + 1, sizeof(*options->target));
	for (i = 0; i < count; i++)
		options->target[i] = xstrdup(args[i]);
	options->target[count] = NULL;
}

static void free_raw(void)
{
	filter_options_free(&raw.filter);
	free(raw.min_fragment);
	free(raw.sort);
	free(raw.time);
	free(raw.max_bytes);
	free(raw.rate);
	free(raw.reserve);
}

int options_parse(struct options *options, int argc, const char **given)
{
	const char **argv = with_default_state(argc, given);
	poptContext context = poptGetContext("e3defrag", argc, argv, table, 0);
	int status;

	poptSetOtherOptionHelp(context, "[OPTION...] TARGET...");
	status = read_options(context);
	take_values(options, status < 0 ? poptGetArgs(context) : NULL);
	if (status < 0 && !check_options(options))
		status = STATUS_USAGE;
	if (status < 0 && options->vm)
		note_given(options, argc, argv);
	if (status == STATUS_USAGE)
		fputs("Try 'e3defrag --help'.\n", stderr);
	poptFreeContext(context);
	free(argv);
	free_raw();
	return status;
}

void options_free(struct options *options)
{
	size_t i;

	for (i = 0; options->target && options->target[i]; i++)
		free(options->target[i]);
	free(options->target);
	for (i = 0; i < options->given_count; i++)
		free(options->given[i].value);
	free(options->given);
	filter_free(&options->filter);
	free(options->vm);
	free(options->json);
	free(options->csv);
	free(options->prometheus);
	free(options->html);
	free(options->state);
	free(options->plan);
	free(options->apply);
}
