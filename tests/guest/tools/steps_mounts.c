// SPDX-License-Identifier: GPL-2.0-only
/* Filesystems: mounting, freezing, quota, swap. */
#define _GNU_SOURCE
#include "steps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/quota.h>
#include <sys/swap.h>

void do_mount(struct word *w, int count)
{
	static const struct {
		const char *name;
		unsigned long flag;
	} names[] = { { "ro", MS_RDONLY },
		      { "remount", MS_REMOUNT },
		      { "noatime", MS_NOATIME },
		      { "remount,ro", MS_REMOUNT | MS_RDONLY },
		      { "bind", MS_BIND } };
	unsigned long flags = 0;
	size_t i;

	for (i = 0; count > 3 && i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(w[3].text, names[i].name))
			flags = names[i].flag;
	call_result(mount(w[0].text, w[1].text, w[2].text, flags, count > 4 ? w[4].text : NULL));
}

/* "host IMAGE DIR TYPE [OPTIONS]": the image by a loop device, whose name is the result. */
void do_host(struct word *w, int count)
{
	struct loop_config config = {
		.info = { .lo_flags = LO_FLAGS_AUTOCLEAR },
	};
	const char *options = count > 3 ? w[3].text : "";
	bool ro = !strcmp(options, "ro");
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC), loop, n;
	char name[32];

	config.fd = open(w[0].text, O_RDWR | O_CLOEXEC);
	if (control < 0 || (int)config.fd < 0)
		die("%s: %s", w[0].text, strerror(errno));
	do {
		n = ioctl(control, LOOP_CTL_GET_FREE);
		snprintf(name, sizeof(name), "/dev/loop%d", n);
		loop = open(name, O_RDWR | O_CLOEXEC);
		if (n < 0 || loop < 0)
			die("%s: %s", name, strerror(errno));
	} while (ioctl(loop, LOOP_CONFIGURE, &config) && errno == EBUSY && !close(loop));
	if (mount(name, w[1].text, w[2].text, MS_NOATIME | (ro ? MS_RDONLY : 0),
		  ro ? NULL : options))
		call_result(-1);
	else
		string_result(name);
	close(loop);
	close(config.fd);
	close(control);
}

void do_umount(struct word *w, int count)
{
	(void)count;
	call_result(umount2(w[0].text, 0));
}

/* Unmounts all below a directory, what was mounted last first. */
void do_cleanup(struct word *w, int count)
{
	size_t length = strlen(w[0].text);
	char line[4096], dir[4096], last[4096];
	int rounds;

	(void)count;
	for (rounds = 0; rounds < 32; rounds++) {
		FILE *mounts = fopen("/proc/self/mounts", "re");

		last[0] = '\0';
		while (fgets(line, sizeof(line), mounts))
			if (sscanf(line, "%*s %4095s", dir) == 1 &&
			    !strncmp(dir, w[0].text, length))
				strcpy(last, dir);
		fclose(mounts);
		if (!last[0] || (umount2(last, 0) && umount2(last, MNT_DETACH)))
			break;
	}
	string_result(last);
}

void do_freeze(struct word *w, int count)
{
	(void)count;
	call_result(ioctl(fd_of(&w[0]), FIFREEZE, 0));
}

void do_thaw(struct word *w, int count)
{
	(void)count;
	call_result(ioctl(fd_of(&w[0]), FITHAW, 0));
}

void do_swapon(struct word *w, int count)
{
	(void)count;
	call_result(swapon(w[0].text, 0));
}

void do_swapoff(struct word *w, int count)
{
	(void)count;
	call_result(swapoff(w[0].text));
}

void do_quotaon(struct word *w, int count)
{
	(void)count;
	call_result(quotactl(QCMD(Q_QUOTAON, USRQUOTA), w[0].text, 2, w[1].text));
}

void do_quotaoff(struct word *w, int count)
{
	(void)count;
	call_result(quotactl(QCMD(Q_QUOTAOFF, USRQUOTA), w[0].text, 0, NULL));
}

/* What a user is charged: bytes and inodes. */
void do_charged(struct word *w, int count)
{
	struct dqblk q;

	(void)count;
	if (quotactl(QCMD(Q_GETQUOTA, USRQUOTA), w[0].text, number(&w[1]), (void *)&q))
		call_result(-1);
	else
		format_result("%llu %llu", (unsigned long long)q.dqb_curspace,
			      (unsigned long long)q.dqb_curinodes);
}
