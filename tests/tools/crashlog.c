// SPDX-License-Identifier: GPL-2.0-only
/* Reads a disklog; the marks say which disks are whose. */
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crashlog.h"
#include "disklog.h"

#define MARKS 0 /* the disk of the marks */

struct cursor {
	const char *at, *end;
	const char *file;
};

/* The next entry and its data, or NULL at the end. */
static const struct disklog_entry *next_entry(struct cursor *cursor, struct disklog_entry *entry,
					      const char **data)
{
	uint64_t length;

	if (cursor->at == cursor->end)
		return NULL;
	if (cursor->end - cursor->at < (ptrdiff_t)sizeof(*entry))
		error(2, 0, "%s: cut off", cursor->file);
	memcpy(entry, cursor->at, sizeof(*entry));
	*data = cursor->at + sizeof(*entry);
	length = entry->kind == DISKLOG_WRITE ? entry->length : 0;
	if (entry->disk >= DISKLOG_MAX_DISKS || entry->offset % DISKLOG_SECTOR ||
	    entry->length % DISKLOG_SECTOR || length > (uint64_t)(cursor->end - *data))
		error(2, 0, "%s: not a log of disks", cursor->file);
	cursor->at = *data + length;
	return entry;
}

/* Text of a mark of filesystem @number; marks of others and other writes are NULL. */
static const char *mark_of(const struct disklog_entry *entry, const char *data, unsigned int number)
{
	unsigned int whose;
	int text = 0;

	if (entry->disk != MARKS || entry->kind != DISKLOG_WRITE ||
	    entry->length != DISKLOG_SECTOR || data[DISKLOG_SECTOR - 1] ||
	    sscanf(data, "%u %n", &whose, &text) != 1 || whose != number || !text)
		return NULL;
	return data + text;
}

static void add_event(struct crash_log *log, enum crash_kind kind, unsigned int part,
		      const char *data, const struct disklog_entry *entry)
{
	struct crash_event *event;

	if ((log->count & (log->count - 1)) == 0) {
		log->events = realloc(log->events,
				      (log->count ? 2 * log->count : 1) * sizeof(*log->events));
		if (!log->events)
			error(2, ENOMEM, "the log");
	}
	event = &log->events[log->count++];
	event->kind = kind;
	event->part = part;
	event->data = data;
	event->offset = entry->offset + (part ? log->sizes[0] : 0);
	event->length = entry->length;
}

/* What the mark of the start says: "base ordered|writeback|async|journal DISK [JOURNALDISK]". */
static void find_disks(struct crash_log *log, const struct cursor *start, unsigned int number,
		       unsigned int disks[2])
{
	struct cursor cursor = *start;
	uint64_t sizes[DISKLOG_MAX_DISKS] = { 0 };
	struct disklog_entry entry;
	const char *data, *text;
	char mode[16];
	int found = 0;

	while (found < 2 && next_entry(&cursor, &entry, &data)) {
		if (entry.kind == DISKLOG_DISK)
			sizes[entry.disk] = entry.length;
		text = mark_of(&entry, data, number);
		if (text)
			found = sscanf(text, "base %15s %u %u", mode, &disks[0], &disks[1]);
	}
	if (found < 2 || disks[0] >= DISKLOG_MAX_DISKS ||
	    (found > 2 && disks[1] >= DISKLOG_MAX_DISKS))
		error(2, 0, "%s: no filesystem %u in it", start->file, number);
	if (found < 3)
		disks[1] = DISKLOG_MAX_DISKS;
	log->journal_part = found > 2;
	log->sizes[0] = sizes[disks[0]];
	log->sizes[1] = found > 2 ? sizes[disks[1]] : 0;
	/* What goes through the journal is there with its transaction, or not at all. */
	log->ordered = !strcmp(mode, "ordered") || !strcmp(mode, "journal");
}

void crash_log_read(struct crash_log *log, const char *file, unsigned int number)
{
	struct disklog_entry entry;
	unsigned int disks[2];
	const char *data, *text;
	struct cursor cursor;
	struct stat st;
	int fd = open(file, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st))
		error(2, errno, "%s", file);
	cursor.file = file;
	cursor.at = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (cursor.at == MAP_FAILED)
		error(2, errno, "%s", file);
	cursor.end = cursor.at + st.st_size;
	close(fd);
	memset(log, 0, sizeof(*log));
	find_disks(log, &cursor, number, disks);
	while (next_entry(&cursor, &entry, &data)) {
		unsigned int part = entry.disk == disks[1];

		text = mark_of(&entry, data, number);
		if (text && !strncmp(text, "base ", 5))
			log->base = log->count;
		if (text && !strcmp(text, "end"))
			return;
		if (text)
			add_event(log, CRASH_MARK, 0, text, &entry);
		if (entry.disk != disks[0] && entry.disk != disks[1])
			continue;
		if (entry.kind == DISKLOG_WRITE && entry.offset + entry.length > log->sizes[part])
			error(2, 0, "%s: a write past the end of a disk", file);
		if (entry.kind == DISKLOG_WRITE)
			add_event(log, CRASH_WRITE, part, data, &entry);
		else if (entry.kind == DISKLOG_FLUSH)
			add_event(log, CRASH_FLUSH, part, NULL, &entry);
	}
	error(2, 0, "%s: filesystem %u comes to no end in it", file, number);
}
