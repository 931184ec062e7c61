// SPDX-License-Identifier: GPL-2.0-only
#include "fs/meta.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fs/modprobe.h"
#include "lib/util.h"

enum { FD_GOAL, FD_ALLOC, FD_RELOC, FD_META_ALLOC, FD_META_RELOC };

static const char *const request_file[] = {
	[FD_GOAL] = "alloc_goal",	    [FD_ALLOC] = "data/alloc",
	[FD_RELOC] = "data/reloc",	    [FD_META_ALLOC] = "metadata/alloc",
	[FD_META_RELOC] = "metadata/reloc",
};

/* Put the last message of the kernel about this mount into @why, without its class letter. */
static void mount_log(int context, char *why, size_t size)
{
	char line[512];
	ssize_t got;

	while ((got = read(context, line, sizeof(line) - 1)) > 0) {
		const char *text = line;

		line[got] = 0;
		line[strcspn(line, "\n")] = 0;
		if (got > 2 && line[1] == ' ')
			text += 2;
		snprintf(why, size, "%s", text);
	}
}

/*
 * Open a context for a mount, loading the module if it isn't. A mount doesn't load it by itself:
 * the module has no alias for that, so that a user who may only mount, as root of a user namespace,
 * can't have it loaded. Returns a descriptor or -errno, -ENOPKG if there is no module.
 */
static int open_context(char *why, size_t size)
{
	int context = fsopen("ext3meta", FSOPEN_CLOEXEC);
	char said[256];

	if (context >= 0 || errno != ENODEV)
		return context < 0 ? -errno : context;
	modprobe("ext3meta", said, sizeof(said));
	context = fsopen("ext3meta", FSOPEN_CLOEXEC);
	if (context >= 0 || errno != ENODEV)
		return context < 0 ? -errno : context;
	snprintf(why, size,
		 "the kernel module ext3meta is not there: install it for this kernel%s%s",
		 *said ? "; " : "", said);
	return -ENOPKG;
}

static int mount_detached(int host_fd, char *why, size_t size)
{
	char source[64];
	int context = open_context(why, size), root, err;

	if (context < 0)
		return context;
	snprintf(source, sizeof(source), "/proc/self/fd/%d", host_fd);
	if (fsconfig(context, FSCONFIG_SET_STRING, "source", source, 0) ||
	    fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0)) {
		err = -errno;
		mount_log(context, why, size);
		close(context);
		return err;
	}
	root = fsmount(context, FSMOUNT_CLOEXEC,
		       MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	err = -errno;
	close(context);
	return root < 0 ? err : root;
}

/* Bytes. Most lists are short, and the kernel allocates memory for the whole size of a read. */
#define FIRST_READ 4096

/* Read a whole small file into meta->buffer. Returns its length, or -errno. */
static ssize_t read_whole(struct meta *meta, int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t got = 0, length = 0;

	if (fd < 0)
		return -errno;
	while ((size_t)length < FIRST_READ) {
		got = read(fd, meta->buffer + length, FIRST_READ - (size_t)length);
		if (got <= 0)
			break;
		length += got;
	}
	if (got < 0)
		length = -errno;
	close(fd);
	return length;
}

/* Read a list and pass it to @parse, a buffer of whole lines at a time. Returns 0 or -errno. */
static int read_list(struct meta *meta, int dir, const char *name,
		     int (*parse)(const char *text, size_t length, const struct geometry *geo,
				  void *to),
		     void *to)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC), err = 0;
	size_t size = FIRST_READ;
	ssize_t got;

	if (fd < 0)
		return -errno;
	while (!err) {
		got = read(fd, meta->buffer, size);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			err = -errno;
		if (got <= 0)
			break;
		err = parse(meta->buffer, (size_t)got, &meta->geo, to);
		/* More than half full: the list is long, so read it in larger parts. */
		if ((size_t)got > size / 2)
			size = meta->buffer_size;
	}
	close(fd);
	return err;
}

static int read_number(struct meta *meta, const char *name, uint64_t max, uint64_t *value)
{
	ssize_t length = read_whole(meta, meta->root, name);

	if (length < 0)
		return (int)length;
	return meta_text_number(meta->buffer, (size_t)length, max, value);
}

static int read_geometry(struct meta *meta)
{
	struct geometry *geo = &meta->geo;
	uint64_t blocksize, per_group, inodes, inodes_per_group;
	ssize_t length;
	int err;

	length = read_whole(meta, meta->root, "super/id");
	err = length < 0 ? (int)length : meta_text_id(meta->buffer, (size_t)length, geo->id);
	if (!err)
		err = read_number(meta, "super/blocksize", 65536, &blocksize);
	if (!err)
		err = read_number(meta, "super/blocks", UINT64_MAX, &geo->blocks);
	if (!err)
		err = read_number(meta, "super/first_block", 1, &geo->first_block);
	if (!err)
		err = read_number(meta, "super/blocks_per_group", UINT32_MAX, &per_group);
	if (!err)
		err = read_number(meta, "super/inodes", UINT32_MAX, &inodes);
	if (!err)
		err = read_number(meta, "super/inodes_per_group", UINT32_MAX, &inodes_per_group);
	if (err)
		return err;
	if (blocksize < 1024 || blocksize & (blocksize - 1) || !per_group || !inodes_per_group)
		return -EPROTO;
	geo->blocksize = (uint32_t)blocksize;
	geo->blocks_per_group = (uint32_t)per_group;
	geo->inodes = (uint32_t)inodes;
	geo->inodes_per_group = (uint32_t)inodes_per_group;
	return 0;
}

int meta_open(struct meta *meta, int host_fd, char *why, size_t size)
{
	ssize_t length;
	int err;

	memset(meta, 0, sizeof(*meta));
	if (size)
		*why = 0;
	meta->root = mount_detached(host_fd, why, size);
	if (meta->root < 0)
		return meta->root;
	meta->buffer_size = 256 << 10;
	meta->buffer = xreallocarray(NULL, meta->buffer_size, 1);

	length = read_whole(meta, meta->root, "features");
	err = length < 0 ? (int)length :
			   meta_text_features(meta->buffer, (size_t)length, &meta->features);
	if (!err && ((meta->features.compat & META_NEEDED) != META_NEEDED ||
		     meta->features.incompat & ~META_INCOMPAT_KNOWN)) {
		snprintf(why, size,
			 "ext3meta has features that this version can't work with: "
			 "compat 0x%" PRIx32 ", incompat 0x%" PRIx32,
			 meta->features.compat, meta->features.incompat);
		err = -EPROTONOSUPPORT;
	}
	if (!err)
		err = read_geometry(meta);
	if (err)
		meta_close(meta);
	return err;
}

void meta_close(struct meta *meta)
{
	close(meta->root);
	free(meta->buffer);
	meta->buffer = NULL;
}

static int parse_free_blocks(const char *text, size_t length, const struct geometry *geo, void *to)
{
	return meta_text_free_blocks(text, length, geo, to);
}

static int parse_extents(const char *text, size_t length, const struct geometry *geo, void *to)
{
	const struct layout *layout = to;
	int err = meta_text_extents(text, length, geo, to);

	/*
	 * More blocks than the filesystem has: a damaged file lists the same blocks again and
	 * again, perhaps for a very long time.
	 */
	return !err && layout->data > geo->blocks ? -EUCLEAN : err;
}

static int parse_indirects(const char *text, size_t length, const struct geometry *geo, void *to)
{
	return meta_text_indirects(text, length, geo, to);
}

int meta_free_blocks(struct meta *meta, struct freemap *map)
{
	int err;

	freemap_clear(map);
	err = read_list(meta, meta->root, "allocation/free_blocks", parse_free_blocks, map);
	if (err)
		freemap_clear(map);
	freemap_index(map);
	return err;
}

uint32_t meta_free_from(struct meta *meta, uint32_t block)
{
	int fd = openat(meta->root, "allocation/free_blocks", O_RDONLY | O_CLOEXEC);
	struct freemap map;
	char text[256];
	uint32_t more = 0;
	ssize_t got;

	if (fd < 0)
		return 0;
	/* The file position is a block: reading starts at the run that holds it, or the next. */
	got = pread(fd, text, sizeof(text), block);
	close(fd);
	freemap_init(&map);
	if (got > 0 && !meta_text_free_blocks(text, (size_t)got, &meta->geo, &map) && map.runs &&
	    block - map.run[0].start < map.run[0].length)
		more = map.run[0].length - (block - map.run[0].start);
	freemap_free(&map);
	return more;
}

bool meta_block_is_free(struct meta *meta, uint32_t block)
{
	return meta_free_from(meta, block) > 0;
}

int meta_open_inodes(struct meta *meta)
{
	int fd = openat(meta->root, "inodes", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int meta_list_inodes(struct meta *meta, uint32_t **inodes, size_t *count)
{
	int fd = openat(meta->root, "nodes", O_RDONLY | O_DIRECTORY | O_CLOEXEC), err = 0;
	struct dirent *entry;
	size_t room = 0;
	DIR *dir;

	*inodes = NULL;
	*count = 0;
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		err = -errno;
		if (fd >= 0)
			close(fd);
		return err;
	}
	for (;;) {
		errno = 0;
		entry = readdir(dir);
		if (!entry)
			break;
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		vec_more(*inodes, *count, room);
		err = meta_text_inode(entry->d_name, &(*inodes)[*count]);
		if (err)
			break;
		(*count)++;
	}
	if (!err)
		err = -errno;
	closedir(dir);
	if (err) {
		free(*inodes);
		*inodes = NULL;
		*count = 0;
	} else if (*count) {
		qsort(*inodes, *count, sizeof(**inodes), by_number);
	}
	return err;
}

int node_open(struct node *node, struct meta *meta, uint32_t ino, const uint32_t *generation,
	      struct info *info)
{
	char name[64];
	size_t i;
	int err;

	node->meta = meta;
	node->ino = ino;
	for (i = 0; i < sizeof(node->fd) / sizeof(*node->fd); i++)
		node->fd[i] = -1;
	if (generation)
		snprintf(name, sizeof(name), "nodes/%" PRIu32 ":%" PRIu32, ino, *generation);
	else
		snprintf(name, sizeof(name), "nodes/%" PRIu32, ino);
	node->dir = openat(meta->root, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (node->dir < 0)
		return -errno;
	err = node_info(node, info);
	if (err)
		node_close(node);
	else
		node->generation = info->generation;
	return err;
}

void node_close(struct node *node)
{
	size_t i;

	for (i = 0; i < sizeof(node->fd) / sizeof(*node->fd); i++)
		if (node->fd[i] >= 0)
			close(node->fd[i]);
	close(node->dir);
}

int node_info(struct node *node, struct info *info)
{
	ssize_t length = read_whole(node->meta, node->dir, "info");

	if (length < 0)
		return (int)length;
	return meta_text_info(node->meta->buffer, (size_t)length, info);
}

int node_layout(struct node *node, struct layout *layout, uint64_t blocks)
{
	const struct extent *last;
	int err;

	layout_clear(layout);
	err = read_list(node->meta, node->dir, "data/extents", parse_extents, layout);
	/*
	 * If all blocks are data there are no indirect blocks, and there is nothing to read. Data
	 * after the 12 direct blocks needs one, though: then the block count of info is wrong.
	 */
	last = layout->extents ? &layout->extent[layout->extents - 1] : NULL;
	if (!err && (layout->data != blocks || (last && last->logical + last->length > 12)))
		err = read_list(node->meta, node->dir, "metadata/blocks", parse_indirects, layout);
	if (err)
		layout_clear(layout);
	return err;
}

/* The host is frozen. If no further request is to be made, errno is still EAGAIN. */
static bool ask_again(const struct meta *meta)
{
	const bool again = meta->frozen && meta->frozen(meta->frozen_arg);

	errno = EAGAIN;
	return again;
}

/*
 * Write one request at the file position @position, a block. Returns what write(2) does, or -errno.
 * *@after is set to the file position after it, unless @after is NULL.
 */
static ssize_t request(struct node *node, int which, uint64_t position, uint64_t *after,
		       const char *text)
{
	int *fd = &node->fd[which];
	size_t length = strlen(text);
	ssize_t done;
	off_t at;

	if (*fd < 0)
		*fd = openat(node->dir, request_file[which], O_WRONLY | O_CLOEXEC);
	if (*fd < 0)
		return -errno;
	if (lseek(*fd, (off_t)position, SEEK_SET) < 0)
		return -errno;
	/*
	 * The result counts blocks, so it can exceed @length. ASan takes such a result of write()
	 * for an error, so call the kernel directly.
	 */
	do
		done = syscall(SYS_write, *fd, text, length);
	while (done < 0 && errno == EAGAIN && ask_again(node->meta));
	if (done < 0)
		return -errno;
	at = lseek(*fd, 0, SEEK_CUR);
	if (at < 0)
		return -errno;
	if (after)
		*after = (uint64_t)at;
	return done;
}

int node_goal(struct node *node, uint32_t block)
{
	char text[64];
	ssize_t done;

	snprintf(text, sizeof(text), "%" PRIu32 "\n", block);
	done = request(node, FD_GOAL, 0, NULL, text);
	return done < 0 ? (int)done : 0;
}

int node_alloc(struct node *node, uint32_t logical, uint32_t count)
{
	uint64_t at = logical, end = (uint64_t)logical + count, after = at;
	char text[64];
	ssize_t done;

	while (at < end) {
		snprintf(text, sizeof(text), "%" PRIu64 "\n", end - at);
		done = request(node, FD_ALLOC, at, &after, text);
		if (done < 0)
			return (int)done;
		if (after <= at || after > end)
			return -EPROTO;
		at = after;
	}
	return 0;
}

int node_alloc_indirect(struct node *node, uint32_t logical, uint32_t level)
{
	char text[64];
	ssize_t done;

	snprintf(text, sizeof(text), "%" PRIu32 "\n", level);
	done = request(node, FD_META_ALLOC, logical, NULL, text);
	return done < 0 ? (int)done : 0;
}

int node_reloc(struct node *node, uint32_t *at, const struct node *donor, uint32_t count,
	       uint32_t *moved)
{
	uint64_t after = *at;
	char text[64];
	ssize_t done;

	*moved = 0;
	snprintf(text, sizeof(text), "%" PRIu32 ":%" PRIu32 " %" PRIu32 "\n", donor->ino,
		 donor->generation, count);
	done = request(node, FD_RELOC, *at, &after, text);
	if (done < 0)
		return (int)done;
	if (!done || done > count || after <= *at || after > UINT32_MAX)
		return -EPROTO;
	*moved = (uint32_t)done;
	*at = (uint32_t)after;
	return 0;
}

int node_reloc_indirect(struct node *node, uint32_t logical, const struct node *donor,
			uint32_t level)
{
	char text[64];
	ssize_t done;

	snprintf(text, sizeof(text), "%" PRIu32 ":%" PRIu32 " %" PRIu32 "\n", donor->ino,
		 donor->generation, level);
	done = request(node, FD_META_RELOC, logical, NULL, text);
	return done < 0 ? (int)done : 0;
}
