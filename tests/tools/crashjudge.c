// SPDX-License-Identifier: GPL-2.0-only
/*
 * The judge of an image. Three directories are in it: "still" has files that nobody writes to, of
 * which nothing may change but where they lie; "over" has files whose cells are overwritten in
 * place, also where there was a hole; "new" has files that come and go.
 */
#include <errno.h>
#include <error.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <ext2fs/ext2fs.h>

#include "crashjudge.h"
#include "pattern.h"

#define INODE_SIZE 256
#define INODES 1024
#define SERIALS 100000
#define CELLS 65536 /* of a file that is overwritten */
#define MAX_REPORTS 8

enum place { NOWHERE, TOP, STILL, OVER, NEW };
static const char *const place_names[] = { "", "", "still", "over", "new" };

struct file {
	enum place place;
	char name[32];
	union {
		struct ext2_inode_large inode;
		char raw[INODE_SIZE];
	};
	uint64_t content;	   /* hash of each block that is there, and its place */
	uint64_t cells, *promised; /* of an overwritten one: least generation of each cell */
	bool *hole;		   /* and whether it may be one */
	uint64_t *stored;	   /* generation of what is being stored through a mapping, or 0 */
	uint64_t seed;		   /* of the cells at the start */
	bool sparse;		   /* some are, or were holes */
};

struct new_file {
	uint32_t cells; /* promised to be whole, if not 0 */
	bool gone;	/* allowed not to be there */
};

struct judge {
	struct judge_rules rules;
	struct file *base[INODES];
	struct new_file *new;
	/* of the image that is being looked at */
	ext2_filsys fs;
	const char *map;
	FILE *report;
	unsigned int problems;
	uint64_t digest;
	enum place place;
	bool seen_base[INODES];
	bool *seen_new;
	bool seen_cell[CELLS];
	struct file now;
};

static void __attribute__((format(printf, 2, 3)))
problem(struct judge *judge, const char *format, ...)
{
	va_list args;

	if (++judge->problems > MAX_REPORTS || !judge->report)
		return;
	fprintf(judge->report, "  %s/%s: ", place_names[judge->place], judge->now.name);
	va_start(args, format);
	vfprintf(judge->report, format, args);
	va_end(args);
	fputc('\n', judge->report);
}

struct judge *judge_new(const struct judge_rules *rules)
{
	struct judge *judge = calloc(1, sizeof(*judge));

	if (judge) {
		judge->new = calloc(SERIALS, sizeof(*judge->new));
		judge->seen_new = calloc(SERIALS, sizeof(*judge->seen_new));
	}
	if (!judge || !judge->new || !judge->seen_new)
		error(2, ENOMEM, "judge");
	judge->rules = *rules;
	return judge;
}

void judge_mark(struct judge *judge, const char *mark)
{
	uint64_t inode, first, count, generation, i;
	unsigned int serial, cells;
	struct file *file;

	if (sscanf(mark, "new n%u %u", &serial, &cells) == 2 && serial < SERIALS) {
		judge->new[serial].cells = cells;
	} else if (sscanf(mark, "gone n%u", &serial) == 1 && serial < SERIALS) {
		judge->new[serial].gone = true;
	} else if (sscanf(mark, "wrote %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64, &inode,
			  &first, &count, &generation) == 4 &&
		   inode < INODES && judge->base[inode]) {
		file = judge->base[inode];
		for (i = first; i < first + count && i < file->cells; i++) {
			file->hole[i] = false;
			file->stored[i] = 0;
			if (file->promised[i] < generation)
				file->promised[i] = generation;
		}
	} else if (sscanf(mark, "store %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64, &inode,
			  &first, &count, &generation) == 4 &&
		   inode < INODES && judge->base[inode]) {
		file = judge->base[inode];
		for (i = first; i < first + count && i < file->cells; i++)
			file->stored[i] = generation;
	} else if (sscanf(mark, "hole %" SCNu64 " %" SCNu64 " %" SCNu64, &inode, &first, &count) ==
			   3 &&
		   inode < INODES && judge->base[inode]) {
		file = judge->base[inode];
		file->sparse = true;
		for (i = first; i < first + count && i < file->cells; i++)
			file->hole[i] = true;
	} else if (strncmp(mark, "base ", 5)) {
		error(2, 0, "a mark of no known kind: %s", mark);
	}
}

/* -------- what a file is made of -------- */

static const char *block_at(const struct judge *judge, uint32_t block)
{
	return judge->map + (uint64_t)block * judge->fs->blocksize;
}

/* Hashes a tree of pointers, and calls @data for each block of data. */
static void walk(struct judge *judge, int level, uint64_t logical, uint32_t block,
		 struct hash *pointers, void (*data)(struct judge *, uint64_t, const char *))
{
	uint64_t per = judge->fs->blocksize / 4, below = 1, i;
	const uint32_t *slots;
	int l;

	if (!block)
		return;
	if (block >= ext2fs_blocks_count(judge->fs->super)) {
		problem(judge, "block %" PRIu64 " lies at %u", logical, block);
		return;
	}
	if (!level) {
		if (data)
			data(judge, logical, block_at(judge, block));
		return;
	}
	hash_add(pointers, block_at(judge, block), judge->fs->blocksize);
	slots = (const uint32_t *)block_at(judge, block);
	for (l = 1; l < level; l++)
		below *= per;
	for (i = 0; i < per; i++)
		walk(judge, level - 1, logical + i * below, slots[i], pointers, data);
}

static void walk_inode(struct judge *judge, const struct ext2_inode_large *inode,
		       struct hash *pointers, void (*data)(struct judge *, uint64_t, const char *))
{
	uint64_t logical = 0, count = 1;
	int i, level;

	for (i = 0; i < EXT2_N_BLOCKS; i++) {
		level = i < EXT2_NDIR_BLOCKS ? 0 : i - EXT2_NDIR_BLOCKS + 1;
		if (level)
			count *= judge->fs->blocksize / 4;
		walk(judge, level, logical, inode->i_block[i], pointers, data);
		logical += count;
	}
}

static void hash_data(struct judge *judge, uint64_t logical, const char *data)
{
	uint64_t per = judge->fs->blocksize / CELL, i;
	struct hash hash;

	for (i = logical * per; i < (logical + 1) * per && i < CELLS; i++)
		judge->seen_cell[i] = true;
	if (!logical)
		judge->now.seed = ((const struct cell *)data)->seed;
	/* Blocks come in order, so one value can take in the next. */
	hash_start(&hash, judge->now.content);
	hash_add(&hash, &logical, sizeof(logical));
	hash_add(&hash, data, judge->fs->blocksize);
	judge->now.content = hash_end(&hash);
}

/* -------- the three kinds of files -------- */

/* All that does not say where the file lies. */
static void mask_place(char raw[INODE_SIZE])
{
	struct ext2_inode_large *inode = (struct ext2_inode_large *)raw;

	memset(inode->i_block, 0, sizeof(inode->i_block));
	inode->osd2.linux2.l_i_checksum_lo = 0;
	inode->i_checksum_hi = 0;
}

static void check_still(struct judge *judge, const struct file *base)
{
	char was[INODE_SIZE], is[INODE_SIZE];
	int i;

	memcpy(was, base->raw, INODE_SIZE);
	memcpy(is, judge->now.raw, INODE_SIZE);
	mask_place(was);
	mask_place(is);
	for (i = 0; i < INODE_SIZE; i++)
		if (was[i] != is[i]) {
			problem(judge, "byte %d of the inode is %02x and was %02x", i,
				(unsigned char)is[i], (unsigned char)was[i]);
			break;
		}
	if (judge->now.content != base->content)
		problem(judge, "content");
}

/*
 * What is stored through a mapping may be written meanwhile, anywhere between two bytes: each part
 * of the cell is as it was, or as it will be.
 */
static bool is_half_stored(const struct file *base, uint64_t number, uint64_t index,
			   const struct cell *cell)
{
	uint64_t promised = base->promised[index], i;
	struct cell before, after;
	const char *is = (const char *)cell, *was = (const char *)&before,
		   *will = (const char *)&after;

	if (!base->stored[index])
		return false;
	cell_fill(&before, promised ? 0 : base->seed, number, index, promised);
	cell_fill(&after, 0, number, index, base->stored[index]);
	for (i = 0; i < CELL; i++)
		if (is[i] != was[i] && is[i] != will[i] && (is[i] || !base->hole[index]))
			return false;
	return true;
}

static void check_over_cell(struct judge *judge, uint64_t index, const char *data)
{
	const struct file *base = judge->base[judge->now.cells];
	struct cell cell;
	char is[160];

	if (index >= base->cells)
		return;
	judge->seen_cell[index] = true;
	memcpy(&cell, data, CELL);
	if (cell_valid(&cell, judge->now.cells, index) && cell.generation >= base->promised[index])
		return;
	if (is_half_stored(base, judge->now.cells, index, &cell))
		return;
	/* What is not there yet, or not any more: as with new files. */
	if (base->hole[index] && (!judge->rules.ordered || all_zero(&cell, CELL)))
		return;
	cell_describe(&cell, is, sizeof(is));
	problem(judge, "cell %" PRIu64 " is %s; promised generation %" PRIu64, index, is,
		base->promised[index]);
}

static void check_over(struct judge *judge, uint64_t logical, const char *data)
{
	uint64_t per = judge->fs->blocksize / CELL, i;

	for (i = 0; i < per; i++)
		check_over_cell(judge, logical * per + i, data + i * CELL);
}

static void check_over_all(struct judge *judge, const struct file *base, struct hash *pointers)
{
	const struct file *now = &judge->now;
	uint64_t i;

	memset(judge->seen_cell, 0, base->cells);
	walk_inode(judge, &now->inode, pointers, check_over);
	for (i = 0; i < base->cells; i++)
		if (!judge->seen_cell[i] && !base->hole[i])
			problem(judge, "cell %" PRIu64 " is a hole; promised generation %" PRIu64,
				i, base->promised[i]);
	if (now->inode.i_size != base->inode.i_size ||
	    (!base->sparse && now->inode.i_blocks != base->inode.i_blocks) ||
	    now->inode.i_mode != base->inode.i_mode ||
	    now->inode.i_links_count != base->inode.i_links_count)
		problem(judge, "size, blocks, mode or links are not what they were");
}

/*
 * How many cells of a new file are promised. Where data is not ordered, ext4 lets the blocks of a
 * file that is deleted be written by others before that is committed: it's then not whole any more.
 */
static uint32_t promised_cells(const struct judge *judge, unsigned int serial)
{
	if (judge->rules.unflushed || (judge->new[serial].gone && !judge->rules.ordered))
		return 0;
	return judge->new[serial].cells;
}

static unsigned int serial_of(const struct judge *judge)
{
	unsigned int serial = 0;

	sscanf(judge->now.name, "n%u", &serial);
	return serial < SERIALS ? serial : 0;
}

/* Whatever was not promised may be missing, but it can't be someone else's. */
static void check_new(struct judge *judge, uint64_t logical, const char *data)
{
	uint64_t per = judge->fs->blocksize / CELL, i, index;
	unsigned int serial = serial_of(judge);
	uint32_t promised = promised_cells(judge, serial);
	struct cell cell;
	char is[160];

	for (i = 0; i < per; i++) {
		index = logical * per + i;
		if (index * CELL >= judge->now.inode.i_size)
			break;
		memcpy(&cell, data + i * CELL, CELL);
		if (cell_valid(&cell, judge->now.cells, index) && cell.seed == serial) {
			judge->now.content++;
			continue;
		}
		if (index >= promised && (!judge->rules.ordered || all_zero(&cell, CELL)))
			continue;
		cell_describe(&cell, is, sizeof(is));
		problem(judge, "cell %" PRIu64 " is %s", index, is);
	}
}

static void check_file(struct judge *judge, ext2_ino_t number)
{
	struct file *now = &judge->now, *base = number < INODES ? judge->base[number] : NULL;
	unsigned int serial = serial_of(judge);
	struct hash pointers;
	uint32_t promised;

	hash_start(&pointers, number);
	hash_add(&pointers, now->raw, INODE_SIZE);
	now->content = 0;
	/* The walk's callbacks want the inode's number. */
	now->cells = number;
	if (judge->place == NEW) {
		judge->seen_new[serial] = true;
		walk_inode(judge, &now->inode, &pointers, check_new);
		promised = promised_cells(judge, serial);
		if (!serial || now->inode.i_links_count != 1)
			problem(judge, "is no file that was made");
		else if (promised &&
			 (now->content != promised || now->inode.i_size != promised * CELL))
			problem(judge, "has %u bytes and %" PRIu64 " right cells of %u promised",
				now->inode.i_size, now->content, promised);
	} else if (!base || base->place != judge->place || strcmp(base->name, now->name)) {
		problem(judge, "inode %u was not there at the start", number);
	} else if (judge->place == STILL) {
		walk_inode(judge, &now->inode, &pointers, hash_data);
		check_still(judge, base);
	} else {
		check_over_all(judge, base, &pointers);
	}
	if (base && base->place == judge->place)
		judge->seen_base[number] = true;
	judge->digest ^= hash_end(&pointers);
}

static void add_base(struct judge *judge, ext2_ino_t number)
{
	struct file *file;
	struct hash pointers;
	uint64_t i;

	if (number >= INODES)
		error(2, 0, "inode %u at the start", number);
	hash_start(&pointers, 0);
	judge->now.content = 0;
	memset(judge->seen_cell, 0, sizeof(judge->seen_cell));
	judge->now.seed = 0;
	walk_inode(judge, &judge->now.inode, &pointers, hash_data);
	file = malloc(sizeof(*file));
	if (!file)
		error(2, ENOMEM, "judge");
	*file = judge->now;
	file->place = judge->place;
	file->cells = (file->inode.i_size + CELL - 1) / CELL;
	if (file->cells > CELLS)
		error(2, 0, "%s is too large", file->name);
	file->promised = calloc(file->cells + 1, sizeof(*file->promised));
	file->hole = calloc(file->cells + 1, sizeof(*file->hole));
	file->stored = calloc(file->cells + 1, sizeof(*file->stored));
	if (!file->promised || !file->hole || !file->stored)
		error(2, ENOMEM, "judge");
	file->sparse = false;
	for (i = 0; i < file->cells; i++) {
		file->hole[i] = !judge->seen_cell[i];
		file->sparse |= file->hole[i];
	}
	judge->base[number] = file;
}

/* -------- the directories -------- */

struct visit {
	struct judge *judge;
	void (*file)(struct judge *judge, ext2_ino_t number);
};

static int visit_entry(ext2_ino_t dir, int entry, struct ext2_dir_entry *dirent, int offset,
		       int blocksize, char *buffer, void *data)
{
	struct visit *visit = data;
	struct judge *judge = visit->judge;
	enum place place = judge->place;
	int length = ext2fs_dirent_name_len(dirent);
	struct hash hash;

	(void)dir;
	(void)offset;
	(void)blocksize;
	(void)buffer;
	if (entry != DIRENT_OTHER_FILE)
		return 0;
	snprintf(judge->now.name, sizeof(judge->now.name), "%.*s", length, dirent->name);
	hash_start(&hash, dirent->inode);
	hash_add(&hash, &place, sizeof(place));
	hash_add(&hash, dirent->name, length);
	judge->digest ^= hash_end(&hash);
	if (ext2fs_read_inode_full(judge->fs, dirent->inode, (struct ext2_inode *)&judge->now.inode,
				   INODE_SIZE)) {
		problem(judge, "inode %u can't be read", dirent->inode);
		return 0;
	}
	if (place != TOP) {
		visit->file(judge, dirent->inode);
		return 0;
	}
	hash_start(&hash, dirent->inode);
	hash_add(&hash, judge->now.raw, INODE_SIZE);
	judge->digest ^= hash_end(&hash);
	for (judge->place = STILL; judge->place <= NEW; judge->place++)
		if (!strcmp(judge->now.name, place_names[judge->place]))
			break;
	if (judge->place > NEW)
		judge->place = NOWHERE;
	if (judge->place == NOWHERE && strcmp(judge->now.name, "lost+found"))
		problem(judge, "was not there at the start");
	/* A file in lost+found is nobody's. */
	else if (ext2fs_dir_iterate2(judge->fs, dirent->inode, 0, NULL, visit_entry, visit))
		problem(judge, "can't be read");
	judge->place = TOP;
	return 0;
}

static void visit_all(struct judge *judge, const char *file, const char *map,
		      void (*function)(struct judge *judge, ext2_ino_t number))
{
	struct visit visit = { judge, function };
	errcode_t problem_code;

	judge->map = map;
	judge->place = TOP;
	judge->digest = 0;
	judge->problems = 0;
	strcpy(judge->now.name, ".");
	problem_code = ext2fs_open(file, 0, 0, 0, unix_io_manager, &judge->fs);
	if (problem_code) {
		problem(judge, "%s", error_message(problem_code));
		return;
	}
	problem_code = ext2fs_dir_iterate2(judge->fs, EXT2_ROOT_INO, 0, NULL, visit_entry, &visit);
	if (problem_code)
		problem(judge, "%s", error_message(problem_code));
	ext2fs_close_free(&judge->fs);
}

void judge_base(struct judge *judge, const char *file, const char *map)
{
	unsigned int i, files[NEW + 1] = { 0 };

	judge->report = stderr;
	visit_all(judge, file, map, add_base);
	for (i = 0; i < INODES; i++)
		if (judge->base[i])
			files[judge->base[i]->place]++;
	if (judge->problems || !files[STILL] || !files[OVER] || files[NEW])
		error(2, 0, "%s is not what it should be at the start", file);
}

unsigned int judge_image(struct judge *judge, const char *file, const char *map, FILE *report,
			 uint64_t *digest)
{
	unsigned int i;

	judge->report = report;
	memset(judge->seen_base, 0, sizeof(judge->seen_base));
	memset(judge->seen_new, 0, SERIALS * sizeof(*judge->seen_new));
	visit_all(judge, file, map, check_file);
	for (i = 0; i < INODES; i++) {
		if (!judge->base[i] || judge->seen_base[i])
			continue;
		judge->place = judge->base[i]->place;
		strcpy(judge->now.name, judge->base[i]->name);
		problem(judge, "is missing");
	}
	for (i = 0; i < SERIALS; i++) {
		if (!judge->new[i].cells || judge->new[i].gone || judge->seen_new[i])
			continue;
		judge->place = NEW;
		snprintf(judge->now.name, sizeof(judge->now.name), "n%06u", i);
		problem(judge, "is missing");
	}
	*digest = judge->digest;
	return judge->problems;
}
