// SPDX-License-Identifier: GPL-2.0-only
#include "vm/confine.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The user that owns nothing, and its number where the system has no such name. */
#define NOBODY "nobody"
#define NOBODY_ID 65534

void confine_choose(struct confinement *confinement, bool kvm)
{
	const struct passwd *nobody;
	struct stat st;

	confinement->change = !geteuid();
	if (!confinement->change)
		return;
	nobody = getpwnam(NOBODY);
	/* A name for root would make all of this pointless. */
	if (nobody && nobody->pw_uid && nobody->pw_gid) {
		confinement->uid = nobody->pw_uid;
		confinement->gid = nobody->pw_gid;
	} else {
		confinement->uid = NOBODY_ID;
		confinement->gid = NOBODY_ID;
	}
	/* QEMU opens /dev/kvm itself: where only a group may, that group is its only one. */
	if (kvm && !stat("/dev/kvm", &st) && (st.st_mode & 0066) == 0060 && st.st_gid)
		confinement->gid = st.st_gid;
}

/* Without CAP_SETPCAP, as an ordinary user, the bounding set can't be changed, nor be used. */
static bool drop_bounding_set(void)
{
	int capability;

	for (capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; capability++)
		if (prctl(PR_CAPBSET_DROP, capability))
			return false;
	return true;
}

/* In all sets: also an ordinary user may have inherited some. */
static bool drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	return !prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) &&
	       !syscall(SYS_capset, &header, none);
}

static bool limit(int resource, uint64_t value)
{
	struct rlimit old, new;

	if (getrlimit((__rlimit_resource_t)resource, &old))
		return false;
	if (value > old.rlim_max)
		value = old.rlim_max;
	new = (struct rlimit){ .rlim_cur = value, .rlim_max = value };
	return !setrlimit((__rlimit_resource_t)resource, &new);
}

/* The environment of root is nobody's business; QEMU needs none. */
static bool forget_environment(void)
{
	const char *path = getenv("PATH");
	char *keep = path ? strdupa(path) : NULL;

	return !clearenv() && (!keep || !setenv("PATH", keep, 1));
}

const char *confine(const struct confinement *confinement)
{
	umask(077);
	if (chdir("/"))
		return "can't leave the working directory";
	if (!forget_environment())
		return "can't forget the environment";
	/* A write beyond the limit fails, which is reported to the guest, instead of killing. */
	signal(SIGXFSZ, SIG_IGN);
	if (!limit(RLIMIT_CORE, 0) || !limit(RLIMIT_FSIZE, confinement->file_size))
		return "can't set limits";
	if (confinement->change) {
		if (!drop_bounding_set())
			return "can't drop the bounding set of capabilities";
		if (setgroups(0, NULL) ||
		    setresgid(confinement->gid, confinement->gid, confinement->gid))
			return "can't leave the groups of root";
		if (setresuid(confinement->uid, confinement->uid, confinement->uid))
			return "can't become the user " NOBODY;
	}
	if (!drop_capabilities())
		return "can't drop capabilities";
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return "can't refuse new privileges";
	return NULL;
}
