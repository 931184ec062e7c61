/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hosts: the mounted filesystems that the run works on. This finds them from the names that the
 * user gave, and holds each while its turn lasts.
 */
#ifndef E3DEFRAG_HOST_H
#define E3DEFRAG_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A file that the user named, or a directory, which stands for all files below it. */
struct target {
	char *path; /* as given, without trailing slashes */
	int fd;	    /* O_PATH */
	uint32_t ino;
	bool directory;
};

struct host {
	dev_t dev;
	int fd; /* an open directory on it: holds the mount, and donors are made in it; or -1 */
	bool readonly;
	char *device; /* "/dev/vda"; this and the next two are printable() */
	char *mountpoint;
	char *type; /* "ext3", "ext4", as mounted */

	bool whole;   /* the whole filesystem was named, the targets don't matter */
	char *prefix; /* of names, if whole: the mount point, or the path that the user gave */
	int root_fd;  /* its root directory, where the search for names begins; or -1 */
	struct target *target;
	size_t targets, room;
};

struct hosts {
	struct host *host;
	size_t count, room;
};

/*
 * Add the target @name to its host: a file, a directory, the root of a mounted filesystem, its
 * device, or LABEL=, UUID=. All targets on one filesystem belong to one host, even if they are
 * reached by different mounts. Returns an exit status (enum status), after a message if it isn't
 * STATUS_DONE.
 */
int hosts_add(struct hosts *hosts, const char *name);

/*
 * Add each ext3 or ext4 filesystem whose root is mounted somewhere, once. They are not held until
 * host_hold(). Returns STATUS_NOTHING, or STATUS_FAILED after a message.
 */
int hosts_add_all(struct hosts *hosts);

/*
 * Before the work on @host: open its directories, unless hosts_add() has. Returns false if it is no
 * longer mounted. After the work: close them, so that it can be unmounted.
 */
bool host_hold(struct host *host);
void host_release(struct host *host);

/* True if several mounted filesystems have the UUID @id, for example a snapshot and its origin. */
bool hosts_ambiguous(const char *id);

void hosts_free(struct hosts *hosts);

#endif
