// SPDX-License-Identifier: GPL-2.0-only
#include "scene.h"

#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct scene_setting *setting;
static const struct image_files *files;
static struct report *report;

/* The result of a call, as it stands: -1 is told as errno. */
static long long note(const char *op, long long value)
{
	struct note *n = &report->note[report->notes];

	if (value == -1)
		value = -errno;
	if (report->notes < NOTES_MOST) {
		snprintf(n->op, sizeof(n->op), "%s", op);
		n->value = value;
		report->notes++;
	}
	return value;
}

static int node_file(const char *op, uint32_t ino, const char *name, int flags)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), META "/nodes/%u/%s", ino, name);
	fd = open(path, flags | O_CLOEXEC);
	if (fd < 0)
		note(op, -1);
	return fd;
}

/* A list is an errno or the whole truth; what it says is compared by its checksum. */
static void list(const char *op, const char *path)
{
	static char text[65536];
	uint32_t sum = 2166136261u;
	ssize_t got = 0, i;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	while (fd >= 0 && (got = read(fd, text, sizeof(text))) > 0)
		for (i = 0; i < got; i++)
			sum = (sum ^ (unsigned char)text[i]) * 16777619u;
	if (fd < 0 || got < 0)
		note(op, -1);
	else
		note(op, sum & 0x7fffffff);
	if (fd >= 0)
		close(fd);
}

static void node_list(const char *op, uint32_t ino, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), META "/nodes/%u/%s", ino, name);
	list(op, path);
}

/* Blocks from @first on, until they are all there or it has failed for good. */
static uint32_t alloc(const char *op, int fd, uint32_t first, uint32_t count)
{
	uint32_t done = 0;
	char text[16];
	int left = setting->retry ? 1 : 0;

	while (done < count && fd >= 0) {
		int length = snprintf(text, sizeof(text), "%u", count - done);

		lseek(fd, first + done, SEEK_SET);
		if (write(fd, text, (size_t)length) < 0) {
			note(op, -1);
			if (!left--)
				break;
			continue;
		}
		if (lseek(fd, 0, SEEK_CUR) <= (off_t)first + done) {
			note("alloc got nothing", 0);
			break;
		}
		done = (uint32_t)lseek(fd, 0, SEEK_CUR) - first;
		report->cut += done < count;
	}
	note(op, done);
	return done;
}

static void reloc(int fd, uint32_t donor)
{
	int left = setting->retry ? 1 : 0;
	char text[16];
	int length = snprintf(text, sizeof(text), "%u", donor);
	ssize_t moved;

	while (fd >= 0) {
		moved = write(fd, text, (size_t)length);
		if (moved > 0) {
			report->moved += (uint32_t)moved;
			report->cut += report->moved < report->had;
			continue;
		}
		if (errno == ENODATA) {
			/* all that both have, and nothing kept quiet */
			report->silent = report->moved != report->had;
			break;
		}
		note("reloc", -1);
		if (!left--)
			break;
	}
	note("reloc", report->moved);
}

static void metadata_reloc(int fd, uint32_t donor, uint32_t block, int level)
{
	char text[24];
	int length = snprintf(text, sizeof(text), "%u %d", donor, level);

	if (fd >= 0 && (lseek(fd, block, SEEK_SET) < 0 || write(fd, text, (size_t)length) < 0))
		note("metadata reloc", -1);
	else
		note("metadata reloc", fd >= 0);
}

/* A nameless file, mapped by indirect blocks. */
static int donor_open(uint32_t *ino)
{
	int fd = open(HOST, O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600), flags;
	struct stat st;

	if (fd < 0 || fstat(fd, &st)) {
		note("donor", -1);
		return -1;
	}
	if (!ioctl(fd, FS_IOC_GETFLAGS, &flags) && flags & FS_EXTENT_FL) {
		flags &= ~FS_EXTENT_FL;
		if (ioctl(fd, FS_IOC_SETFLAGS, &flags)) {
			note("donor's flags", -1);
			close(fd);
			return -1;
		}
	}
	*ino = (uint32_t)st.st_ino;
	return fd;
}

/* Without this, root goes over every limit. */
static void limit_self(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data))
		error(2, errno, "capget");
	data[0].effective &= ~(1u << CAP_SYS_RESOURCE);
	if (syscall(SYS_capset, &header, data))
		error(2, errno, "capset");
}

static void rewrite_part(int fd)
{
	uint32_t size = image_blocksize(), i;
	unsigned char *bytes = malloc(size);
	uint64_t at, j;

	for (i = 0; i < files->rewritten_count; i++) {
		at = (uint64_t)(files->rewritten_first + i) * size;
		for (j = 0; j < size; j++)
			bytes[j] = image_byte(at + j, REWRITTEN_SEED);
		if (pwrite(fd, bytes, size, (off_t)at) != (ssize_t)size) {
			note("rewrite", -1);
			break;
		}
	}
	free(bytes);
}

/* The whole way of a move, everything cold. */
static void scene_reloc(void)
{
	uint32_t per = image_blocksize() / 4, donor = 0;
	int goal, data, meta, to, meta_to, fd, file = -1;
	char text[16];

	list("free_blocks", META "/allocation/free_blocks");
	node_list("extents", files->ino, "data/extents");
	node_list("metadata", files->ino, "metadata/blocks");
	fd = donor_open(&donor);
	if (fd < 0)
		return;
	if (setting->limited) {
		note("chown", fchown(fd, 1000, 0));
		limit_self();
	}
	goal = node_file("goal", donor, "alloc_goal", O_WRONLY);
	if (goal >= 0) {
		int length = snprintf(text, sizeof(text), "%u", setting->goal);

		note("goal", write(goal, text, (size_t)length));
	}
	meta = node_file("metadata alloc", donor, "metadata/alloc", O_WRONLY);
	if (meta >= 0) {
		lseek(meta, 12, SEEK_SET);
		note("metadata alloc", write(meta, "1", 1));
		lseek(meta, 12 + per, SEEK_SET);
		note("metadata alloc", write(meta, "2", 1));
		note("metadata alloc", write(meta, "1", 1));
	}
	data = node_file("alloc", donor, "data/alloc", O_WRONLY);
	report->had = alloc("alloc", data, 0, files->moved_blocks);
	if (files->rewritten_count) {
		file = open(HOST "/moved", O_WRONLY | O_CLOEXEC);
		if (file < 0)
			note("open", -1);
		else
			rewrite_part(file);
	}
	to = node_file("reloc", files->ino, "data/reloc", O_WRONLY);
	reloc(to, donor);
	meta_to = node_file("metadata reloc", files->ino, "metadata/reloc", O_WRONLY);
	metadata_reloc(meta_to, donor, 12, 1);
	metadata_reloc(meta_to, donor, 12 + per, 2);
	metadata_reloc(meta_to, donor, 12 + per, 1);
	if (file >= 0)
		report->synced = note("fsync", fsync(file)) == 0;
	close(fd);
	fd = open(HOST, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	note("syncfs", fd < 0 ? -1 : syncfs(fd));
}

/* Blocks for a file that all can read: zeroed before they are mapped. */
static void scene_named(void)
{
	int data = node_file("alloc", files->sparse_ino, "data/alloc", O_WRONLY);
	int fd;

	alloc("alloc", data, 0, files->sparse_blocks);
	node_list("sparse extents", files->sparse_ino, "data/extents");
	fd = open(HOST, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	note("syncfs", fd < 0 ? -1 : syncfs(fd));
}

/* The tool takes the place of this process, so that a signal to it is one to the tool. */
static void scene_tool(void)
{
	int fd = open(TOOL_OUTPUT, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	dup2(fd, 1);
	dup2(fd, 2);
	report->had = files->moved_blocks;
	execlp("e3defrag", "e3defrag", HOST, NULL);
	error(2, errno, "e3defrag");
}

void scene_run(const struct scene_setting *s, const struct image_files *f, struct report *r)
{
	setting = s;
	files = f;
	report = r;
	if (!strcmp(s->name, "tool"))
		scene_tool();
	else if (!strcmp(s->name, "named"))
		scene_named();
	else
		scene_reloc();
	report->ended = true;
}

static const char *see(const char *name, uint32_t blocks, unsigned int seed,
		       const struct image_files *f)
{
	static char complaint[128];
	uint32_t size = image_blocksize(), i;
	unsigned char *bytes = malloc(size);
	char path[64];
	bool right = true;
	int fd;

	snprintf(path, sizeof(path), HOST "/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	/* ext4 wants to write down where it is mounted, when a file is opened for the first time */
	if (fd < 0)
		fd = open(path, O_RDONLY | O_CLOEXEC);
	right = fd >= 0;
	if (right)
		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	for (i = 0; i < blocks && right; i++) {
		uint64_t at = (uint64_t)i * size;
		bool rewritten = seed == MOVED_SEED && i - f->rewritten_first < f->rewritten_count;

		right = pread(fd, bytes, size, (off_t)at) == (ssize_t)size &&
			(image_holds(bytes, at, size, seed) ||
			 (rewritten && image_holds(bytes, at, size, REWRITTEN_SEED)));
	}
	if (fd >= 0)
		close(fd);
	free(bytes);
	if (right)
		return NULL;
	snprintf(complaint, sizeof(complaint), "%s, read through the mount, is wrong at block %u",
		 name, i ? i - 1 : 0);
	return complaint;
}

const char *scene_see(const struct image_files *f)
{
	const char *result = see("moved", f->moved_blocks, MOVED_SEED, f);

	if (!result)
		result = see("other", f->moved_blocks, 3, f);
	if (!result)
		result = see("sparse", f->sparse_blocks, 0, f);
	return result;
}
