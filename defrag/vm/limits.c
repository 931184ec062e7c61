// SPDX-License-Identifier: GPL-2.0-only
#include "vm/limits.h"

#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

/*
 * What the guest may send, in bytes: a line in each report for each file, and so much more for
 * lists of reasons and maps; and text, where no list of files is asked for.
 */
#define MOST_REPORTS (64ULL << 20)
#define MOST_FOR_A_FILE 1024
#define MOST_TEXT (4ULL << 20)
/* The smallest inode on a disk: no image has more files than it has room for. */
#define INODE_SIZE 128

uint64_t limit_reports(const struct image *image)
{
	struct stat st;
	uint64_t bytes = image->size, files;

	if (!image->device && !fstat(image->fd, &st))
		bytes = 512 * (uint64_t)st.st_blocks;
	/* The superblock may say anything; but what it takes on the disk someone has paid for. */
	files = image->inodes < bytes / INODE_SIZE ? image->inodes : bytes / INODE_SIZE;
	return MOST_REPORTS + MOST_FOR_A_FILE * files;
}

/* True if the text that is printed has a line for each file. */
static bool prints_lists(const struct options *options)
{
	size_t i;

	for (i = 0; i < options->given_count; i++)
		if (options->given[i].file && !strcmp(options->given[i].value, "-"))
			return true;
	return options->verbose || options->dry_run || options->top > 1000;
}

uint64_t limit_text(const struct options *options, const struct image *image)
{
	return prints_lists(options) ? limit_reports(image) : MOST_TEXT;
}
