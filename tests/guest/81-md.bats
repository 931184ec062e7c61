# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2030,SC2031 # each test is a subshell of its own, and wants to be
# shellcheck disable=SC2154 # bats sets $stderr
# Files that an md array has its write-intent bitmap in: md writes to their blocks by number, so
# that they must stay where they are.

T=/tmp/md
load tool

setup_file() {
	use_tool
	mkdir -p "$T/other"
	modprobe raid1
	mknod "$T/md0" b 9 0
	truncate -s 16M "$T/disk0" "$T/disk1"
	losetup --find --show "$T/disk0" >"$T/loops"
	losetup --find --show "$T/disk1" >>"$T/loops"
	mount_aged aged 24M 6 1024 -b 1024
	rm "$H/files/f02-too" "$H/small/hard-link" "$H/small/13-blocks"
	umount "$H"
}

setup() {
	mapfile -t disk <"$T/loops"
	mount_copy
	bitmap=$H/files/f04
	touch "$T/stopped"
}

teardown() {
	[ -z "${pid:-}" ] || kill -9 "$pid" 2>/dev/null || :
	[ -e "$T/stopped" ] || mdarray stop "$T/md0"
	unmount_all
	e2fsck -fn "$T/image" >/dev/null
}

# assemble [FILE]: an array with its bitmap in a file that is in pieces, $before.
assemble() {
	bitmap=${1:-$bitmap}
	status=0
	mdarray start "$T/md0" "$bitmap" "${disk[@]}" || status=$?
	[ "$status" != 3 ] || skip "this kernel knows no bitmaps in files"
	[ "$status" = 0 ]
	rm "$T/stopped"
	grep -A 4 ^md0 /proc/mdstat
	before=$(places "$bitmap")
	[ "$(wc -l <<<"$before")" -ge 1023 ]
}

# Where each block of a file lies; into how many extents the kernel cuts them is a matter of caches.
places() {
	filefrag -e "$1" | sed 's|[.:]| |g' | awk '$1 ~ /^[0-9]+$/ {
		for (i = 0; i < $6; i++)
			print $2 + i, $4 + i
	}'
}

# What md writes arrives in the file: on the disk there is a bit now that wasn't.
md_writes_to_the_file() {
	local old

	sync -f "$H"
	old=$(of_the_disk)
	[ "${old:0:8}" = 6269746d ]
	dd if=/dev/urandom of="$T/md0" bs=4096 count=64 oflag=direct conv=notrunc status=none
	[ "$(of_the_disk)" != "$old" ]
}

# The first 8 KiB of the bitmap, of which the kernel may have another idea.
of_the_disk() {
	debugfs -R "cat <$(stat -c %i "$bitmap")>" "$T/image" 2>/dev/null | head -c 8192 |
		od -An -v -tx1 | tr -d ' \n'
}

# came FILE: its reason.
came() {
	jq -r --arg path "$1" '.filesystems[].listed[] | select(.path == $path) | .reason' "$T/json"
}

fragmented() {
	jq '.filesystems[0].after.fragmented_files' "$T/json"
}

@test "a file that md has its bitmap in stays where it is, as file, in a folder, on a device, with --all" {
	local target
	assemble
	run -0 --separate-stderr e3defrag -c -v --json="$T/json" "$H"
	[ "$(came "$bitmap")" = md-bitmap ]
	[ "$(fragmented)" = 6 ]
	run -6 --separate-stderr e3defrag -v --json="$T/json" "$bitmap"
	[ "$(came "$bitmap")" = md-bitmap ]
	[[ $output == *"the bitmap of an md array"* ]]
	[ -z "$stderr" ]
	mount --bind "$H/files" "$T/other"
	run -6 e3defrag -v --json="$T/json" "$T/other/f04"
	[ "$(came "$T/other/f04")" = md-bitmap ]
	run -0 --separate-stderr e3defrag -n "$H/files"
	[[ $output == *"would move $H/files/f06"* && $output != *"would move $bitmap"* ]]
	run -0 --separate-stderr e3defrag -v --json="$T/json" "$H/files"
	[ -z "$stderr" ]
	[ "$(came "$bitmap")" = md-bitmap ]
	[ "$(fragmented)" = 1 ]
	for target in "$(findmnt -n -o SOURCE "$H")" --all; do
		run -6 --separate-stderr e3defrag -v --json="$T/json" "$target"
		[ "$(came "$bitmap")" = md-bitmap ]
	done
	diff <(places "$bitmap") - <<<"$before"
	md_writes_to_the_file
}

@test "a plan made before the array was assembled leaves the file alone, too" {
	run -0 e3defrag --plan="$T/plan" "$H"
	jq -e --arg path "$bitmap" '.filesystems[0].moves[] | select(.path == $path)' "$T/plan"
	assemble
	run -1 --separate-stderr e3defrag --apply="$T/plan" -v --json="$T/json"
	[ -z "$stderr" ]
	[ "$(came "$bitmap")" = md-bitmap ]
	[ "$(fragmented)" = 1 ]
	diff <(places "$bitmap") - <<<"$before"
}

# Until a run in the background, $pid, has done what the command sees.
until_it_has() {
	until "$@"; do
		kill -0 "$pid"
		sleep 0.1
	done
	kill -STOP "$pid"
}

# The end of that run, which was stopped.
goes_on() {
	kill -CONT "$pid"
	status=0
	wait "$pid" || status=$?
	pid=
	cat "$T/out"
}

@test "an array that is assembled during a run is heard of before the next step" {
	e3defrag -v --bwlimit=2M --json="$T/json" "$H" >"$T/out" 2>&1 3>&- &
	pid=$!
	until_it_has grep -q -e '-> 1 fragments' "$T/out"
	bitmap=$H/files/f01
	run ! grep -F "$bitmap: " "$T/out"
	assemble
	goes_on
	[ "$status" = 0 ]
	[ "$(came "$bitmap")" = md-bitmap ]
	diff <(places "$bitmap") - <<<"$before"
	[ "$(fragmented)" = 1 ]
}

moved() {
	! diff -q <(places "$bitmap") - <<<"$before" >/dev/null
}

@test "an array that is assembled while its file is moved: what is left stays, nothing goes back" {
	before=$(places "$bitmap")
	e3defrag -v --bwlimit=64K --json="$T/json" "$bitmap" >"$T/out" 2>&1 3>&- &
	pid=$!
	until_it_has moved
	assemble
	goes_on
	[ "$status" = 1 ]
	[[ "$(<"$T/out")" == *"the bitmap of an md array"* ]]
	diff <(places "$bitmap") - <<<"$before"
	md_writes_to_the_file
}

@test "blanks and backslashes in the names of bitmap files" {
	local name
	for name in $'a b\tc\nd' 'a\040b' $'a\\134b\\'; do
		mv "$bitmap" "$H/files/$name"
		assemble "$H/files/$name"
		run -6 --separate-stderr e3defrag "$bitmap"
		[ -z "$stderr" ]
		diff <(places "$bitmap") - <<<"$before"
		mdarray stop "$T/md0"
		touch "$T/stopped"
	done
	# free again
	run -0 e3defrag "$bitmap"
}

@test "a bitmap file that its path doesn't lead to: nothing is moved, and that is said once" {
	local all
	assemble
	ln "$bitmap" "$H/again"
	all=$(places "$H/files/f01"; places "$H/again")
	rm "$bitmap"
	grep -F 'f04\040(deleted)' /proc/mdstat
	run -3 --separate-stderr e3defrag "$H"
	[ "$(grep -c "the array md0 has its bitmap in a file, .*deleted), that can't be found" \
		<<<"$stderr")" = 1 ]
	[ "$(wc -l <<<"$stderr")" = 1 ]
	# another file is there now: it isn't one
	cp "$H/files/f01" "$H/files/f04 (deleted)"
	run -3 --separate-stderr e3defrag "$H"
	diff <(places "$H/files/f01"; places "$H/again") - <<<"$all"
	run -0 --separate-stderr e3defrag -c "$H"
	[ -z "$stderr" ]
	bitmap=$H/again
	md_writes_to_the_file
}
