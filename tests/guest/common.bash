# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
#
# What the interface tests share. Each test has its own small filesystem (the
# host) in a file on tmpfs, mounted at $H, with ext3meta of it at $M. "steps"
# does the system calls and looks at images without the kernel; see tools/.

bats_require_minimum_version 1.5.0

# The guest's own, so there's no need for names nobody else has.
T=/tmp/ext3meta
IMG=$T/image
H=$T/host
M=$T/meta

setup_file() {
	mkdir -p "$H" "$M" "$T/other"
	mkfifo "$T/requests" "$T/replies"
	build/tests/bin/steps "$T/requests" "$T/replies" 3>&- >"$T/steps.log" 2>&1 &
	echo $! >"$T/pid"
	modprobe ext3meta
}

teardown_file() {
	kill "$(<"$T/pid")"
	rm -rf "$T"
}

setup() {
	DEV=
	fsck_wanted=yes
}

teardown() {
	# What a failed test left must not fail the next one.
	steps <<-EOF
	cleanup $T/ => ""
	EOF
}

# A script for "steps" on stdin; its output and status are the script's.
steps() {
	local script reply

	IFS= read -r -d '' script || true
	printf '%s\004' "$script" >"$T/requests"
	IFS= read -r -d $'\004' reply <"$T/replies"
	if [ "${reply%%$'\n'*}" != 0 ]; then
		printf '%s' "${reply#*$'\n'}" >&2
		return "${reply%%$'\n'*}"
	fi
	printf '%s' "${reply#*$'\n'}"
}

# The heredoc on stdin, with no program started.
text() {
	local lines

	IFS= read -r -d '' lines || true
	printf '%s' "$lines"
}

# What an image holds: see imgmap.c.
imgmap() {
	steps <<-EOF
	imgmap $* -> map
	print "%map"
	EOF
}

# make_image BLOCKSIZE [MIB [MKE2FS-OPTION...]]
make_image() {
	local mib=${2:-16} options="${*:3}" template type=(-t ext3)

	BS=$1
	P=$((BS / 4))
	template="$T/template-$BS-$mib-${options//[\/ ]/_}"
	[ "${3:-}" != -t ] || type=()
	[ -e "$template" ] || mke2fs -q -F "${type[@]}" -b "$BS" "${@:3}" "$template" "${mib}M" 2>&1
	steps <<-EOF
	copy $template $IMG
	EOF
}

# make_second: a copy of $IMG that is another filesystem, in $IMG2, with $H2 and $M2 to mount it at.
make_second() {
	IMG2=$T/image2 H2=$T/host2 M2=$T/meta2
	mkdir -p "$H2" "$M2"
	cp --sparse=always "$IMG" "$IMG2"
	tune2fs -U random "$IMG2" >/dev/null
}

# mount_host [TYPE [OPTIONS]]: mounts $IMG at $H and ext3meta at $M.
mount_host() {
	DEV=$(steps <<-EOF
	host $IMG $H ${1:-ext3} ${2:-} -> device
	mount $H $M ext3meta
	print %device
	EOF
	) || {
		echo "$DEV"
		return 1
	}
}

unmount_host() {
	steps <<-EOF
	umount $M
	umount $H
	EOF
	DEV=
	[ "$fsck_wanted" != yes ] || fsck "$IMG"
}

fsck() {
	steps <<-EOF
	fsck $1 => 0
	EOF
}

# A copy of the device's blocks, as the machine's death leaves it: the journal is replayed, and
# what has no name any more is cleared. Nothing else may be left to repair; the counts that no
# transaction keeps are worked out at each replay.
replay() {
	local words

	words=$(steps <<-EOF
	fsck $1 -fy => 0|1
	EOF
	)
	echo "$words"
	grep -v -x -E -e 'e2fsck .*' -e '.*: recovering journal' -e 'Pass .*' -e '' \
		-e '(Clearing|Truncating) orphaned inode .*' \
		-e 'Free (blocks|inodes) count wrong .*' -e 'Fix\? yes' \
		-e '.*FILE SYSTEM WAS MODIFIED.*' -e '.* files \(.*non-contiguous\).*' \
		<<<"$words" && return 1
	fsck "$1"
}

# new_file LENGTH: steps that make a file f of so many bytes, of the pattern 1, and on the disk.
new_file() {
	text <<-EOF
	open f $H/f rw,creat
	pattern f 0 $1 1
	fsync f
	EOF
}

# Steps that open donor d and its files, with %start the longest free run.
new_donor() {
	text <<-EOF
	slurp $M/allocation/free_blocks -> free
	longest "%free" -> longest
	field "%longest" 1 1 -> start
	donor d $H
	open g $M/nodes/%d/alloc_goal rw
	write g %start
	open a $M/nodes/%d/data/alloc w
	open ma $M/nodes/%d/metadata/alloc w
	EOF
}

# Steps that give a file f of 40 blocks and an honest donor d with 40; da, r and mr are the files of
# ext3meta that a request is written to.
file_and_donor() {
	text <<-EOF
	open f $H/file rw,creat
	pattern f 0 $((40 * BS)) 1
	fsync f
	donor d $H
	open da $M/nodes/%d/data/alloc w
	alloc da 0 40 => 40
	open r $M/nodes/%f/data/reloc w
	open mr $M/nodes/%f/metadata/reloc w
	syncfs f
	EOF
}

# How long a file makes the host so full that, beside a file and a donor of $1 blocks each, what is
# written next needs the blocks that were left, but not so full that ext4 commits for want of space.
filler_blocks() {
	local free filler

	free=$(stat -f -c %f "$H")
	filler=$((free - 2 * ($1 + $1 / P + 3) - 262144 / BS))
	echo $((filler - filler / P - 3))
}

# each_host FUNCTION [MIB]: calls it on a fresh host of each block size, mounted
# as ext3 and as ext4 (where allocation is delayed). It may leave the host
# mounted or not. One of them is mounted with $one_with, where a file sets it.
each_host() {
	on_host 1024 "${2:-16}" ext3 "$1"
	on_host 1024 "${2:-16}" ext4 "$1"
	on_host 2048 "${2:-16}" ext3 "$1" "${one_with:-}"
	on_host 4096 "${2:-16}" ext4 "$1"
}

# each_block_size FUNCTION [MIB [TYPE [OPTIONS]]]
each_block_size() {
	local bs

	for bs in 1024 2048 4096; do
		on_host "$bs" "${2:-16}" "${3:-ext3}" "$1" "${4:-}"
	done
}

on_host() {
	echo "# block size $1, mounted as $3"
	make_image "$1" "$2"
	TYPE=$3
	mount_host "$3" "${5:-}"
	"$4"
	[ -z "$DEV" ] || unmount_host
}
