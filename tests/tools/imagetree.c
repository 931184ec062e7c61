// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "imagetree.h"

#define CLAIMS_MOST 400000

struct walk {
	ext2_filsys fs;
	claim_fn fn;
	void *private;
	unsigned int claims;
};

void die(errcode_t err, const char *what, ...)
{
	va_list args;

	va_start(args, what);
	vfprintf(stderr, what, args);
	va_end(args);
	fprintf(stderr, ": %s\n", err ? error_message(err) : "failed");
	exit(2);
}

ext2_filsys image_open(const char *path, bool write)
{
	int flags = EXT2_FLAG_64BITS | EXT2_FLAG_IGNORE_CSUM_ERRORS | EXT2_FLAG_IGNORE_SB_ERRORS;
	ext2_filsys fs;
	errcode_t err;

	err = ext2fs_open(path, flags | (write ? EXT2_FLAG_RW : 0), 0, 0, unix_io_manager, &fs);
	if (!err)
		err = ext2fs_read_bitmaps(fs);
	if (err)
		die(err, "%s", path);
	return fs;
}

void image_inode(ext2_filsys fs, ext2_ino_t ino, struct ext2_inode *inode)
{
	errcode_t err = ext2fs_read_inode(fs, ino, inode);

	if (err)
		die(err, "inode %u", ino);
}

bool image_block(ext2_filsys fs, uint32_t block, void *data)
{
	if (block < ext2fs_blocks_count(fs->super) &&
	    !io_channel_read_blk64(fs->io, block, 1, data))
		return true;
	memset(data, 0, fs->blocksize);
	return false;
}

static bool walk_block(struct walk *walk, int level, uint64_t logical, uint32_t block)
{
	uint32_t per = walk->fs->blocksize / 4, *pointers, i;
	uint64_t below = 1;
	bool more;
	int l;

	if (!block)
		return true;
	if (++walk->claims > CLAIMS_MOST || !walk->fn(walk->private, level, logical, block))
		return false;
	if (!level)
		return true;
	for (l = 1; l < level; l++)
		below *= per;
	pointers = malloc(walk->fs->blocksize);
	if (!pointers)
		die(ENOMEM, "walk");
	image_block(walk->fs, block, pointers);
	for (more = true, i = 0; more && i < per; i++)
		more = walk_block(walk, level - 1, logical + i * below, pointers[i]);
	free(pointers);
	return more;
}

bool image_walk(ext2_filsys fs, const struct ext2_inode *inode, claim_fn fn, void *private)
{
	struct walk walk = { fs, fn, private, 0 };
	uint64_t per = fs->blocksize / 4, logical = EXT2_NDIR_BLOCKS;
	bool more = true;
	int i;

	for (i = 0; more && i < EXT2_NDIR_BLOCKS; i++)
		more = walk_block(&walk, 0, i, inode->i_block[i]);
	more = more && walk_block(&walk, 1, logical, inode->i_block[EXT2_IND_BLOCK]);
	logical += per;
	more = more && walk_block(&walk, 2, logical, inode->i_block[EXT2_DIND_BLOCK]);
	logical += per * per;
	return more && walk_block(&walk, 3, logical, inode->i_block[EXT2_TIND_BLOCK]);
}
