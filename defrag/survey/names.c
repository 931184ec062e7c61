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

	/* Offsets have 32 bits: 4 GiB of names are enough, the rest goes by number. */
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

/* One walk, and the directory it is in; its name is added when something below it is. */
struct walk {
	struct names *names;
	struct names_wanted *wanted;
	dev_t dev;
	struct throttle *throttle;
};

struct level {
	struct level *up;
	const char *text;
	uint32_t name;
	bool again; /* what can't be read here was complained about */
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

/* Walk the directory that @fd is open on, and close it. */
static void walk(struct walk *w, int fd, struct level *level)
{
	const struct names_watch *watch = w->wanted->watch;
	DIR *dir = fdopendir(fd);
	struct dirent *entry;
	struct stat st;

	if (!dir) {
		walk_failed(w, level, errno, "can't read this directory");
		close(fd);
		return;
	}
	for (errno = 0; wants_more(w->wanted); errno = 0) {
		struct level below = { level, NULL, NAME_NONE, level->again };
		unsigned char type;
		int child_fd;

		throttle_point(w->throttle, false);
		progress_count(0);
		errno = 0;
		entry = readdir(dir);
		if (!entry)
			break;
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		type = entry->d_type;
		if (type == DT_UNKNOWN) {
			if (fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW))
				continue;
			type = S_ISREG(st.st_mode) ? DT_REG : S_ISDIR(st.st_mode) ? DT_DIR : DT_LNK;
		}
		if (type == DT_REG)
			walk_file(w, fd, level, entry);
		if (type != DT_DIR)
			continue;
		if (w->wanted->leaf_dirs &&
		    leaf_dirs_later(w->wanted->leaf_dirs, (uint32_t)entry->d_ino)) {
			if (!w->wanted->again)
				continue;
			below.again = false;
		}
		child_fd = openat(fd, entry->d_name,
				  O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NOATIME);
		if (child_fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
			continue;
		if (child_fd >= 0 && (fstat(child_fd, &st) || st.st_dev != w->dev)) {
			close(child_fd);
			continue;
		}
		below.text = entry->d_name;
		if (watch)
			watch->enter(watch->to, entry->d_name);
		if (child_fd < 0)
			walk_failed(w, &below, errno, "can't open this directory");
		else
			walk(w, child_fd, &below);
		if (watch)
			watch->leave(watch->to);
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
	/* One descriptor a level: deep trees need many. */
	if (!getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	/* A private view of this one mount, without what is mounted on top of its directories. */
	tree = (int)open_tree(fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	dir = openat(tree < 0 ? fd : tree, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOATIME);
	if (dir < 0)
		walk_failed(&w, &top, errno, "can't open this directory");
	else
		walk(&w, dir, &top);
	if (tree >= 0)
		close(tree);
}

/* Write the path to @to, which has room for it. Returns its length. */
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
