#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# --nice on a disk of 150 requests and 100 MB a second: alone, and beside a reader.
# shellcheck disable=SC1091,SC2154

setup_file() {
	bats_require_minimum_version 1.5.0
	. "$BATS_TEST_DIRNAME/../lib/campaign.bash"
	image=$scratch/nice.$KERNEL
	"$lib/aged-image" -m 96 -n 6 -k 4096 "$image.0"
	for i in 1 2; do
		cp --sparse=always "$image.0" "$image.$i"
	done
	vm --cpus 1 --disk "$image.0" --disk "$image.1" --disk "$image.2" \
		--throttle 150:100000000 --timeout 350 -- "$lib/nice-job" ext3 \
		>"$BATS_FILE_TMPDIR/said" 2>"$image.log" || {
		cat "$image.log"
		return 1
	}
	for i in 0 1 2; do
		clean "$image.$i"
		fragcount "$image.$i" | tail -n 1 >>"$BATS_FILE_TMPDIR/fragments"
	done
	rm "$image".*
}

# What the guest said of $1.
said() {
	sed -n "s/^$1 //p" "$BATS_FILE_TMPDIR/said"
}

@test "alone on the disk, it takes hardly longer" {
	cat "$BATS_FILE_TMPDIR/said"
	# It looks whether others are there before it begins, and other tests use this machine. To rest
	# as on a busy disk would take 4 s a step.
	[ "$(said nice)" -lt $(($(said hasty) * 2 + 1000)) ]
}

@test "while somebody reads, it waits: a fraction is moved in the time that all of it would take" {
	cat "$BATS_FILE_TMPDIR/said"
	[ "$(said all)" -gt 4000 ]
	[ "$(said moved)" -lt $(($(said all) / 4)) ]
}

@test "a signal ends the wait at once, with what was done until then" {
	[ "$(said status)" = 4 ]
	[ "$(said stopped)" -lt 3000 ]
}

@test "priorities are lowered, not to the idle class" {
	[ "$(said priority)" = "10 best-effort: prio 7" ]
}

@test "when the reader has gone, the rest is moved at full speed, and all is in one piece" {
	local files fragments
	cat "$BATS_FILE_TMPDIR/said" "$BATS_FILE_TMPDIR/fragments"
	[ "$(said rest)" -lt $(($(said hasty) * 2 + 1000)) ]
	# a file without blocks has no fragment
	while read -r _ files _ _ _ _ fragments _; do
		[ "$fragments" -le "$files" ]
	done <"$BATS_FILE_TMPDIR/fragments"
}
