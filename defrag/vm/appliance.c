// SPDX-License-Identifier: GPL-2.0-only
#include "vm/appliance.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/util.h"
#include "version.h"

/* The directory of the appliance, malloc'd: beside an installed tool, or E3DEFRAG_APPLIANCE. */
static char *folder(void)
{
	const char *given = getenv("E3DEFRAG_APPLIANCE");
	char self[4096], *slash;
	ssize_t length;

	if (given && *given)
		return xstrdup(given);
	length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	self[length > 0 ? length : 0] = 0;
	slash = strrchr(self, '/');
	if (!slash)
		return xstrdup("/usr/lib/e3defrag/appliance");
	*slash = 0;
	slash = strrchr(self, '/');
	if (slash)
		*slash = 0;
	return xasprintf("%s/lib/e3defrag/appliance", self);
}

/*
 * True if the appliance has the same version as this tool, else a message is printed. The tool in
 * the appliance gets options of this one, so it must know all of them.
 */
static bool same_version(const char *where)
{
	char *path = xasprintf("%s/version", where);
	FILE *file = fopen(path, "re");
	char version[64];
	bool good;

	good = file && fgets(version, sizeof(version), file);
	if (!good) {
		complain(where, 0,
			 "has no appliance; \"make install-appliance\" in the sources of "
			 "e3defrag builds and installs one");
	} else {
		version[strcspn(version, "\n")] = 0;
		good = !strcmp(version, "e3defrag " E3DEFRAG_VERSION);
		if (!good)
			complain(where, 0,
				 "has the appliance of another version: build and install it "
				 "again");
	}
	if (file)
		fclose(file);
	free(path);
	return good;
}

/* A copy in memory of the file @fd, which every user may read, or -1. */
static int copy_for_all(int fd, off_t size)
{
	const int copy = memfd_create("appliance", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	ssize_t sent = 1;

	while (copy >= 0 && size > 0 && sent > 0) {
		sent = sendfile(copy, fd, NULL, (size_t)size);
		size -= sent;
	}
	if (copy >= 0 && sent > 0 && !size &&
	    !fcntl(copy, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL))
		return copy;
	if (copy >= 0)
		close(copy);
	return -1;
}

/*
 * QEMU opens its kernel by a name. /proc/self/fd is one that requires no right on the path, but on
 * the file itself, which the user that QEMU runs as may not have.
 */
static int open_for_all(const char *where, const char *name)
{
	char *path = xasprintf("%s/%s", where, name);
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC), copy;
	struct stat st;

	if (fd >= 0 && (fstat(fd, &st) || !S_ISREG(st.st_mode))) {
		close(fd);
		fd = -1;
		errno = EINVAL;
	}
	if (fd >= 0 && !(st.st_mode & S_IROTH)) {
		copy = copy_for_all(fd, st.st_size);
		close(fd);
		fd = copy;
	}
	if (fd < 0)
		complain(path, errno, "can't read it");
	free(path);
	return fd;
}

bool appliance_open(struct appliance *appliance)
{
	char *where = folder();

	*appliance = (struct appliance){ .kernel = -1, .initramfs = -1 };
	if (same_version(where)) {
		appliance->kernel = open_for_all(where, "kernel");
		if (appliance->kernel >= 0)
			appliance->initramfs = open_for_all(where, "initramfs");
	}
	free(where);
	return appliance->initramfs >= 0;
}

void appliance_close(struct appliance *appliance)
{
	if (appliance->kernel >= 0)
		close(appliance->kernel);
	if (appliance->initramfs >= 0)
		close(appliance->initramfs);
}
