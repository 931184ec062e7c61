// SPDX-License-Identifier: GPL-2.0-only
/* Which files /proc/mdstat names as bitmaps, whatever else stands there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/mdstat.h"
#include "tap.h"

/*
 * All files, as "ARRAY=PATH;", a path as it is unescaped, but for a newline, which would end the
 * line of the stream, as $; "?" where it can't be one.
 */
static char *files(const char *text, size_t size, bool raw)
{
	static char all[65536];
	struct mdstat_file file = { 0 };
	const char *at = text, *end = text + size;
	size_t length = 0;

	all[0] = 0;
	while (mdstat_next(&at, end, &file)) {
		char *path = mdstat_path(&file, raw), *newline = path ? strchr(path, '\n') : NULL;

		if (newline)
			*newline = '$';
		length += (size_t)snprintf(all + length, sizeof(all) - length, "%.*s=%s;",
					   (int)file.array_length,
					   file.array_length ? file.array : "", path ? path : "?");
		free(path);
	}
	return all;
}

static void finds(const char *what, const char *text, const char *wanted)
{
	char *copy = strdup(text);
	const char *found;

	/* Without its 0, so that what reads on behind the end is seen. */
	copy = realloc(copy, strlen(text));
	found = files(copy, strlen(text), false);
	ok(!strcmp(found, wanted), "%s: %s", what, found);
	free(copy);
}

/* As 6.1 writes it. */
static const char several[] =
	"Personalities : [raid1] [raid6] [raid5] [raid4] \n"
	"md127 : active raid5 sdd1[3] sdc1[1](F) sdb1[0]\n"
	"      2093056 blocks super 1.2 level 5, 512k chunk, algorithm 2 [3/2] [U_U]\n"
	"      [==>..................]  recovery = 12.6% (131072/1046528) finish=0.2min\n"
	"      bitmap: 0/1 pages [0KB], 65536KB chunk, file: /srv/bitmap\n"
	"\n"
	"md_home : active (auto-read-only) raid1 loop3[1] loop2[0](W)\n"
	"      4032 blocks super 1.2 [2/2] [UU]\n"
	"      bitmap: 1/1 pages [4KB], 65536KB chunk\n"
	"\n"
	"md1 : active raid1 loop1[1] loop0[0]\n"
	"      4032 blocks [2/2] [UU]\n"
	"      bitmap: 1/1 pages [4KB], 512B chunk, file: /srv/a\\040b\\011c\\012d\n"
	"\n"
	"md9 : inactive sda[0](S)\n"
	"      4032 blocks super external:imsm\n"
	"       \n"
	"unused devices: <none>\n";

static void test_odd(void)
{
	char text[20000], *found;
	size_t length;

	finds("no arrays", "Personalities : \nunused devices: <none>\n", "");
	finds("nothing", "\n", "");
	finds("a backslash that is none of md's stays", " bitmap: x, file: /a\\134\\101\\04\n",
	      "=/a\\134\\101\\04;");
	finds("an escape at the end", " bitmap: x, file: /a\\040", "=/a ;");
	finds("cut within an escape", " bitmap: x, file: /a\\04", "=/a\\04;");
	finds("deleted, as the kernel says it", " bitmap: x, file: /a\\040(deleted)\n",
	      "=/a (deleted);");
	finds("one whose name goes on as md would", "md0 : x\n bitmap: x, file: /a, file: /b\n",
	      "md0=/a, file: /b;");
	finds("no path", "md0 : x\n bitmap: 1/1 pages, file: \n", "md0=?;");
	finds("a relative path", "md0 : x\n bitmap: 1/1 pages, file: a/b\n", "md0=?;");
	finds("an array named like one", "md_a bitmap: , file: /a : active\n", "");
	finds("elsewhere in a line", "md0 : x\n   super external:bitmap: , file: /a\n", "");
	finds("a line without an array", "rubbish\n bitmap: , file: /a\n", "=/a;");
	finds("no end of the line", "md0 : x\n bitmap: , file: /a", "md0=/a;");

	found = files(" bitmap: , file: /a\\040b\n", 25, true);
	ok(!strcmp(found, "=/a\\040b;"), "raw, nothing is an escape: %s", found);
	found = files(" bitmap: , file: /a\0b\n", 22, false);
	ok(!strcmp(found, "=?;"), "a 0 is part of no path: %s", found);
	length = (size_t)sprintf(text, " bitmap: , file: /");
	memset(text + length, 'x', sizeof(text) - length);
	found = files(text, sizeof(text), false);
	ok(!strcmp(found, "=?;"), "longer than any path is: %.20s", found);
}

/* Cut anywhere, and with any byte changed, it stays within the text. */
static void test_random(void)
{
	const size_t size = sizeof(several) - 1;
	size_t longest = 0;
	int i;

	for (i = 0; i < 3000; i++) {
		const size_t length = 1 + random_below((uint32_t)size);
		char *text = malloc(length);
		size_t found;

		memcpy(text, several, length);
		text[random_below((uint32_t)length)] = (char)random_below(256);
		found = strlen(files(text, length, i & 1));
		longest = found > longest ? found : longest;
		free(text);
	}
	ok(longest > 0 && longest < 2 * size, "3000 texts that are cut or wrong somewhere");
}

void test_mdstat(void)
{
	finds("several arrays, two with a file", several, "md127=/srv/bitmap;md1=/srv/a b\tc$d;");
	test_odd();
	test_random();
}
