// SPDX-License-Identifier: GPL-2.0-only
/*
 * fragcount: judges how fragmented the files of an unmounted ext2/3/4 image are, with libext2fs
 * only.
 *
 * The reading order of a file is the depth-first walk over its block tree, each indirect block
 * directly before the first block below it. A fragment is a run in that sequence in which each
 * block lies right behind the one before it; a hole takes no place in the sequence. Extents are
 * what FIEMAP shows: runs of data blocks that continue each other both in the file and on the disk.
 */
#include <errno.h>
#include <error.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ext2fs/ext2fs.h>

struct run {
	int level; /* -1: none yet */
	blk64_t logical, physical, length;
};

struct count {
	uint64_t files, data, indirect[4], fragments, extents;
	/* where the walk is */
	bool map;
	unsigned int pointers; /* in a block */
	blk64_t base[4];       /* first logical block below the current indirect block of a level */
	blk64_t last;	       /* physical block before this one in reading order, 0: none */
	blk64_t last_logical, last_data;
	struct run run;
};

static void flush_run(struct count *count)
{
	struct run *run = &count->run;

	if (count->map && run->level >= 0)
		printf("%s %d %llu %llu %llu\n", run->level ? "indirect" : "data", run->level,
		       (unsigned long long)run->logical, (unsigned long long)run->physical,
		       (unsigned long long)run->length);
	run->level = -1;
}

static blk64_t first_logical(struct count *count, int level, blk64_t parent, int offset)
{
	blk64_t below = 1, first = EXT2_NDIR_BLOCKS;
	int i;

	for (i = 1; i < level; i++) {
		below *= count->pointers;
		first += below;
	}
	if (!parent)
		return first;
	/* the pointers of the parent's neighbours at this level cover as much each */
	return count->base[level + 1] + (blk64_t)(offset / 4) * below * count->pointers;
}

static int each_block(ext2_filsys fs, blk64_t *block, e2_blkcnt_t blockcnt, blk64_t parent,
		      int offset, void *private)
{
	struct count *count = private;
	struct run *run = &count->run;
	int level = blockcnt < 0 ? (int)-blockcnt : 0;
	blk64_t logical = blockcnt;

	(void)fs;
	if (level) {
		logical = first_logical(count, level, parent, offset);
		count->base[level] = logical;
		count->indirect[level]++;
	} else {
		if (!count->data || count->last_data + 1 != *block ||
		    count->last_logical + 1 != logical)
			count->extents++;
		count->last_data = *block;
		count->last_logical = logical;
		count->data++;
	}
	if (!count->last || count->last + 1 != *block)
		count->fragments++;
	count->last = *block;

	if (run->level == 0 && level == 0 && run->logical + run->length == logical &&
	    run->physical + run->length == *block) {
		run->length++;
	} else {
		flush_run(count);
		*run = (struct run){ level, logical, *block, 1 };
	}
	return 0;
}

static void add(struct count *total, const struct count *one)
{
	int i;

	total->files++;
	total->data += one->data;
	total->fragments += one->fragments;
	total->extents += one->extents;
	for (i = 1; i < 4; i++)
		total->indirect[i] += one->indirect[i];
}

static void print_count(const char *name, const struct count *count)
{
	printf("%s %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", name,
	       count->data, count->indirect[1], count->indirect[2], count->indirect[3],
	       count->fragments, count->extents);
}

static void count_inode(ext2_filsys fs, ext2_ino_t ino, struct ext2_inode *inode,
			struct count *total, bool map)
{
	struct count count = {
		.map = map,
		.pointers = fs->blocksize / 4,
		.run.level = -1,
	};
	char name[16];
	errcode_t err = 0;

	if (map)
		printf("inode %u\n", ino);
	if (!(inode->i_flags & EXT4_INLINE_DATA_FL))
		err = ext2fs_block_iterate3(fs, ino, BLOCK_FLAG_READ_ONLY, NULL, each_block,
					    &count);
	if (err)
		error(1, 0, "inode %u: %s", ino, error_message(err));
	flush_run(&count);
	snprintf(name, sizeof(name), "%u", ino);
	if (!map)
		print_count(name, &count);
	add(total, &count);
}

static void count_all(ext2_filsys fs, struct count *total, bool map)
{
	ext2_inode_scan scan;
	struct ext2_inode inode;
	ext2_ino_t ino;
	errcode_t err = ext2fs_open_inode_scan(fs, 0, &scan);

	if (err)
		error(1, 0, "inode scan: %s", error_message(err));
	while (!(err = ext2fs_get_next_inode(scan, &ino, &inode)) && ino) {
		if (ino != EXT2_ROOT_INO && ino < EXT2_FIRST_INODE(fs->super))
			continue;
		if (inode.i_links_count && LINUX_S_ISREG(inode.i_mode))
			count_inode(fs, ino, &inode, total, map);
	}
	if (err)
		error(1, 0, "inode scan: %s", error_message(err));
	ext2fs_close_inode_scan(scan);
}

static void count_one(ext2_filsys fs, const char *name, struct count *total, bool map)
{
	struct ext2_inode inode;
	char *end;
	ext2_ino_t ino = strtoul(name, &end, 10);
	errcode_t err = 0;

	if (*end || end == name)
		err = ext2fs_namei(fs, EXT2_ROOT_INO, EXT2_ROOT_INO, name, &ino);
	if (!err)
		err = ext2fs_read_inode(fs, ino, &inode);
	if (err)
		error(1, 0, "%s: %s", name, error_message(err));
	count_inode(fs, ino, &inode, total, map);
}

static void usage(FILE *to)
{
	fprintf(to, "usage: fragcount [--map] IMAGE [INODE|PATH]...\n"
		    "INODE DATA IND1 IND2 IND3 FRAGMENTS EXTENTS a regular file, and their sum;\n"
		    "--map: KIND LEVEL LOGICAL PHYSICAL LENGTH a run, in reading order\n");
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "map", no_argument, NULL, 'm' },
						 { "help", no_argument, NULL, 'h' },
						 { NULL, 0, NULL, 0 } };
	struct count total = { .run.level = -1 };
	bool map = false;
	ext2_filsys fs;
	errcode_t err;
	char name[32];
	int opt;

	while ((opt = getopt_long(argc, argv, "mh", options, NULL)) != -1) {
		switch (opt) {
		case 'm':
			map = true;
			break;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	}
	if (optind == argc) {
		usage(stderr);
		return 2;
	}
	add_error_table(&et_ext2_error_table);
	err = ext2fs_open(argv[optind], EXT2_FLAG_64BITS | EXT2_FLAG_SOFTSUPP_FEATURES, 0, 0,
			  unix_io_manager, &fs);
	if (err)
		error(1, 0, "%s: %s", argv[optind], error_message(err));
	if (ext2fs_has_feature_journal_needs_recovery(fs->super))
		error(0, 0, "%s: the journal needs recovery; what is counted is not all there is",
		      argv[optind]);
	if (!map)
		printf("inode data ind1 ind2 ind3 fragments extents\n");
	if (++optind == argc)
		count_all(fs, &total, map);
	for (; optind < argc; optind++)
		count_one(fs, argv[optind], &total, map);
	snprintf(name, sizeof(name), "total %" PRIu64, total.files);
	print_count(name, &total);
	ext2fs_close(fs);
	return 0;
}
