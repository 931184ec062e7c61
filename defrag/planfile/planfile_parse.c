// SPDX-License-Identifier: GPL-2.0-only
/*
 * Parsing the text of a plan into struct planfile. It is parsed as a stream, member by member, so
 * that a text can't be nested deeper or take more memory than a plan does. Each known member must
 * occur exactly once, and no other.
 */
#include "planfile/planfile_parse.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <yajl/yajl_parse.h>

#include "lib/util.h"
#include "planfile/planfile_check.h"
#include "planfile/planfile_members.h"

#define READ_SIZE (64U << 10)
/* More reads without a value than this are refused: no string or blank of a plan is so long. */
#define QUIET_READS 4

struct level {
	enum place place;
	enum member member; /* of an object: the current one; MEMBERS: none */
	uint32_t seen;	    /* of an object: a bit for each member that occurred */
	size_t index;	    /* of a list: the number of the current element */
};

struct parser {
	struct planfile *plan;
	struct level level[DEPTH_MOST];
	int depth;
	uint64_t value[MEMBERS]; /* the last number of each member */
	uint64_t sum;		 /* blocks of the pieces of the current move */
	uint64_t events;	 /* how many values, keys and brackets were parsed so far */
	char *why;
};

static bool is_list(enum place place)
{
	return place == FILESYSTEMS || place == MOVES || place == PIECES;
}

/* Print the current place like "filesystems[0].moves[3].goal". */
static void print_place(const struct parser *parser, FILE *stream)
{
	int i;

	for (i = 0; i < parser->depth; i++) {
		const struct level *level = &parser->level[i];

		if (is_list(level->place))
			fprintf(stream, "[%zu]", level->index);
		else if (level->member != MEMBERS)
			fprintf(stream, "%s%s", i ? "." : "", members[level->member].name);
	}
}

/* Note the first error, with its place. Returns 0, which makes yajl stop parsing. */
static int refuse_text(struct parser *parser, const char *what, ...)
	__attribute__((format(printf, 2, 3)));
static int refuse_text(struct parser *parser, const char *what, ...)
{
	char *place = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&place, &size);
	va_list args;
	char *said;

	va_start(args, what);
	if (!stream || vasprintf(&said, what, args) < 0)
		abort();
	va_end(args);
	print_place(parser, stream);
	fclose(stream);
	free(parser->why);
	parser->why = size ? xasprintf("%s: %s", place, said) : xstrdup(said);
	free(place);
	free(said);
	return 0;
}

static struct level *top(struct parser *parser)
{
	return &parser->level[parser->depth - 1];
}

/* True if a value of @kind is allowed at the current place; else the text is refused. */
static bool wanted(struct parser *parser, enum kind kind)
{
	static const char *const name[] = { "a text", "a whole number", "a list", "an object" };
	enum kind want;

	parser->events++;
	if (!parser->depth) {
		want = OBJECT;
	} else if (is_list(top(parser)->place)) {
		want = OBJECT;
	} else {
		want = members[top(parser)->member].kind;
	}
	if (kind != want)
		refuse_text(parser, "must be %s", name[want]);
	return kind == want;
}

/* The current value is complete: advance to the next one. */
static int next_member(struct parser *parser)
{
	if (!parser->depth)
		return 1;
	if (is_list(top(parser)->place))
		top(parser)->index++;
	else
		top(parser)->member = MEMBERS;
	return 1;
}

static struct planfile_fs *last_fs(struct parser *parser)
{
	return &parser->plan->fs[parser->plan->count - 1];
}

static struct planfile_move *last_move(struct parser *parser)
{
	return &parser->plan->move[parser->plan->moves - 1];
}

static int hear_other(void *to)
{
	struct parser *parser = to;

	/* No member may be true, false or null. */
	wanted(parser, OTHER);
	return 0;
}

static int hear_truth(void *to, int value)
{
	(void)value;
	return hear_other(to);
}

static int hear_number(void *to, const char *text, size_t length)
{
	struct parser *parser = to;
	uint64_t value = 0;
	enum member member;
	size_t i;

	if (!wanted(parser, NUMBER))
		return 0;
	member = top(parser)->member;
	for (i = 0; i < length; i++) {
		/* 16 digits are enough for WHOLE_MOST. No sign, fraction or exponent is allowed. */
		if (text[i] < '0' || text[i] > '9' || i == 16)
			break;
		value = 10 * value + (uint64_t)(text[i] - '0');
	}
	if (i < length || value < members[member].least || value > members[member].most)
		return refuse_text(parser, "must be a whole number from %" PRIu64 " to %" PRIu64,
				   members[member].least, members[member].most);
	if (member == VERSION && value != PLANFILE_VERSION)
		return refuse_text(parser, "this e3defrag reads only version %d, not %" PRIu64,
				   PLANFILE_VERSION, value);
	parser->value[member] = value;
	return next_member(parser);
}

static int hear_text(void *to, const unsigned char *bytes, size_t length)
{
	const char *text = (const char *)bytes;
	struct parser *parser = to;
	char *real;

	if (!wanted(parser, TEXT))
		return 0;
	switch (top(parser)->member) {
	case SCHEMA:
		if (length != strlen(PLANFILE_SCHEMA) || memcmp(text, PLANFILE_SCHEMA, length))
			return refuse_text(parser, "must be \"" PLANFILE_SCHEMA "\"");
		break;
	case UUID:
		if (!planfile_id(text, length, last_fs(parser)->id))
			return refuse_text(parser, "must be a UUID");
		break;
	case LAYOUT:
		if (!planfile_hex(text, length, 16, &last_move(parser)->layout))
			return refuse_text(parser, "must be 16 hexadecimal digits");
		break;
	default:
		/* Of the other texts only the path is used, for messages; the rest is for users. */
		real = planfile_name(text, length);
		if (!real)
			return refuse_text(parser, "is not a name as reports write it");
		if (top(parser)->member != PATH)
			free(real);
		else
			last_move(parser)->path = real;
	}
	return next_member(parser);
}

static int hear_key(void *to, const unsigned char *bytes, size_t length)
{
	struct parser *parser = to;
	struct level *level = top(parser);
	int i;

	parser->events++;
	for (i = 0; i < MEMBERS; i++) {
		if (members[i].within != level->place || strlen(members[i].name) != length ||
		    memcmp(members[i].name, bytes, length))
			continue;
		level->member = (enum member)i;
		if (level->seen & 1U << i)
			return refuse_text(parser, "occurs twice");
		level->seen |= 1U << i;
		return 1;
	}
	if (length <= 40) {
		char name[41], *shown;

		memcpy(name, bytes, length);
		name[length] = 0;
		shown = printable(name);
		refuse_text(parser, "unknown member \"%s\"", shown);
		free(shown);
		return 0;
	}
	return refuse_text(parser, "unknown member with a name of %zu bytes", length);
}

static int open_level(struct parser *parser, enum place place)
{
	struct planfile *plan = parser->plan;

	/* The table of members allows no deeper level. */
	if (parser->depth == DEPTH_MOST)
		return refuse_text(parser, "nested too deep");
	parser->level[parser->depth++] = (struct level){ .place = place, .member = MEMBERS };
	if (place == FILESYSTEM) {
		vec_more(plan->fs, plan->count, plan->room);
		plan->fs[plan->count++] = (struct planfile_fs){ .first = plan->moves };
	} else if (place == MOVE) {
		vec_more(plan->move, plan->moves, plan->move_room);
		plan->move[plan->moves++] = (struct planfile_move){ .first = plan->pieces };
		parser->sum = 0;
	}
	return 1;
}

static int hear_list(void *to)
{
	struct parser *parser = to;

	return wanted(parser, LIST) && open_level(parser, members[top(parser)->member].opens);
}

static int hear_object(void *to)
{
	struct parser *parser = to;

	if (!wanted(parser, OBJECT))
		return 0;
	if (!parser->depth)
		return open_level(parser, PLAN);
	if (is_list(top(parser)->place))
		return open_level(parser, top(parser)->place + 1);
	return open_level(parser, members[top(parser)->member].opens);
}

static int end_piece(struct parser *parser)
{
	struct planfile *plan = parser->plan;
	const struct planfile_piece piece = {
		.at = (uint32_t)parser->value[AT],
		.length = (uint32_t)parser->value[LENGTH],
		.goal = (uint32_t)parser->value[GOAL],
	};

	if (piece.at != parser->sum)
		return refuse_text(parser, "begins at %" PRIu32 ", not at %" PRIu64, piece.at,
				   parser->sum);
	parser->sum += piece.length;
	vec_more(plan->piece, plan->pieces, plan->piece_room);
	plan->piece[plan->pieces++] = piece;
	return 1;
}

static int end_move(struct parser *parser)
{
	struct planfile_move *move = last_move(parser);

	move->ino = (uint32_t)parser->value[INODE];
	move->generation = (uint32_t)parser->value[GENERATION];
	move->blocks = (uint32_t)parser->value[MOVE_BLOCKS];
	move->before = (uint32_t)parser->value[MOVE_BEFORE];
	move->after = (uint32_t)parser->value[MOVE_AFTER];
	move->pieces = parser->plan->pieces - move->first;
	if (parser->sum != move->blocks)
		return refuse_text(parser, "its pieces have %" PRIu64 " blocks, not %" PRIu32,
				   parser->sum, move->blocks);
	if (move->pieces != move->after)
		return refuse_text(parser, "it has %zu pieces, not fragments_after", move->pieces);
	if (move->after >= move->before || move->before > move->blocks)
		return refuse_text(parser,
				   "from %" PRIu32 " to %" PRIu32 " fragments gains nothing",
				   move->before, move->after);
	return 1;
}

static int end_fs(struct parser *parser)
{
	struct planfile *plan = parser->plan;
	struct planfile_fs *fs = last_fs(parser);
	char *wrong;
	size_t i;

	fs->blocksize = (uint32_t)parser->value[BLOCK_SIZE];
	fs->blocks = parser->value[BLOCKS];
	fs->moves = plan->moves - fs->first;
	if (fs->blocksize & (fs->blocksize - 1))
		return refuse_text(parser, "block_size is not a power of 2");
	for (i = 0; i + 1 < plan->count; i++)
		if (!strcmp(plan->fs[i].id, fs->id))
			return refuse_text(parser, "has the uuid of filesystems[%zu]", i);
	wrong = planfile_check(plan, fs);
	if (wrong)
		refuse_text(parser, "%s", wrong);
	free(wrong);
	return !wrong;
}

static int hear_object_end(void *to)
{
	struct parser *parser = to;
	struct level *level = top(parser);
	int i, good = 1;

	parser->events++;
	for (i = 0; i < MEMBERS; i++)
		if (members[i].within == level->place && !(level->seen & 1U << i))
			return refuse_text(parser, "member \"%s\" is missing", members[i].name);
	if (level->place == PIECE)
		good = end_piece(parser);
	else if (level->place == MOVE)
		good = end_move(parser);
	else if (level->place == FILESYSTEM)
		good = end_fs(parser);
	if (!good)
		return 0;
	parser->depth--;
	return next_member(parser);
}

static int hear_list_end(void *to)
{
	struct parser *parser = to;

	parser->events++;
	parser->depth--;
	return next_member(parser);
}

static const yajl_callbacks callbacks = {
	.yajl_null = hear_other,
	.yajl_boolean = hear_truth,
	.yajl_number = hear_number,
	.yajl_string = hear_text,
	.yajl_start_map = hear_object,
	.yajl_map_key = hear_key,
	.yajl_end_map = hear_object_end,
	.yajl_start_array = hear_list,
	.yajl_end_array = hear_list_end,
};

static size_t lines(const unsigned char *text, size_t length)
{
	size_t count = 0;

	while (length--)
		count += *text++ == '\n';
	return count;
}

/* Parse the whole text, in parts. An error is noted in parser->why. */
static void parse(struct parser *parser, yajl_handle yajl, int fd, unsigned char *buffer)
{
	uint64_t events = 0, size = 0, line = 1;
	yajl_status status = yajl_status_ok;
	unsigned int quiet = 0;
	unsigned char *error;
	ssize_t got;

	for (;;) {
		got = read(fd, buffer, READ_SIZE);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		size += (uint64_t)got;
		if (size > PLANFILE_MOST) {
			parser->why = xstrdup("is too large for a plan");
			return;
		}
		status = yajl_parse(yajl, buffer, (size_t)got);
		if (status != yajl_status_ok)
			break;
		line += lines(buffer, (size_t)got);
		quiet = parser->events == events ? quiet + 1 : 0;
		events = parser->events;
		if (quiet == QUIET_READS) {
			refuse_text(parser, "line %" PRIu64 ": too long for a plan", line);
			return;
		}
	}
	if (got < 0) {
		parser->why = xasprintf("can't read it: %s", strerror(errno));
		return;
	}
	if (status == yajl_status_ok)
		status = yajl_complete_parse(yajl);
	else
		line += lines(buffer, yajl_get_bytes_consumed(yajl));
	if (status == yajl_status_ok || parser->why)
		return;
	error = yajl_get_error(yajl, 0, NULL, 0);
	parser->why = xasprintf("line %" PRIu64 ": is not JSON: %.*s", line,
				(int)strcspn((const char *)error, "\n"), error);
	yajl_free_error(yajl, error);
}

char *planfile_parse(struct planfile *plan, int fd)
{
	struct parser parser = { .plan = plan };
	unsigned char *buffer = xreallocarray(NULL, READ_SIZE, 1);
	yajl_handle yajl = yajl_alloc(&callbacks, NULL, &parser);

	memset(plan, 0, sizeof(*plan));
	if (yajl)
		parse(&parser, yajl, fd, buffer);
	else
		parser.why = xstrdup("out of memory");
	if (yajl)
		yajl_free(yajl);
	free(buffer);
	if (parser.why)
		planfile_free(plan);
	return parser.why;
}
