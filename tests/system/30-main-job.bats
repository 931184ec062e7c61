#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# The main job, end to end: an aged filesystem, mounted, defragmented, unmounted, and judged from
# the image.
# shellcheck disable=SC1091,SC2030,SC2031,SC2154

setup() {
	. "$BATS_TEST_DIRNAME/../lib/campaign.bash"
	image=$scratch/main-job.$BATS_TEST_NUMBER.$KERNEL
	breaks=7000
}

teardown() {
	# a failed run's image and counts stay to be looked at
	[ -z "${BATS_TEST_COMPLETED:-}" ] || rm -f "$image" "$image".*
}

# defragment TYPE [AGED-IMAGE-OPTION]...
defragment() {
	local type=$1
	shift
	"$lib/aged-image" "$@" "$image"
	fragcount "$image" >"$image.before"
	free=$(free_blocks "$image") inodes=$(free_inodes "$image")
	tail -n 1 "$image.before"
	# about 8,000 breaks, or half as many in half the bytes; else the test shows nothing
	[ "$(awk '/^total/ { print $7 }' "$image.before")" -ge "$breaks" ]

	vm --cpus 1 --disk "$image" --timeout 300 -- "$lib/main-job" "$type" >"$image.log" 2>&1 || {
		cat "$image.log"
		false
	}
	tail -n 25 "$image.log"
	fragcount "$image" >"$image.after"
	cat "$image.after"
	echo "# $(awk '/^total/ { print $7 }' "$image.before") fragments before," \
		"$(awk '/^total/ { print $7 }' "$image.after") after;" \
		"$(grep '^e3defrag took' "$image.log")" >&3
	[ "$(grep -c 'manifest .* identical' "$image.log")" -eq 2 ]
	clean "$image"
	[ "$(free_blocks "$image")" -eq "$free" ]
	[ "$(free_inodes "$image")" -eq "$inodes" ]
	# the same files with the same blocks: only the last two columns may differ
	diff <(awk '!/^total/ { print $1, $2, $3, $4, $5 }' "$image.before") \
		<(awk '!/^total/ { print $1, $2, $3, $4, $5 }' "$image.after")
}

# Each file that has blocks is one fragment.
one_fragment_each() {
	[ "$(awk '$1 ~ /^[0-9]+$/ && $2 > 0 && $6 != 1' "$image.after" | wc -l)" -eq 0 ]
}

@test "4 KiB blocks, mounted as ext3: every file becomes one fragment, nothing else changes" {
	defragment ext3 -b 4096
	one_fragment_each
}

@test "2 KiB blocks, mounted as ext3: every file becomes one fragment, nothing else changes" {
	breaks=3500
	defragment ext3 -b 2048 -m 256 -k 8192
	one_fragment_each
}

@test "1 KiB blocks, mounted as ext3: as few fragments as 8 MiB groups allow" {
	defragment ext3 -b 1024
	# no free run is longer than what a group has left beside its bitmaps and inode table
	group=$(dumpe2fs -h "$image" 2>/dev/null | awk -F: '/^Blocks per group/ { b = $2 }
		/^Inode blocks per group/ { i = $2 } END { print b - i - 2 }')
	awk -v group="$group" '$1 ~ /^[0-9]+$/ && $2 > 0 {
		blocks = $2 + $3 + $4 + $5
		least = int((blocks + group - 1) / group)
		if ($6 != least) {
			print "inode", $1, "has", $6, "fragments,", least, "would do"
			bad = 1
		}
	} END { exit bad }' "$image.after"
}

@test "1 KiB blocks with flex_bg, mounted as ext4: every file becomes one fragment" {
	breaks=3500
	defragment ext4 -b 1024 -o flex_bg -t ext4 -m 256 -k 8192
	one_fragment_each
}

@test "4 KiB blocks, mounted as ext4 with delayed allocation: every file becomes one fragment" {
	defragment ext4 -b 4096
	one_fragment_each
}
