// SPDX-License-Identifier: GPL-2.0-only
#include "survey/names.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/util.h"
#include "progress/progress.h"

void names_free(struct names *names)
{
	free(names->name);
	free(names->text);
	memset(names, 0, sizeof(*names));
}

uint32_t names_add(struct names *names, uint32_t parent, const char *text, uint32_t ino)
{
	size_t size = strlen(text) + 1;

	/* Offsets have 32 bits. After 4 GiB of names, further files are called by inode number. */
	if (names->text_size + size > UINT32_MAX || names->count >= NAME_NONE)
		return NAME_NONE;
	while (names->text_size + size > names->text_room) {
		names->text_room = names->text_room ? 2 * names->text_room : 4096;
		names->text = xreallocarray(names->text, names->text_room, 1);
	}
	vec_more(names->name, names->count, names->room);
	names->name[names->count] = (struct name){ ino, parent, (uint32_t)names->text_size };
	memcpy(names->text + names->text_size, text, size);
	names->text_size += size;
	return (uint32_t)names->count++;
}

/* The parameters of one walk. */
struct walk {
	struct names *names;
	struct names_wanted *wanted;
	dev_t dev;
	struct throttle *throttle;
};

/* A directory that the walk is in. Its name is added only when a name below it is. */
struct level {
	struct level *up;
	const char *text;
	uint32_t name;
	bool again; /* a message about what can't be read here was printed before */
};

static uint32_t level_name(struct names *names, struct level *level)
{
	if (level->name == NAME_NONE)
		level->name = names_add(names, level->up ? level_name(names, level->up) : NAME_NONE,
					level->text, 0);
	return level->name;
}

static void walk_failed(struct walk *w, struct level *level, int error, const char *what)
{
	char *path, *shown;

	if (level->again)
		return;
	path = names_path(w->names, level_name(w->names, level));
	shown = printable(path);
	complain(shown, error, "%s", what);
	w->names->failed++;
	free(shown);
	free(path);
}

static bool wants_more(const struct names_wanted *wanted)
{
	return wanted->left || (wanted->watch && wanted->watch->left);
}

static void walk_file(struct walk *w, int fd, struct level *level, const struct dirent *entry)
{
	const struct names_watch *watch = w->wanted->watch;
	uint32_t *slot = NULL;

	if (watch && watch->left)
		watch->file(watch->to, fd, entry->d_name, (uint32_t)entry->d_ino);
	if (w->wanted->left)
		slot = w->wanted->slot(w->wanted->to, (uint32_t)entry->d_ino);
	if (!slot)
		return;
	*slot = names_add(w->names, level_name(w->names, level), entry->d_name,
			  (uint32_t)entry->d_ino);
	w->wanted->left--;
}

static void walk(struct walk *w, int fd, struct level *level);

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

/*
 * True if this walk enters the directory @ino. Clears *@again if the first walk has left the
 * directory out, so that no message about it was printed yet.
 */
static bool walks_into(const struct walk *w, uint32_t ino, bool *again)
{
	const struct names_wanted *wanted = w->wanted;

	if (!wanted->leaf_dirs || !leaf_dirs_later(wanted->leaf_dirs, ino))
		return true;
	*again = false;
	return wanted->again;
}

/*
 * Walk the directory @name in the one that @fd is open on, unless it was removed or replaced, or
 * another filesystem is mounted on it.
 */
static void walk_below(struct walk *w, int fd, const char *name, struct level *below)
{
	const struct names_watch *watch = w->wanted->watch;
	const int child =
		openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NOATIME);
	const int error = errno;
	struct stat st;

	if (child < 0 && (error == ENOENT || error == ENOTDIR || error == ELOOP))
		return;
	if (child >= 0 && (fstat(child, &st) || st.st_dev != w->dev)) {
		close(child);
		return;
	}
	if (watch)
		watch->enter(watch->to, name);
	if (child < 0)
		walk_failed(w, below, error, "can't open this directory");
	else
		walk(w, child, below);
	if (watch)
		watch->leave(watch->to);
}

static void walk_entry(struct walk *w, int fd, struct level *level, const struct dirent *entry)
{
	struct level below = { level, entry->d_name, NAME_NONE, level->again };

	switch (entry_type(fd, entry)) {
	case DT_REG:
		walk_file(w, fd, level, entry);
		break;
	case DT_DIR:
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") &&
		    walks_into(w, (uint32_t)entry->d_ino, &below.again))
			walk_below(w, fd, entry->d_name, &below);
		break;
	default:
		break;
	}
}

/* Walk the directory that @fd is open on, and close it. */
static void walk(struct walk *w, int fd, struct level *level)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry = NULL;

	if (!dir) {
		walk_failed(w, level, errno, "can't read this directory");
		close(fd);
		return;
	}
	errno = 0;
	while (wants_more(w->wanted)) {
		throttle_point(w->throttle, false);
		progress_count(0);
		errno = 0;
		entry = readdir(dir);
		if (!entry)
			break;
		walk_entry(w, fd, level, entry);
		errno = 0;
	}
	if (errno)
		walk_failed(w, level, errno, "can't read this directory");
	closedir(dir);
}

void names_walk(struct names *names, int fd, dev_t dev, const char *prefix,
		struct names_wanted *wanted, struct throttle *throttle)
{
	struct walk w = { names, wanted, dev, throttle };
	struct level top = { NULL, prefix, NAME_NONE, wanted->again };
	struct rlimit limit;
	int tree, dir;

	if (!wants_more(wanted))
		return;
	/* Each level of the walk holds a descriptor, so deep trees need many. */
	if (!getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	/* A private copy of this one mount shows what other mounts in its directories hide. */
	tree = (int)open_tree(fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	dir = openat(tree < 0 ? fd : tree, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOATIME);
	if (dir < 0)
		walk_failed(&w, &top, errno, "can't open this directory");
	else
		walk(&w, dir, &top);
	if (tree >= 0)
		close(tree);
}

/* Write the path to @to, which must have room for it. Returns its length. */
static size_t put_path(const struct names *names, uint32_t name, char *to)
{
	const struct name *n = &names->name[name];
	const char *text = names->text + n->text;
	size_t length = 0;

	if (n->parent != NAME_NONE) {
		length = put_path(names, n->parent, to);
		if (!length || to[length - 1] != '/')
			to[length++] = '/';
	}
	strcpy(to + length, text);
	return length + strlen(text);
}

char *names_path(const struct names *names, uint32_t name)
{
	size_t length = 0;
	uint32_t at;
	char *path;

	for (at = name; at != NAME_NONE; at = names->name[at].parent)
		length += strlen(names->text + names->name[at].text) + 1;
	path = xreallocarray(NULL, length + 1, 1);
	put_path(names, name, path);
	return path;
}
