# SPDX-License-Identifier: GPL-2.0-only
# A nearly full disk: what is gained on it, and what is left to others meanwhile.

T=/tmp/full
load tool

# aged NAME BLOCKSIZE: 32 MiB, 97% full, most of it in pieces of some 20 KiB, with holes all over.
aged() {
	mount_aged "$1" 32M 4 3072 -J size=4 -b "$2"
	comb "$H/comb" 1000000 3 20
	umount "$H"
}

setup_file() {
	use_tool
	aged 4K 4096
	aged 1K 1024
}

# begin NAME: a copy of an image, mounted.
begin() {
	before=$(fragcount "$T/$1" | awk '$1 == "total" { print $7 }')
	mount_copy "$1"
	manifest "$H" >"$T/before"
	free=$(stat -f -c %f "$H")
}

# Whatever a run did, nothing that a user sees has changed, and nothing was used up.
teardown() {
	manifest "$H" | diff "$T/before" -
	sync -f "$H"
	[ "$(stat -f -c %f "$H")" = "$free" ]
	unmount_host
}

# What the image itself says of its fragments now.
fragments() {
	fragcount "$T/image" | awk '$1 == "total" { print $7 }'
}

# halved NAME [OPTION]: by one run.
halved() {
	begin "$1"
	run -0 --separate-stderr e3defrag "${@:2}" "$H"
	echo "$output"
	[ -z "$stderr" ]
	[[ $output == *", partly: 0, failed: 0"* ]]
	umount "$H"
	after=$(fragments)
	mount_image
	echo "$before fragments, $after now"
	[ "$before" -gt 800 ]
	[ $((after * 2)) -le "$before" ]
}

# The fewest blocks that are free at any moment of a run, as far as one can see: it is slow enough
# for a look at each file that moves.
watched() {
	: >"$T/watching"
	while [ -e "$T/watching" ]; do
		stat -f -c %f "$H"
	done >"$T/free" &
	run --separate-stderr e3defrag --bwlimit=3M "$@" "$H"
	rm "$T/watching"
	wait
	sort -n "$T/free" | head -1 >"$T/least"
	echo "$output" "$stderr"
	echo "$(wc -l <"$T/free") looks, the least free: $(<"$T/least") of $free"
}

@test "97% full, 4 KiB blocks: one run halves the fragments, and nothing else changes" {
	halved 4K
}

@test "97% full, 1 KiB blocks: the same; and with --state nothing moves in the next night" {
	halved 1K --state="$T/state"
	run -6 --separate-stderr e3defrag --state="$T/state" "$H"
	echo "$output"
	[[ $output == *"Blocks moved: 0 "* ]]
}

@test "a run is stopped between its parts, and the next one goes on" {
	begin 4K
	run -4 --separate-stderr e3defrag --max-bytes=1M "$H"
	echo "$output"
	[[ $output == *"Stopped by --max-bytes."* ]]
	umount "$H"
	after=$(fragments)
	mount_image
	[ "$after" -le "$before" ]
	run -4 --separate-stderr e3defrag --max-bytes=2M "$H"
	umount "$H"
	[ "$(fragments)" -lt "$after" ]
	mount_image
}

@test "--reserve: so much stays free while files move; what needs more is left alone" {
	# files of 3 MiB, and a free run for one of them
	begin 4K
	rm "$H/comb" "$H/small/13-blocks"
	sync -f "$H"
	manifest "$H" >"$T/before"
	free=$(stat -f -c %f "$H")

	run -0 --separate-stderr e3defrag -n --reserve=90% "$H"
	[[ $output == *"4  would use free space that --reserve keeps"* ]]
	[[ $output != *"would move"* ]]
	watched --reserve=90%
	[ "$status" = 6 ]
	[[ $output == *"4  would use free space that --reserve keeps"* ]]
	[ "$(<"$T/least")" = "$free" ]
	# no file as a whole
	watched --reserve=$(((free - 500) * 4))K
	[ "$status" = 0 ]
	[ "$(<"$T/least")" -ge $((free - 500)) ]
	[[ $output == *"Files improved: 4"* ]]
}

@test "--reserve=0: all that is free may be taken" {
	begin 4K
	rm "$H/comb" "$H/small/13-blocks"
	sync -f "$H"
	manifest "$H" >"$T/before"
	free=$(stat -f -c %f "$H")
	watched --reserve=0
	[ "$status" = 0 ]
	[ "$(<"$T/least")" -lt $((free - 700)) ]
}
