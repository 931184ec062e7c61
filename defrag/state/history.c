// SPDX-License-Identifier: GPL-2.0-only
#include "state/history.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/util.h"
#include "status.h"

static uint64_t state_now(void)
{
	const uint64_t now = clock_wall();

	return now < STATE_TIME_MOST ? now : STATE_TIME_MOST;
}

int history_open(struct history *history, const char *path, bool writes)
{
	int status;

	*history = (struct history){ .writes = writes };
	status = state_file_open(&history->file, path, writes);
	if (status)
		return status;
	state_file_read(&history->file, &history->state);
	state_clamp(&history->state, state_now());
	return STATUS_DONE;
}

bool history_close(struct history *history)
{
	state_file_close(&history->file);
	state_free(&history->state);
	free(history->had);
	return !history->failed;
}

/*
 * Get the UUID of @host into @id; an empty text if that fails. Only ext3meta tells it reliably. An
 * error is not reported here: the work on the host will meet it again.
 */
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
	/* With --all a host must not be held before its turn. */
	if (!held)
		host_release(host);
}

void history_order(const struct history *history, struct hosts *hosts)
{
	struct host *host;
	char(*id)[37];
	size_t *order, i;

	if (!history->writes || hosts->count < 2)
		return;
	host = xreallocarray(NULL, hosts->count, sizeof(*host));
	id = xreallocarray(NULL, hosts->count, sizeof(*id));
	order = xreallocarray(NULL, hosts->count, sizeof(*order));
	memcpy(host, hosts->host, hosts->count * sizeof(*host));
	for (i = 0; i < hosts->count; i++)
		ask_id(&host[i], id[i]);
	state_order(&history->state, (const char(*)[37])id, hosts->count, order);
	for (i = 0; i < hosts->count; i++)
		hosts->host[i] = host[order[i]];
	free(order);
	free(id);
	free(host);
}

static void write_state(struct history *history)
{
	state_trim(&history->state, STATE_FILES_MOST, history->now);
	if (!state_file_write(&history->file, &history->state))
		history->failed = true;
}

static bool was_had(struct history *history, const char *id)
{
	size_t i;

	for (i = 0; i < history->had_count; i++)
		if (!strcmp(history->had[i], id))
			return true;
	vec_more(history->had, history->had_count, history->had_room);
	memcpy(history->had[history->had_count++], id, sizeof(*history->had));
	return false;
}

void history_begin(struct job *job)
{
	struct history *history = job->history;
	const char *id = job->meta.geo.id;
	size_t i;

	if (!history)
		return;
	history->system = NULL;
	history->now = state_now();
	history->stopped_in = 0;
	history->surveyed = history->same = false;
	if (was_had(history, id))
		return;
	if (!history->writes) {
		history->system = state_find(&history->state, id);
		return;
	}
	history->system = state_begin(&history->state, id, history->now);
	for (i = 0; i < history->system->owners; i++)
		share_had(&job->share, history->system->owner[i].uid,
			  state_counts(&history->system->owner[i]));
	/* Write it now: if this run is killed, the next one knows where it was. */
	write_state(history);
}

/* The state of the current host, NULL if there is none. */
static const struct state_system *known(const struct job *job)
{
	return job->history ? job->history->system : NULL;
}

static const struct state_moved *moved_before(const struct job *job, const struct file *file)
{
	if (!known(job) || file->detail == DETAIL_NONE)
		return NULL;
	return state_find_moved(known(job), file->ino, job->survey.detail[file->detail].generation);
}

static struct state_space space(const struct free_space *usage)
{
	return (struct state_space){ usage->blocks, usage->runs, usage->longest };
}

void history_cool(struct job *job)
{
	struct history *history = job->history;
	struct state_space before;
	size_t i;

	if (!known(job))
		return;
	before = space(&job->free_before);
	history->surveyed = true;
	history->same = before.blocks == history->system->free.blocks &&
			before.runs == history->system->free.runs &&
			before.longest == history->system->free.longest;
	for (i = 0; i < job->survey.files; i++) {
		struct file *file = &job->survey.file[i];
		const struct state_moved *moved;

		if (file->reason != REASON_NONE || file->fragments <= 1)
			continue;
		moved = moved_before(job, file);
		if (moved && state_is_cooling(moved, file->fragments, history->now))
			file->reason = REASON_COOLING;
	}
}

bool history_settled(const struct job *job, const struct file *file)
{
	const struct state_moved *moved = moved_before(job, file);

	return moved && state_is_settled(moved, file->fragments);
}

bool history_interrupted(const struct job *job, const struct file *file)
{
	const struct state_moved *moved = moved_before(job, file);

	return moved && moved->stops == 1;
}

bool history_in_vain(const struct job *job, const struct file *file, uint32_t pieces)
{
	const struct state_vain *vain;

	if (!known(job) || file->detail == DETAIL_NONE)
		return false;
	vain = state_find_vain(known(job), file->ino, job->survey.detail[file->detail].generation);
	return vain && state_is_vain(vain, file->fragments, file->blocks, pieces,
				     job->history->same && !job->moved, job->history->now);
}

void history_tried(struct job *job, const struct file *file, bool moved, uint32_t pieces)
{
	struct state_vain vain = { .fragments = file->fragments,
				   .blocks = file->blocks,
				   .pieces = pieces };

	if (!known(job) || !job->history->writes)
		return;
	if (file->reason == REASON_STOPPED)
		job->history->stopped_in = file->ino;
	if (moved || file->failed || !pieces ||
	    (file->reason != REASON_OUTCOME && file->reason != REASON_NO_ROOM))
		return;
	vain.id.ino = file->ino;
	vain.id.generation = job->survey.detail[file->detail].generation;
	vain.last = job->history->now;
	state_note_vain(job->history->system, &vain);
}

static void look_at_filesystem(const void *arg, const struct state_ident *id,
			       struct state_seen *seen)
{
	const struct job *job = arg;
	const struct file *file = survey_file(&job->survey, id->ino);

	if (!file) {
		seen->how = job->host->whole ? SEEN_GONE : SEEN_NOT;
		return;
	}
	/*
	 * A file without details is in one piece. Its generation is not known, so it may be another
	 * file: keep the note until it is too old.
	 */
	if (file->detail == DETAIL_NONE)
		return;
	seen->how = SEEN_HERE;
	if (file->reason == REASON_VANISHED ||
	    job->survey.detail[file->detail].generation != id->generation)
		seen->how = SEEN_GONE;
	seen->fragments = file->fragments;
	seen->blocks = file->blocks;
}

/* Note which files this run has moved. */
static void note_moves(struct job *job)
{
	struct history *history = job->history;
	size_t i;

	for (i = 0; i < job->survey.files; i++) {
		const struct file *file = &job->survey.file[i];
		struct state_moved moved = { .last = history->now, .fragments = file->fragments };
		const struct detail *detail;

		if (file->detail == DETAIL_NONE)
			continue;
		detail = &job->survey.detail[file->detail];
		/* A move that was stopped may have been undone, but it took time all the same. */
		moved.stops = file->ino == history->stopped_in;
		if (!detail->moves && !moved.stops)
			continue;
		moved.id.ino = file->ino;
		moved.id.generation = detail->generation;
		state_note_moved(history->system, &moved);
	}
}

/* Note what the owners have had, unless all files were done. */
static void note_owners(struct job *job, bool complete)
{
	struct state_system *system = job->history->system;
	size_t i;

	state_forget_owners(system);
	for (i = 0; !complete && i < job->share.owners; i++)
		state_note_owner(system, job->share.owner[i].uid, job->share.owner[i].used);
}

void history_end(struct job *job, int status)
{
	struct history *history = job->history;
	bool complete;

	if (!known(job) || !history->writes)
		return;
	if (history->surveyed) {
		note_moves(job);
		state_sort(history->system);
		state_forget(history->system, look_at_filesystem, job, history->now);
		history->system->free = space(&job->free_after);
	}
	complete = status == STATUS_DONE || status == STATUS_PARTLY || status == STATUS_NOTHING;
	note_owners(job, complete);
	state_end(&history->state, history->system, status == STATUS_STOPPED,
		  complete ? state_now() : 0);
	write_state(history);
	history->system = NULL;
}
