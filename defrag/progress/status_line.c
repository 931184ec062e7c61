// SPDX-License-Identifier: GPL-2.0-only
#include "progress/status_line.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/columns.h"
#include "lib/util.h"

#define SECOND 1000000.0
/* Seconds after which an old measurement of the rate has lost about half of its weight. */
#define MEMORY 10.0
/* Seconds before the first rate is computed: earlier ones are not reliable. */
#define RATE_FIRST 1.0
/* A name in fewer columns than this would not be recognized. */
#define NAME_LEAST 10

void rate_start(struct rate *rate, uint64_t now)
{
	*rate = (struct rate){ .began = now, .at = now };
}

void rate_look(struct rate *rate, uint64_t now, uint64_t amount)
{
	const double all = (double)(now - rate->began) / SECOND;
	const double since = (double)(now - rate->at) / SECOND;
	const double more = amount > rate->amount ? (double)(amount - rate->amount) : 0;

	if (all < RATE_FIRST || since <= 0)
		return;
	if (all <= MEMORY || rate->at == rate->began)
		rate->each = (double)amount / all;
	else
		rate->each += (more / since - rate->each) * since / (since + MEMORY);
	rate->at = now;
	rate->amount = amount;
}

static bool in_bytes(const struct status_line *status)
{
	return status->stage == STAGE_MOVE;
}

uint64_t status_line_left(const struct status_line *status)
{
	const uint64_t done = in_bytes(status) ? status->bytes : status->files;
	const uint64_t all = in_bytes(status) ? status->bytes_all : status->files_all;
	double left;

	/* A rate below one byte or file in a thousand seconds is too low to predict from. */
	if (!all || status->rate.each < 0.001)
		return status->most;
	left = all > done ? (double)(all - done) / status->rate.each + 0.5 : 0;
	if (left > 1e9)
		return status->most;
	return (uint64_t)left < status->most ? (uint64_t)left : status->most;
}

char *status_line_clock(uint64_t seconds, char to[CLOCK_SIZE])
{
	const unsigned int s = (unsigned int)(seconds % 60), m = (unsigned int)(seconds / 60 % 60);

	if (seconds < 3600)
		snprintf(to, CLOCK_SIZE, "%u:%02u", m, s);
	else
		snprintf(to, CLOCK_SIZE, "%" PRIu64 ":%02u:%02u", seconds / 3600, m, s);
	return to;
}

static const char *stage_text(enum stage stage)
{
	static const char *const text[STAGES] = {
		[STAGE_NONE] = "between two stages",
		[STAGE_LIST] = "listing files",
		[STAGE_LOOK] = "looking at files",
		[STAGE_CLAIMED] = "checking multiply claimed blocks",
		[STAGE_NAMES] = "finding names",
		[STAGE_PLAN] = "planning",
		[STAGE_MOVE] = "moving files",
	};

	return text[stage];
}

/* The parts of the line as texts, "" for a part that is left out. */
struct parts {
	char files[64], bytes[64], fragments[64], rate[64], left[64];
};

static void take_apart(const struct status_line *status, struct parts *parts)
{
	const uint64_t left = status_line_left(status);
	char a[HUMAN_SIZE], b[HUMAN_SIZE], clock[CLOCK_SIZE];

	memset(parts, 0, sizeof(*parts));
	if (status->stage == STAGE_NONE)
		return;
	if (status->files_all)
		snprintf(parts->files, sizeof(parts->files), "%" PRIu64 " of %" PRIu64,
			 status->files, status->files_all);
	else
		snprintf(parts->files, sizeof(parts->files), "%" PRIu64, status->files);
	if (in_bytes(status))
		snprintf(parts->bytes, sizeof(parts->bytes), "%s of %s", human(status->bytes, a),
			 human(status->bytes_all, b));
	else if (status->stage == STAGE_LOOK)
		snprintf(parts->bytes, sizeof(parts->bytes), "%s", human(status->bytes, a));
	if (in_bytes(status) || status->stage == STAGE_LOOK)
		snprintf(parts->fragments, sizeof(parts->fragments), "%" PRIu64 " fragments",
			 status->fragments);
	if (status->rate.each > 0 && in_bytes(status))
		snprintf(parts->rate, sizeof(parts->rate), "%s/s",
			 human((uint64_t)status->rate.each, a));
	else if (status->rate.each > 0)
		snprintf(parts->rate, sizeof(parts->rate), "%.0f/s", status->rate.each);
	if (left != UINT64_MAX)
		snprintf(parts->left, sizeof(parts->left), "%s left",
			 status_line_clock(left, clock));
}

/* Add @part to @line if it still fits into @width. */
static void append(char *line, size_t size, const char *separator, const char *part, size_t width)
{
	const size_t length = strlen(line);

	if (*part && length + strlen(separator) + strlen(part) <= width)
		snprintf(line + length, size - length, "%s%s", separator, part);
}

char *status_line_line(const struct status_line *status, const char *current, unsigned int width,
		       bool utf8)
{
	char line[512] = "", *name, *all;
	struct parts parts;
	size_t length;

	take_apart(status, &parts);
	append(line, sizeof(line), "", stage_text(status->stage), width);
	if (!*line)
		return xstrdup(line);
	append(line, sizeof(line), ": ", in_bytes(status) ? parts.bytes : parts.files, width);
	append(line, sizeof(line), ", ", parts.left, width);
	append(line, sizeof(line), ", ", parts.rate, width);
	length = strlen(line);
	if (!current || length + 2 + NAME_LEAST > width)
		return xstrdup(line);
	name = columns_tail(current, width - length - 2, utf8);
	all = xasprintf("%s, %s", line, name);
	free(name);
	return all;
}

char *where_text(const struct status_line *status, const char *current)
{
	char line[512] = "";
	struct parts parts;

	take_apart(status, &parts);
	append(line, sizeof(line), "", stage_text(status->stage), sizeof(line));
	append(line, sizeof(line), ": ", parts.files, sizeof(line));
	append(line, sizeof(line), ", ", parts.bytes, sizeof(line));
	append(line, sizeof(line), ", ", parts.fragments, sizeof(line));
	append(line, sizeof(line), ", ", parts.rate, sizeof(line));
	append(line, sizeof(line), ", ", parts.left, sizeof(line));
	return current ? xasprintf("%s, at %s", line, current) : xstrdup(line);
}
