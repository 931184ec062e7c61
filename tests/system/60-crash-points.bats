#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# What crashes at every moment leave behind. The long form is "make check-crash POINTS=10000". SEED
# says which two kinds of filesystems and disks it is that are looked at.

setup_file() {
	export log=$BATS_FILE_TMPDIR/log
}

@test "no crash at any flush or between two loses anything, writes lost, out of order, torn" {
	run env KEEP_LOG="$log" JOBS=1 SPECS=2 SAMPLED=12 PER_SPEC=250 \
		"$BATS_TEST_DIRNAME/../crash/points" "${POINTS:-300}" "${SEED:-1}"
	echo "$output"
	[ "$status" -eq 0 ]
	[[ ${lines[-1]} =~ ^[0-9]+\ points,\ 0\ bad$ ]]
	# kernels replayed some of them, too
	[[ ${lines[-2]} =~ ^[1-9][0-9]*\ of\ them\ replayed\ by\ a\ mount ]]
}

@test "crashes of devices that only say that they flushed are found to lose something" {
	run "$BATS_TEST_DIRNAME/../../build/tests/bin/crashpoints" --lying "$log" 0 20 "${SEED:-1}"
	echo "$output"
	[ "$status" -eq 1 ]
	[[ ${lines[-1]} =~ ^[0-9]+\ points,\ [1-9][0-9]*\ bad$ ]]
}
