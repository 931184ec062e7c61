/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parts of steps. A command is a function do_NAME of the file that its subject is in, and a row
 * of the table in steps_commands.c; it gets the words after its name, as many as that row allows,
 * and leaves its result by one of the functions below.
 */
#ifndef STEPS_H
#define STEPS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define MAX_WORDS 32
#define CHUNK (256 * 1024)

struct word {
	char *text;
	size_t length;
};

/* -------- steps_values.c -------- */

/* What a script knows by a name: a kept text, an open file, a mapping, a child. */
struct named {
	struct named *next;
	char *name;
	char *text;
	size_t text_length;
	int fd;
	unsigned char *map;
	size_t map_length;
	off_t map_offset;
	pid_t child;
};

extern char *result;
extern size_t result_length;
extern bool failed;
extern unsigned int line_number;
/* CHUNK bytes for whoever needs them. */
extern unsigned char *chunk;

/* The script can't go on. */
void __attribute__((noreturn, format(printf, 1, 2))) die(const char *format, ...);

struct named *find(const char *name);
struct named *find_or_add(const char *name);
void keep(const char *name, const char *text, size_t length);

void text_result(const char *text, size_t length);
void string_result(const char *text);
void __attribute__((format(printf, 1, 2))) format_result(const char *format, ...);
/* What a system call gave: its value, or the errno's name. */
void call_result(long long value);

/* A word as a number, an open file, a mapping; what is none ends the script. */
long long number(const struct word *w);
int fd_of(const struct word *w);
struct named *map_of(const struct word *w);

/* -------- steps_words.c -------- */

int split(const char *at, struct word *words);

/* -------- steps_commands.c -------- */

void run_command(struct word *w, int count);

/* -------- steps_files.c -------- */

void do_open(struct word *w, int count);
void do_donor(struct word *w, int count);
void do_close(struct word *w, int count);
void do_read(struct word *w, int count);
void do_write(struct word *w, int count);
void do_seek(struct word *w, int count);
void do_slurp(struct word *w, int count);
void do_truncate(struct word *w, int count);
void do_punch(struct word *w, int count);
void do_fsync(struct word *w, int count);
void do_syncfs(struct word *w, int count);
void do_dontneed(struct word *w, int count);
void do_stat(struct word *w, int count);
void do_mode(struct word *w, int count);
void do_flags(struct word *w, int count);
void do_generation(struct word *w, int count);
void do_chown(struct word *w, int count);
void do_setxattr(struct word *w, int count);
void do_encrypt(struct word *w, int count);

/* -------- steps_names.c -------- */

void do_names(struct word *w, int count);
void do_unlink(struct word *w, int count);
void do_link(struct word *w, int count);
void do_mkdir(struct word *w, int count);
void do_symlink(struct word *w, int count);
void do_mknod(struct word *w, int count);

/* -------- steps_contents.c -------- */

void __attribute__((noreturn)) on_bus(int signal);
void do_pattern(struct word *w, int count);
void do_comb(struct word *w, int count);
void do_check(struct word *w, int count);
void do_copy(struct word *w, int count);
void do_map(struct word *w, int count);
void do_unmap(struct word *w, int count);
void do_mcheck(struct word *w, int count);
void do_mpattern(struct word *w, int count);
void do_msync(struct word *w, int count);
void do_mstore(struct word *w, int count);
void do_pin(struct word *w, int count);

/* -------- steps_mounts.c -------- */

void do_mount(struct word *w, int count);
void do_host(struct word *w, int count);
void do_umount(struct word *w, int count);
void do_cleanup(struct word *w, int count);
void do_freeze(struct word *w, int count);
void do_thaw(struct word *w, int count);
void do_swapon(struct word *w, int count);
void do_swapoff(struct word *w, int count);
void do_quotaon(struct word *w, int count);
void do_quotaoff(struct word *w, int count);
void do_charged(struct word *w, int count);

/* -------- steps_requests.c -------- */

void do_alloc(struct word *w, int count);
void do_drain(struct word *w, int count);
void do_euid(struct word *w, int count);
void do_admin(struct word *w, int count);
void do_userns(struct word *w, int count);

/* -------- steps_text.c -------- */

void do_let(struct word *w, int count);
void do_less(struct word *w, int count);
void do_is(struct word *w, int count);
void do_field(struct word *w, int count);
void do_key(struct word *w, int count);
void do_lines(struct word *w, int count);
void do_longest(struct word *w, int count);
void do_total(struct word *w, int count);

/* -------- steps_programs.c -------- */

void do_run(struct word *w, int count);
void do_output(struct word *w, int count);
void do_imgmap(struct word *w, int count);
void do_fsck(struct word *w, int count);
void do_dmesg(struct word *w, int count);
void do_print(struct word *w, int count);
void do_sleep(struct word *w, int count);

/* -------- steps_children.c -------- */

void do_start(struct word *w, int count);
void do_finish(struct word *w, int count);
void do_running(struct word *w, int count);
void do_kill(struct word *w, int count);

#endif
