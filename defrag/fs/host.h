/* SPDX-License-Identifier: GPL-2.0-only */
/* From what the user named to the filesystems it lies on, the hosts. */
#ifndef E3DEFRAG_HOST_H
#define E3DEFRAG_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A file, or a directory whose files are meant. */
struct target {
	char *path; /* as given, without slashes at the end */
	int fd;	    /* O_PATH */
	uint32_t ino;
	bool directory;
};

struct host {
	dev_t dev;
	int fd; /* a directory on it, open: it holds the mount, and donors are made here; or -1 */
	bool readonly;
	char *device; /* "/dev/vda" */
	char *mountpoint;
	char *type; /* "ext3", "ext4", as mounted */

	bool whole;   /* the whole filesystem was named, the targets don't matter */
	char *prefix; /* of names, when it is the whole: the mount point or how it was named */
	int root_fd;  /* its root directory for names, or -1 */
	struct target *target;
	size_t targets, room;
};

struct hosts {
	struct host *host;
	size_t count, room;
};

/*
 * Find the host of one more @name: a file, a directory, the root of a mounted filesystem, its
 * device, or LABEL=, UUID=. Targets on one filesystem come together in one host, however they are
 * mounted. Messages are printed. Returns an exit status.
 */
int hosts_add(struct hosts *hosts, const char *name);

/*
 * Add each ext3 or ext4 filesystem whose root is mounted somewhere, once. They aren't held before
 * their turn comes. Returns an exit status.
 */
int hosts_add_all(struct hosts *hosts);

/* Its turn has come, or is over: open what is closed, close what is open. False: it is gone. */
bool host_hold(struct host *host);
void host_release(struct host *host);

/* Is the UUID @id that of several mounted filesystems, as of a snapshot and its origin? */
bool hosts_ambiguous(const char *id);

void hosts_free(struct hosts *hosts);

#endif
