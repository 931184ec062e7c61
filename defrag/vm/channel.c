// SPDX-License-Identifier: GPL-2.0-only
#include "vm/channel.h"

#include <errno.h>
#include <unistd.h>

bool channel_send(int fd, const char *text, size_t size)
{
	while (size) {
		ssize_t sent = write(fd, text, size);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return false;
		text += sent;
		size -= (size_t)sent;
	}
	return true;
}
