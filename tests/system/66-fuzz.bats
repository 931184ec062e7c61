#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Hostile input. The long form is "make check-fuzz RUNS=200 SECONDS=300".

fuzz="$BATS_TEST_DIRNAME/../fuzz"

@test "no text makes the tool's parsers and its planner err" {
	run "$fuzz/parsers" "${FUZZ_SECONDS:-4}" "${SEED:-1}"
	echo "$output"
	[ "$status" -eq 0 ]
	[[ ${lines[-1]} =~ ^[0-9]+\ inputs,\ 0\ bad$ ]]
}

@test "no request, position or race changes a file or loses a block" {
	run "$fuzz/interface" 1 "${SEED:-1}" 1500
	echo "$output"
	[ "$status" -eq 0 ]
	[[ ${lines[-1]} == "1 runs, 0 bad" ]]
}

@test "on a corrupt filesystem nothing reaches a block that it shouldn't" {
	run "$fuzz/images" 10 "${SEED:-1}"
	echo "$output"
	[ "$status" -eq 0 ]
	[[ ${lines[-1]} == "10 images, 0 bad" ]]
}
