// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fs/meta_text.h"
#include "tap.h"

static const struct geometry geo = {
	.blocksize = 1024,
	.blocks = 20000,
	.first_block = 1,
	.blocks_per_group = 8192,
	.inodes = 4096,
	.inodes_per_group = 1024,
};

static void numbers(void)
{
	static const char *const bad[] = {
		"",
		"\n",
		"5",
		"5\n\n",
		" 5\n",
		"5 \n",
		"+5\n",
		"-5\n",
		"05\n",
		"0x5\n",
		"5a\n",
		"1001\n",
		"18446744073709551616\n",
		"99999999999999999999999\n",
		"5\r\n",
	};
	uint64_t value = 7;
	size_t i;

	is(meta_text_number("0\n", 2, 1000, &value), 0, "text_number takes 0");
	is(value, 0, "text_number reads 0");
	is(meta_text_number("1000\n", 5, 1000, &value), 0, "text_number takes its maximum");
	is(value, 1000, "text_number reads its maximum");
	is(meta_text_number("18446744073709551615\n", 21, UINT64_MAX, &value), 0,
	   "text_number takes 2^64 - 1");
	ok(value == UINT64_MAX, "text_number reads 2^64 - 1");
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		is(meta_text_number(bad[i], strlen(bad[i]), 1000, &value), -EPROTO,
		   "text_number refuses bad text %zu", i);
}

static void ids(void)
{
	char id[37];

	is(meta_text_id("0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9\n", 37, id), 0,
	   "text_id takes a UUID");
	ok(!strcmp(id, "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"), "text_id reads it");
	is(meta_text_id("0A1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9\n", 37, id), -EPROTO,
	   "text_id refuses upper case");
	is(meta_text_id("0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9", 36, id), -EPROTO,
	   "text_id refuses a missing newline");
	is(meta_text_id("0a1b2c3d-4e5f-60718-293-a4b5c6d7e8f9\n", 37, id), -EPROTO,
	   "text_id refuses a misplaced dash");
}

static void features(void)
{
	static const char good[] = "compat 0x1f\nincompat 0x0\nro_compat 0x80000001\n";
	static const char *const bad[] = {
		"compat 0x1f\nincompat 0x0\n",
		"compat 1f\nincompat 0x0\nro_compat 0x0\n",
		"compat 0x\nincompat 0x0\nro_compat 0x0\n",
		"compat 0x1F\nincompat 0x0\nro_compat 0x0\n",
		"incompat 0x0\ncompat 0x1f\nro_compat 0x0\n",
		"compat 0x1f\nincompat 0x0\nro_compat 0x100000000\n",
		"compat 0x1f\nincompat 0x0\nro_compat 0x0\nmore 0x0\n",
		"compat 0x1f\nincompat 0x0\nro_compat 0x0",
	};
	struct features f;
	size_t i;

	is(meta_text_features(good, strlen(good), &f), 0, "text_features takes three lines");
	ok(f.compat == 0x1f && f.incompat == 0 && f.ro_compat == 0x80000001,
	   "text_features reads them");
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		is(meta_text_features(bad[i], strlen(bad[i]), &f), -EPROTO,
		   "text_features refuses bad text %zu", i);
}

#define INFO "type regular\nsize 5000\nblocks 6\nlinks 2\ngeneration 4294967295\nflags 16\n"

static void infos(void)
{
	static const char good[] = INFO "mapping indirect\nrelocatable yes\n";
	static const char *const bad[] = {
		"",
		INFO "mapping indirect\n",
		INFO "mapping magic\nrelocatable yes\n",
		INFO "links 2\nmapping indirect\nrelocatable yes\n",
		INFO "mapping indirect\nrelocatable yes",
		INFO "mapping indirect\nrelocatable \n",
		INFO "mapping indirect\nrelocatable yes\n\n",
		"size x\n" INFO "mapping indirect\nrelocatable yes\n",
		INFO "mapping indirect\nrelocatable yes\nuid \n",
		INFO "mapping indirect\nrelocatable yes\nuid -1\n",
		INFO "mapping indirect\nrelocatable yes\nuid 4294967296\n",
		INFO "mapping indirect\nrelocatable yes\nuid 5\nuid 5\n",
	};
	static const struct {
		const char *word;
		enum reason reason;
	} words[] = {
		{ "type", REASON_TYPE },
		{ "extents", REASON_EXTENTS },
		{ "inline", REASON_INLINE },
		{ "none", REASON_UNMAPPED },
		{ "encrypted", REASON_ENCRYPTED },
		{ "verity", REASON_VERITY },
		{ "dax", REASON_DAX },
		{ "ea-inode", REASON_EA_INODE },
		{ "bigalloc", REASON_BIGALLOC },
		{ "swapfile", REASON_SWAPFILE },
		{ "quota", REASON_QUOTA },
		{ "immutable", REASON_IMMUTABLE },
		{ "append-only", REASON_APPEND_ONLY },
		{ "deleted", REASON_DELETED },
		{ "read-only", REASON_READ_ONLY },
		{ "no-journal", REASON_NO_JOURNAL },
		{ "unchecked", REASON_UNCHECKED },
		{ "yes", REASON_NONE },
		{ "tuesday", REASON_OTHER },
		{ "ye", REASON_OTHER },
		{ "yess", REASON_OTHER },
	};
	struct info info;
	char text[512];
	size_t i;

	is(meta_text_info(good, strlen(good), &info), 0, "text_info takes the eight keys");
	ok(info.type == TYPE_REGULAR && info.size == 5000 && info.blocks == 6 && info.links == 2 &&
		   info.generation == UINT32_MAX && info.flags == 16 &&
		   info.mapping == MAPPING_INDIRECT && info.relocatable == REASON_NONE,
	   "text_info reads them");
	is(info.uid, 0, "text_info takes the owner for root if it is not told");
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		is(meta_text_info(bad[i], strlen(bad[i]), &info), -EPROTO,
		   "text_info refuses bad text %zu", i);
	snprintf(text, sizeof(text), "%smapping indirect\nrelocatable yes\nuid 4294967294\n", INFO);
	is(meta_text_info(text, strlen(text), &info), 0, "text_info takes an owner");
	is(info.uid, 4294967294U, "text_info reads it");
	snprintf(text, sizeof(text), "%scolour blue\nmapping extents\nrelocatable extents\n", INFO);
	is(meta_text_info(text, strlen(text), &info), 0,
	   "text_info passes over a key it doesn't know");
	is(info.mapping, MAPPING_EXTENTS, "text_info reads another mapping");
	for (i = 0; i < sizeof(words) / sizeof(*words); i++) {
		snprintf(text, sizeof(text), "%smapping none\nrelocatable %s\n", INFO,
			 words[i].word);
		meta_text_info(text, strlen(text), &info);
		is(info.relocatable, words[i].reason, "relocatable: %s", words[i].word);
	}
}

static void lists(void)
{
	static const struct {
		const char *text;
		int result;
	} extents[] = {
		{ "0 100 12\n12 0 5\n17 113 3\n", 0 },	{ "", 0 },
		{ "0 100 12\n5 200 1\n", -EPROTO },	{ "0 100 0\n", -EPROTO },
		{ "0 19999 1\n", 0 },			{ "0 19999 2\n", -EPROTO },
		{ "0 100 12", -EPROTO },		{ "0  100 12\n", -EPROTO },
		{ "0 100\n", -EPROTO },			{ "0 100 12 1\n", -EPROTO },
		{ "4294967295 100 1\n", -EPROTO },	{ "4294967296 100 1\n", -EPROTO },
		{ "0 100 12\n\n", -EPROTO },		{ "-1 100 12\n", -EPROTO },
	}, indirects[] = {
		{ "1 12 112\n2 268 400\n1 268 401\n", 0 }, { "0 12 112\n", -EPROTO },
		{ "4 12 112\n", -EPROTO },		   { "1 12 0\n", -EPROTO },
		{ "1 12 20000\n", -EPROTO },		   { "1 268 401\n2 268 400\n", -EPROTO },
		{ "1 300 5\n1 200 6\n", -EPROTO },	   { "1 12 112 1\n", -EPROTO },
	}, frees[] = {
		{ "1 5\n10 100\n19999 1\n", 0 },	   { "0 5\n", -EPROTO },
		{ "19999 2\n", -EPROTO },		   { "10 5\n12 5\n", -EPROTO },
		{ "10 0\n", -EPROTO },			   { "20 5\n10 5\n", -EPROTO },
	};
	struct layout layout;
	struct freemap map;
	size_t i;

	layout_init(&layout);
	freemap_init(&map);
	for (i = 0; i < sizeof(extents) / sizeof(*extents); i++) {
		layout_clear(&layout);
		is(meta_text_extents(extents[i].text, strlen(extents[i].text), &geo, &layout),
		   extents[i].result, "text_extents, case %zu", i);
	}
	for (i = 0; i < sizeof(indirects) / sizeof(*indirects); i++) {
		layout_clear(&layout);
		is(meta_text_indirects(indirects[i].text, strlen(indirects[i].text), &geo, &layout),
		   indirects[i].result, "text_indirects, case %zu", i);
	}
	for (i = 0; i < sizeof(frees) / sizeof(*frees); i++) {
		freemap_clear(&map);
		is(meta_text_free_blocks(frees[i].text, strlen(frees[i].text), &geo, &map),
		   frees[i].result, "text_free_blocks, case %zu", i);
	}

	/* In two parts, as two reads would give it. */
	layout_clear(&layout);
	meta_text_extents("0 100 12\n", 9, &geo, &layout);
	meta_text_extents("12 112 5\n20 200 1\n", 19 - 1, &geo, &layout);
	is(layout.extents, 2, "parts of a list that continue each other are one extent");
	is(layout.extent[0].length, 17, "of the length of both");
	is(meta_text_extents("20 300 1\n", 9, &geo, &layout), -EPROTO,
	   "a part that goes back is refused");
	layout_free(&layout);
	freemap_free(&map);
}

#define HEAD "i 12 7 regular indirect yes 5000 6 2\n"

static void records(void)
{
	static const struct {
		const char *text;
		int result;
	} cases[] = {
		{ HEAD, 0 },
		{ HEAD "e 0 100 12\nm 1 12 112\ne 12 113 5\n", 0 },
		{ "i 12 7 fifo none type 0 0 1\n", 0 },
		{ "n 12\n", 0 },
		{ "", -EPROTO },
		{ "\n", -EPROTO },
		{ "12\n", -EPROTO },
		{ "n 0\n", -EPROTO },
		{ "n 12 \n", -EPROTO },
		{ "n 12", -EPROTO },
		{ "n 4294967296\n", -EPROTO },
		{ "i 0 7 regular indirect yes 5000 6 2\n", -EPROTO },
		{ "i 12 7 regular indirect yes 5000 6\n", -EPROTO },
		{ "i 12 7 regular indirect yes 5000 6 2 1\n", -EPROTO },
		{ "i 12 7 regular indirect yes 5000 6 2", -EPROTO },
		{ "i 12 7 regular indirect  5000 6 2\n", -EPROTO },
		{ "i 12 7 regular magic yes 5000 6 2\n", -EPROTO },
		{ "i 12 7 regular indirect ye\ns 5000 6 2\n", -EPROTO },
		{ "i 12 7 reg\nular indirect yes 5000 6 2\n", -EPROTO },
		{ "i -12 7 regular indirect yes 5000 6 2\n", -EPROTO },
		{ "i 12 7 regular indirect yes 9223372036854775808 6 2\n", -EPROTO },
		{ "e 0 100 12\n", -EPROTO },
		{ HEAD "e 0 0 12\n", -EPROTO },
		{ HEAD "e 0 100 12\ne 5 200 1\n", -EPROTO },
		{ HEAD "e 0 19999 2\n", -EPROTO },
		{ HEAD "e 0 100\n", -EPROTO },
		{ HEAD "e 0 100 12", -EPROTO },
		{ HEAD "m 1 12 0\n", -EPROTO },
		{ HEAD "m 1 12 20000\n", -EPROTO },
		{ HEAD "m 1 268 401\nm 2 268 400\n", -EPROTO },
		{ "i 12 7 regular extents extents 5000 6 2\ne 0 100 12\n", -EPROTO },
		{ "i 12 7 regular inline inline 50 0 2\nm 1 12 100\n", -EPROTO },
	};
	static const char two[] = HEAD "e 0 100 12\nm 1 12 112\nn 13\n" HEAD;
	const char *at, *end = two + strlen(two);
	struct layout layout;
	struct record record;
	size_t i;

	layout_init(&layout);
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		at = cases[i].text;
		end = at + strlen(at);
		is(meta_text_record(&at, end, &geo, &record, &layout), cases[i].result,
		   "text_record, case %zu", i);
		if (!cases[i].result)
			ok(at == end, "text_record passes all of case %zu", i);
	}
	at = two;
	end = two + strlen(two);
	meta_text_record(&at, end, &geo, &record, &layout);
	ok(record.ino == 12 && record.whole && record.info.generation == 7 &&
		   record.info.type == TYPE_REGULAR && record.info.mapping == MAPPING_INDIRECT &&
		   record.info.relocatable == REASON_NONE && record.info.size == 5000 &&
		   record.info.blocks == 6 && record.info.links == 2,
	   "text_record reads what is in the first line");
	ok(layout.extents == 1 && layout.data == 12 && layout.indirects == 1, "and the blocks");
	is(meta_text_record(&at, end, &geo, &record, &layout), 0, "text_record goes on");
	ok(record.ino == 13 && !record.whole && !layout.extents && !layout.indirects,
	   "with one that refers to its node");
	is(meta_text_record(&at, end, &geo, &record, &layout), 0, "text_record takes the third");
	ok(record.whole && at == end, "and is at the end");
	layout_free(&layout);
}

void test_text(void)
{
	static const char *const names[] = { "0", "x", "", "1:2", "01", "4294967296", "12 " };
	uint32_t ino;
	size_t i;

	numbers();
	ids();
	features();
	infos();
	lists();
	records();
	is(meta_text_inode("4294967295", &ino), 0, "text_inode takes a number");
	is(ino, 4294967295, "text_inode reads it");
	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		is(meta_text_inode(names[i], &ino), -EPROTO, "text_inode refuses '%s'", names[i]);
}
