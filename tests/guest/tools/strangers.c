// SPDX-License-Identifier: GPL-2.0-only
/*
 * strangers [-t ext3|ext4] [-b BLOCK] [-s STATE]... [-c CALL] [-i]: what each call that takes a
 * descriptor, or a path to one, gets from a donor, in each state of its life, where the one who
 * calls has no rights. On a host as ext3 was the donor is his own; on one with ext4's features it
 * is root's, as it must be there, and he was handed the descriptor.
 *
 *	fresh		an open file of O_TMPFILE | O_EXCL, to read and write
 *	sealed		it has blocks of data/alloc, which hold what they held before
 *	pending		it holds another file's old blocks, and a crash would bring them back
 *	settled		the same, after the commit
 *	under-alloc	the first data/alloc holds the inode's lock, and the call comes then
 *	under-reloc	so does a data/reloc
 *
 * The other file is root's, 0600, with a content that is known; all that was free was filled with
 * 0xa5 before. After each call the stranger tries whether he can reach any of that now: he extends
 * the donor, reads and maps it, writes to it. Root goes on with the donor ("then"); its file must
 * be whole, and its old blocks as they were, as long as a crash could bring them back. Each answer
 * is compared with that of the call's row; "*" stands behind one that was waited for.
 *
 * Without -s and -c it is all states and all calls. With -i the device as a crash leaves it is
 * kept at the end of the states pending and under-reloc, as FOLDER/crash-STATE. The last line is
 * the sum; the status is 0 where nothing was bad.
 */
#define _GNU_SOURCE
#include <error.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "strangers.h"

enum state { FRESH, SEALED, PENDING, SETTLED, UNDER_ALLOC, UNDER_RELOC, STATES };

static const char *const state_names[] = { "fresh",   "sealed",	     "pending",
					   "settled", "under-alloc", "under-reloc" };

static const char *type = "ext3";
static struct cell cell = { .block = 1024 };
static unsigned int bad;

static unsigned int foreign_in(struct cell *c, int fd)
{
	ssize_t got = pread(fd, c->room, c->size, 0);

	return got > 0 ? foreign(c->room, (size_t)got) : 0;
}

/* Whether any of it can be reached now, and whether what the stranger writes gets there. */
static int exploit(struct cell *c)
{
	unsigned int found = 0;
	struct stat st;
	void *map;
	int fd;

	if (ftruncate(c->fd, (off_t)c->size) == 0 || (!fstat(c->fd, &st) && st.st_size)) {
		map = mmap(NULL, c->size, PROT_READ, MAP_SHARED, c->fd, 0);
		if (map != MAP_FAILED && !fstat(c->fd, &st) && (size_t)st.st_size >= c->size)
			found += foreign(map, c->size);
		munmap(map, c->size);
	}
	found += foreign_in(c, c->fd);
	fd = open(c->path, O_RDWR | O_DIRECT | O_NONBLOCK);
	if (fd < 0)
		fd = open(c->path, O_RDONLY | O_NONBLOCK);
	if (fd >= 0) {
		found += foreign_in(c, fd);
		close(fd);
	}
	memset(c->room, 'S', c->size);
	if (pwrite(c->fd, c->room, c->size, 0) > 0)
		sync_file_range(c->fd, 0, 0, SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
	return (int)(found + foreign_in(c, c->own));
}

/* What has happened in one state to one call. */
struct outcome {
	const struct call *call;
	enum state state;
	int value, use;
	bool waited;
	char text[32]; /* in the table */
};

static const char *name_of(int value)
{
	static char names[4][16];
	static unsigned int turn;
	char *name = names[turn++ % 4];

	if (value < 0)
		return strerrorname_np(-value) ?: "?";
	snprintf(name, sizeof(names[0]), "%d", value);
	return name;
}

/* See struct call. */
static bool fits(int value, const char *wanted)
{
	const char *slash = strchr(wanted, '/'), *name = name_of(value);
	size_t length;

	if (slash && !strcmp(type, "ext4"))
		wanted = slash + 1;
	for (;; wanted += length + 1) {
		length = strcspn(wanted, "|/");
		if (length == strlen(name) && !strncmp(wanted, name, length))
			return true;
		if (value >= 0 && length == 2 && !strncmp(wanted, "ok", 2))
			return true;
		if (wanted[length] != '|')
			return false;
	}
}

static void __attribute__((format(printf, 2, 3)))
tell(const struct outcome *o, const char *format, ...)
{
	va_list args;

	bad++;
	printf("BAD: %s: %s: ", state_names[o->state], o->call->name);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

static void must(const struct outcome *o, const char *what, int value)
{
	if (value < 0)
		tell(o, "%s: %s", what, name_of(value));
}

static void may_not_reach(const struct outcome *o, const char *when)
{
	int found = agent_do(&stranger, exploit, &cell);

	if (found)
		tell(o, "%d foreign bytes were read %s", found, when);
}

/* The donor as the state has it; what holds the lock is under way. */
static void begin(const struct outcome *o)
{
	int (*holder)(struct cell * c) = o->state == UNDER_ALLOC ? root_alloc : root_reloc;

	must(o, "a donor", agent_do(!strcmp(type, "ext3") ? &stranger : &root, donor_new, &cell));
	if (o->state != FRESH && o->state != UNDER_ALLOC)
		must(o, "data/alloc", root_alloc(&cell));
	if (o->state == PENDING || o->state == SETTLED)
		must(o, "data/reloc", root_reloc(&cell));
	if (o->state == SETTLED)
		must(o, "syncfs", root_sync());
	if (o->state == UNDER_ALLOC)
		evict();
	if (o->state == UNDER_ALLOC || o->state == UNDER_RELOC) {
		hold();
		agent_start(&root, holder, &cell);
		if (!held())
			tell(o, "nothing was read");
	}
}

static void call_it(struct outcome *o)
{
	const char *wanted = o->call->sealed;

	memset(cell.buffer, 'S', cell.size);
	cell.call = o->call;
	agent_start(&stranger, o->call->run, &cell);
	if (o->state == UNDER_ALLOC || o->state == UNDER_RELOC) {
		o->waited = agent_waits(&stranger);
		let_go();
		must(o, "what held the lock", agent_end(&root));
	}
	o->value = agent_end(&stranger);
	if (o->state == FRESH)
		wanted = o->call->fresh;
	else if (o->state == UNDER_ALLOC && o->call->under_alloc)
		wanted = o->call->under_alloc;
	if (!fits(o->value, wanted))
		tell(o, "%s, not %s", name_of(o->value), wanted);
	if (foreign(cell.buffer, cell.size))
		tell(o, "%u foreign bytes were read", foreign(cell.buffer, cell.size));
}

/* Root goes on with the donor. */
static void use(struct outcome *o)
{
	const char *wanted = o->state == FRESH ? o->call->fresh_use : o->call->sealed_use;

	if (o->state == FRESH)
		root_alloc(&cell);
	if (o->state == FRESH || o->state == SEALED || o->state == UNDER_ALLOC)
		o->use = root_reloc(&cell);
	else
		o->use = root_reloc_rest(&cell);
	if (!fits(o->use, wanted ?: "8"))
		tell(o, "then %s, not %s", name_of(o->use), wanted ?: "8");
}

static void judge(struct outcome *o)
{
	uint64_t before[BLOCKS] = {}, after[BLOCKS] = {};
	unsigned long count;
	unsigned int changed;

	find_blocks(before);
	begin(o);
	count = transactions();
	call_it(o);
	if (o->state != FRESH)
		may_not_reach(o, "afterwards");
	if (o->state == PENDING && !(o->call->commits) && transactions() != count)
		tell(o, "the journal has committed");
	use(o);
	may_not_reach(o, "in the end");
	sync_file_range(cell.fd, 0, 0, SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
	find_blocks(after);
	changed = blocks_changed(before, after);
	if (changed)
		tell(o, "%u foreign blocks were written", changed);
	if (!secret_whole(after))
		tell(o, "root's file is damaged");
	snprintf(o->text, sizeof(o->text), "%s%s%s%s", name_of(o->value), o->waited ? "*" : "",
		 o->use == HALF ? "" : ", then ", o->use == HALF ? "" : name_of(o->use));
}

static struct outcome *play(enum state state, const char *only, bool images, size_t *count)
{
	size_t all = calls_data_count + calls_rest_count, i;
	struct outcome *outcomes = calloc(all, sizeof(*outcomes));
	int *open_donors = calloc(all, sizeof(*open_donors));

	if (!outcomes || !open_donors || root_sync())
		error(2, errno, "no memory");
	*count = 0;
	for (i = 0; i < all; i++) {
		const struct call *call = i < calls_data_count ? &calls_data[i] :
								 &calls_rest[i - calls_data_count];
		struct outcome *o = &outcomes[*count];

		if (only && !strstr(call->name, only))
			continue;
		o->call = call;
		o->state = state;
		judge(o);
		open_donors[(*count)++] = cell.fd;
		/* They hold what a crash brings back: to the end. */
		if (state != PENDING && state != UNDER_RELOC)
			close(cell.fd);
	}
	if (*count && !secret_reads())
		tell(&outcomes[*count - 1], "root reads something else in his file");
	if (state == PENDING || state == UNDER_RELOC) {
		if (images)
			keep_crash(state_names[state]);
		for (i = 0; i < *count; i++)
			close(open_donors[i]);
	}
	free(open_donors);
	return outcomes;
}

static void table(struct outcome *const *outcomes, size_t count)
{
	unsigned int state;
	size_t i;

	printf("%-34s", type);
	for (state = 0; state < STATES; state++)
		if (outcomes[state])
			printf(" %-22s", state_names[state]);
	for (i = 0; i < count; i++) {
		const char *name = NULL;

		for (state = 0; state < STATES; state++) {
			if (!outcomes[state])
				continue;
			if (!name)
				printf("\n%-34s", name = outcomes[state][i].call->name);
			printf(" %-22s", outcomes[state][i].text);
		}
	}
	printf("\n* waited for the lock\n");
}

int main(int argc, char **argv)
{
	struct outcome *outcomes[STATES] = {};
	bool wanted[STATES] = {}, some = false, images = false;
	size_t count = 0;
	unsigned int state, states = 0;
	const char *only = NULL;
	int option;

	while ((option = getopt(argc, argv, "t:b:s:c:i")) != -1) {
		switch (option) {
		case 't':
			type = optarg;
			break;
		case 'b':
			cell.block = strtoul(optarg, NULL, 10);
			break;
		case 's':
			for (state = 0; state < STATES; state++)
				if (!strcmp(optarg, state_names[state]))
					wanted[state] = some = true;
			break;
		case 'c':
			only = optarg;
			break;
		case 'i':
			images = true;
			break;
		default:
			return 2;
		}
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGIO, SIG_IGN); /* a lease of the stranger's is broken */
	scene_begin(type, &cell);
	for (state = 0; state < STATES; state++) {
		if (some && !wanted[state])
			continue;
		outcomes[state] = play((enum state)state, only, images, &count);
		states++;
	}
	table(outcomes, count);
	scene_end();
	printf("%zu calls in %u states, %u bad\n", count, states, bad);
	return bad ? 1 : 0;
}
