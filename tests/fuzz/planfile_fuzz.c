// SPDX-License-Identifier: GPL-2.0-only
/*
 * Any bytes as a plan in a file. It is refused with a message, or its moves are what apply.c counts
 * on: each covers its file without gaps, in fewer pieces than it had, and no block of the
 * filesystem is for two of them. And whatever the pieces are, a file of that many blocks is asked
 * for as a whole, each block once.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "plan/plan.h"
#include "planfile/planfile_parse.h"

/* So many blocks are looked at one by one. */
#define BLOCKS_MOST 4096U

static int fuzzed = -1;
static uint8_t wanted[BLOCKS_MOST];
static struct layout layout;
static struct sequence seq;
static struct plan plan;
static struct plan_requests requests;

/* Some file of @blocks blocks, every seventh of them an indirect one. */
static void make_file(uint32_t blocks)
{
	static const struct geometry geo = { 1024, BLOCKS_MOST, 1, 8192, 4096, 1024, "" };
	uint32_t at, logical = 0;

	layout_clear(&layout);
	for (at = 0; at < blocks; at++)
		if (at % 7 == 3)
			MUST(!layout_add_indirect(&layout, 1, logical, 2 * at));
		else
			MUST(!layout_add_extent(&layout, logical++, 2 * at, 1));
	sequence_build(&seq, &layout, &geo);
	MUST(seq.blocks == blocks);
}

static void check_requests(const struct planfile_move *move, const struct planfile_piece *piece)
{
	uint64_t data = 0, next = 0, indirect = 0;
	size_t goals = 0, i;

	make_file(move->blocks);
	plan.pieces = 0;
	for (i = 0; i < move->pieces; i++) {
		if (plan.pieces == plan.room) {
			plan.room = plan.room ? 2 * plan.room : 16;
			plan.piece = realloc(plan.piece, plan.room * sizeof(*plan.piece));
			MUST(plan.piece);
		}
		plan.piece[plan.pieces++] = (struct plan_piece){ piece[i].at, piece[i].length,
								 piece[i].goal, FREEMAP_NONE };
	}
	plan_requests(&requests, &plan, &seq);
	for (i = 0; i < requests.requests; i++) {
		const struct plan_request *r = &requests.request[i];

		if (r->kind == ASK_GOAL) {
			MUST(goals < move->pieces && r->value == piece[goals].goal);
			goals++;
		} else if (r->kind == ASK_DATA) {
			MUST(r->value && r->logical >= next);
			next = (uint64_t)r->logical + r->value;
			data += r->value;
		} else {
			indirect++;
		}
	}
	MUST(goals == move->pieces && data == layout.data && indirect <= layout.indirects);
}

static void check_fs(const struct planfile *file, const struct planfile_fs *fs)
{
	size_t i, k;

	MUST(strlen(fs->id) == 36 && planfile_find(file, fs->id) == fs);
	MUST(fs->blocksize >= 1024 && fs->blocksize <= 65536 && fs->blocks);
	memset(wanted, 0, sizeof(wanted));
	for (i = fs->first; i < fs->first + fs->moves; i++) {
		const struct planfile_move *move = &file->move[i];
		const struct planfile_piece *piece = &file->piece[move->first];
		uint64_t at = 0, b;

		MUST(move->path && move->ino && move->pieces == move->after);
		MUST(move->after && move->after < move->before && move->before <= move->blocks);
		for (k = 0; k < move->pieces; k++) {
			MUST(piece[k].at == at && piece[k].length && piece[k].goal);
			at += piece[k].length;
			MUST((uint64_t)piece[k].goal + piece[k].length <= fs->blocks);
			for (b = piece[k].goal;
			     b < (uint64_t)piece[k].goal + piece[k].length && b < BLOCKS_MOST; b++)
				MUST(!wanted[b]++);
		}
		MUST(at == move->blocks);
		if (move->blocks < BLOCKS_MOST / 2)
			check_requests(move, piece);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct planfile file;
	char *wrong;
	size_t i;

	if (fuzzed < 0)
		fuzzed = memfd_create("plan", MFD_CLOEXEC);
	MUST(fuzzed >= 0 && !ftruncate(fuzzed, 0));
	MUST(pwrite(fuzzed, data, size, 0) == (ssize_t)size);
	MUST(!lseek(fuzzed, 0, SEEK_SET));
	wrong = planfile_parse(&file, fuzzed);
	if (wrong) {
		MUST(*wrong && strlen(wrong) < 400 && !file.count && !file.moves && !file.pieces);
		for (i = 0; wrong[i]; i++)
			MUST((unsigned char)wrong[i] >= 0x20);
	}
	for (i = 0; i < file.count; i++)
		check_fs(&file, &file.fs[i]);
	planfile_free(&file);
	free(wrong);
	return 0;
}
