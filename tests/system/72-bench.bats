#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# make bench, in a short form: what it measures is there, and what doesn't depend on the machine's
# load is in its bounds. Times are for make bench itself: of one run of a second, nothing follows.
# shellcheck disable=SC2154

setup_file() {
	export BENCH_FOLDER=$BATS_FILE_TMPDIR/bench BENCH_JSON=$BATS_FILE_TMPDIR/json
	export BENCH_TABLE=$BATS_FILE_TMPDIR/table REPEAT=1 FILES=3000
	"$BATS_TEST_DIRNAME/../bench/run" report >"$BATS_FILE_TMPDIR/said" 2>&1 || {
		cat "$BATS_FILE_TMPDIR/said"
		return 1
	}
}

# figure KEY: what the JSON has, a number
figure() {
	jq -e --arg key "$1" '.[$key] | numbers' "$BENCH_JSON"
}

@test "a report of 3,000 files is timed beside its peers', and small" {
	local key

	cat "$BATS_FILE_TMPDIR/said"
	for key in report_vs_{filefrag,e4defrag,e2fsck} report_{e3defrag,filefrag}_cpu_seconds; do
		awk -v figure="$(figure "$key")" 'BEGIN { exit !(figure > 0) }'
	done
	[ "$(figure report_peak_kib)" -lt $((4096 + 3000 * 32 / 1024)) ]
}

@test "each key of the JSON is a number, and a line of the table" {
	run jq -r 'to_entries[] | "| `\(.key)` | \(.value | numbers) |"' "$BENCH_JSON"
	[ "$status" = 0 ]
	[ "${#lines[@]}" -gt 20 ]
	diff <(printf '%s\n' "${lines[@]}") <(grep '^| `' "$BENCH_TABLE")
	grep -q 'SECTIONS=report REPEAT=1 SEED=1 FILES=3000' "$BENCH_TABLE"
}
