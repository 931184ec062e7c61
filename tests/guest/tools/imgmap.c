// SPDX-License-Identifier: GPL-2.0-only
/*
 * imgmap: what an image holds, read with libext2fs and not through the kernel's
 * filesystem, in the words of ext3meta's files, so that the two can be compared.
 *
 *	data IMAGE INODE          as data/extents
 *	meta IMAGE INODE          as metadata/blocks
 *	order IMAGE INODE         START LENGTH: data and indirect blocks in reading order
 *	free IMAGE                as allocation/free_blocks
 *	count IMAGE               how many blocks are free
 *	inodes IMAGE              inodes in use, as names of nodes/
 *	super IMAGE               KEY VALUE, as the files of super/
 *	state IMAGE               a checksum of bitmaps, inodes and indirect blocks
 *	check IMAGE INODE START LENGTH SEED
 *	                          whether the file's blocks hold the pattern
 *	point IMAGE INODE LOGICAL PHYSICAL
 *	                          write a (wrong) pointer where LOGICAL's lies;
 *	                          "i13" for LOGICAL is i_block[13]
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <ext2fs/ext2fs.h>

#include "imgmap.h"
#include "pattern_byte.h"

static ext2_filsys fs;
static FILE *out;

static void __attribute__((noreturn)) die(const char *what, errcode_t error)
{
	fprintf(stderr, "imgmap: %s: %s\n", what, error ? error_message(error) : "failed");
	_exit(2);
}

static void read_inode(ext2_ino_t ino, struct ext2_inode *inode)
{
	errcode_t error = ext2fs_read_inode(fs, ino, inode);

	if (error)
		die("reading an inode", error);
}

/* -------- the tree of a file, walked by hand: it's what is being tested -------- */

struct walk {
	unsigned long long per; /* pointers in a block */
	bool damaged;		/* go on where a block can't be read */
	void (*data)(unsigned long long logical, unsigned int physical);
	void (*meta)(int level, unsigned long long logical, unsigned int physical);
};

static void walk_pointer(const struct walk *walk, int level, unsigned long long logical,
			 unsigned int physical)
{
	unsigned long long i, below = 1;
	unsigned int *pointers;
	errcode_t error;
	int l;

	if (!physical)
		return;
	if (!level) {
		if (walk->data)
			walk->data(logical, physical);
		return;
	}
	if (walk->meta)
		walk->meta(level, logical, physical);
	for (l = 1; l < level; l++)
		below *= walk->per;
	pointers = malloc(fs->blocksize);
	error = io_channel_read_blk64(fs->io, physical, 1, pointers);
	if (error && !walk->damaged)
		die("reading an indirect block", error);
	for (i = 0; i < walk->per && !error; i++)
		walk_pointer(walk, level - 1, logical + i * below, pointers[i]);
	free(pointers);
}

static void walk_file(const struct ext2_inode *inode, struct walk *walk)
{
	unsigned long long logical = EXT2_NDIR_BLOCKS, per = fs->blocksize / 4;
	int i;

	walk->per = per;
	for (i = 0; i < EXT2_NDIR_BLOCKS; i++)
		walk_pointer(walk, 0, i, inode->i_block[i]);
	walk_pointer(walk, 1, logical, inode->i_block[EXT2_IND_BLOCK]);
	logical += per;
	walk_pointer(walk, 2, logical, inode->i_block[EXT2_DIND_BLOCK]);
	logical += per * per;
	walk_pointer(walk, 3, logical, inode->i_block[EXT2_TIND_BLOCK]);
}

static struct {
	unsigned long long logical, physical, length;
} run;

static void flush_run(void)
{
	if (run.length)
		fprintf(out, "%llu %llu %llu\n", run.logical, run.physical, run.length);
	run.length = 0;
}

static void add_run(unsigned long long logical, unsigned long long physical,
		    unsigned long long length)
{
	bool hole = !physical;

	if (!length)
		return;
	if (run.length && run.logical + run.length == logical &&
	    (hole ? !run.physical : run.physical && run.physical + run.length == physical)) {
		run.length += length;
		return;
	}
	flush_run();
	run.logical = logical;
	run.physical = physical;
	run.length = length;
}

static unsigned long long next_logical;

static void data_line(unsigned long long logical, unsigned int physical)
{
	add_run(next_logical, 0, logical - next_logical);
	add_run(logical, physical, 1);
	next_logical = logical + 1;
}

static void show_data(const struct ext2_inode *inode)
{
	struct walk walk = { .data = data_line };
	unsigned long long end = (EXT2_I_SIZE(inode) + fs->blocksize - 1) / fs->blocksize;

	walk_file(inode, &walk);
	if (end > next_logical)
		add_run(next_logical, 0, end - next_logical);
	flush_run();
}

static void meta_line(int level, unsigned long long logical, unsigned int physical)
{
	fprintf(out, "%d %llu %u\n", level, logical, physical);
}

static void order_meta(int level, unsigned long long logical, unsigned int physical)
{
	(void)level;
	(void)logical;
	if (run.length && run.physical + run.length == physical) {
		run.length++;
		return;
	}
	if (run.length)
		fprintf(out, "%llu %llu\n", run.physical, run.length);
	run.physical = physical;
	run.length = 1;
}

static void order_data(unsigned long long logical, unsigned int physical)
{
	order_meta(0, logical, physical);
}

/* -------- the filesystem -------- */

static void show_free(void)
{
	blk64_t block, start = 0;
	errcode_t error = ext2fs_read_block_bitmap(fs);

	if (error)
		die("reading the block bitmap", error);
	for (block = fs->super->s_first_data_block; block <= ext2fs_blocks_count(fs->super);
	     block++) {
		bool is_free = block < ext2fs_blocks_count(fs->super) &&
			       !ext2fs_test_block_bitmap2(fs->block_map, block);

		if (is_free && !start)
			start = block;
		if (!is_free && start) {
			fprintf(out, "%llu %llu\n", (unsigned long long)start,
				(unsigned long long)(block - start));
			start = 0;
		}
	}
}

static void show_count(void)
{
	unsigned long long count = 0;
	blk64_t block;
	errcode_t error = ext2fs_read_block_bitmap(fs);

	if (error)
		die("reading the block bitmap", error);
	for (block = fs->super->s_first_data_block; block < ext2fs_blocks_count(fs->super); block++)
		count += !ext2fs_test_block_bitmap2(fs->block_map, block);
	fprintf(out, "%llu", count);
}

static void show_inodes(void)
{
	ext2_ino_t ino;
	errcode_t error = ext2fs_read_inode_bitmap(fs);
	bool first = true;

	if (error)
		die("reading the inode bitmap", error);
	for (ino = EXT2_ROOT_INO; ino <= fs->super->s_inodes_count; ino++) {
		if (ino != EXT2_ROOT_INO && ino < EXT2_FIRST_INODE(fs->super))
			continue;
		if (ext2fs_test_inode_bitmap2(fs->inode_map, ino)) {
			fprintf(out, "%s%u", first ? "" : " ", ino);
			first = false;
		}
	}
}

static void show_super(void)
{
	unsigned char *u = fs->super->s_uuid;
	int i;

	fprintf(out, "id ");
	for (i = 0; i < 16; i++)
		fprintf(out, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", u[i]);
	fprintf(out, "\nblocksize %u\nblocks %llu\nfirst_block %u\nblocks_per_group %u\n",
		fs->blocksize, (unsigned long long)ext2fs_blocks_count(fs->super),
		fs->super->s_first_data_block, fs->super->s_blocks_per_group);
	fprintf(out, "inodes %u\ninodes_per_group %u\n", fs->super->s_inodes_count,
		fs->super->s_inodes_per_group);
}

static unsigned long long sum = 0xcbf29ce484222325ULL;

static void add_sum(const void *data, size_t length)
{
	const unsigned char *bytes = data;

	while (length--)
		sum = (sum ^ *bytes++) * 0x100000001b3ULL;
}

static void sum_meta(int level, unsigned long long logical, unsigned int physical)
{
	unsigned long long where[3] = { level, logical, physical };
	char *block = malloc(fs->blocksize);

	add_sum(where, sizeof(where));
	if (physical < ext2fs_blocks_count(fs->super) &&
	    !io_channel_read_blk64(fs->io, physical, 1, block))
		add_sum(block, fs->blocksize);
	free(block);
}

static void show_state(void)
{
	struct walk walk = { .meta = sum_meta, .damaged = true };
	ext2_ino_t ino;
	errcode_t error = ext2fs_read_bitmaps(fs);
	char *bits = malloc(fs->blocksize);
	dgrp_t group;

	if (error)
		die("reading the bitmaps", error);
	for (group = 0; group < fs->group_desc_count; group++) {
		if (io_channel_read_blk64(fs->io, ext2fs_block_bitmap_loc(fs, group), 1, bits))
			die("reading a bitmap", 0);
		add_sum(bits, fs->blocksize);
	}
	free(bits);
	for (ino = EXT2_ROOT_INO; ino <= fs->super->s_inodes_count; ino++) {
		struct ext2_inode inode;

		if (ino == EXT2_JOURNAL_INO || !ext2fs_test_inode_bitmap2(fs->inode_map, ino) ||
		    (ino != EXT2_ROOT_INO && ino < EXT2_FIRST_INODE(fs->super)))
			continue;
		read_inode(ino, &inode);
		add_sum(&inode, sizeof(inode));
		if (!(inode.i_flags & EXT4_EXTENTS_FL) &&
		    ext2fs_inode_has_valid_blocks2(fs, &inode))
			walk_file(&inode, &walk);
	}
	fprintf(out, "%016llx", sum);
}

/* -------- contents -------- */

static void check_pattern(ext2_ino_t ino, unsigned long long at, unsigned long long length,
			  unsigned int seed)
{
	unsigned long long start = at, end = at + length;
	unsigned char *block = malloc(fs->blocksize);
	blk64_t known = 0;

	for (; at < end; at++) {
		blk64_t physical;
		unsigned char want = seed ? pattern_byte(at, seed) : 0;

		if (at % fs->blocksize == 0 || at == start) {
			if (ext2fs_bmap2(fs, ino, NULL, NULL, 0, at / fs->blocksize, NULL,
					 &physical))
				die("mapping a block", 0);
			if (!physical)
				memset(block, 0, fs->blocksize);
			else if (physical != known &&
				 io_channel_read_blk64(fs->io, physical, 1, block))
				die("reading a block", 0);
			known = physical;
		}
		if (block[at % fs->blocksize] != want) {
			fprintf(out, "byte %llu is %02x, not %02x", at, block[at % fs->blocksize],
				want);
			return;
		}
	}
	fputs("right", out);
}

static void point(ext2_ino_t ino, const char *where, unsigned int physical)
{
	bool slot = where[0] == 'i';
	unsigned long long logical = strtoull(where + slot, NULL, 10);
	unsigned long long per = fs->blocksize / 4, rest = logical - EXT2_NDIR_BLOCKS;
	struct ext2_inode inode;
	unsigned int *pointers = malloc(fs->blocksize), block;
	errcode_t error;

	read_inode(ino, &inode);
	if (slot || logical < EXT2_NDIR_BLOCKS) {
		inode.i_block[logical] = physical;
		error = ext2fs_write_inode(fs, ino, &inode);
		if (error)
			die("writing an inode", error);
		return;
	}
	if (rest >= per)
		die("only direct and single indirect pointers", 0);
	block = inode.i_block[EXT2_IND_BLOCK];
	if (!block || io_channel_read_blk64(fs->io, block, 1, pointers))
		die("reading an indirect block", 0);
	pointers[rest] = physical;
	if (io_channel_write_blk64(fs->io, block, 1, pointers))
		die("writing an indirect block", 0);
	free(pointers);
}

void imgmap(int argc, char **argv, FILE *to)
{
	struct ext2_inode inode = { 0 };
	struct walk walk = { 0 };
	const char *what = argv[0];
	ext2_ino_t ino = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
	bool writes = !strcmp(what, "point");
	errcode_t error;

	out = to;
	run.length = 0;
	next_logical = 0;
	sum = 0xcbf29ce484222325ULL;
	error = ext2fs_open2(argv[1], NULL,
			     EXT2_FLAG_64BITS | EXT2_FLAG_IGNORE_CSUM_ERRORS |
				     (writes ? EXT2_FLAG_RW : 0),
			     0, 0, unix_io_manager, &fs);
	if (error)
		die(argv[1], error);
	if (ino)
		read_inode(ino, &inode);

	if (!strcmp(what, "data")) {
		show_data(&inode);
	} else if (!strcmp(what, "meta")) {
		walk.meta = meta_line;
		walk_file(&inode, &walk);
	} else if (!strcmp(what, "order")) {
		walk.meta = order_meta;
		walk.data = order_data;
		walk_file(&inode, &walk);
		if (run.length)
			fprintf(out, "%llu %llu\n", run.physical, run.length);
	} else if (!strcmp(what, "free")) {
		show_free();
	} else if (!strcmp(what, "count")) {
		show_count();
	} else if (!strcmp(what, "inodes")) {
		show_inodes();
	} else if (!strcmp(what, "super")) {
		show_super();
	} else if (!strcmp(what, "state")) {
		show_state();
	} else if (!strcmp(what, "check") && argc == 6) {
		check_pattern(ino, strtoull(argv[3], NULL, 10), strtoull(argv[4], NULL, 10),
			      strtoul(argv[5], NULL, 10));
	} else if (writes && argc == 5) {
		point(ino, argv[3], strtoul(argv[4], NULL, 10));
	} else {
		die(what, 0);
	}
	ext2fs_close_free(&fs);
}
