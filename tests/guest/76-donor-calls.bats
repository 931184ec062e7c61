# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2030,SC2031 # each test is a subshell of its own, and wants to be
# shellcheck disable=SC2034,SC2153 # variables shared with common.bash
# What a donor holds is another file's, or was: who has its descriptor gets nothing of it, whatever
# he calls and when. The table of all calls and answers: tests/vm/run -- strangers -t ext3 (or ext4).

load common

# strangers -t TYPE -b BLOCKSIZE, and root's file after a crash in the middle.
each_call() {
	local state

	strangers -t "$1" -b "$2" -i >"$T/table" || {
		cat "$T/table"
		false
	}
	tail -n 1 "$T/table" | sed "s/^/# $1: /" >&3
	for state in pending under-reloc; do
		replay "/tmp/strangers/crash-$state"
		[ "$(imgmap check /tmp/strangers/crash-$state 12 0 $((16 * $2)) 7)" = right ]
	done
	rm -r /tmp/strangers
}

@test "each call on a donor of one's own, in each state of its life" {
	each_call ext3 4096
}

@test "each call on a donor of root's that one was handed, on a host with extents" {
	each_call ext4 1024
}

# A host where each free block has something in it that nobody may read.
stale_host() {
	make_image 4096
	mount_host
	chmod 755 "$T"
	mkdir "$H/his"
	chown 1000 "$H/his"
	head -c 100M /dev/zero | tr '\0' '\245' >"$H/stale" 2>"$T/full" || true
	grep -q 'No space' "$T/full"
	sync "$H/stale"
	rm "$H/stale"
	sync -f "$H"
}

@test "a stranger's own file, given blocks by root: he reads zeros" {
	stale_host
	steps <<-EOF
	euid 1000
	open f $H/his/file rw,creat
	truncate f $((20 * BS))
	euid 0
	open a $M/nodes/%f/data/alloc w
	euid 1000
	alloc a 0 20 => 20
	check f 0 $((20 * BS)) 0 => right
	open x $H/his/file r,direct
	check x 0 $((20 * BS)) 0 => right
	# what he extends it by afterwards, too
	truncate f $((30 * BS))
	check f 0 $((30 * BS)) 0 => right
	EOF
	unmount_host
}

@test "a nameless file that has a size reads zeros, and is no donor" {
	stale_host
	steps <<-EOF
	$(new_file $((20 * BS)))
	euid 1000
	open d $H/his rw,tmpfile,excl
	truncate d $((20 * BS))
	euid 0
	open r $M/nodes/%f/data/reloc w
	open a $M/nodes/%d/data/alloc w
	open ma $M/nodes/%d/metadata/alloc w
	euid 1000
	alloc a 0 20 => 20
	check d 0 $((20 * BS)) 0 => right
	write r %d 0 => EPERM
	check f 0 $((20 * BS)) 1 => right
	# it isn't sealed; without a size and blocks it is like a new one
	pattern d 0 $((20 * BS)) 2
	truncate d 0 => 0
	alloc a 0 20 => 20
	truncate d $((20 * BS)) => EPERM
	write d x 0 => EPERM
	write r %d 0 => 20
	check f 0 $((20 * BS)) 1 => right
	truncate d $((20 * BS)) => EPERM
	EOF
	unmount_host
}

# What was deleted can get no name any more, unlike what was opened without O_EXCL.
@test "a file that was deleted is a donor like another, and is sealed" {
	stale_host
	steps <<-EOF
	$(new_file $((20 * BS)))
	euid 1000
	open d $H/his/deleted rw,creat
	unlink $H/his/deleted
	euid 0
	open r $M/nodes/%f/data/reloc w
	open a $M/nodes/%d/data/alloc w
	euid 1000
	alloc a 0 20 => 20
	truncate d $((20 * BS)) => EPERM
	write r %d 0 => 20
	truncate d $((20 * BS)) => EPERM
	check f 0 $((20 * BS)) 1 => right
	EOF
	unmount_host
}

@test "a nameless file that could still get a name is no donor and gets no blocks" {
	stale_host
	steps <<-EOF
	$(new_file $((20 * BS)))
	euid 1000
	open d $H/his rw,tmpfile
	euid 0
	open r $M/nodes/%f/data/reloc w
	open mr $M/nodes/%f/metadata/reloc w
	open a $M/nodes/%d/data/alloc w
	open ma $M/nodes/%d/metadata/alloc w
	write a 20 0 => EPERM
	write ma 1 12 => EPERM
	write r %d 0 => EPERM
	write mr "%d 1" 12 => EPERM
	slurp $M/nodes/%d/data/extents => ""
	check f 0 $((20 * BS)) 1 => right
	EOF
	unmount_host
}

# Its owner could give it extents (EXT4_IOC_MIGRATE), which makes fallocate() possible.
@test "on a host with extents a donor is root's" {
	make_image 4096 16 -t ext4
	mount_host ext4
	mkdir "$H/his"
	chown 1000 "$H/his"
	steps <<-EOF
	open f $H/f rw,creat
	flags f -0x80000
	pattern f 0 $((20 * BS)) 1
	fsync f
	euid 1000
	open d $H/his rw,tmpfile,excl
	flags d -0x80000
	euid 0
	donor e $H
	open r $M/nodes/%f/data/reloc w
	open mr $M/nodes/%f/metadata/reloc w
	open a $M/nodes/%d/data/alloc w
	open ma $M/nodes/%d/metadata/alloc w
	open ea $M/nodes/%e/data/alloc w
	write a 20 0 => EPERM
	write ma 1 12 => EPERM
	write r %d 0 => EPERM
	write mr "%d 1" 12 => EPERM
	slurp $M/nodes/%d/data/extents => ""
	alloc ea 0 20 => 20
	write r %e 0 => 20
	# given away, it is no longer root's
	donor e $H
	chown e 1000
	open ea $M/nodes/%e/data/alloc w
	write ea 20 0 => EPERM
	write r %e 0 => EPERM
	check f 0 $((20 * BS)) 1 => right
	EOF
	unmount_host
}
