// SPDX-License-Identifier: GPL-2.0-only
#include "vm/room.h"

#include <sys/statvfs.h>

uint64_t room_of(int fd)
{
	struct statvfs vfs;

	return fstatvfs(fd, &vfs) ? 0 : (uint64_t)vfs.f_bavail * vfs.f_frsize / 2;
}
