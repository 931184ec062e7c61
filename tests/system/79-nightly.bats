#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# What other users can do to the run that cron starts: to its lock, to what is logged and mailed,
# to its time and memory. The users, the lock and the syslog daemon are real; what takes the tool's
# place is a script, since what matters here is what it prints and how long it works.
# shellcheck disable=SC2016 # scripts for other shells

load common

setup() {
	T=$BATS_TEST_TMPDIR
	export T
	chmod 711 "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" "$BATS_TEST_TMPDIR" "$BATS_TEST_TMPDIR/.."
	mkdir "$T/etc" "$T/etc/default"
	sed -e "s,@SYSCONFDIR@,$T/etc,; s,@SBINDIR@/e3defrag,$T/tool," \
		"$PROJECT/contrib/cron/nightly" >"$T/nightly"
	chmod +x "$T/nightly"
	settings /srv 1m
	tool 'echo ran >>"$T/ran"'
	write_world
}

settings() { # TARGETS RUNTIME
	printf 'TARGETS="%s"\nOPTIONS=""\nRUNTIME="%s"\n' "$@" >"$T/etc/default/e3defrag"
}

tool() { # SCRIPT
	printf '#!/bin/bash\n%s\n' "$1" >"$T/tool"
	chmod +x "$T/tool"
}

# A machine of its own, as Debian is without systemd: /run is root's, /run/lock everybody's. With
# SYSLOGD, busybox's daemon writes to $T/syslog what is logged.
write_world() {
	cat >"$T/world" <<-'EOF'
	set -euo pipefail
	mount -t tmpfs -o mode=755 tmpfs /run
	mkdir -m 1777 /run/lock
	mkdir -p "$T/dev"
	mount -t tmpfs -o mode=755 tmpfs "$T/dev"
	for name in null zero urandom tty; do
		: >"$T/dev/$name"
		mount --bind "/dev/$name" "$T/dev/$name"
	done
	ln -s /proc/self/fd "$T/dev/fd"
	mount --rbind "$T/dev" /dev
	if [ -n "${SYSLOGD-}" ]; then
		busybox syslogd -n -O "$T/syslog" &
		until [ -S /dev/log ]; do sleep 0.05; done
	fi
	user() {
		setpriv --reuid 1000 --regid 1000 --clear-groups "$@"
	}
	# "!" alone does not end a script.
	fails() {
		if "$@"; then
			echo "succeeded: $*"
			exit 1
		fi
	}
	. "$T/script"
	EOF
}

# in_world: runs the shell script of standard input there.
in_world() {
	local own=(unshare --mount --pid --fork --kill-child --mount-proc)

	[ "$(id -u)" = 0 ] || own+=(--user --map-root-user)
	cat >"$T/script"
	timeout 100 "${own[@]}" bash "$T/world" 3>&-
}

needs_users() {
	[ "$(id -u)" = 0 ] || skip "only root can run programs as another user"
}

logged() { # PATTERN
	grep -E -e " cron\.$1" "$T/syslog"
}

@test "a user can neither hold the lock nor prepare its place, old or new" {
	needs_users
	SYSLOGD=yes run -0 in_world <<-'EOF'
	user flock /run/lock/e3defrag-nightly sleep 100 &
	until [ -e /run/lock/e3defrag-nightly ]; do sleep 0.05; done
	fails user mkdir /run/e3defrag
	fails user mkfifo /run/e3defrag
	fails user ln -s /run/lock /run/e3defrag
	"$T/nightly"
	# Once it is there, no user can open it to lock it, or put something into it.
	[ "$(stat -c '%F %u %a' /run/e3defrag)" = "directory 0 700" ]
	fails user flock -n /run/e3defrag true
	fails user mkfifo /run/e3defrag/fifo
	fails user mv /run/e3defrag /run/lock
	rm -f /run/lock/*
	user mkfifo /run/lock/e3defrag-nightly
	"$T/nightly"
	EOF
	echo "$output"
	[ "$(grep -c ran "$T/ran")" = 2 ]
}

@test "what is no folder of root's alone is refused, told and left as it is" {
	needs_users
	SYSLOGD=yes run -0 in_world <<-'EOF'
	lock=/run/e3defrag
	refused() {
		local status=0 said

		said=$(timeout 10 "$T/nightly") || status=$?
		[ "$status" = 5 ]
		[[ $said == "e3defrag: $lock: is not a directory that only root can access"* ]]
	}
	mkfifo $lock
	refused
	[ -p $lock ]
	rm $lock
	echo precious >/run/precious
	ln -s /run/precious $lock
	refused
	rm $lock
	mkdir -m 700 /run/other
	ln -s /run/other $lock
	refused
	rm $lock
	ln -s /run/nothing $lock
	refused
	[ ! -e /run/nothing ]
	rm $lock
	echo precious >$lock
	refused
	[ "$(cat $lock /run/precious)" = precious$'\n'precious ]
	rm $lock
	mkdir -m 700 $lock
	chown 1000 $lock
	refused
	chown 0 $lock
	chmod 755 $lock
	refused
	chmod 700 $lock
	chmod 1777 /run
	refused
	chmod 755 /run
	[ ! -e "$T/ran" ]
	"$T/nightly"
	EOF
	echo "$output"
	[ -e "$T/ran" ]
	[ "$(logged err | grep -c 'is not a directory that only root can access')" = 8 ]
}

@test "a night that the last run's work takes is told, with status 75, even if its script is gone" {
	tool 'echo ran >>"$T/ran"; echo $$ >"$T/pid"; exec sleep 100'
	SYSLOGD=yes run -0 in_world <<-'EOF'
	setsid "$T/nightly" & first=$!
	until [ -s "$T/pid" ]; do sleep 0.05; done
	skipped() {
		local status=0 said

		said=$("$T/nightly") || status=$?
		echo "$status: $said"
		[ "$status" = 75 ]
		[[ $said == "e3defrag: the last nightly run is still working, so this night was skipped" ]]
	}
	skipped
	# All of it, but for the tool, which timeout gave a process group of its own.
	kill -9 -- -$first
	skipped
	[ "$(wc -l <"$T/ran")" = 1 ]
	kill "$(<"$T/pid")"
	while kill -0 "$(<"$T/pid")"; do sleep 0.05; done
	printf '#!/bin/sh\necho ran >>"$T/ran"\n' >"$T/tool"
	"$T/nightly"
	EOF
	echo "$output"
	[ "$(wc -l <"$T/ran")" = 2 ]
	[ "$(logged err | grep -c 'this night was skipped')" = 2 ]
}

@test "what the tool creates is root's alone" {
	tool 'echo report >"$T/report"; mkdir "$T/folder"'
	SYSLOGD=yes run -0 in_world <<<'"$T/nightly"'
	[ "$(stat -c %a "$T/report" "$T/folder")" = 600$'\n'700 ]
}

@test "no line is logged by a priority of its own, or as an option" {
	tool 'printf "first\n<3>second\n--help\n<0>third\n"'
	SYSLOGD=yes run -0 in_world <<<'"$T/nightly"'
	[ -z "$output" ]
	logged 'info e3defrag: first$'
	logged 'info e3defrag: <3>second$'
	logged 'info e3defrag: --help$'
	logged 'info e3defrag: <0>third$'
	[ "$(grep -c 'cron\.info e3defrag: ' "$T/syslog")" = 4 ]
	[ "$(grep -c e3defrag "$T/syslog")" = 4 ]
}

@test "megabytes are logged and mailed within bounds, their start and their end" {
	tool 'echo begin; yes "$(printf "%0200d" 7)" | head -c 4000000; echo; echo end; exit 5'
	SYSLOGD=yes run -5 in_world <<<'"$T/nightly"'
	[ ${#output} -gt 100000 ]
	[ ${#output} -lt 140000 ]
	[[ $output == begin$'\n'* ]]
	[[ $output == *$'\n[...]\n'*$'\nend\ne3defrag ended with status 5.' ]]
	logged 'info e3defrag: begin$'
	logged 'info e3defrag: end$'
	[ "$(stat -c %s "$T/syslog")" -lt 300000 ]
}

@test "a single line of megabytes neither fills the log nor stops the tool" {
	tool 'head -c 4000000 /dev/zero | tr "\0" x && echo written >"$T/ran"; exit 5'
	SYSLOGD=yes run -5 in_world <<<'"$T/nightly"'
	[ -e "$T/ran" ]
	[ ${#output} -lt 140000 ]
	[ "$(stat -c %s "$T/syslog")" -lt 300000 ]
}

@test "what is a little shorter than the bounds is whole, what is a little longer is cut at lines" {
	local n

	# 16 bytes a line; the bounds are 65536 twice.
	for n in 8191 8192 8193; do
		tool "for ((i = 0; i < $n; i++)); do printf '%015d\n' \$i; done; exit 5"
		SYSLOGD=yes run -5 in_world <<<'"$T/nightly"'
		if [ $n -le 8192 ]; then
			[ ${#lines[@]} = $((n + 1)) ]
		else
			[[ $output == *$'\n[...]\n'* ]]
			[ "$(grep -vc -E '^[0-9]{15}$' <<<"$output")" = 2 ]
		fi
	done
}

@test "what can't be logged is mailed, with the reason" {
	tool 'echo the report'
	run -0 in_world <<<'"$T/nightly"'
	[[ $output == "This could not be logged (logger: socket /dev/log: No such file"* ]]
	[[ $output == *$'\nthe report\ne3defrag ended with status 0.' ]]
	tool 'echo the report; exit 3'
	run -3 in_world <<<'"$T/nightly"'
	[[ $output == "This could not be logged"*$'\nthe report\ne3defrag ended with status 3.' ]]
	[ "$(grep -c 'the report' <<<"$output")" = 1 ]
}

@test "a tool that does not end after its time is killed" {
	settings /srv 3s
	sed -i 's/^grace=.*/grace=1s/' "$T/nightly"
	tool 'trap "echo asked" INT; echo begun; while :; do sleep 0.2; done'
	SYSLOGD=yes run -137 in_world <<<'"$T/nightly"'
	[[ $output == begun$'\n'*asked*"e3defrag ended with status 137." ]]
}

@test "the tool's memory has a bound, which is the machine's" {
	tool 'ulimit -v >"$T/bound"'
	SYSLOGD=yes run -0 in_world <<<'"$T/nightly"'
	[ "$(<"$T/bound")" = "$(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo)" ]
}
