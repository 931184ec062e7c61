// SPDX-License-Identifier: GPL-2.0-only
#include "state/history.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "e3defrag.h"
#include "lib/util.h"

static uint64_t clock_now(void)
{
	const time_t now = time(NULL);

	return now < 0 ? 0 : (uint64_t)now < STATE_TIME_MOST ? (uint64_t)now : STATE_TIME_MOST;
}

int nights_open(struct nights *nights, const char *path, bool writes)
{
	int status;

	*nights = (struct nights){ .writes = writes };
	status = state_file_open(&nights->file, path, writes);
	if (status)
		return status;
	state_file_read(&nights->file, &nights->state);
	state_clamp(&nights->state, clock_now());
	return STATUS_DONE;
}

bool nights_close(struct nights *nights)
{
	state_file_close(&nights->file);
	state_free(&nights->state);
	free(nights->had);
	return !nights->failed;
}

/* Only the inside of a filesystem tells its UUID for sure. Why there is none shows later. */
static void ask_id(struct host *host, char id[37])
{
	const bool held = host->fd >= 0;
	struct meta meta;
	char why[512];

	memset(id, 0, 37);
	if (!host_hold(host))
		return;
	if (!meta_open(&meta, host->fd, why, sizeof(why))) {
		memcpy(id, meta.geo.id, 37);
		meta_close(&meta);
	}
	/* With --all none is held before its turn comes. */
	if (!held)
		host_release(host);
}

void nights_order(const struct nights *nights, struct hosts *hosts)
{
	struct host *host;
	char(*id)[37];
	size_t *order, i;

	if (!nights->writes || hosts->count < 2)
		return;
	host = xreallocarray(NULL, hosts->count, sizeof(*host));
	id = xreallocarray(NULL, hosts->count, sizeof(*id));
	order = xreallocarray(NULL, hosts->count, sizeof(*order));
	memcpy(host, hosts->host, hosts->count * sizeof(*host));
	for (i = 0; i < hosts->count; i++)
		ask_id(&host[i], id[i]);
	state_order(&nights->state, (const char(*)[37])id, hosts->count, order);
	for (i = 0; i < hosts->count; i++)
		hosts->host[i] = host[order[i]];
	free(order);
	free(id);
	free(host);
}

static void write_state(struct nights *nights)
{
	state_trim(&nights->state, STATE_FILES_MOST, nights->now);
	if (!state_file_write(&nights->file, &nights->state))
		nights->failed = true;
}

static bool was_had(struct nights *nights, const char *id)
{
	size_t i;

	for (i = 0; i < nights->had_count; i++)
		if (!strcmp(nights->had[i], id))
			return true;
	vec_more(nights->had, nights->had_count, nights->had_room);
	memcpy(nights->had[nights->had_count++], id, sizeof(*nights->had));
	return false;
}

void nights_begin(struct job *job)
{
	struct nights *nights = job->nights;
	const char *id = job->meta.geo.id;

	if (!nights)
		return;
	nights->system = NULL;
	nights->now = clock_now();
	nights->stopped_in = 0;
	nights->surveyed = nights->same = false;
	if (was_had(nights, id))
		return;
	if (!nights->writes) {
		nights->system = state_find(&nights->state, id);
		return;
	}
	nights->system = state_begin(&nights->state, id, nights->now);
	/* Should this run be killed, the next one knows where it was. */
	write_state(nights);
}

/* What is known of the host in hand; NULL if nothing. */
static const struct state_system *known(const struct job *job)
{
	return job->nights ? job->nights->system : NULL;
}

static const struct state_moved *moved_before(const struct job *job, const struct file *file)
{
	if (!known(job) || file->detail == DETAIL_NONE)
		return NULL;
	return state_find_moved(known(job), file->ino, job->survey.detail[file->detail].generation);
}

static struct state_space space(const struct free_picture *picture)
{
	return (struct state_space){ picture->blocks, picture->runs, picture->longest };
}

void nights_cool(struct job *job)
{
	struct nights *nights = job->nights;
	struct state_space before;
	size_t i;

	if (!known(job))
		return;
	before = space(&job->free_before);
	nights->surveyed = true;
	nights->same = before.blocks == nights->system->free.blocks &&
		       before.runs == nights->system->free.runs &&
		       before.longest == nights->system->free.longest;
	for (i = 0; i < job->survey.files; i++) {
		struct file *file = &job->survey.file[i];
		const struct state_moved *moved;

		if (file->reason != REASON_NONE || file->fragments <= 1)
			continue;
		moved = moved_before(job, file);
		if (moved && state_is_cooling(moved, file->fragments, nights->now))
			file->reason = REASON_COOLING;
	}
}

bool nights_settled(const struct job *job, const struct file *file)
{
	const struct state_moved *moved = moved_before(job, file);

	return moved && state_is_settled(moved, file->fragments);
}

bool nights_in_vain(const struct job *job, const struct file *file, uint32_t pieces)
{
	const struct state_vain *vain;

	if (!known(job) || file->detail == DETAIL_NONE)
		return false;
	vain = state_find_vain(known(job), file->ino, job->survey.detail[file->detail].generation);
	return vain && state_is_vain(vain, file->fragments, file->blocks, pieces,
				     job->nights->same && !job->moved, job->nights->now);
}

void nights_tried(struct job *job, const struct file *file, bool moved, uint32_t pieces)
{
	struct state_vain vain = { .fragments = file->fragments,
				   .blocks = file->blocks,
				   .pieces = pieces };

	if (!known(job) || !job->nights->writes)
		return;
	if (file->reason == REASON_STOPPED)
		job->nights->stopped_in = file->ino;
	if (moved || file->failed || !pieces ||
	    (file->reason != REASON_OUTCOME && file->reason != REASON_NO_ROOM))
		return;
	vain.id.ino = file->ino;
	vain.id.generation = job->survey.detail[file->detail].generation;
	vain.last = job->nights->now;
	state_note_vain(job->nights->system, &vain);
}

static void look(const void *arg, const struct state_ident *id, struct state_seen *seen)
{
	const struct job *job = arg;
	const struct file *file = survey_file(&job->survey, id->ino);

	if (!file) {
		seen->how = job->host->whole ? SEEN_GONE : SEEN_NOT;
		return;
	}
	/* One without details is in one piece, and may be another by now: time will tell. */
	if (file->detail == DETAIL_NONE)
		return;
	seen->how = SEEN_HERE;
	if (file->reason == REASON_VANISHED ||
	    job->survey.detail[file->detail].generation != id->generation)
		seen->how = SEEN_GONE;
	seen->fragments = file->fragments;
	seen->blocks = file->blocks;
}

/* What this run did with the files. */
static void note_moves(struct job *job)
{
	struct nights *nights = job->nights;
	size_t i;

	for (i = 0; i < job->survey.files; i++) {
		const struct file *file = &job->survey.file[i];
		struct state_moved moved = { .last = nights->now, .fragments = file->fragments };
		const struct detail *detail;

		if (file->detail == DETAIL_NONE)
			continue;
		detail = &job->survey.detail[file->detail];
		/* What ended in the midst may have been put back: that, too, took its time. */
		moved.stops = file->ino == nights->stopped_in;
		if (!detail->moves && !moved.stops)
			continue;
		moved.id.ino = file->ino;
		moved.id.generation = detail->generation;
		state_note_moved(nights->system, &moved);
	}
}

void nights_end(struct job *job, int status)
{
	struct nights *nights = job->nights;
	bool complete;

	if (!known(job) || !nights->writes)
		return;
	if (nights->surveyed) {
		note_moves(job);
		state_sort(nights->system);
		state_forget(nights->system, look, job, nights->now);
		nights->system->free = space(&job->free_after);
	}
	complete = status == STATUS_DONE || status == STATUS_PARTLY || status == STATUS_NOTHING;
	state_end(&nights->state, nights->system, status == STATUS_STOPPED,
		  complete ? clock_now() : 0);
	write_state(nights);
	nights->system = NULL;
}
