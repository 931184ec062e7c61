// SPDX-License-Identifier: GPL-2.0-only
#include "pacing/throttle.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/ioprio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/util.h"
#include "progress/progress.h"

/*
 * Most sectors of our own read-ahead that can be in flight. If more is missing, it was not read
 * from this disk.
 */
#define AHEAD_MOST 2048
/* Most levels of devices below a device: a partition, a mapped device, a partition ... */
#define DEPTH_MOST 16

void pacer_start(struct pacer *pacer, const struct throttle_sample *sample)
{
	memset(pacer, 0, sizeof(*pacer));
	pacer->last = *sample;
	/* Until it is known better the disk counts as busy. */
	pacer->busy = sample->now + THROTTLE_QUIET_WRITE;
}

static bool is_busy(const struct pacer *pacer, uint64_t now)
{
	return now < pacer->busy;
}

bool pacer_due(const struct pacer *pacer, uint64_t now)
{
	return pacer->work >= (is_busy(pacer, now) ? THROTTLE_WORK_BUSY : THROTTLE_WORK_QUIET);
}

/*
 * True if other processes have read since the last sample. The kernel accounts the sectors that
 * this process has requested exactly, so anything beyond is theirs.
 */
static bool others_read(struct pacer *pacer, const struct throttle_sample *sample)
{
	uint64_t own = pacer->ahead + (sample->own - pacer->last.own);
	uint64_t all = sample->read - pacer->last.read;

	pacer->ahead = all < own ? own - all : 0;
	if (pacer->ahead > AHEAD_MOST)
		pacer->ahead = AHEAD_MOST;
	return all > own;
}

uint64_t pacer_rest(struct pacer *pacer, const struct throttle_sample *sample)
{
	uint64_t rested, wanted, busy = 0;

	if (others_read(pacer, sample))
		busy = sample->now + THROTTLE_QUIET_READ;
	else if (sample->writing || (pacer->rest && sample->other != pacer->last.other))
		busy = sample->now + THROTTLE_QUIET_WRITE;
	if (busy > pacer->busy)
		pacer->busy = busy;
	pacer->last = *sample;

	if (!pacer->rest)
		pacer->rest = sample->now;
	rested = sample->now - pacer->rest;
	wanted = THROTTLE_GLANCE;
	if (is_busy(pacer, sample->now)) {
		wanted = (pacer->work + (THROTTLE_WRITE_COUNTS - 1) * pacer->wrote) *
			 THROTTLE_REST_TIMES;
		if (wanted > THROTTLE_REST_MOST)
			wanted = THROTTLE_REST_MOST;
	}
	if (rested >= wanted) {
		pacer->rest = 0;
		pacer->work = 0;
		pacer->wrote = 0;
		return 0;
	}
	return wanted - rested < THROTTLE_SLICE ? wanted - rested : THROTTLE_SLICE;
}

uint32_t pacer_size(uint32_t size, uint64_t moved, uint64_t took, bool busy)
{
	const uint64_t wanted = busy ? THROTTLE_STEP_BUSY : THROTTLE_STEP_QUIET;
	const uint32_t least = busy ? THROTTLE_STEP_LEAST_BUSY : THROTTLE_STEP_LEAST_QUIET;

	if (took > wanted) {
		for (; took > wanted && size > least; took /= 2)
			size /= 2;
	} else if (took < wanted / 2 && moved >= size && size < THROTTLE_STEP_MOST) {
		size *= 2;
	}
	return size;
}

bool throttle_parse(const char *stat, const char *inflight, struct throttle_sample *sample)
{
	/* Four fields of reads: requests, merged, sectors, ms. The same of writes. Then others. */
	uint64_t field[17] = { 0 }, reading;
	int fields = 0, used;

	while (fields < 17 && sscanf(stat, "%" SCNu64 "%n", &field[fields], &used) == 1) {
		stat += used;
		fields++;
	}
	if (fields < 11 || sscanf(inflight, "%" SCNu64 "%" SCNu64, &reading, &sample->writing) != 2)
		return false;
	sample->read = field[2];
	sample->other = field[4] + field[11] + field[15];
	return true;
}

/* The kernel accounts a read to the process that calls submit_bio(), even inside ext3meta. */
static uint64_t own_sectors(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (uint64_t)usage.ru_inblock;
}

static bool read_stat(int fd, char *text, size_t size)
{
	ssize_t got = fd < 0 ? -1 : pread(fd, text, size - 1, 0);

	text[got > 0 ? got : 0] = 0;
	return got > 0;
}

static void take_sample(const struct throttle *throttle, struct throttle_sample *sample)
{
	char stat[512], inflight[64];

	*sample = (struct throttle_sample){ .now = clock_now(), .own = own_sectors() };
	if (!read_stat(throttle->stat, stat, sizeof(stat)) ||
	    !read_stat(throttle->inflight, inflight, sizeof(inflight)) ||
	    !throttle_parse(stat, inflight, sample))
		sample->writing = 1; /* not known: assume that it is busy */
}

/* The only name in the directory @path, malloc'd; NULL if there are none or several. */
static char *only_name(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	char *name = NULL;

	while (dir && (entry = readdir(dir))) {
		if (*entry->d_name == '.')
			continue;
		if (name) {
			free(name);
			name = NULL;
			break;
		}
		name = xstrdup(entry->d_name);
	}
	if (dir)
		closedir(dir);
	return name;
}

/* The realpath(3) of @path with @more appended, malloc'd; NULL if there is none. Frees @path. */
static char *resolved(char *path, const char *more)
{
	char *longer = xasprintf("%s%s", path, more), *real = realpath(longer, NULL);

	free(longer);
	free(path);
	return real;
}

/*
 * The directory in sysfs of the disk whose load counts for @dev, malloc'd; NULL if there is none.
 * From a partition it goes to the whole disk, and from a mapped device to the device below it,
 * while there is exactly one. The disks of a RAID read more than the array is asked to, so there
 * the array itself is watched.
 */
static char *find_disk(dev_t dev)
{
	char *path = resolved(xasprintf("/sys/dev/block/%u:%u", major(dev), minor(dev)), "");
	int depth;

	for (depth = 0; path && depth < DEPTH_MOST; depth++) {
		char *file = xasprintf("%s/partition", path), *below, *slave;
		bool is_partition = !access(file, F_OK);

		free(file);
		if (is_partition) {
			path = resolved(path, "/..");
			continue;
		}
		below = xasprintf("%s/slaves", path);
		slave = only_name(below);
		free(below);
		if (!slave)
			break;
		below = xasprintf("/slaves/%s", slave);
		path = resolved(path, below);
		free(below);
		free(slave);
	}
	return path;
}

static int open_stat(const char *dir, const char *name)
{
	char *path = xasprintf("%s/%s", dir, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	free(path);
	return fd;
}

/*
 * Use the lowest best-effort priority, not the idle class: a step holds the file's locks while it
 * waits for the disk, and in the idle class it may wait as long as others are busy. The same is
 * true for the processor.
 */
static void lower_priorities(void)
{
	long now = syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0);

	if (now < 0 || IOPRIO_PRIO_CLASS(now) != IOPRIO_CLASS_IDLE)
		syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0,
			IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 7));
	if (getpriority(PRIO_PROCESS, 0) < 10)
		setpriority(PRIO_PROCESS, 0, 10);
}

void throttle_again(struct throttle *throttle)
{
	struct throttle_sample sample;

	if (!throttle->on)
		return;
	take_sample(throttle, &sample);
	pacer_start(&throttle->pacer, &sample);
	throttle->since = sample.now;
	throttle->own = sample.own;
}

void throttle_open(struct throttle *throttle, dev_t dev, const char *name, const volatile int *stop)
{
	char *disk = find_disk(dev);

	lower_priorities();
	throttle->on = true;
	throttle->stop = stop;
	throttle->stat = disk ? open_stat(disk, "stat") : -1;
	throttle->inflight = disk ? open_stat(disk, "inflight") : -1;
	if (throttle->stat < 0 || throttle->inflight < 0)
		complain(name, 0, "can't find out how busy the disk is: it is assumed to be busy");
	free(disk);
	throttle_again(throttle);
	throttle->size[false] = THROTTLE_STEP_FIRST_QUIET;
	throttle->size[true] = THROTTLE_STEP_LEAST_BUSY;
}

void throttle_close(struct throttle *throttle)
{
	if (!throttle->on)
		return;
	if (throttle->stat >= 0)
		close(throttle->stat);
	if (throttle->inflight >= 0)
		close(throttle->inflight);
}

/* Wait @us microseconds; a signal ends the wait at once. */
static void wait_for(uint64_t us)
{
	struct timespec ts = { (time_t)(us / 1000000), (long)(us % 1000000) * 1000 };

	nanosleep(&ts, NULL);
}

void throttle_point(struct throttle *throttle, bool wrote)
{
	struct throttle_sample sample;
	uint64_t now, own, wait;

	if (!throttle->on)
		return;
	now = clock_now();
	own = own_sectors();
	if (wrote || own != throttle->own)
		throttle->pacer.work += now - throttle->since;
	if (wrote)
		throttle->pacer.wrote += now - throttle->since;
	throttle->since = now;
	throttle->own = own;
	if (!pacer_due(&throttle->pacer, now))
		return;
	while (!*throttle->stop) {
		progress_point();
		take_sample(throttle, &sample);
		wait = pacer_rest(&throttle->pacer, &sample);
		if (!wait)
			break;
		wait_for(wait);
	}
	throttle->since = clock_now();
}

void throttle_stepped(struct throttle *throttle, uint64_t moved)
{
	uint32_t *size = &throttle->size[throttle->busy];

	if (!throttle->on)
		return;
	*size = pacer_size(*size, moved, clock_now() - throttle->since, throttle->busy);
	throttle_point(throttle, true);
}

uint32_t throttle_step(struct throttle *throttle, uint32_t most)
{
	if (!throttle->on)
		return most;
	throttle->busy = is_busy(&throttle->pacer, clock_now());
	return throttle->size[throttle->busy] < most ? throttle->size[throttle->busy] : most;
}
