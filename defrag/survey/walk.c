// SPDX-License-Identifier: GPL-2.0-only
#include "survey/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/util.h"

/*
 * What was found is passed on after so many microseconds, even if it is little; the clock is read
 * once in so many entries. To wake the process that waits costs more than a hundred entries.
 */
#define FLUSH_TIME (CLOCK_SECOND / 4)
#define FLUSH_ENTRIES 1024

/* A directory that the walk is in. Its name is added only when a name below it is. */
struct walk_level {
	DIR *dir;
	const char *text; /* in the buffer of the level above, which stays as it is meanwhile */
	size_t above;	  /* length of the path of the level above */
	uint32_t name;
	uint32_t ino;
	uid_t uid;
};

bool names_wants_more(const struct names_wanted *wanted)
{
	return wanted->left || (wanted->watch && wanted->watch->left);
}

static uint32_t add_directory(struct walk *w, uint32_t parent, const char *text)
{
	const uint32_t name = names_add(w->names, parent, text, 0);

	if (name != NAME_NONE)
		stream_put(w->out, (struct found){ .kind = FOUND_DIRECTORY, .parent = parent },
			   text);
	return name;
}

/* The name of the directory that the walk is in; NAME_NONE if there is no room for it. */
static uint32_t here(struct walk *w)
{
	size_t i = w->levels;
	uint32_t name;

	while (i && w->level[i - 1].name == NAME_NONE)
		i--;
	name = i ? w->level[i - 1].name : NAME_NONE;
	for (; i < w->levels; i++) {
		name = add_directory(w, name, w->level[i].text);
		if (name == NAME_NONE)
			break;
		w->level[i].name = name;
	}
	return name;
}

/* What is where the walk is: what a call that never returns is about. */
static void set_where(struct walk *w)
{
	const struct walk_level *level = &w->level[w->levels - 1];

	w->where->ino = level->ino;
	w->where->uid = level->uid;
}

static void extend_path(struct walk_where *where, const char *text)
{
	const size_t part = strnlen(text, sizeof(where->path) - 2 - where->length);

	if (where->length && where->path[where->length - 1] != '/')
		where->path[where->length++] = '/';
	memcpy(where->path + where->length, text, part);
	where->length += part;
	where->path[where->length] = 0;
}

static void failed(struct walk *w, uint32_t name, uint32_t ino, int error)
{
	stream_put(w->out,
		   (struct found){ .kind = FOUND_FAILED,
				   .ino = ino,
				   .parent = name,
				   .value = (uint32_t)error },
		   NULL);
}

static void left_out(struct walk *w, uint32_t ino, int error)
{
	stream_put(w->out,
		   (struct found){ .kind = FOUND_LEFT_OUT, .ino = ino, .value = (uint32_t)error },
		   NULL);
}

static bool is_shortage(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM;
}

static void not_read(struct walk *w, uint32_t name, uint32_t ino, int error)
{
	if (is_shortage(error))
		left_out(w, ino, error);
	else
		failed(w, name, ino, error);
}

static bool is_avoided(const struct walk *w, const struct stat *st)
{
	const struct names_gaps *gaps = &w->names->gaps;
	size_t i;

	for (i = 0; i < gaps->avoided_count; i++)
		if (gaps->avoided[i].ino == st->st_ino ||
		    (gaps->avoided[i].uid && gaps->avoided[i].uid == st->st_uid))
			return true;
	return false;
}

/* Enter the directory @text that @fd is open on, which this takes over. */
static void enter(struct walk *w, int fd, const char *text)
{
	struct names_watch *watch = w->wanted->watch;
	struct walk_level *level;
	struct stat st;
	DIR *dir;

	if (fstat(fd, &st) || st.st_dev != w->dev || is_avoided(w, &st) ||
	    !inode_set_add(&w->entered, (uint32_t)st.st_ino)) {
		close(fd);
		return;
	}
	dir = fdopendir(fd);
	if (!dir) {
		left_out(w, (uint32_t)st.st_ino, errno);
		close(fd);
		return;
	}
	if (watch && w->levels)
		watch->enter(watch->to, text);
	vec_more(w->level, w->levels, w->room);
	level = &w->level[w->levels++];
	*level = (struct walk_level){ .dir = dir,
				      .text = text,
				      .above = w->where->length,
				      .name = NAME_NONE,
				      .ino = (uint32_t)st.st_ino,
				      .uid = st.st_uid };
	extend_path(w->where, text);
	set_where(w);
}

static void leave(struct walk *w)
{
	const struct names_watch *watch = w->wanted->watch;
	const struct walk_level *level = &w->level[--w->levels];

	closedir(level->dir);
	w->where->length = level->above;
	w->where->path[level->above] = 0;
	if (!w->levels)
		return;
	if (watch)
		watch->leave(watch->to);
	set_where(w);
}

/*
 * True if this walk enters the directory @ino: a first one leaves out some, which the second one
 * looks into.
 */
static bool walks_into(const struct walk *w, uint32_t ino)
{
	const struct names_wanted *wanted = w->wanted;

	return !wanted->leaf_dirs || wanted->again || !leaf_dirs_later(wanted->leaf_dirs, ino);
}

/*
 * Enter the directory @entry in the one that @fd is open on, unless it was removed or replaced, or
 * another filesystem is mounted on it. Nobody can use a path of PATH_MAX bytes or more.
 */
static void walk_below(struct walk *w, int fd, const struct dirent *entry)
{
	const uint32_t ino = (uint32_t)entry->d_ino;
	int child, error;

	if (w->where->length + 1 + strlen(entry->d_name) >= PATH_MAX) {
		left_out(w, ino, 0);
		return;
	}
	child = openat(fd, entry->d_name,
		       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NOATIME);
	if (child >= 0) {
		enter(w, child, entry->d_name);
		return;
	}
	error = errno;
	if (error == ENOENT || error == ENOTDIR || error == ELOOP)
		return;
	not_read(w, is_shortage(error) ? NAME_NONE : add_directory(w, here(w), entry->d_name), ino,
		 error);
}

static void watch_file(struct walk *w, int fd, const struct dirent *entry)
{
	const struct names_watch *watch = w->wanted->watch;
	const uint32_t ino = (uint32_t)entry->d_ino;
	const uint32_t verdict = watch->file(watch->to, fd, entry->d_name, ino);

	if (!verdict)
		return;
	watch->decided(watch->to, ino, verdict);
	stream_put(w->out, (struct found){ .kind = FOUND_VERDICT, .ino = ino, .value = verdict },
		   NULL);
}

static void walk_file(struct walk *w, int fd, const struct dirent *entry)
{
	const struct names_watch *watch = w->wanted->watch;
	const uint32_t ino = (uint32_t)entry->d_ino;
	uint32_t *slot = NULL, parent;

	if (watch && watch->left)
		watch_file(w, fd, entry);
	if (w->wanted->numbers)
		stream_put(w->out, (struct found){ .kind = FOUND_INODE, .ino = ino }, NULL);
	else if (w->wanted->left)
		slot = w->wanted->slot(w->wanted->to, ino);
	if (!slot)
		return;
	parent = here(w);
	*slot = parent == NAME_NONE ? NAME_NONE : names_add(w->names, parent, entry->d_name, ino);
	w->wanted->left--;
	if (*slot != NAME_NONE)
		stream_put(w->out,
			   (struct found){ .kind = FOUND_FILE, .ino = ino, .parent = parent },
			   entry->d_name);
}

/* The type of a directory entry: DT_REG, DT_DIR, or any other value for other types. */
static unsigned char entry_type(int fd, const struct dirent *entry)
{
	struct stat st;

	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type;
	if (fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW))
		return DT_UNKNOWN;
	return S_ISREG(st.st_mode) ? DT_REG : S_ISDIR(st.st_mode) ? DT_DIR : DT_LNK;
}

static void walk_entry(struct walk *w, int fd, const struct dirent *entry)
{
	switch (entry_type(fd, entry)) {
	case DT_REG:
		walk_file(w, fd, entry);
		break;
	case DT_DIR:
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") &&
		    walks_into(w, (uint32_t)entry->d_ino))
			walk_below(w, fd, entry);
		break;
	default:
		break;
	}
}

/* What is known by now is not lost if nothing more comes. */
static void pass_on(struct walk *w)
{
	const uint64_t now = clock_now();

	if (now - w->flushed < FLUSH_TIME)
		return;
	w->flushed = now;
	stream_flush(w->out);
}

/* Look at the next entry of the directory that the walk is in, or leave it after the last one. */
static void step(struct walk *w)
{
	DIR *dir = w->level[w->levels - 1].dir;
	const struct dirent *entry;

	walk_count(&w->where->beats);
	throttle_point(w->throttle, false);
	if (walk_count(&w->where->entries) % FLUSH_ENTRIES == 0)
		pass_on(w);
	errno = 0;
	entry = readdir(dir);
	if (entry) {
		walk_entry(w, dirfd(dir), entry);
		return;
	}
	if (errno) {
		const int error = errno;

		not_read(w, here(w), w->level[w->levels - 1].ino, error);
	}
	leave(w);
}

void walk_tree(struct walk *w, int fd)
{
	/* A private copy of this one mount shows what other mounts in its directories hide. */
	const int tree =
		(int)open_tree(fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	const int dir =
		openat(tree < 0 ? fd : tree, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOATIME);

	const int error = errno;

	if (dir < 0)
		not_read(w, add_directory(w, NAME_NONE, w->prefix), 0, error);
	else
		enter(w, dir, w->prefix);
	w->flushed = clock_now();
	while (w->levels && names_wants_more(w->wanted))
		step(w);
	while (w->levels)
		leave(w);
	if (tree >= 0)
		close(tree);
	inode_set_free(&w->entered);
	free(w->level);
}
