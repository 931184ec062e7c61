// SPDX-License-Identifier: GPL-2.0-only
#include "report/reports.h"

#include <string.h>

#include "status.h"

bool reports_open(struct reports *reports, const struct options *options)
{
	memset(reports, 0, sizeof(*reports));
	reports->started = time(NULL);
	/*
	 * The names of files in private folders are in most reports, so these are root's alone. The
	 * metrics, which have only numbers, can be read by all, because the collector is another
	 * user. --apply refuses a plan that others can write.
	 */
	if ((options->json && !output_open(&reports->json_file, options->json, 0600)) ||
	    (options->csv && !output_open(&reports->csv_file, options->csv, 0600)) ||
	    (options->html && !output_open(&reports->html_file, options->html, 0600)) ||
	    (options->prometheus &&
	     !output_open(&reports->prometheus_file, options->prometheus, 0644)) ||
	    (options->plan && !output_open(&reports->plan_file, options->plan, 0600))) {
		output_drop(&reports->json_file);
		output_drop(&reports->csv_file);
		output_drop(&reports->html_file);
		output_drop(&reports->prometheus_file);
		output_drop(&reports->plan_file);
		return false;
	}
	if (options->json)
		reports->json = report_json_begin(reports->json_file.stream, report_mode(options),
						  reports->started);
	if (options->csv)
		report_csv_begin(reports->csv_file.stream);
	if (options->prometheus)
		reports->prometheus = report_prometheus_begin();
	if (options->html)
		reports->html = report_html_begin(reports->html_file.stream, report_mode(options),
						  reports->started);
	if (options->plan)
		reports->plan = plan_writer_open(reports->plan_file.stream, reports->started);
	return true;
}

void reports_add(struct reports *reports, const struct report *report, int status)
{
	if (reports->json)
		report_json_add(reports->json, report, status);
	if (reports->csv_file.stream)
		report_csv_add(reports->csv_file.stream, report);
	if (reports->prometheus)
		report_prometheus_add(reports->prometheus, report);
	if (reports->html)
		report_html_add(reports->html, report, status);
}

bool reports_close(struct reports *reports, int status, enum stop stop)
{
	time_t ended = time(NULL);
	bool good = true;

	if (reports->json) {
		report_json_end(reports->json, ended, status, stop);
		good &= output_commit(&reports->json_file);
	}
	if (reports->csv_file.stream)
		good &= output_commit(&reports->csv_file);
	if (reports->prometheus) {
		report_prometheus_end(reports->prometheus, reports->prometheus_file.stream,
				      reports->started, ended, status);
		good &= output_commit(&reports->prometheus_file);
	}
	if (reports->html) {
		report_html_end(reports->html, ended, status, stop);
		good &= output_commit(&reports->html_file);
	}
	if (reports->plan) {
		/* A plan for some of the files is valid, but keep none of a run that failed. */
		if (plan_writer_close(reports->plan) && status != STATUS_FAILED)
			good &= output_commit(&reports->plan_file);
		else
			output_drop(&reports->plan_file);
	}
	return good;
}
