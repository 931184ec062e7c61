// SPDX-License-Identifier: GPL-2.0-only
#include "image.h"

#include <error.h>
#include <errno.h>
#include <ext2fs/ext2fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static ext2_filsys good;
static const char **sites;
static uint32_t *home; /* where each block of "moved" lay */
static struct image_sum sum;
static char complaint[512];

static ext2_filsys image_open(const char *path)
{
	ext2_filsys fs;
	errcode_t err = ext2fs_open(path, EXT2_FLAG_64BITS | EXT2_FLAG_IGNORE_CSUM_ERRORS, 0, 0,
				    unix_io_manager, &fs);

	if (!err)
		err = ext2fs_read_bitmaps(fs);
	if (err)
		error(2, 0, "%s: %s", path, error_message(err));
	return fs;
}

static ext2_ino_t find(ext2_filsys fs, const char *name)
{
	ext2_ino_t ino = 0;

	if (ext2fs_namei(fs, EXT2_ROOT_INO, EXT2_ROOT_INO, name, &ino))
		return 0;
	return ino;
}

static uint32_t where(ext2_filsys fs, ext2_ino_t ino, uint32_t block)
{
	blk64_t physical = 0;

	if (ext2fs_bmap2(fs, ino, NULL, NULL, 0, block, NULL, &physical))
		return 0;
	return (uint32_t)physical;
}

static int sum_entry(struct ext2_dir_entry *entry, int offset, int blocksize, char *buffer,
		     void *data)
{
	struct image_sum *s = data;
	struct ext2_inode inode;

	(void)offset;
	(void)blocksize;
	(void)buffer;
	if (entry->inode < EXT2_GOOD_OLD_FIRST_INO || ext2fs_read_inode(good, entry->inode, &inode))
		return 0;
	if (LINUX_S_ISREG(inode.i_mode)) {
		s->blocks += inode.i_blocks / (good->blocksize / 512);
		s->inodes++;
	}
	return 0;
}

/* Of the image that is in "good" at the moment. */
static struct image_sum sum_of(ext2_filsys fs)
{
	struct image_sum s = { ext2fs_free_blocks_count(fs->super),
			       fs->super->s_free_inodes_count };
	ext2_filsys before = good;

	good = fs;
	ext2fs_dir_iterate(fs, EXT2_ROOT_INO, 0, NULL, sum_entry, &s);
	good = before;
	return s;
}

struct mark {
	const char *data, *indirect;
};

static int mark_block(ext2_filsys fs, blk64_t *block, e2_blkcnt_t count, blk64_t ref, int offset,
		      void *data)
{
	const struct mark *mark = data;

	(void)fs;
	(void)ref;
	(void)offset;
	sites[*block] = count < 0 ? mark->indirect : mark->data;
	return 0;
}

static void mark_inode(ext2_ino_t ino, const char *data, const char *indirect)
{
	struct mark mark = { data, indirect };

	ext2fs_block_iterate3(good, ino, BLOCK_FLAG_READ_ONLY, NULL, mark_block, &mark);
}

static void mark_range(blk64_t first, blk64_t count, const char *name)
{
	for (; count; count--, first++)
		sites[first] = name;
}

void image_know(const char *path, struct image_files *files)
{
	blk64_t blocks, block;
	dgrp_t group;
	uint32_t i;

	if (good) {
		ext2fs_free(good);
		free(sites);
		free(home);
	}
	good = image_open(path);
	blocks = ext2fs_blocks_count(good->super);
	sites = calloc(blocks, sizeof(*sites));
	for (block = 0; block < blocks; block++)
		sites[block] = block < good->super->s_first_data_block ||
					       !ext2fs_test_block_bitmap2(good->block_map, block) ?
				       "new block" :
				       "superblock";
	for (group = 0; group < good->group_desc_count; group++) {
		mark_range(ext2fs_block_bitmap_loc(good, group), 1, "block bitmap");
		mark_range(ext2fs_inode_bitmap_loc(good, group), 1, "inode bitmap");
		mark_range(ext2fs_inode_table_loc(good, group), good->inode_blocks_per_group,
			   "inode table");
	}
	mark_inode(EXT2_JOURNAL_INO, "journal", "journal");
	mark_inode(EXT2_ROOT_INO, "directory", "directory");
	for (i = 3; i < 5; i++)
		mark_inode(i, "quota", "quota");
	files->ino = find(good, "moved");
	files->sparse_ino = find(good, "sparse");
	mark_inode(files->ino, "file data", "file indirect");
	mark_inode(find(good, "other"), "another file", "another file");
	sites[0] = sites[good->super->s_first_data_block] = "superblock";
	home = calloc(files->moved_blocks, sizeof(*home));
	for (i = 0; i < files->moved_blocks; i++)
		home[i] = where(good, files->ino, i);
	sum = sum_of(good);
}

const char *image_site(uint64_t byte)
{
	return sites[byte / good->blocksize];
}

uint32_t image_blocksize(void)
{
	return good->blocksize;
}

uint32_t image_longest(uint32_t *length)
{
	blk64_t blocks = ext2fs_blocks_count(good->super), block;
	uint32_t run = 0, best = 0, start = 0;

	for (block = good->super->s_first_data_block; block < blocks; block++) {
		run = ext2fs_test_block_bitmap2(good->block_map, block) ? 0 : run + 1;
		if (run > best) {
			best = run;
			start = (uint32_t)block + 1 - run;
		}
	}
	*length = best;
	return start;
}

unsigned char image_byte(uint64_t at, unsigned int seed)
{
	uint64_t x = ((at >> 3) + 1) * 0x9e3779b97f4a7c15ull ^
		     (seed + 1ull) * 0xd1342543de82ef95ull;

	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93ull;
	return (unsigned char)(x >> (8 * (at & 7) % 56)) | 1;
}

bool image_holds(const unsigned char *bytes, uint64_t at, size_t length, unsigned int seed)
{
	size_t i;

	for (i = 0; i < length; i++)
		if (bytes[i] != (seed ? image_byte(at + i, seed) : 0))
			return false;
	return true;
}

static bool moved_right(const struct image_files *files, uint32_t block, const unsigned char *bytes)
{
	uint32_t size = good->blocksize;
	uint64_t at = (uint64_t)block * size;

	if (block - files->rewritten_first < files->rewritten_count) {
		if (image_holds(bytes, at, size, REWRITTEN_SEED))
			return true;
		if (files->rewritten_must)
			return false;
	}
	return image_holds(bytes, at, size, MOVED_SEED);
}

static const char *judge_content(ext2_filsys fs, const struct image_files *files, const char *name,
				 uint32_t first, uint32_t blocks, unsigned int seed)
{
	unsigned char *bytes = malloc(fs->blocksize);
	ext2_ino_t ino = find(fs, name);
	const char *result = NULL;
	ext2_file_t file;
	unsigned int got;
	uint32_t i;

	if (!ino || ext2fs_file_open(fs, ino, 0, &file)) {
		snprintf(complaint, sizeof(complaint), "%s is gone", name);
		free(bytes);
		return complaint;
	}
	if (ext2fs_file_llseek(file, (uint64_t)first * fs->blocksize, EXT2_SEEK_SET, NULL))
		blocks = 0;
	for (i = first; i < first + blocks && !result; i++) {
		if (ext2fs_file_read(file, bytes, fs->blocksize, &got) || got != fs->blocksize ||
		    !(seed == MOVED_SEED ?
			      moved_right(files, i, bytes) :
			      image_holds(bytes, (uint64_t)i * fs->blocksize, got, seed))) {
			snprintf(complaint, sizeof(complaint), "%s: block %u, at %u, is wrong",
				 name, i, where(fs, ino, i));
			result = complaint;
		}
	}
	ext2fs_file_close(file);
	free(bytes);
	return result;
}

/* A leaf is what one step moves: all of what it has in common with the donor, or nothing. */
static const char *judge_leaves(ext2_filsys fs, const struct image_files *files, uint32_t had)
{
	uint32_t per = good->blocksize / 4, first = 0, leaf = 12, i;

	while (first < files->moved_blocks) {
		bool moved = where(fs, files->ino, first) != home[first];

		for (i = first; i < first + leaf && i < files->moved_blocks; i++) {
			bool differs = where(fs, files->ino, i) != home[i];

			if (differs != (moved && i < had)) {
				snprintf(complaint, sizeof(complaint),
					 "block %u is %smoved, block %u is%s", i,
					 differs ? "" : "not ", first, moved ? "" : " not");
				return complaint;
			}
		}
		first += leaf;
		leaf = per;
	}
	return NULL;
}

static const char *judge_sum(ext2_filsys fs)
{
	struct image_sum now = sum_of(fs);

	if (now.blocks == sum.blocks && now.inodes == sum.inodes)
		return NULL;
	snprintf(complaint, sizeof(complaint), "leak: %lld blocks, %lld inodes",
		 (long long)(sum.blocks - now.blocks), (long long)(sum.inodes - now.inodes));
	return complaint;
}

uint32_t image_inode_block(uint32_t ino)
{
	uint32_t group = (ino - 1) / EXT2_INODES_PER_GROUP(good->super);
	uint32_t index = (ino - 1) % EXT2_INODES_PER_GROUP(good->super);

	return (uint32_t)ext2fs_inode_table_loc(good, group) +
	       index / EXT2_INODES_PER_BLOCK(good->super);
}

const char *image_part(const char *path, const char *name, uint32_t first, uint32_t count,
		       unsigned int seed)
{
	static const struct image_files none;
	ext2_filsys fs = image_open(path);
	const char *result = judge_content(fs, &none, name, first, count, seed);

	ext2fs_free(fs);
	return result;
}

const char *image_leak(const char *path)
{
	ext2_filsys fs = image_open(path);
	const char *result = judge_sum(fs);

	ext2fs_free(fs);
	return result;
}

const char *image_judge(const char *path, const struct image_files *files, uint32_t had)
{
	ext2_filsys fs = image_open(path);
	const char *result;

	result = judge_content(fs, files, "moved", 0, files->moved_blocks, MOVED_SEED);
	if (!result)
		result = judge_content(fs, files, "other", 0, files->moved_blocks, 3);
	if (!result)
		result = judge_content(fs, files, "sparse", 0, files->sparse_blocks, 0);
	if (!result)
		result = judge_leaves(fs, files, had);
	if (!result)
		result = judge_sum(fs);
	ext2fs_free(fs);
	return result;
}

/* What e2fsck may say after a replay, and what only where ext4 itself asked for it. */
static bool said_before(const char *line, const char *const *list)
{
	for (; *list; list++)
		if (strstr(line, *list))
			return true;
	return false;
}

static const char *line_bad(const char *line, bool errors)
{
	static const char *const replay[] = { "e2fsck 1.",
					      "Pass ",
					      "recovering journal",
					      "Clearing orphaned inode",
					      "files (",
					      "file system with errors",
					      "FILE SYSTEM WAS MODIFIED",
					      "count wrong",
					      "Fix? yes",
					      "not cleanly unmounted",
					      "journal superblock",
					      "needs_recovery",
					      "Run journal",
					      "orphaned inode",
					      NULL };
	static const char *const repair[] = { "bitmap differences", "file system with errors",
					      "has zero dtime", "orphan linked list",

					      NULL };

	if (!line[strspn(line, " \n")] || said_before(line, replay) ||
	    (errors && said_before(line, repair)))
		return NULL;
	snprintf(complaint, sizeof(complaint), "e2fsck: %.400s", line);
	complaint[strcspn(complaint, "\n")] = '\0';
	return complaint;
}

static const char *fsck(const char *path, const char *how, bool errors, int *status)
{
	const char *result = NULL;
	char line[1024];
	FILE *from;

	snprintf(line, sizeof(line), "exec e2fsck %s %s 2>&1", how, path);
	from = popen(line, "re");
	while (from && fgets(line, sizeof(line), from))
		if (!result)
			result = line_bad(line, errors);
	*status = from ? pclose(from) : -1;
	*status = WIFEXITED(*status) ? WEXITSTATUS(*status) : 128;
	return result;
}

/* Without the flag the journal can still hold data, or the errno that it was aborted with. */
static void look_at_journal(ext2_filsys fs, bool *has_data, bool *aborted)
{
	uint32_t *words = malloc(fs->blocksize);
	blk64_t block = 0;

	if (ext2fs_bmap2(fs, EXT2_JOURNAL_INO, NULL, NULL, 0, 0, NULL, &block) ||
	    io_channel_read_blk64(fs->io, block, 1, words))
		memset(words, 0, fs->blocksize);
	*has_data = words[7];
	*aborted = words[8];
	free(words);
}

const char *image_fsck(const char *path, const char **how)
{
	ext2_filsys fs;
	bool replay, errors, journal_has_data, journal_aborted;
	const char *result = NULL;
	int status;

	if (ext2fs_open(path, EXT2_FLAG_64BITS | EXT2_FLAG_IGNORE_CSUM_ERRORS, 0, 0,
			unix_io_manager, &fs))
		return "can't open the image";
	look_at_journal(fs, &journal_has_data, &journal_aborted);
	replay = fs->super->s_feature_incompat & EXT3_FEATURE_INCOMPAT_RECOVER || journal_has_data;
	/* To e2fsck an error of either kind makes the list of orphans one not to be trusted. */
	errors = fs->super->s_state & EXT2_ERROR_FS || journal_aborted;
	ext2fs_free(fs);
	*how = errors ? "repair" : replay ? "replay" : "clean";
	if (replay || errors) {
		result = fsck(path, "-fy", errors, &status);
		if (!result && status != 0 && status != 1)
			result = "e2fsck -fy can't repair it";
	}
	if (!result) {
		result = fsck(path, "-fn", false, &status);
		if (!result && status)
			result = "e2fsck -fn finds something";
	}
	return result;
}
