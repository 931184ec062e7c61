/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a walk for names tells, as a stream of records from the process that walks to the one that
 * wants to know: only what is wanted, in the order in which it was found.
 */
#ifndef E3DEFRAG_NAME_STREAM_H
#define E3DEFRAG_NAME_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STREAM_BUFFER (64U << 10)
/* The longest text of a record: the path that a walk begins at, or a name. */
#define STREAM_TEXT 8191

enum found_kind {
	FOUND_DIRECTORY = 1, /* a name is added: that of a directory, in `parent` */
	FOUND_FILE,	     /* the wanted name of file `ino`, in `parent` */
	FOUND_INODE,	     /* a regular file: `ino` */
	FOUND_VERDICT,	     /* the watch has decided `value` about file `ino` */
	FOUND_FAILED,	/* directory `ino`, of the name `parent`, can't be read: errno `value` */
	FOUND_LEFT_OUT, /* directory `ino` was not entered: errno `value`, 0: it is too deep */
	FOUND_END,	/* the walk is complete */
};

struct found {
	uint16_t kind;
	uint16_t length; /* of the text that follows, without a 0 */
	uint32_t ino;
	uint32_t parent;
	uint32_t value;
};

struct name_stream {
	int fd;
	size_t used, parsed; /* bytes of the buffer that are filled, and that were read from it */
	char buffer[STREAM_BUFFER];
	char text[STREAM_TEXT + 1];
};

/*
 * Append a record; @text may be NULL. It is written when the buffer is full, or by stream_flush().
 * If it can't be written nobody waits for it any more, and the process ends.
 */
void stream_put(struct name_stream *stream, struct found record, const char *text);
void stream_flush(struct name_stream *stream);

/* Read what there is. Returns false at the end of the stream or after an error. */
bool stream_fill(struct name_stream *stream);

/*
 * Take the next whole record, with its text in stream->text. Returns 0 if there is none yet, and -1
 * if what comes next is no record.
 */
int stream_next(struct name_stream *stream, struct found *record);

#endif
