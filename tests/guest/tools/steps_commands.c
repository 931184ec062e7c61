// SPDX-License-Identifier: GPL-2.0-only
/*
 * The commands of steps. How many words a command takes is counted in its usage: those from the
 * first "[" on may be left out, and "..." stands for any number. tests/README.md tells what each
 * command does, in a table with the same usages.
 */
#include "steps.h"

#include <string.h>

static const struct command {
	const char *usage;
	void (*run)(struct word *w, int count);
} commands[] = {
	{ "open NAME PATH FLAGS [MODE]", do_open },
	{ "donor NAME DIRECTORY", do_donor },
	{ "close NAME", do_close },
	{ "read NAME SIZE [POSITION]", do_read },
	{ "write NAME TEXT [POSITION]", do_write },
	{ "seek NAME POSITION [WHENCE]", do_seek },
	{ "slurp PATH [SIZE] [POSITION]", do_slurp },
	{ "truncate NAME SIZE", do_truncate },
	{ "punch NAME POSITION LENGTH", do_punch },
	{ "fsync NAME", do_fsync },
	{ "syncfs NAME", do_syncfs },
	{ "dontneed NAME", do_dontneed },
	{ "stat NAME", do_stat },
	{ "mode PATH", do_mode },
	{ "flags NAME [CHANGE]", do_flags },
	{ "generation NAME [NUMBER]", do_generation },
	{ "chown NAME USER", do_chown },
	{ "setxattr NAME ATTRIBUTE LENGTH", do_setxattr },
	{ "encrypt NAME", do_encrypt },
	{ "names DIRECTORY", do_names },
	{ "unlink PATH", do_unlink },
	{ "link PATH NEW", do_link },
	{ "mkdir PATH", do_mkdir },
	{ "symlink TEXT PATH", do_symlink },
	{ "mknod PATH TYPE", do_mknod },
	{ "pattern NAME POSITION LENGTH SEED", do_pattern },
	{ "comb NAME FIRST COUNT STEP SIZE SEED", do_comb },
	{ "check NAME POSITION LENGTH SEED", do_check },
	{ "copy PATH NEW", do_copy },
	{ "map MAPPING NAME POSITION LENGTH", do_map },
	{ "unmap MAPPING", do_unmap },
	{ "mcheck MAPPING SEED", do_mcheck },
	{ "mpattern MAPPING SEED", do_mpattern },
	{ "msync MAPPING", do_msync },
	{ "mstore MAPPING", do_mstore },
	{ "pin PIN MAPPING", do_pin },
	{ "mount SOURCE DIRECTORY TYPE [FLAG] [OPTIONS]", do_mount },
	{ "host IMAGE DIRECTORY TYPE [OPTIONS]", do_host },
	{ "umount DIRECTORY", do_umount },
	{ "cleanup DIRECTORY", do_cleanup },
	{ "freeze NAME", do_freeze },
	{ "thaw NAME", do_thaw },
	{ "swapon PATH", do_swapon },
	{ "swapoff PATH", do_swapoff },
	{ "quotaon DEVICE PATH", do_quotaon },
	{ "quotaoff DEVICE", do_quotaoff },
	{ "charged DEVICE USER", do_charged },
	{ "alloc NAME POSITION COUNT", do_alloc },
	{ "drain NAME TEXT [POSITION]", do_drain },
	{ "euid USER", do_euid },
	{ "admin CHANGE", do_admin },
	{ "userns", do_userns },
	{ "let NAME NUMBER [OPERATOR NUMBER]...", do_let },
	{ "less NUMBER NUMBER", do_less },
	{ "is TEXT", do_is },
	{ "field TEXT LINE WORD", do_field },
	{ "key TEXT KEY", do_key },
	{ "lines TEXT", do_lines },
	{ "longest TEXT", do_longest },
	{ "total TEXT WORD", do_total },
	{ "run COMMAND", do_run },
	{ "output COMMAND", do_output },
	{ "imgmap WHAT IMAGE [INODE] [START] [LENGTH] [SEED]", do_imgmap },
	{ "fsck IMAGE [OPTION]", do_fsck },
	{ "dmesg [TEXT]", do_dmesg },
	{ "print TEXT", do_print },
	{ "sleep MS", do_sleep },
	{ "start CHILD COMMAND...", do_start },
	{ "finish CHILD", do_finish },
	{ "running CHILD", do_running },
	{ "kill CHILD", do_kill },
};

static const struct command *find_command(const char *name)
{
	size_t length = strlen(name), i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcspn(commands[i].usage, " ") == length &&
		    !strncmp(commands[i].usage, name, length))
			return &commands[i];
	die("unknown command '%s'", name);
}

static bool takes(const struct command *command, int count)
{
	const char *at = strchr(command->usage, ' ');
	int least = 0, most = 0;
	bool optional = false;

	for (; at; at = strchr(at + 1, ' ')) {
		optional |= at[1] == '[';
		least += !optional;
		most++;
	}
	return count >= least && (count <= most || strstr(command->usage, "..."));
}

/* @w: the command's name and its arguments. */
void run_command(struct word *w, int count)
{
	const struct command *command = find_command(w[0].text);

	if (!takes(command, count - 1))
		die("'%s' with %d arguments", w[0].text, count - 1);
	string_result("");
	command->run(w + 1, count - 1);
}
