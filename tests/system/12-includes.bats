#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# What tests/includes says of a copy of the tool's sources in which something is wrong.

setup() {
	cp -r defrag "$BATS_TEST_TMPDIR/defrag"
	cd "$BATS_TEST_TMPDIR/defrag" || return
}

# includes FILE HEADER: FILE includes HEADER, too
includes() {
	sed -i "2i #include \"$2\"" "$1"
}

@test "the tool's own files are in order" {
	run "$BATS_TEST_DIRNAME/../includes" "$PWD"
	echo "$output"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "two files of one stage that include each other are a circle" {
	includes plan/freemap.h plan/plan.h
	run "$BATS_TEST_DIRNAME/../includes" "$PWD"
	echo "$output"
	[ "$status" -eq 1 ]
	[ "${lines[0]}" = "a circle:" ]
	[[ $output == *plan/freemap* && $output == *plan/plan* ]]
}

@test "a circle through the .c of one and the .h of another is found, too" {
	includes plan/freemap.c plan/plan.h
	run "$BATS_TEST_DIRNAME/../includes" "$PWD"
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *"a circle:"* ]]
}

@test "a file that uses a later stage is found, with a circle or without one" {
	includes lib/output.c planfile/planfile_members.h
	run "$BATS_TEST_DIRNAME/../includes" "$PWD"
	echo "$output"
	[ "$status" -eq 1 ]
	[ "${lines[0]}" = "lib/output uses planfile/planfile_members, which belongs to a later stage" ]
	[ "${#lines[@]}" -eq 1 ]
}

@test "a folder that is no stage is found" {
	mkdir new
	echo '#include "lib/util.h"' >new/new.c
	run "$BATS_TEST_DIRNAME/../includes" "$PWD"
	echo "$output"
	[ "$status" -eq 1 ]
	[[ ${lines[0]} == "new: a stage that tests/includes knows nothing of" ]]
}
