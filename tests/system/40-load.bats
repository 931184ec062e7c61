#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Defragmenting while everything else goes on. LOAD_SECONDS makes it longer.
# shellcheck disable=SC1091,SC2030,SC2031,SC2154

setup() {
	. "$BATS_TEST_DIRNAME/../lib/campaign.bash"
	image=$scratch/load.$BATS_TEST_NUMBER.$KERNEL
	seconds=${LOAD_SECONDS:-25}
}

teardown() {
	[ -z "${BATS_TEST_COMPLETED:-}" ] || rm -f "$image" "$image".*
}

# load TYPE BLOCKSIZE
load() {
	"$lib/aged-image" -b "$2" -m 128 -k 4096 "$image"
	vm --disk "$image" --timeout $((seconds * 4 + 200)) -- \
		"$lib/load-job" "$1" "$seconds" "${SEED:-1}" >"$image.log" 2>&1 || {
		echo "the run ended with $?"
		tail -n 150 "$image.log"
		false
	}
	sed 's/^/# /' "$image.log" >&3
	[ "$(grep -c '^ok ' "$image.log")" -eq 9 ]
	clean "$image"

	# no block is lost: with everything removed as many are free as when it was made
	vm --cpus 1 --disk "$image" --timeout 120 -- "$lib/empty-job" "$1"
	clean "$image"
	[ "$(free_blocks "$image")" -eq "$(cat "$image.fresh")" ]
}

@test "4 KiB blocks as ext3: fio, verifywriter, truncates and unlinks while files move" {
	load ext3 4096
}

@test "1 KiB blocks as ext4: fio, verifywriter, truncates and unlinks while files move" {
	load ext4 1024
}
