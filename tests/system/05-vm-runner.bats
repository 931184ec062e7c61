#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# What everything else takes for granted of tests/vm/run.
# shellcheck disable=SC2154 # stderr, which run sets

load common

setup_file() {
	cd "$PROJECT" || return 1
	# In the tree and not in /tmp, where a guest has a folder of its own.
	mkdir -p build/tests
	SCRATCH=$(mktemp -d "$PWD/build/tests/vm-runner.XXXXXX")
	export SCRATCH
}

teardown_file() {
	rm -rf "$SCRATCH"
}

vm() {
	tests/vm/run --timeout 120 "$@"
}

# gone PID: a process, or its zombie at most.
gone() {
	local i
	for i in {1..50}; do
		grep -q -s '^State:.[^Z]' "/proc/$1/status" || return 0
		sleep 0.1
	done
	return 1
}

# Waits for a line in a file that a guest writes.
wait_for() {
	local i
	for i in {1..600}; do
		! grep -q -s "$1" "$2" || return 0
		sleep 0.1
	done
	return 1
}

@test "output, arguments, folder and status are the command's" {
	head -c 1000000 /dev/urandom >"$SCRATCH/noise"
	cat >"$SCRATCH/say" <<-'END'
	printf '<%s>\n' "$@" "$PWD" "$(id -u)" "$KERNEL" "$NOTE" >&2
	echo again >/dev/stderr
	cat build/tests/vm-runner.*/noise
	read -r line || echo "no input" >&2
	exit 37
	END
	cp "$SCRATCH/say" "$SCRATCH/untouched"
	status=0
	NOTE='a "note"' E3_VM_ENV=NOTE vm -- bash "$SCRATCH/say" "" 'a  b' $'c\nd' "it's \$x" \
		>"$SCRATCH/out" 2>"$SCRATCH/err" <<<"input" || status=$?
	cat "$SCRATCH/err"
	[ "$status" = 37 ]
	cmp "$SCRATCH/noise" "$SCRATCH/out"
	diff - "$SCRATCH/err" <<-END
	<>
	<a  b>
	<c
	d>
	<it's \$x>
	<$PWD>
	<0>
	<$KERNEL>
	<a "note">
	again
	no input
	END
}

@test "disks are written, the tree isn't; ext3meta and e3defrag are there" {
	truncate -s 1M "$SCRATCH/disk,a" "$SCRATCH/disk b"
	echo "first" >"$SCRATCH/disk,a"
	truncate -s 1M "$SCRATCH/disk,a"
	cat >"$SCRATCH/work" <<-'END'
	set -e
	grep -q first /dev/vda
	echo "to the second" >/dev/vdb
	echo "to the first" | dd of=/dev/vda bs=512 seek=3 conv=notrunc status=none
	[ ! -e /dev/vdc ]
	echo changed >Makefile
	echo new >build/tests/left-behind
	touch /usr/left-behind
	modprobe ext3meta
	grep -q ext3meta /proc/filesystems
	e3defrag --version
	losetup -f
	case $(uname -r) in "$KERNEL".*) ;; *) exit 9 ;; esac
	echo "all of it"
	END
	cp Makefile "$SCRATCH/Makefile"
	run vm --disk "$SCRATCH/disk,a" --disk "$SCRATCH/disk b" --memory 512 \
		-- bash "$SCRATCH/work"
	echo "$output"
	[ "$status" = 0 ]
	[[ $output == *"all of it" ]]
	grep -q '^to the second' "$SCRATCH/disk b"
	[ "$(dd if="$SCRATCH/disk,a" bs=512 skip=3 count=1 status=none | head -n 1)" = "to the first" ]
	cmp Makefile "$SCRATCH/Makefile"
	[ ! -e build/tests/left-behind ]
	[ ! -e /usr/left-behind ]
}

@test "--throttle: so many requests a second, and so many bytes" {
	truncate -s 64M "$SCRATCH/slow"
	cat >"$SCRATCH/requests" <<-'END'
	# a second's worth of either in one go is for free
	dd if=/dev/vda of=/dev/null bs=4k count=100 iflag=direct status=none
	start=$EPOCHREALTIME
	dd if=/dev/vda of=/dev/null bs=4k count=200 iflag=direct status=none
	middle=$EPOCHREALTIME
	dd if=/dev/vda of=/dev/null bs=512k count=60 iflag=direct status=none
	echo $((${middle/./} - ${start/./})) $((${EPOCHREALTIME/./} - ${middle/./}))
	END
	run vm --disk "$SCRATCH/slow" --throttle 100:10000000 -- bash "$SCRATCH/requests"
	echo "$output"
	[ "$status" = 0 ]
	read -r requests bytes <<<"$output"
	[ "$requests" -gt 1800000 ]
	[ "$bytes" -gt 2500000 ]
}

@test "output that goes to one place keeps its order" {
	# shellcheck disable=SC2016 # expanded in the guest
	echo 'for i in {1..200}; do echo $i; echo $i >&2; done' >"$SCRATCH/both-ways"
	vm -- bash "$SCRATCH/both-ways" >"$SCRATCH/both" 2>&1
	diff "$SCRATCH/both" <(for i in {1..200}; do echo "$i"; echo "$i"; done)
}

@test "a command's own 125 is told from the guest's" {
	run vm -- sh -c 'exit 125'
	[ "$status" = 125 ]
	[[ $output == *"125 is the command's own status"* ]]
}

@test "a filesystem left mounted, and processes left running, are no problem" {
	truncate -s 16M "$SCRATCH/mounted"
	mke2fs -q -F -t ext3 "$SCRATCH/mounted"
	run vm --disk "$SCRATCH/mounted" -- \
		sh -c 'mount /dev/vda /mnt; echo kept >/mnt/file; sleep 1000 & exit 4'
	echo "$output"
	[ "$status" = 4 ]
	e2fsck -fn "$SCRATCH/mounted"
	[ "$(debugfs -R 'cat /file' "$SCRATCH/mounted" 2>/dev/null)" = kept ]
}

@test "a panic is 125 and shows the log" {
	run vm -- sh -c 'echo about to crash; echo c >/proc/sysrq-trigger; sleep 100'
	[ "$status" = 125 ]
	[[ $output == "about to crash"* ]]
	[[ $output == *"sysrq_handle_crash"* ]]
	# It may have written to disks: it isn't begun again.
	[[ $output != *"booting again"* ]]
	[[ $output == *"oopsed, panicked or warned"* ]]
}

# dying_qemu N: a QEMU whose first N guests panic before they get to the command.
dying_qemu() {
	mkdir -p "$SCRATCH/bin"
	echo "$1" >"$SCRATCH/deaths"
	cat >"$SCRATCH/bin/qemu-system-x86_64" <<-END
	#!/bin/bash
	read -r left <$SCRATCH/deaths
	PATH=\${PATH#$SCRATCH/bin:}
	if [ "\$left" -gt 0 ]; then
		echo \$((left - 1)) >$SCRATCH/deaths
		set -- "\$@" -append "console=ttyS0 rdinit=/none panic=-1"
	fi
	exec qemu-system-x86_64 "\$@"
	END
	chmod +x "$SCRATCH/bin/qemu-system-x86_64"
}

@test "a guest that dies before the command is booted again, twice at most" {
	dying_qemu 2
	PATH=$SCRATCH/bin:$PATH run vm -- sh -c 'echo up; exit 3'
	echo "$output"
	[ "$status" = 3 ]
	[[ $output == *"booting again"*"booting again"*"up" ]]
	dying_qemu 3
	PATH=$SCRATCH/bin:$PATH run vm -- echo up
	[ "$status" = 125 ]
	[[ $output == *"oopsed, panicked or warned" ]]
}

@test "a warning of a module is 125" {
	mkdir "$SCRATCH/warn"
	cat >"$SCRATCH/warn/warn.c" <<-'END'
	#include <linux/module.h>

	static int __init warn_init(void)
	{
		WARN(1, "something is odd");
		return 0;
	}
	module_init(warn_init);
	MODULE_LICENSE("GPL");
	END
	echo 'obj-m := warn.o' >"$SCRATCH/warn/Kbuild"
	make -C "$(echo "$PWD/build/kernels/$KERNEL"/lib/modules/*/build)" M="$SCRATCH/warn" modules
	run vm -- insmod "$SCRATCH/warn/warn.ko"
	echo "$output"
	[ "$status" = 125 ]
	[[ $output == *"something is odd"* ]]
}

@test "a guest that hangs is 125, and the log shows where" {
	SECONDS=0
	run tests/vm/run --timeout 24 -- sleep 1000
	[ "$status" = 125 ]
	[[ $output == *"didn't end within 24 seconds"* ]]
	[[ $output == *"sysrq: Show Blocked State"* ]]
	[ "$SECONDS" -lt 50 ]
}

@test "a QEMU that is killed leaves what was written, and is 125" {
	truncate -s 1M "$SCRATCH/killed"
	E3_QEMU_PIDFILE=$SCRATCH/pid vm --disk "$SCRATCH/killed" -- sh -c \
		'echo durable | dd of=/dev/vda conv=fsync status=none; echo written; sleep 1000' \
		>"$SCRATCH/log" 2>&1 3>&- &
	wait_for written "$SCRATCH/log"
	kill -9 "$(cat "$SCRATCH/pid")"
	status=0
	wait $! || status=$?
	cat "$SCRATCH/log"
	[ "$status" = 125 ]
	grep -q "QEMU was killed by signal 9" "$SCRATCH/log"
	grep -q '^durable' "$SCRATCH/killed"
}

@test "a runner that is ended ends QEMU and leaves nothing behind" {
	local signal dir runner
	for signal in TERM KILL; do
		rm -f "$SCRATCH/pid"
		E3_QEMU_PIDFILE=$SCRATCH/pid tests/vm/run -- sh -c 'echo up; sleep 1000' \
			>"$SCRATCH/log" 2>&1 3>&- &
		runner=$!
		wait_for up "$SCRATCH/log"
		qemu=$(cat "$SCRATCH/pid")
		dir=$(tr '\0' ' ' <"/proc/$qemu/cmdline" | sed 's/.* vm\.dir=\([^ ]*\) .*/\1/')
		[ -d "$dir" ]
		kill -"$signal" "$runner"
		gone "$runner"
		gone "$qemu"
		# SIGKILL leaves the folder; nobody can help that.
		[ "$signal" = KILL ] || [ ! -e "$dir" ]
		rm -rf "$dir"
	done
}

@test "two guests at once are two guests" {
	vm -- sh -c 'echo one >/dev/shm/me; sleep 2; cat /dev/shm/me' >"$SCRATCH/one" 2>&1 3>&- &
	first=$!
	vm -- sh -c 'echo two >/dev/shm/me; sleep 2; cat /dev/shm/me' >"$SCRATCH/two" 2>&1 3>&- &
	wait $! "$first"
	[ "$(cat "$SCRATCH/one")" = one ]
	[ "$(cat "$SCRATCH/two")" = two ]
}

@test "what can't be run is 125 with a reason" {
	run tests/vm/run --disk "$SCRATCH/nothing" -- true
	[ "$status" = 125 ]
	[[ $output == *"can't be read and written"* ]]
	run tests/vm/run --kernel 2.4 -- true
	[ "$status" = 125 ]
	run tests/vm/run --timeout soon -- true
	[ "$status" = 125 ]
	run tests/vm/run --throttle 150 -- true
	[ "$status" = 125 ]
	run tests/vm/run --throttle 150:fast -- true
	[ "$status" = 125 ]
	run tests/vm/run
	[ "$status" = 125 ]
	E3_QEMU_ARGS=-no-such-option run timeout 60 tests/vm/run -- true
	[ "$status" = 125 ]
	[[ $output == *"invalid option"* ]]
	run -127 vm -- no-such-command
}
