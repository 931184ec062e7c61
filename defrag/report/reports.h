/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The reports that are written to files. They are opened before the work begins, so that an error
 * is found early, and completed after it.
 */
#ifndef E3DEFRAG_REPORTS_H
#define E3DEFRAG_REPORTS_H

#include <stdbool.h>

#include "lib/output.h"
#include "planfile/planfile_write.h"
#include "report/report.h"

struct reports {
	struct output json_file, csv_file, prometheus_file, html_file, plan_file;
	struct report_json *json;
	struct plan_writer *plan; /* gets what a dry run plans */
	struct report_prometheus *prometheus;
	struct report_html *html;
	time_t started;
};

/* Open the reports that @options ask for. Returns false after a message if one can't be written. */
bool reports_open(struct reports *reports, const struct options *options);
void reports_add(struct reports *reports, const struct report *report, int status);
/* Complete them. Returns false after a message if one of them could not be written. */
bool reports_close(struct reports *reports, int status, enum stop stop);

#endif
