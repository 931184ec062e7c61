// SPDX-License-Identifier: GPL-2.0-only
/*
 * inodejudge [-c] MOUNT SIZE...: read the file `inodes` of the ext3meta at MOUNT with buffers of
 * each SIZE, and hold every record against what the node's own files say. A record must be whole
 * exactly where it fits into the buffer, each inode of nodes/ must come once and in order, and
 * each read must end before the record that no longer fits, or behind the last one of a block
 * group. For a filesystem that rests. With -c no inode is in memory that nobody has open.
 * Prints "SIZE READS WHOLE REFERRED" for each size.
 *
 * inodejudge -b MOUNT SECONDS: for one that is busy: only the form and the order are judged, for so
 * long. Prints "READS RECORDS".
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *mount_point;

/* What is expected of one inode: the header, then the lines of each kind. */
struct expected {
	uint32_t ino;
	char *head, *extents, *indirects;
	size_t length;
};

static struct expected *expected;
static size_t count;
static uint32_t per_group; /* inodes of a block group */

static void __attribute__((noreturn, format(printf, 1, 2))) wrong(const char *format, ...)
{
	va_list args;

	printf("WRONG: ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	exit(1);
}

static char *slurp(uint32_t ino, const char *name)
{
	char path[256], *text = NULL;
	size_t length = 0;
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "%s/nodes/%u/%s", mount_point, ino, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	for (;; length += (size_t)got) {
		text = realloc(text, length + (1 << 20) + 1);
		got = read(fd, text + length, 1 << 20);
		if (got <= 0)
			break;
	}
	close(fd);
	text[length] = 0;
	if (got < 0) {
		free(text);
		return NULL;
	}
	return text;
}

static char *value(const char *info, const char *key)
{
	const char *at = info;
	size_t length = strlen(key);

	while (strncmp(at, key, length) || at[length] != ' ') {
		at = strchr(at, '\n');
		if (!at || !*++at)
			wrong("info has no %s", key);
	}
	at += length + 1;
	return strndup(at, strcspn(at, "\n"));
}

/* The lines of @list with @letter before each; without holes where @holes isn't set. */
static char *lettered(char *list, char letter, bool holes)
{
	size_t size = 2 * strlen(list) + 64;
	char *text = malloc(size), *to = text, *line, *rest = list;

	while ((line = strsep(&rest, "\n")) && *line) {
		unsigned long long physical = 0;

		if (sscanf(line, "%*u %llu", &physical) != 1)
			wrong("a line '%s'", line);
		if (!holes && !physical)
			continue;
		to += sprintf(to, "%c %s\n", letter, line);
		if ((size_t)(to - text) + 64 > size)
			wrong("a line that grew");
	}
	*to = 0;
	free(list);
	return text;
}

static void expect(uint32_t ino)
{
	char *info = slurp(ino, "info"), *extents, *indirects;
	struct expected *e;

	if (!info)
		return;
	extents = slurp(ino, "data/extents");
	indirects = slurp(ino, "metadata/blocks");
	expected = realloc(expected, (count + 1) * sizeof(*expected));
	e = &expected[count++];
	*e = (struct expected){ .ino = ino };
	if ((!extents || !indirects) && errno != EOPNOTSUPP) {
		e->length = SIZE_MAX;
		return;
	}
	if (asprintf(&e->head, "i %u %s %s %s %s %s %s %s\n", ino, value(info, "generation"),
		     value(info, "type"), value(info, "mapping"), value(info, "relocatable"),
		     value(info, "size"), value(info, "blocks"), value(info, "links")) < 0)
		error(2, errno, "memory");
	e->extents = extents ? lettered(extents, 'e', false) : strdup("");
	e->indirects = indirects ? lettered(indirects, 'm', true) : strdup("");
	e->length = strlen(e->head) + strlen(e->extents) + strlen(e->indirects);
	free(info);
}

static int by_ino(const void *a, const void *b)
{
	const struct expected *x = a, *y = b;

	return x->ino < y->ino ? -1 : x->ino > y->ino;
}

static void expect_all(void)
{
	char path[256];
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/nodes", mount_point);
	dir = opendir(path);
	if (!dir)
		error(2, errno, "%s", path);
	while ((entry = readdir(dir)))
		if (*entry->d_name != '.')
			expect((uint32_t)strtoul(entry->d_name, NULL, 10));
	closedir(dir);
	if (count)
		qsort(expected, count, sizeof(*expected), by_ino);
}

/* One record at @at, NUL-terminated text behind it; returns where the next one begins. */
static const char *judge(const char *at, const struct expected *e, size_t size)
{
	const char *extents = e->extents, *indirects = e->indirects;
	char referred[32];
	size_t length;

	snprintf(referred, sizeof(referred), "n %u\n", e->ino);
	if (!strncmp(at, referred, strlen(referred))) {
		if (e->length <= size)
			wrong("inode %u is not told, though its %zu bytes fit", e->ino, e->length);
		return at + strlen(referred);
	}
	if (e->length > size || strncmp(at, e->head, strlen(e->head)))
		wrong("inode %u begins '%.100s', not '%s'", e->ino, at, e->head);
	for (at += strlen(e->head); *at == 'e' || *at == 'm'; at += length) {
		const char **list = *at == 'e' ? &extents : &indirects;

		length = strcspn(at, "\n") + 1;
		if (strncmp(at, *list, length))
			wrong("inode %u has '%.60s', not '%.60s'", e->ino, at, *list);
		*list += length;
	}
	if (*extents || *indirects)
		wrong("inode %u lacks '%.60s' '%.60s'", e->ino, extents, indirects);
	return at;
}

static uint32_t group_of(size_t at)
{
	return (expected[at].ino - 1) / per_group;
}

static void judge_size(size_t size)
{
	size_t at = 0, reads = 0, referred = 0, first;
	char path[256], *text = malloc(size + 1);
	const char *record;
	ssize_t got;
	off_t end;
	int fd;

	snprintf(path, sizeof(path), "%s/inodes", mount_point);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		error(2, errno, "%s", path);
	for (; (got = read(fd, text, size)) > 0; reads++) {
		text[got] = 0;
		first = at;
		for (record = text; *record; at++) {
			if (at == count)
				wrong("too many: '%.60s'", record);
			referred += *record == 'n';
			record = judge(record, &expected[at], size);
		}
		end = lseek(fd, 0, SEEK_CUR);
		if (end <= expected[at - 1].ino || (at < count && end > expected[at].ino))
			wrong("the position is %lld behind inode %u", (long long)end,
			      expected[at - 1].ino);
		if (group_of(at - 1) != group_of(first))
			wrong("inodes %u and %u in one read", expected[first].ino,
			      expected[at - 1].ino);
		if (at < count && expected[at].length <= size - (size_t)got && at > first &&
		    group_of(at) == group_of(first))
			wrong("inode %u would have fitted", expected[at].ino);
	}
	if (got < 0)
		error(1, errno, "read of %zu bytes at %lld", size,
		      (long long)lseek(fd, 0, SEEK_CUR));
	if (at != count)
		wrong("it ends before inode %u", expected[at].ino);
	printf("%zu %zu %zu %zu\n", size, reads, count - referred, referred);
	close(fd);
	free(text);
}

/* Whole lines, of the three kinds, inodes ascending. */
static void judge_busy(int seconds)
{
	static const size_t sizes[] = { 64, 200, 4096, 1 << 20 };
	static char text[(1 << 20) + 1];
	unsigned long reads = 0, records = 0, round;
	time_t end = time(NULL) + seconds;
	char path[256], *line, *rest;
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "%s/inodes", mount_point);
	for (round = 0; time(NULL) < end; round++) {
		unsigned long ino, last = 0;
		bool whole = false;

		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			error(2, errno, "%s", path);
		while ((got = read(fd, text, sizes[round % 4])) > 0) {
			if (text[got - 1] != '\n' || (*text != 'i' && *text != 'n'))
				wrong("a read of '%.60s'", text);
			text[got - 1] = 0;
			for (rest = text; (line = strsep(&rest, "\n"));) {
				unsigned int a, b, c;
				char behind;

				if (*line == 'e' || *line == 'm') {
					if (!whole || sscanf(line + 1, " %u %u %u%c", &a, &b, &c,
							     &behind) != 3)
						wrong("a line '%s'", line);
					continue;
				}
				if (sscanf(line, "%*1[in] %lu", &ino) != 1 || ino <= last)
					wrong("'%s' behind inode %lu", line, last);
				whole = *line == 'i';
				last = ino;
				records++;
			}
			reads++;
		}
		if (got < 0)
			error(1, errno, "read");
		close(fd);
	}
	printf("%lu %lu\n", reads, records);
}

static uint32_t read_per_group(void)
{
	char path[256];
	FILE *file;
	uint32_t number;

	snprintf(path, sizeof(path), "%s/super/inodes_per_group", mount_point);
	file = fopen(path, "re");
	if (!file || fscanf(file, "%u", &number) != 1 || !number)
		error(2, errno, "%s", path);
	fclose(file);
	return number;
}

/* The inodes that were looked at have stayed in memory. */
static void forget_inodes(void)
{
	FILE *caches = fopen("/proc/sys/vm/drop_caches", "w");

	sync();
	if (!caches || fputs("2", caches) < 0 || fclose(caches))
		error(2, errno, "can't drop what is cached");
}

int main(int argc, char **argv)
{
	bool forget = false;
	int i;

	if (argc == 4 && !strcmp(argv[1], "-b")) {
		mount_point = argv[2];
		judge_busy(atoi(argv[3]));
		return 0;
	}
	if (argc > 1 && !strcmp(argv[1], "-c")) {
		forget = true;
		argv++;
		argc--;
	}
	if (argc < 3)
		error(2, 0, "usage: inodejudge [-c] MOUNT SIZE... | inodejudge -b MOUNT SECONDS");
	mount_point = argv[1];
	per_group = read_per_group();
	expect_all();
	if (forget)
		forget_inodes();
	for (i = 2; i < argc; i++)
		judge_size(strtoul(argv[i], NULL, 10));
	return 0;
}
