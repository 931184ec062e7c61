# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2030,SC2031 # each test is a subshell of its own, and wants to be
# shellcheck disable=SC2034,SC2153 # variables shared with common.bash
# What another process holds, a request waits for only so long: whoever never lets go of a file
# holds up nothing but requests for this file. What a run of e3defrag makes of it: 91-hostile-users.

load common

# hold HOW PATH: user 1000 holds a lock of PATH, as fuse_holder has it, until release.
hold() {
	local line

	modprobe fuse
	chmod 666 /dev/fuse
	chmod 1777 /tmp
	coproc HOLDER { exec build/tests/bin/fuse_holder "$@" 3>&- 2>&1; }
	holder=$HOLDER_PID
	read -r -t 60 -u "${HOLDER[0]}" line
	echo "fuse_holder: $line"
	[ "$line" = ready ]
}

release() {
	kill -9 "$holder"
	wait "$holder" 2>/dev/null || :
}

teardown() {
	[ -z "${holder-}" ] || kill -9 "$holder" 2>/dev/null || :
	steps <<-EOF
	cleanup $T/ => ""
	EOF
}

# took COMMAND...: how many milliseconds it takes, in $ms.
took() {
	local start=${EPOCHREALTIME/./}

	"$@"
	ms=$(((${EPOCHREALTIME/./} - start) / 1000))
}

# Two files of 40 blocks, of which one is user 1000's.
two_files() {
	make_image 1024
	mount_host
	steps <<-EOF
	open f $H/file rw,creat
	pattern f 0 $((40 * BS)) 1
	fsync f
	truncate f $((60 * BS))
	chown f 1000
	open f2 $H/other rw,creat
	pattern f2 0 $((40 * BS)) 2
	fsync f2
	EOF
}

# Steps that open both, with a donor for each.
two_donors() {
	text <<-EOF
	open f $H/file r
	donor d $H
	open da $M/nodes/%d/data/alloc w
	alloc da 0 40 => 40
	open r $M/nodes/%f/data/reloc w
	open mr $M/nodes/%f/metadata/reloc w
	open f2 $H/other r
	donor d2 $H
	open da2 $M/nodes/%d2/data/alloc w
	alloc da2 0 40 => 40
	open r2 $M/nodes/%f2/data/reloc w
	EOF
}

requests_are_busy() {
	steps <<-EOF
	$(two_donors)
	write r "%d" => EBUSY
	write mr "%d 1" => EBUSY
	write r2 "%d2" => 40
	check f2 0 $((40 * BS)) 2 => right
	EOF
}

# moves_after FIRST: the file itself, once the lock is free; its blocks from FIRST on are compared.
moves_after() {
	release
	steps <<-EOF
	$(two_donors)
	write r "%d" => 40
	write mr "%d 1" 12
	check f $(($1 * BS)) $(((40 - $1) * BS)) 1 => right
	EOF
	unmount_host
}

@test "a file whose lock a user never lets go of is EBUSY within seconds; others move" {
	two_files
	hold write "$H/file"
	took requests_are_busy
	echo "$ms ms"
	# two requests of two seconds, and what a busy machine adds
	[ "$ms" -ge 3500 ]
	[ "$ms" -lt 9000 ]
	# the write that was held may have been made
	moves_after 4
}

@test "a direct read that a user never lets end is EBUSY within seconds; others move" {
	two_files
	hold direct "$H/file"
	took requests_are_busy
	echo "$ms ms"
	[ "$ms" -ge 3500 ]
	[ "$ms" -lt 9000 ]
	moves_after 0
}

@test "a fatal signal ends the wait for a held file at once" {
	two_files
	hold write "$H/file"
	steps <<-EOF
	$(two_donors)
	start mover write r %d
	sleep 300
	running mover => yes
	kill mover
	within 1000 running mover => no
	EOF
	moves_after 4
}

@test "blocks for a held file are EBUSY within seconds" {
	two_files
	hold write "$H/file"
	steps <<-EOF
	open f $H/file r
	open fa $M/nodes/%f/data/alloc w
	seek fa 50
	write fa 5 => EBUSY
	EOF
	release
	steps <<-EOF
	open f $H/file r
	open fa $M/nodes/%f/data/alloc w
	alloc fa 50 5 => 5
	EOF
	unmount_host
}

@test "a host that stays frozen is EAGAIN within seconds, and a short freeze is waited for" {
	two_files
	frozen() {
		steps <<-EOF
		$(two_donors)
		open h $H r,dir
		freeze h
		write r "%d" => EAGAIN
		write mr "%d 1" => EAGAIN
		write da 5 => EAGAIN
		thaw h
		EOF
	}
	took frozen
	echo "$ms ms"
	[ "$ms" -ge 5500 ]
	[ "$ms" -lt 14000 ]
	steps <<-EOF
	$(two_donors)
	open h $H r,dir
	freeze h
	start mover write r %d
	sleep 300
	running mover => yes
	thaw h
	within 5000 running mover => no
	finish mover => 40
	check f 0 $((40 * BS)) 1 => right
	EOF
	unmount_host
}
