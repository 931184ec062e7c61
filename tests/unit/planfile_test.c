// SPDX-License-Identifier: GPL-2.0-only
/* Plans in files: what is written is read back, and what is wrong is refused, with the place. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/util.h"
#include "planfile/planfile_check.h"
#include "planfile/planfile_parse.h"
#include "planfile/planfile_write.h"
#include "tap.h"

#define TOTALS "{\"fragmented_files\":1,\"fragments\":3,\"score\":60}"
#define HEAD "{\"schema\":\"e3defrag-plan\",\"version\":1,\"e3defrag\":\"0.1\",\"made\":5,"
#define FS                                                                                     \
	"\"device\":\"/dev/vda\",\"mountpoint\":\"/srv\",\"block_size\":1024,\"blocks\":9000," \
	"\"before\":" TOTALS ",\"after\":" TOTALS ","
#define ID "0123abcd-0000-1111-2222-0123456789ab"
#define MOVE                                                                                       \
	"{\"path\":\"/srv/a\\\\012\",\"inode\":12,\"generation\":7,\"blocks\":9,"                  \
	"\"fragments_before\":4,\"fragments_after\":2,\"layout\":\"00000000000000ff\",\"pieces\":" \
	"[{\"at\":0,\"length\":4,\"goal\":500},{\"at\":4,\"length\":5,\"goal\":600}]}"
#define PLAN_OF(moves) HEAD "\"filesystems\":[{" FS "\"uuid\":\"" ID "\",\"moves\":[" moves "]}]}"

/* What planfile_parse says of @size bytes of @text. */
static char *parse(struct planfile *plan, const char *text, size_t size)
{
	FILE *stream = tmpfile();
	char *wrong;

	if (!stream || fwrite(text, 1, size, stream) != size || fflush(stream)) {
		perror("a temporary file");
		exit(1);
	}
	rewind(stream);
	lseek(fileno(stream), 0, SEEK_SET);
	wrong = planfile_parse(plan, fileno(stream));
	fclose(stream);
	return wrong;
}

static void refused(const char *text, const char *wanted, const char *what)
{
	struct planfile plan;
	char *wrong = parse(&plan, text, strlen(text));

	if (!ok(wrong && !strcmp(wrong, wanted), "%s", what))
		printf("# got %s\n# wanted %s\n", wrong ? wrong : "a plan", wanted);
	free(wrong);
	planfile_free(&plan);
}

/* A plan with @from, which it has once, replaced by @to. */
static void refused_with(const char *from, const char *to, const char *wanted, const char *what)
{
	static const char whole[] = PLAN_OF(MOVE);
	const char *at = strstr(whole, from);
	char *text;

	if (!ok(at && !strstr(at + 1, from), "the plan has %s once", from))
		return;
	text = xasprintf("%.*s%s%s", (int)(at - whole), whole, to, at + strlen(from));
	refused(text, wanted, what);
	free(text);
}

static void good(void)
{
	static const char text[] = PLAN_OF(MOVE);
	struct planfile plan;
	char *wrong = parse(&plan, text, sizeof(text) - 1);

	if (!ok(!wrong, "a plan is one"))
		printf("# %s\n", wrong);
	is(plan.count, 1, "it has a filesystem");
	ok(planfile_find(&plan, ID) == plan.fs, "which is found by its UUID");
	ok(!planfile_find(&plan, "0123abcd-0000-1111-2222-0123456789ac"), "and by no other");
	if (plan.moves == 1 && plan.pieces == 2) {
		ok(!strcmp(plan.move[0].path, "/srv/a\n"), "a path comes back as its bytes");
		is(plan.move[0].ino, 12, "inode");
		is(plan.move[0].generation, 7, "generation");
		is(plan.move[0].layout, 255, "layout");
		is(plan.piece[1].at, 4, "the second piece's place");
		is(plan.piece[1].length, 5, "its length");
		is(plan.piece[1].goal, 600, "its goal");
	}
	is(plan.fs ? plan.fs[0].moves : 0, 1, "it has a move");
	free(wrong);
	planfile_free(&plan);
	wrong = parse(&plan, HEAD "\"filesystems\":[]}", strlen(HEAD "\"filesystems\":[]}"));
	ok(!wrong && !plan.count, "a plan without filesystems is one");
	free(wrong);
	planfile_free(&plan);
}

static void bad(void)
{
	static const char *const pieces = "filesystems[0].moves[0].pieces";
	char *place, *text;
	int i;

	refused("", "line 1: is not JSON: parse error: premature EOF", "no text");
	refused("\n\n{]", "line 3: is not JSON: parse error: invalid object key (must be a string)",
		"no JSON, by the line");
	refused(PLAN_OF(MOVE) "1", "line 1: is not JSON: parse error: trailing garbage",
		"something behind it");
	refused("[]", "must be an object", "a list");
	refused("{}", "member \"schema\" is missing", "an empty object");
	refused("{\"a\\u0001\":1}", "unknown member \"a\\001\"", "an unknown member");
	refused("{\"schema\":\"e3defrag-report\"}", "schema: must be \"e3defrag-plan\"",
		"a report");
	refused("{\"version\":2}", "version: this e3defrag reads only version 1, not 2",
		"another version");
	refused("{\"version\":1,\"version\":1}", "version: occurs twice", "a member twice");
	refused("{\"filesystems\":[[", "filesystems[0]: must be an object", "a list in a list");
	refused("{\"made\":[", "made: must be a whole number", "a list for a number");
	refused("{\"made\":true", "made: must be a whole number", "a truth for a number");
	refused("{\"schema\":null", "schema: must be a text", "nothing for a text");
	refused("{\"filesystems\":{", "filesystems: must be a list", "an object for a list");
	for (i = 0; i < 6; i++) {
		static const char *const number[] = { "-1",
						      "1.0",
						      "1e3",
						      "9007199254740992",
						      "99999999999999999999999999",
						      "18446744073709551617" };

		text = xasprintf("{\"made\":%s}", number[i]);
		refused(text, "made: must be a whole number from 0 to 9007199254740991", number[i]);
		free(text);
	}
	refused_with("\"inode\":12", "\"inode\":0",
		     "filesystems[0].moves[0].inode: must be a whole number from 1 to 4294967295",
		     "inode 0");
	refused_with("\"at\":4", "\"at\":5",
		     "filesystems[0].moves[0].pieces[1]: begins at 5, not at 4",
		     "a gap between pieces");
	place = xasprintf("%s[1].length: must be a whole number from 1 to 4294967295", pieces);
	refused_with("\"length\":5", "\"length\":0", place, "a piece of no blocks");
	free(place);
	place = xasprintf("%s[1].goal: must be a whole number from 1 to 4294967295", pieces);
	refused_with("\"goal\":600", "\"goal\":4294967296", place, "a goal of 33 bits");
	free(place);
	refused_with("\"length\":5", "\"length\":6",
		     "filesystems[0].moves[0]: its pieces have 10 blocks, not 9", "a wrong sum");
	refused_with("\"length\":5", "\"length\":4294967295",
		     "filesystems[0].moves[0]: its pieces have 4294967299 blocks, not 9",
		     "a sum of more than 32 bits");
	refused_with("\"fragments_after\":2", "\"fragments_after\":1",
		     "filesystems[0].moves[0]: it has 2 pieces, not fragments_after",
		     "another number of pieces");
	refused_with("\"fragments_before\":4", "\"fragments_before\":2",
		     "filesystems[0].moves[0]: from 2 to 2 fragments gains nothing", "no gain");
	refused_with("\"goal\":600", "\"goal\":503",
		     "filesystems[0]: pieces of moves[0] and moves[0] overlap at block 503",
		     "overlapping pieces of a file");
	refused_with("\"goal\":600", "\"goal\":8996",
		     "filesystems[0]: moves[0].pieces[1] is outside of it",
		     "a piece past the end of the filesystem");
	refused_with("\"block_size\":1024", "\"block_size\":1025",
		     "filesystems[0]: block_size is not a power of 2", "no block size");
	refused_with("00000000000000ff", "00000000000000fF",
		     "filesystems[0].moves[0].layout: must be 16 hexadecimal digits",
		     "no fingerprint");
	refused_with(ID, "0123abcd-0000-1111-2222-0123456789a",
		     "filesystems[0].uuid: must be a UUID", "a UUID that is too short");
	refused_with(ID, "0123abcd-0000-1111-22220-123456789ab",
		     "filesystems[0].uuid: must be a UUID", "no UUID");
	for (i = 0; i < 4; i++) {
		static const char *const path[] = { "\\u0007", "\\\\12", "\\\\400", "\\u0000" };

		refused_with("a\\\\012", path[i],
			     "filesystems[0].moves[0].path: is not a name as reports write it",
			     path[i]);
	}
	refused(PLAN_OF(MOVE "," MOVE),
		"filesystems[0]: moves[0] and moves[1] are of the same inode", "a file twice");
	refused(HEAD "\"filesystems\":[{" FS "\"uuid\":\"" ID "\",\"moves\":[]},{" FS
		     "\"uuid\":\"" ID "\",\"moves\":[]}]}",
		"filesystems[1]: has the uuid of filesystems[0]", "a filesystem twice");
}

/* What is long is given up long before it is all read. */
static void long_ones(void)
{
	const size_t size = 4U << 20;
	char *text = xreallocarray(NULL, size, 1), *wrong;
	struct planfile plan;

	memset(text, 'x', size);
	memcpy(text, "{\"e3defrag\":\"", 13);
	wrong = parse(&plan, text, size);
	ok(wrong && !strcmp(wrong, "e3defrag: line 1: too long for a plan"), "a text without end");
	free(wrong);
	memset(text, '\n', size);
	wrong = parse(&plan, text, size);
	ok(wrong && strstr(wrong, ": too long for a plan"), "blanks without end");
	free(wrong);
	memset(text, '[', size);
	wrong = parse(&plan, text, size);
	ok(wrong && !strcmp(wrong, "must be an object"), "lists in lists");
	free(wrong);
	free(text);
}

/* Plans of files with @count random pieces come back as they were. */
static void round_trip(uint32_t count)
{
	struct options options = { .dry_run = true };
	struct host host = { .device = "/dev/\"x\"", .mountpoint = "/m\\377\\012", .type = "ext3" };
	struct job job = { .options = &options, .host = &host };
	struct plan_piece piece[50];
	uint32_t i, k, goal = 100, same = 0, pieces = 0;
	struct plan_writer *to;
	struct layout layout;
	struct planfile plan;
	char *text, *wrong;
	uint64_t prints[8];
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	job.meta.geo = (struct geometry){ 4096, 1U << 30, 0, 32768, 8192, 8192, ID };
	job.survey.files = count;
	job.survey.file = xreallocarray(NULL, count, sizeof(*job.survey.file));
	memset(job.survey.file, 0, count * sizeof(*job.survey.file));
	layout_init(&layout);
	to = plan_writer_open(stream, 5);
	for (i = 0; i < count; i++) {
		struct file *file = &job.survey.file[i];

		file->ino = 12 + i;
		file->fragments = 60;
		file->detail = DETAIL_NONE;
		file->blocks = 1;
		survey_detail(&job.survey, file)->generation = UINT32_MAX - i;
	}
	plan_writer_begin(to, &job);
	for (i = 0; i < count; i++) {
		struct plan one = { .piece = piece };
		struct file *file = &job.survey.file[i];

		file->blocks = 0;
		for (k = 0; k < 1 + random_below(49); k++) {
			piece[k] = (struct plan_piece){ file->blocks, 2 + random_below(1000),
							goal += 1 + random_below(1000), 0 };
			goal += piece[k].length;
			file->blocks += piece[k].length;
		}
		file->blocks += 60;
		piece[k - 1].length += 60;
		goal += 60;
		one.pieces = k;
		pieces += k;
		layout_add_extent(&layout, i, 9 + 2 * i, 1);
		if (i < 8)
			prints[i] = layout_print(&layout);
		plan_writer_move(to, &job, file, &layout, &one);
	}
	plan_writer_end(to, &job);
	ok(plan_writer_close(to), "a plan was written");
	fclose(stream);
	wrong = parse(&plan, text, size);
	if (!ok(!wrong, "and is read"))
		printf("# %s\n", wrong);
	is(plan.moves, count, "all moves of it");
	is(plan.pieces, pieces, "and all their pieces");
	for (i = 0; i < plan.moves && !wrong; i++)
		same += plan.move[i].ino == 12 + i && plan.move[i].generation == UINT32_MAX - i &&
			plan.move[i].blocks == job.survey.file[i].blocks &&
			plan.move[i].before == 60 && plan.move[i].after == plan.move[i].pieces &&
			(i >= 8 || plan.move[i].layout == prints[i]);
	is(same, count, "as they were");
	k = plan.pieces ? (uint32_t)plan.pieces - 1 : 0;
	ok(plan.pieces && plan.piece[k].goal + plan.piece[k].length == goal, "to the last piece");
	free(wrong);
	planfile_free(&plan);
	free(text);
	layout_free(&layout);
	free(job.survey.detail);
	free(job.survey.file);

	stream = open_memstream(&text, &size);
	to = plan_writer_open(stream, 5);
	ok(!plan_writer_close(to), "without a filesystem there is no plan");
	fclose(stream);
	is(size, 0, "and nothing is written");
	free(text);
}

static void prints(void)
{
	struct layout a, b;

	layout_init(&a);
	layout_init(&b);
	layout_add_extent(&a, 0, 100, 5);
	layout_add_extent(&b, 0, 100, 5);
	ok(layout_print(&a) == layout_print(&b), "like layouts have like fingerprints");
	layout_add_extent(&b, 5, 105, 1);
	ok(layout_print(&a) != layout_print(&b), "a file that grew has another");
	layout_add_extent(&a, 5, 106, 1);
	ok(layout_print(&a) != layout_print(&b), "one that lies elsewhere, too");
	layout_clear(&a);
	layout_clear(&b);
	layout_add_extent(&a, 0, 100, 12);
	layout_add_extent(&b, 0, 100, 12);
	layout_add_indirect(&a, 1, 12, 112);
	layout_add_indirect(&b, 1, 12, 113);
	ok(layout_print(&a) != layout_print(&b), "and one whose indirect block does");
	layout_free(&a);
	layout_free(&b);
}

/* A name that ends in the middle of an escape, with nothing behind it to be read. */
static void cut_name(void)
{
	size_t length;

	for (length = 1; length < 4; length++) {
		char *text = xreallocarray(NULL, length, 1), *name;

		memcpy(text, "\\01", length);
		name = planfile_name(text, length);
		ok(!name, "a name cut after %zu bytes of an escape is none", length);
		free(name);
		free(text);
	}
}

void test_planfile(void)
{
	good();
	cut_name();
	bad();
	long_ones();
	round_trip(200);
	prints();
}
