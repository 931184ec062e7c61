// SPDX-License-Identifier: GPL-2.0-only
/*
 * imagefuzz: makes ext3 images that lie.
 *
 *	make IMAGE SEED       fill a new ext3 filesystem with files of known content, in pieces
 *	corrupt IMAGE SEED    damage it in a few places, all told by the seed, and say where
 *
 * Only files of even inode numbers are damaged directly; those of odd numbers are immutable, and
 * imagejudge expects them as they were. What a damaged pointer leads to is another matter.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "imagetree.h"
#include "pattern.h"

static ext2_filsys fs;
static uint64_t state;

static uint32_t blocks_count(void)
{
	return ext2fs_blocks_count(fs->super);
}

static uint32_t any_block(void)
{
	return fs->super->s_first_data_block +
	       below(&state, blocks_count() - fs->super->s_first_data_block);
}

static void check(errcode_t err, const char *what)
{
	if (err)
		die(err, "%s", what);
}

/* -------- make -------- */

static blk64_t take_block(blk64_t goal)
{
	blk64_t block;

	check(ext2fs_new_block2(fs, goal, NULL, &block), "a free block");
	ext2fs_block_alloc_stats2(fs, block, +1);
	return block;
}

static void write_data(uint64_t seed, ext2_ino_t ino, uint64_t logical, blk64_t block)
{
	unsigned int cells = fs->blocksize / CELL, i;
	struct cell *cell = malloc(fs->blocksize);

	for (i = 0; i < cells; i++)
		cell_fill(&cell[i], seed, ino, logical * cells + i, 0);
	check(io_channel_write_blk64(fs->io, block, 1, cell), "data");
	free(cell);
}

static void make_file(uint64_t seed, unsigned int number)
{
	uint32_t per = fs->blocksize / 4, logical = 0;
	/* of each three files one has direct blocks alone, one IND, one DIND if it fits */
	uint32_t end[] = { 2 + below(&state, 11), 13 + below(&state, per > 512 ? 100 : per),
			   13 + (per > 512 ? 0 : per) + below(&state, 300) };
	uint32_t stop = end[number % 3], run = 0, base, at;
	blk64_t goal = any_block(), block;
	struct ext2_inode inode = { 0 };
	ext2_ino_t ino;
	char name[16];

	check(ext2fs_new_inode(fs, EXT2_ROOT_INO, LINUX_S_IFREG | 0644, NULL, &ino), "an inode");
	if (ino != FIRST_FILE + number)
		die(0, "inode %u", ino);
	inode.i_mode = LINUX_S_IFREG | 0644;
	inode.i_links_count = 1;
	inode.i_atime = inode.i_mtime = inode.i_ctime = 1000000000 + ino;
	inode.i_flags = is_witness(ino) ? EXT2_IMMUTABLE_FL : 0;
	inode.i_generation = next_random(&state);
	check(ext2fs_write_new_inode(fs, ino, &inode), "inode");
	for (; logical < stop; logical++) {
		if (!run--) {
			goal = any_block();
			run = below(&state, 12);
			if (logical && !below(&state, 6) && stop - logical > 3)
				logical += 1 + below(&state, 2);
		}
		/* an indirect block is taken where the run has come to */
		base = logical < EXT2_NDIR_BLOCKS ? 0 : logical - EXT2_NDIR_BLOCKS;
		at = logical >= EXT2_NDIR_BLOCKS && base % per == 0;
		block = take_block(goal + at);
		check(ext2fs_bmap2(fs, ino, &inode, NULL, BMAP_ALLOC | BMAP_SET, logical, NULL,
				   &block),
		      "a pointer");
		ext2fs_iblk_add_blocks(fs, &inode, 1);
		write_data(seed, ino, logical, block);
		goal = block + 1;
	}
	inode.i_size = (uint64_t)stop * fs->blocksize;
	check(ext2fs_write_inode(fs, ino, &inode), "inode");
	ext2fs_inode_alloc_stats2(fs, ino, +1, 0);
	snprintf(name, sizeof(name), "f%u", ino);
	check(ext2fs_link(fs, EXT2_ROOT_INO, name, ino, EXT2_FT_REG_FILE), name);
}

static void make(uint64_t seed)
{
	unsigned int i;

	for (i = 0; i < FILES; i++)
		make_file(seed, i);
}

/* -------- corrupt -------- */

static struct {
	struct {
		ext2_ino_t ino;
		uint32_t block;
		uint8_t level;
	} claim[60000];
	unsigned int claims;
	ext2_ino_t ino;
} known;

static bool know(void *private, int level, uint64_t logical, uint32_t block)
{
	(void)private;
	(void)logical;
	if (known.claims == sizeof(known.claim) / sizeof(known.claim[0]))
		return false;
	known.claim[known.claims].ino = known.ino;
	known.claim[known.claims].block = block;
	known.claim[known.claims++].level = level;
	return true;
}

/* A block that some file has: @level or any (-1), of @ino or of anyone (0). 0: none. */
static uint32_t block_of(ext2_ino_t ino, int level)
{
	unsigned int tries;

	for (tries = 0; tries < 20000; tries++) {
		unsigned int i = below(&state, known.claims);

		if ((!ino || known.claim[i].ino == ino) &&
		    (level < 0 || known.claim[i].level == level))
			return known.claim[i].block;
	}
	return 0;
}

static uint32_t journal_block(void)
{
	struct ext2_inode inode;
	blk64_t block = 0;

	image_inode(fs, EXT2_JOURNAL_INO, &inode);
	ext2fs_bmap2(fs, EXT2_JOURNAL_INO, &inode, NULL, 0, below(&state, 900), NULL, &block);
	return block;
}

static uint32_t system_block(void)
{
	dgrp_t group = below(&state, fs->group_desc_count);

	switch (below(&state, 6)) {
	case 0:
		return ext2fs_block_bitmap_loc(fs, group);
	case 1:
		return ext2fs_inode_bitmap_loc(fs, group);
	case 2:
		return ext2fs_inode_table_loc(fs, group) +
		       below(&state, fs->inode_blocks_per_group);
	case 3:
		return fs->super->s_first_data_block + below(&state, 2);
	case 4: /* a backup of superblock or descriptors, or what is reserved for them */
		return ext2fs_group_first_block2(fs, group) + below(&state, 3);
	default:
		return journal_block();
	}
}

/* A pointer that is wrong for @ino, and why. */
static uint32_t wrong_block(ext2_ino_t ino, const char **why)
{
	struct ext2_inode root;

	switch (below(&state, 9)) {
	case 0:
		*why = "outside";
		return below(&state, 2) ? blocks_count() + below(&state, 1000) : ~0U;
	case 1:
		*why = "metadata";
		return system_block();
	case 2:
		*why = "anywhere";
		return any_block();
	case 3:
		*why = "data of another file";
		return block_of(ino ^ (1 + below(&state, 3)), 0);
	case 4:
		*why = "an indirect block of another file";
		return block_of(ino ^ (1 + below(&state, 3)), 1);
	case 5:
		*why = "its own data";
		return block_of(ino, 0);
	case 6:
		*why = "its own indirect block";
		return block_of(ino, 1);
	case 7:
		*why = "its own or another's double indirect block";
		return block_of(below(&state, 2) ? ino : 0, 2);
	default:
		*why = "a directory";
		image_inode(fs, below(&state, 2) ? EXT2_ROOT_INO : 11, &root);
		return root.i_block[0];
	}
}

static void write_pointer(uint32_t block, unsigned int slot, uint32_t value)
{
	uint32_t *pointers = malloc(fs->blocksize);

	image_block(fs, block, pointers);
	pointers[slot] = value;
	check(io_channel_write_blk64(fs->io, block, 1, pointers), "an indirect block");
	free(pointers);
}

static void corrupt_pointer(ext2_ino_t ino)
{
	struct ext2_inode inode;
	const char *why;
	uint32_t value = 0, block = 0;
	/* the first slots more often, for all files have these */
	unsigned int slot = below(&state, 2) ? below(&state, 20) : below(&state, fs->blocksize / 4);

	/* not every file has what is asked for */
	while (!value)
		value = wrong_block(ino, &why);
	if (below(&state, 2))
		block = block_of(ino, 1 + below(&state, 2));
	if (!block || block >= blocks_count()) {
		slot = below(&state, EXT2_N_BLOCKS);
		image_inode(fs, ino, &inode);
		inode.i_block[slot] = value;
		check(ext2fs_write_inode(fs, ino, &inode), "inode");
		printf("inode %u slot %u points at %u, %s\n", ino, slot, value, why);
		return;
	}
	write_pointer(block, slot, value);
	printf("inode %u block %u slot %u points at %u, %s\n", ino, block, slot, value, why);
}

/* The same block again and again, which is a tree much larger than the disk. */
static void corrupt_fan(ext2_ino_t ino)
{
	uint32_t block = block_of(ino, 1), value = block_of(ino, 0), slot;
	struct ext2_inode inode;

	if (!block)
		return;
	image_inode(fs, ino, &inode);
	inode.i_block[EXT2_TIND_BLOCK] = block;
	check(ext2fs_write_inode(fs, ino, &inode), "inode");
	if (below(&state, 2))
		value = block;
	for (slot = 0; slot < fs->blocksize / 4; slot++)
		write_pointer(block, slot, value);
	printf("inode %u TIND is %u, which points at %u everywhere\n", ino, block, value);
}

static void corrupt_noise(ext2_ino_t ino)
{
	uint32_t block = block_of(ino, 1 + below(&state, 2)), count = 1 + below(&state, 40);

	if (!block)
		return;
	printf("inode %u block %u has %u random pointers\n", ino, block, count);
	while (count--)
		write_pointer(block, below(&state, fs->blocksize / 4),
			      below(&state, 2) ? any_block() : next_random(&state));
}

static void corrupt_inode(ext2_ino_t ino)
{
	static const uint16_t modes[] = { LINUX_S_IFDIR, LINUX_S_IFIFO, LINUX_S_IFLNK,
					  LINUX_S_IFBLK, 0xf000 };
	unsigned int field = below(&state, 6);
	struct ext2_inode inode;

	image_inode(fs, ino, &inode);
	if (field == 0) {
		inode.i_size = next_random(&state);
		inode.i_size_high = below(&state, 2) ? 0 : next_random(&state);
	} else if (field == 1) {
		inode.i_blocks = next_random(&state) >> below(&state, 32);
	} else if (field == 2) {
		inode.i_flags ^= 1U << below(&state, 32);
	} else if (field == 3) {
		inode.i_links_count = below(&state, 3);
	} else if (field == 4) {
		inode.i_mode = (inode.i_mode & 07777) | modes[below(&state, 5)];
	} else {
		inode.i_file_acl = any_block();
	}
	check(ext2fs_write_inode(fs, ino, &inode), "inode");
	printf("inode %u field %u\n", ino, field);
}

static void corrupt_bitmap(void)
{
	unsigned int count = 1 + below(&state, 50);

	printf("%u bits of the block bitmap\n", count);
	while (count--) {
		uint32_t block = any_block();

		if (ext2fs_test_block_bitmap2(fs->block_map, block))
			ext2fs_unmark_block_bitmap2(fs->block_map, block);
		else
			ext2fs_mark_block_bitmap2(fs->block_map, block);
	}
	ext2fs_mark_bb_dirty(fs);
}

static void corrupt_group(void)
{
	dgrp_t group = below(&state, fs->group_desc_count);
	unsigned int field = below(&state, 4);

	if (field == 0)
		ext2fs_bg_free_blocks_count_set(fs, group, below(&state, 65536));
	else if (field == 1)
		ext2fs_bg_free_inodes_count_set(fs, group, below(&state, 65536));
	else if (field == 2)
		ext2fs_block_bitmap_loc_set(fs, group, any_block());
	else
		ext2fs_inode_bitmap_loc_set(fs, group, any_block());
	ext2fs_mark_super_dirty(fs);
	printf("group %u field %u\n", group, field);
}

static void corrupt_super(void)
{
	unsigned int field = below(&state, 6);

	if (field == 0)
		ext2fs_free_blocks_count_set(fs->super, next_random(&state) >> below(&state, 60));
	else if (field == 1)
		fs->super->s_free_inodes_count = next_random(&state) >> below(&state, 60);
	else if (field == 2)
		fs->super->s_first_ino = below(&state, 40);
	else if (field == 3)
		fs->super->s_default_mount_opts = next_random(&state);
	else if (field == 4)
		fs->super->s_last_orphan = below(&state, FIRST_FILE + FILES + 5);
	else
		ext2fs_blocks_count_set(fs->super, blocks_count() - below(&state, 500));
	ext2fs_mark_super_dirty(fs);
	printf("superblock field %u\n", field);
}

static void corrupt(void)
{
	unsigned int count = 1 + below(&state, 3), kind;
	struct ext2_inode inode;

	for (known.ino = FIRST_FILE; known.ino < FIRST_FILE + FILES; known.ino++) {
		image_inode(fs, known.ino, &inode);
		image_walk(fs, &inode, know, NULL);
	}
	while (count--) {
		ext2_ino_t ino = FIRST_FILE + 2 * below(&state, FILES / 2);

		kind = below(&state, 24);
		if (kind < 13)
			corrupt_pointer(ino);
		else if (kind < 15)
			corrupt_fan(ino);
		else if (kind < 17)
			corrupt_noise(ino);
		else if (kind < 20)
			corrupt_inode(ino);
		else if (kind < 22)
			corrupt_bitmap();
		else if (kind < 23)
			corrupt_group();
		else
			corrupt_super();
	}
}

int main(int argc, char **argv)
{
	bool makes = argc == 4 && !strcmp(argv[1], "make");

	if (!makes && (argc != 4 || strcmp(argv[1], "corrupt"))) {
		fprintf(stderr, "usage: imagefuzz make|corrupt IMAGE SEED\n");
		return 2;
	}
	add_error_table(&et_ext2_error_table);
	fs = image_open(argv[2], true);
	/* a superblock that lies is written to no backup */
	fs->flags |= EXT2_FLAG_MASTER_SB_ONLY;
	state = parse_number(argv[3], "SEED");
	if (makes)
		make(state);
	else
		corrupt();
	check(ext2fs_close_free(&fs), argv[2]);
	return 0;
}
