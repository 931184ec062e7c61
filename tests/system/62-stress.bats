#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Some scenes of the stress campaign. The long form is "make check-stress MINUTES=30".

@test "files move while all else happens to them: verified writes, freezes, kills, lazy umounts" {
	run env SCENES=2 BATCH=2 SCENE_SECONDS="${SCENE_SECONDS:-8}" KINDS="mixed lazy" \
		"$BATS_TEST_DIRNAME/../stress/stress" 1 "${SEED:-1}"
	echo "$output"
	[ "$status" -eq 0 ]
	[[ ${lines[-1]} =~ ^2\ scenes,\ 0\ bad$ ]]
	# things were moved and compared at all, or nothing was tested
	[[ $output =~ [1-9][0-9]*\ blocks\ moved ]]
	[[ $output =~ [1-9][0-9]*\ bytes\ compared ]]
}
