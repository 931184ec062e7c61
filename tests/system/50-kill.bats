#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# The power fails during a run. The long form is "make check-powercut KILLS=100".

@test "no kill of the VM loses anything: content, times, durable writes, e2fsck" {
	run env JOBS=1 "$BATS_TEST_DIRNAME/../crash/powercut" "${KILLS:-5}" "${SEED:-1}"
	echo "$output"
	[ "$status" -eq 0 ]
	[[ ${lines[-1]} =~ ^[0-9]+\ kills,\ 0\ bad$ ]]
	# promises were made at all, or nothing was tested
	[[ $output =~ [1-9][0-9]*\ promises ]]
}
