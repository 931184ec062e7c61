// SPDX-License-Identifier: GPL-2.0-only
#include "survey/name_stream.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/descriptors.h"

void stream_flush(struct name_stream *stream)
{
	if (!write_all(stream->fd, stream->buffer, stream->used))
		_exit(1);
	stream->used = 0;
}

void stream_put(struct name_stream *stream, struct found record, const char *text)
{
	record.length = text ? (uint16_t)strnlen(text, STREAM_TEXT) : 0;
	if (stream->used + sizeof(record) + record.length > sizeof(stream->buffer))
		stream_flush(stream);
	memcpy(stream->buffer + stream->used, &record, sizeof(record));
	stream->used += sizeof(record);
	if (text)
		memcpy(stream->buffer + stream->used, text, record.length);
	stream->used += record.length;
}

bool stream_fill(struct name_stream *stream)
{
	ssize_t got;

	memmove(stream->buffer, stream->buffer + stream->parsed, stream->used - stream->parsed);
	stream->used -= stream->parsed;
	stream->parsed = 0;
	got = read(stream->fd, stream->buffer + stream->used,
		   sizeof(stream->buffer) - stream->used);
	if (got > 0)
		stream->used += (size_t)got;
	return got > 0 || (got < 0 && errno == EINTR);
}

int stream_next(struct name_stream *stream, struct found *record)
{
	const char *at = stream->buffer + stream->parsed;
	const size_t left = stream->used - stream->parsed;

	if (left < sizeof(*record))
		return 0;
	memcpy(record, at, sizeof(*record));
	if (record->kind < FOUND_DIRECTORY || record->kind > FOUND_END ||
	    record->length > STREAM_TEXT)
		return -1;
	if (left < sizeof(*record) + record->length)
		return 0;
	memcpy(stream->text, at + sizeof(*record), record->length);
	stream->text[record->length] = 0;
	if (strlen(stream->text) != record->length)
		return -1;
	stream->parsed += sizeof(*record) + record->length;
	return 1;
}
