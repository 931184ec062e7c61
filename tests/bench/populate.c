// SPDX-License-Identifier: GPL-2.0-only
/*
 * populate IMAGE DIR FILES BYTES PIECE SEED: puts FILES files, half of BYTES to one and a half in
 * size, into a new directory of an unmounted filesystem, 500 to a directory below it. Only metadata
 * is written, with libext2fs: the data, 100 GiB and more, stays a hole of the image.
 *
 * Every tenth file is in pieces of about PIECE bytes, 1 to 4 free blocks between them; the others
 * are in one. Files lie in the block group of their inodes, as far as there is room.
 */
#include <errno.h>
#include <error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <ext2fs/ext2fs.h>

#include "pattern.h"

#define NAMES 500 /* in a directory */

struct writer {
	ext2_filsys fs;
	uint64_t random;
	ext2_ino_t inode; /* the next to try */
	blk64_t cursor;	  /* where to look for free blocks */
	blk64_t next;	  /* the free run that was taken */
	blk64_t left;	  /* of it */
	blk64_t piece;	  /* blocks of a piece; 0: all in one */
	blk64_t data;	  /* blocks that the file still lacks */
	blk64_t all;	  /* with indirect blocks */
};

static void check(errcode_t code, const char *what)
{
	if (code)
		error(1, 0, "%s: %s", what, error_message(code));
}

/* The next run of free blocks, all of it the file's. */
static void take_run(struct writer *w)
{
	blk64_t end = ext2fs_blocks_count(w->fs->super) - 1, want = w->all, stop;

	if (w->piece && want > w->piece)
		want = w->piece;
	if (w->piece)
		w->cursor += 1 + below(&w->random, 4);
	check(ext2fs_find_first_zero_block_bitmap2(w->fs->block_map, w->cursor, end, &w->next),
	      "no free block");
	if (ext2fs_find_first_set_block_bitmap2(w->fs->block_map, w->next, end, &stop))
		stop = end;
	w->left = stop - w->next < want ? stop - w->next : want;
	w->cursor = w->next + w->left;
	w->all -= w->left;
	ext2fs_block_alloc_stats_range(w->fs, w->next, (blk_t)w->left, 1);
}

static blk64_t take(struct writer *w)
{
	if (!w->left)
		take_run(w);
	w->left--;
	return w->next++;
}

/* What a pointer of a level points to, and all below. */
static __u32 fill_tree(struct writer *w, int level)
{
	unsigned int pointers = w->fs->blocksize / 4, i;
	__u32 block = (__u32)take(w);
	__le32 *table;

	if (!level) {
		w->data--;
		return block;
	}
	table = calloc(pointers, 4);
	if (!table)
		error(1, errno, "no memory");
	for (i = 0; i < pointers && w->data; i++)
		table[i] = ext2fs_cpu_to_le32(fill_tree(w, level - 1));
	check(io_channel_write_blk64(w->fs->io, block, 1, table), "can't write");
	free(table);
	return block;
}

static blk64_t indirect_blocks(ext2_filsys fs, blk64_t data)
{
	blk64_t pointers = fs->blocksize / 4, below = 1, count = 0;
	int level, i;

	if (data <= EXT2_NDIR_BLOCKS)
		return 0;
	data -= EXT2_NDIR_BLOCKS;
	for (level = 1; level <= 3 && data; level++) {
		blk64_t here, at = 1;

		below *= pointers;
		here = data < below ? data : below;
		for (i = 0; i < level; i++) {
			at *= pointers;
			count += (here + at - 1) / at;
		}
		data -= here;
	}
	if (data)
		error(1, 0, "too large for three levels");
	return count;
}

static ext2_ino_t new_inode(struct writer *w)
{
	ext2_ino_t found, group = w->inode / w->fs->super->s_inodes_per_group;
	blk64_t start;

	check(ext2fs_find_first_zero_inode_bitmap2(w->fs->inode_map, w->inode,
						   w->fs->super->s_inodes_count, &found),
	      "no free inode");
	w->inode = found + 1;
	start = ext2fs_group_first_block2(w->fs, (found - 1) / w->fs->super->s_inodes_per_group);
	if ((found - 1) / w->fs->super->s_inodes_per_group != group && w->cursor < start)
		w->cursor = start;
	return found;
}

static void new_file(struct writer *w, ext2_ino_t dir, const char *name, uint64_t bytes)
{
	struct ext2_inode inode = { 0 };
	ext2_ino_t number = new_inode(w);
	errcode_t code;
	int i;

	w->data = (bytes + w->fs->blocksize - 1) / w->fs->blocksize;
	w->all = w->data + indirect_blocks(w->fs, w->data);
	inode.i_mode = LINUX_S_IFREG | 0644;
	inode.i_links_count = 1;
	inode.i_atime = inode.i_mtime = inode.i_ctime = (__u32)time(NULL);
	ext2fs_inode_size_set(w->fs, &inode, (ext2_off64_t)bytes);
	ext2fs_iblk_set(w->fs, &inode, w->all);
	for (i = 0; i < EXT2_N_BLOCKS && w->data; i++)
		inode.i_block[i] =
			fill_tree(w, i < EXT2_NDIR_BLOCKS ? 0 : i - EXT2_NDIR_BLOCKS + 1);
	ext2fs_inode_alloc_stats2(w->fs, number, 1, 0);
	check(ext2fs_write_new_inode(w->fs, number, &inode), "can't write an inode");
	while ((code = ext2fs_link(w->fs, dir, name, number, EXT2_FT_REG_FILE)) ==
	       EXT2_ET_DIR_NO_SPACE)
		check(ext2fs_expand_dir(w->fs, dir), "can't enlarge a directory");
	check(code, "can't link a file");
}

static ext2_ino_t new_dir(struct writer *w, ext2_ino_t parent, const char *name)
{
	ext2_ino_t number = new_inode(w);
	errcode_t code;

	while ((code = ext2fs_mkdir(w->fs, parent, number, name)) == EXT2_ET_DIR_NO_SPACE)
		check(ext2fs_expand_dir(w->fs, parent), "can't enlarge a directory");
	check(code, "can't make a directory");
	return number;
}

int main(int argc, char **argv)
{
	struct writer w = { 0 };
	uint64_t files, bytes, piece, i;
	ext2_ino_t top, dir = 0;
	char name[32];

	if (argc != 7) {
		fprintf(stderr, "usage: populate IMAGE DIR FILES BYTES PIECE SEED\n");
		return 2;
	}
	files = parse_number(argv[3], "FILES");
	bytes = parse_number(argv[4], "BYTES");
	piece = parse_number(argv[5], "PIECE");
	w.random = parse_number(argv[6], "SEED");
	initialize_ext2_error_table();
	check(ext2fs_open(argv[1], EXT2_FLAG_RW | EXT2_FLAG_64BITS, 0, 0, unix_io_manager, &w.fs),
	      argv[1]);
	check(ext2fs_read_bitmaps(w.fs), argv[1]);
	w.inode = EXT2_FIRST_INODE(w.fs->super);
	w.cursor = w.fs->super->s_first_data_block;
	top = new_dir(&w, EXT2_ROOT_INO, argv[2]);
	for (i = 0; i < files; i++) {
		if (i % NAMES == 0) {
			snprintf(name, sizeof(name), "d%05u", (unsigned int)(i / NAMES));
			dir = new_dir(&w, top, name);
		}
		snprintf(name, sizeof(name), "f%03u", (unsigned int)(i % NAMES));
		w.piece = i % 10 ? 0 : (piece + w.fs->blocksize - 1) / w.fs->blocksize;
		new_file(&w, dir, name, bytes / 2 + below(&w.random, bytes));
	}
	check(ext2fs_close_free(&w.fs), argv[1]);
	return 0;
}
