// SPDX-License-Identifier: GPL-2.0-only
/*
 * imagejudge [--whole] GOOD BAD AFTER: what became of an image of imagefuzz. GOOD is as it was
 * made, BAD as it was damaged, AFTER as the kernel left it, its journal replayed.
 *
 * - What belongs to no file, and isn't what a mounted filesystem writes, is byte-identical.
 * - The blocks of an immutable file are where they were, byte-identical.
 * - A file that the damage doesn't touch is whole: each block its own, marked in use, and the
 *   content, which says by itself whose it is.
 *
 * A block that a damaged file claims together with an undamaged one may be lost for both, as it is
 * when one of them is deleted; also one that was free, and that the other was given. With --whole
 * not even that may happen: e3defrag has seen all files, and leaves those alone that share a block.
 */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "imagetree.h"
#include "pattern.h"

#define NODES 32 /* inodes below; a bit each */
#define BIT(ino) (1U << (ino))

struct image {
	ext2_filsys fs;
	struct ext2_inode inode[NODES];
	uint64_t trace[NODES]; /* of all pointers of the inode, in order */
	uint32_t *owners;      /* of each block: a bit an inode */
	uint32_t *twice;       /* bits of those that have it more than once */
	bool endless[NODES];
	uint32_t blocks;
};

static struct image good, bad, after;
static unsigned int problems;

static void __attribute__((format(printf, 1, 2))) problem(const char *what, ...)
{
	va_list args;

	/* The first few tell the story. */
	if (problems++ >= 20)
		return;
	va_start(args, what);
	vprintf(what, args);
	va_end(args);
	putchar('\n');
}

static struct {
	struct image *image;
	ext2_ino_t ino;
} walking;

static bool note(void *private, int level, uint64_t logical, uint32_t block)
{
	struct image *image = walking.image;
	uint64_t *trace = &image->trace[walking.ino];

	(void)private;
	*trace = (*trace ^ block ^ logical << 24 ^ (uint64_t)level << 60) * 0x100000001b3ULL;
	*trace ^= *trace >> 29;
	if (block >= image->blocks)
		return true;
	if (image->owners[block] & BIT(walking.ino))
		image->twice[block] |= BIT(walking.ino);
	image->owners[block] |= BIT(walking.ino);
	return true;
}

static bool is_mapped(const struct ext2_inode *inode)
{
	return (LINUX_S_ISREG(inode->i_mode) || LINUX_S_ISDIR(inode->i_mode)) &&
	       inode->i_links_count;
}

static void load(struct image *image, const char *path)
{
	ext2_ino_t ino;

	image->fs = image_open(path, false);
	image->blocks = ext2fs_blocks_count(image->fs->super);
	image->owners = calloc(image->blocks, sizeof(*image->owners));
	image->twice = calloc(image->blocks, sizeof(*image->twice));
	if (!image->owners || !image->twice)
		die(ENOMEM, "%s", path);
	for (ino = 1; ino < NODES; ino++) {
		image_inode(image->fs, ino, &image->inode[ino]);
		if (ino != EXT2_ROOT_INO && ino < 11 && ino != EXT2_JOURNAL_INO)
			continue;
		if (!is_mapped(&image->inode[ino]))
			continue;
		walking.image = image;
		walking.ino = ino;
		image->endless[ino] = !image_walk(image->fs, &image->inode[ino], note, NULL);
	}
}

static bool in_use(struct image *image, uint32_t block)
{
	return block < image->blocks && ext2fs_test_block_bitmap2(image->fs->block_map, block);
}

/*
 * Whether the damage is to the file itself. One that the list of orphans names is truncated to the
 * size that it has when ext4 mounts it, and told when.
 */
static bool damaged(ext2_ino_t ino)
{
	return bad.fs->super->s_last_orphan == ino ||
	       memcmp(&good.inode[ino], &bad.inode[ino], sizeof(good.inode[ino])) ||
	       good.trace[ino] != bad.trace[ino] || bad.endless[ino];
}

static struct {
	bool whole, wrong;
	ext2_ino_t ino;
	unsigned int data;
} asking;

/* Whether the kernel wouldn't show it any more, so that nobody can know what it claims. */
static bool hidden(ext2_ino_t ino)
{
	const struct ext2_inode *was = &good.inode[ino], *is = &bad.inode[ino];

	return was->i_mode != is->i_mode || was->i_flags != is->i_flags ||
	       was->i_links_count != is->i_links_count || was->i_file_acl != is->i_file_acl;
}

/* Of the block's owners those that share it in a way that nobody has to expect. */
static uint32_t others(uint32_t block, ext2_ino_t ino)
{
	uint32_t owners = bad.owners[block] & ~BIT(ino), hide = 0;
	ext2_ino_t other;

	for (other = FIRST_FILE; other < FIRST_FILE + FILES; other++)
		if (owners & BIT(other) && hidden(other))
			hide |= BIT(other);
	return asking.whole ? hide : owners;
}

static bool any_free_or_shared(void *private, int level, uint64_t logical, uint32_t block)
{
	(void)private;
	(void)level;
	(void)logical;
	if (!in_use(&bad, block))
		asking.wrong = true;
	else if (others(block, asking.ino))
		asking.wrong = true;
	return !asking.wrong;
}

/* It was free, but a damaged file has it: whoever gets it shares it. */
static bool any_given_twice(void *private, int level, uint64_t logical, uint32_t block)
{
	(void)private;
	(void)level;
	(void)logical;
	asking.wrong |= block < bad.blocks && !in_use(&bad, block) && others(block, asking.ino);
	return !asking.wrong;
}

/* Whether the damage may cost the file something without anybody else's fault. */
static bool doomed(ext2_ino_t ino)
{
	if (damaged(ino))
		return true;
	asking.ino = ino;
	asking.wrong = false;
	image_walk(bad.fs, &bad.inode[ino], any_free_or_shared, NULL);
	if (!asking.wrong)
		image_walk(after.fs, &after.inode[ino], any_given_twice, NULL);
	return asking.wrong;
}

/* -------- files -------- */

static bool block_right(void *private, int level, uint64_t logical, uint32_t block)
{
	ext2_ino_t ino = *(ext2_ino_t *)private;
	unsigned int cells = after.fs->blocksize / CELL, i;
	struct cell *cell;
	char text[128];

	if (block >= after.blocks || block < after.fs->super->s_first_data_block) {
		problem("inode %u points at %u", ino, block);
		return false;
	}
	if (!in_use(&after, block))
		problem("inode %u has block %u, which is free", ino, block);
	/* Damaged ones may claim what they did before. */
	for (i = 11; i < NODES; i++)
		if (i != ino && after.owners[block] & BIT(i) && !doomed(i))
			problem("block %u is inode %u's and inode %u's", block, ino, i);
	if (after.twice[block] & BIT(ino))
		problem("inode %u has block %u twice", ino, block);
	if (level)
		return true;
	cell = malloc(after.fs->blocksize);
	image_block(after.fs, block, cell);
	/* What was allocated to a hole; where data became zeros, the count tells. */
	if (all_zero(cell, after.fs->blocksize)) {
		free(cell);
		return true;
	}
	for (i = 0; i < cells; i++) {
		if (cell_valid(&cell[i], ino, logical * cells + i))
			continue;
		cell_describe(&cell[i], text, sizeof(text));
		problem("inode %u block %llu at %u: %s", ino, (unsigned long long)logical, block,
			text);
		break;
	}
	asking.data++;
	free(cell);
	return true;
}

static bool count_data(void *private, int level, uint64_t logical, uint32_t block)
{
	(void)logical;
	(void)block;
	*(unsigned int *)private += !level;
	return true;
}

static void judge_file(ext2_ino_t ino)
{
	const struct ext2_inode *was = &bad.inode[ino], *is = &after.inode[ino];
	unsigned int data = 0;

	if (was->i_mode != is->i_mode || was->i_size != is->i_size ||
	    was->i_size_high != is->i_size_high || was->i_links_count != is->i_links_count ||
	    was->i_mtime != is->i_mtime || was->i_ctime != is->i_ctime ||
	    was->i_flags != is->i_flags || was->i_generation != is->i_generation)
		problem("inode %u has changed", ino);
	asking.data = 0;
	image_walk(after.fs, is, block_right, &ino);
	image_walk(bad.fs, was, count_data, &data);
	if (asking.data != data)
		problem("inode %u has %u blocks of its data, not %u", ino, asking.data, data);
	if (is_witness(ino) && bad.trace[ino] != after.trace[ino])
		problem("inode %u is immutable and has moved", ino);
}

/* -------- blocks -------- */

static bool *writable; /* by a mounted filesystem, whatever it does */

static bool note_writable(void *private, int level, uint64_t logical, uint32_t block)
{
	(void)private;
	(void)level;
	(void)logical;
	if (block < good.blocks)
		writable[block] = true;
	return true;
}

static void find_writable(struct image *image)
{
	uint32_t first = image->fs->super->s_first_data_block, i;
	dgrp_t group;
	blk64_t block;

	for (i = 0; i <= image->fs->desc_blocks; i++)
		note_writable(NULL, 0, 0, first + i);
	for (group = 0; group < image->fs->group_desc_count; group++) {
		note_writable(NULL, 0, 0, ext2fs_block_bitmap_loc(image->fs, group));
		note_writable(NULL, 0, 0, ext2fs_inode_bitmap_loc(image->fs, group));
		block = ext2fs_inode_table_loc(image->fs, group);
		for (i = 0; i < image->fs->inode_blocks_per_group; i++)
			note_writable(NULL, 0, 0, block + i);
	}
	image_walk(image->fs, &image->inode[EXT2_JOURNAL_INO], note_writable, NULL);
}

/* Whether nothing had a right to write to the block. */
static bool must_stay(uint32_t block)
{
	uint32_t owners = bad.owners[block], ino;
	bool movable = false;

	if (writable[block] || !in_use(&bad, block))
		return false;
	for (ino = 0; ino < NODES; ino++)
		if (owners & BIT(ino) && ino >= FIRST_FILE && !is_witness(ino))
			movable = true;
	if (!movable)
		return true;
	/* A witness's or a directory's too, if only what has seen all files was at work. */
	return asking.whole && owners & (owners - 1) && !others(block, 0);
}

static void judge_blocks(void)
{
	char *one = malloc(good.fs->blocksize), *two = malloc(good.fs->blocksize);
	uint32_t block;

	writable = calloc(good.blocks, sizeof(*writable));
	if (!one || !two || !writable)
		die(ENOMEM, "blocks");
	find_writable(&bad);
	for (block = good.fs->super->s_first_data_block; block < bad.blocks; block++) {
		if (!must_stay(block))
			continue;
		image_block(bad.fs, block, one);
		image_block(after.fs, block, two);
		if (memcmp(one, two, good.fs->blocksize))
			problem("block %u (inodes 0x%x) was written to", block, bad.owners[block]);
		if (!in_use(&after, block))
			problem("block %u (inodes 0x%x) was freed", block, bad.owners[block]);
	}
	for (block = 0; block < bad.blocks; block++)
		if (writable[block] && in_use(&bad, block) && !in_use(&after, block))
			problem("metadata block %u was freed", block);
	free(one);
	free(two);
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "whole", no_argument, NULL, 'w' },
						 { NULL, 0, NULL, 0 } };
	unsigned int judged = 0;
	ext2_ino_t ino;
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt != 'w')
			return 2;
		asking.whole = true;
	}
	if (argc - optind != 3) {
		fprintf(stderr, "usage: imagejudge [--whole] GOOD BAD AFTER\n");
		return 2;
	}
	add_error_table(&et_ext2_error_table);
	load(&good, argv[optind]);
	load(&bad, argv[optind + 1]);
	load(&after, argv[optind + 2]);
	judge_blocks();
	for (ino = FIRST_FILE; ino < FIRST_FILE + FILES; ino++) {
		if (doomed(ino))
			continue;
		judged++;
		judge_file(ino);
	}
	printf("%u of %u files judged, %u problems\n", judged, FILES, problems);
	return problems ? 1 : 0;
}
