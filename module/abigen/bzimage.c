// SPDX-License-Identifier: GPL-2.0-only
/* The vmlinux inside an x86 bzImage, which its setup header points to (boot.rst describes it). */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "abigen.h"

#define SECTOR 512
#define OFF_SETUP_SECTS 0x1f1
#define OFF_MAGIC 0x202
#define OFF_VERSION 0x206
#define OFF_PAYLOAD_OFFSET 0x248
#define OFF_PAYLOAD_LENGTH 0x24c
#define HEADER_SIZE 0x250
#define VERSION_WITH_PAYLOAD 0x0208

struct blob bzimage_unpack(const char *path, struct blob image)
{
	struct blob payload;
	uint64_t start, length;
	uint32_t expected;
	unsigned int sectors;

	if (image.size < HEADER_SIZE || memcmp(image.data + OFF_MAGIC, "HdrS", 4))
		die(path, "not an x86 bzImage");
	if ((get_le32(image.data + OFF_VERSION) & 0xffff) < VERSION_WITH_PAYLOAD)
		die(path, "boot protocol too old to tell where the kernel lies in it");

	sectors = image.data[OFF_SETUP_SECTS];
	if (!sectors)
		sectors = 4;
	start = (uint64_t)(sectors + 1) * SECTOR + get_le32(image.data + OFF_PAYLOAD_OFFSET);
	length = get_le32(image.data + OFF_PAYLOAD_LENGTH);
	if (start > image.size || length > image.size - start || length < 4)
		die(path, "truncated: the kernel in it ends at byte %llu of %zu",
		    (unsigned long long)(start + length), image.size);

	payload.size = length;
	payload.data = xrealloc(NULL, length);
	memcpy(payload.data, image.data + start, length);
	/* gzip's own trailer ends so, and the build appends it to the others. */
	expected = get_le32(payload.data + length - 4);
	if (!decompress(path, &payload))
		die(path, "the kernel in it is packed in no format known here");
	if (payload.size != expected)
		die(path, "the kernel in it unpacks to %zu bytes where %u are promised",
		    payload.size, expected);
	free(image.data);
	return payload;
}
