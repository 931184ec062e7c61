// SPDX-License-Identifier: GPL-2.0-only
/*
 * host.c with any mountinfo: libmount parses it, host.c chooses a mount by it and makes a host of
 * what it says. It may find nothing, or only what is really on the device asked for.
 */
#include <libmount.h>
#include <sys/mman.h>

#include "fuzz.h"

static struct libmnt_table *fuzzed_table(const char *path);
#define mnt_new_table_from_file fuzzed_table
#include "../../defrag/fs/host.c"
#undef mnt_new_table_from_file

static int fuzzed = -1;
static char fuzzed_path[32];

static struct libmnt_table *fuzzed_table(const char *path)
{
	MUST(!strcmp(path, "/proc/self/mountinfo"));
	return mnt_new_table_from_file(fuzzed_path);
}

/* Warnings about broken lines would drown what matters. */
static int quiet(struct libmnt_table *table, const char *name, int line)
{
	(void)table;
	(void)name;
	(void)line;
	return 1;
}

/* What comes out of printable() stays as it is but for the backslashes that came in. */
static void must_be_printable(const char *text)
{
	char *again, *at;

	MUST(text);
	again = printable(text);
	for (at = again; *text; text++) {
		MUST(*at == *text);
		at += *text == '\\' ? 4 : 1;
	}
	MUST(!*at);
	free(again);
}

static void check_device(dev_t dev)
{
	struct libmnt_table *table = mnt_new_table();
	char *mountpoint = NULL;
	struct stat st;
	int fd;

	MUST(table);
	mnt_table_set_parser_errcb(table, quiet);
	mnt_table_parse_file(table, fuzzed_path);
	fd = open_device_mount(table, dev, &mountpoint);
	MUST((fd >= 0) == !!mountpoint);
	if (fd >= 0) {
		struct hosts hosts = { 0 };
		struct host *host;

		MUST(!fstat(fd, &st) && st.st_dev == dev && S_ISDIR(st.st_mode));
		mount_of_fd(table, fd);
		host = new_host(&hosts, table, dev, fd);
		MUST(host->fd == fd);
		must_be_printable(host->device);
		must_be_printable(host->mountpoint);
		must_be_printable(host->type);
		MUST(find_host(&hosts, dev) == host);
		hosts_free(&hosts);
	}
	free(mountpoint);
	mnt_unref_table(table);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hosts hosts = { 0 };
	struct stat st;
	size_t i;

	if (fuzzed < 0) {
		fuzzed = memfd_create("mountinfo", MFD_CLOEXEC);
		MUST(fuzzed >= 0);
		snprintf(fuzzed_path, sizeof(fuzzed_path), "/proc/self/fd/%d", fuzzed);
	}
	MUST(!ftruncate(fuzzed, 0));
	MUST(pwrite(fuzzed, data, size, 0) == (ssize_t)size);
	MUST(!stat("/proc", &st));
	check_device(st.st_dev);
	check_device(makedev(8, 1));
	hosts_add(&hosts, "/");
	hosts_free(&hosts);
	hosts_add_all(&hosts);
	for (i = 0; i < hosts.count; i++) {
		struct host *host = &hosts.host[i];

		MUST(host->whole && find_host(&hosts, host->dev) == host);
		if (host_hold(host))
			MUST(!fstat(host->fd, &st) && st.st_dev == host->dev && is_root(host->fd));
		host_release(host);
		MUST(host->fd < 0 && host->root_fd < 0);
	}
	hosts_free(&hosts);
	return 0;
}
