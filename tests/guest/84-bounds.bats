# SPDX-License-Identifier: GPL-2.0-only
# What bounds a run: time, bytes, and bytes a second.

T=/tmp/bounds
load tool

setup_file() {
	use_tool
	mount_aged aged 128M 8 4096 -b 4096
	umount "$H"
}

setup() {
	mount_copy
	manifest "$H" >"$T/before"
}

# Whatever a run was bounded by, nothing that a user sees has changed.
teardown() {
	manifest "$H" | diff "$T/before" -
	unmount_host
}

# What a run moved, in KiB.
moved() {
	sed -n 's/^Blocks moved: \([0-9]*\) .*/\1/p' <<<"$output" | awk '{ print $1 * 4 }'
}

ms() {
	echo "$((${EPOCHREALTIME/./} / 1000))"
}

@test "--max-bytes: so many are moved and a step more at most, and the next run goes on" {
	local sum=0 all runs=0

	run -0 --separate-stderr e3defrag -n "$H"
	all=$(sed -n 's/^Files to move: //p' <<<"$output")
	[ "$all" -gt 3 ]
	while status=4 && [ $((runs += 1)) -lt 60 ]; do
		run --separate-stderr e3defrag --max-bytes=5M --json="$T/json" "$H"
		[ -z "$stderr" ]
		echo "$status $(moved)"
		[ "$status" = 4 ] || break
		[[ $output == *"Stopped by --max-bytes."* ]]
		[ "$(jq -r .stopped "$T/json")" = max-bytes ]
		# with the indirect blocks
		[ "$(moved)" -ge 4000 ]
		[ "$(moved)" -le 5184 ]
		sum=$((sum + $(moved)))
	done
	# the last one may have found nothing left to do
	[ "$status" = 0 ] || [ "$status" = 6 ]
	[ "$runs" -gt 5 ]
	[ "$sum" -gt 15000 ]
	run -0 e3defrag -c "$H"
	[[ $output == *"Fragmented files: 0"* || $output == *"already in one fragment"* ]]
}

@test "--bwlimit: within a tenth of the rate, over 20 s" {
	local start took rate

	start=$(ms)
	run --separate-stderr e3defrag --bwlimit=1M --max-bytes=20M "$H"
	took=$(($(ms) - start))
	echo "$output" "$took ms"
	[ "$status" = 4 ]
	rate=$(($(moved) * 1000 / took))
	# in KiB a second; the survey and the report take their part of the time
	[ "$rate" -ge 900 ]
	[ "$rate" -le 1126 ]
}

@test "--time: the run ends within two seconds of it, with a report" {
	local start took

	start=$(ms)
	run --separate-stderr e3defrag --time=5 --bwlimit=1M --json="$T/json" "$H"
	took=$(($(ms) - start))
	echo "$output" "$took ms"
	[ "$status" = 4 ]
	[ -z "$stderr" ]
	[[ $output == *"Stopped by --time."* ]]
	[ "$(jq -r .stopped "$T/json")" = time ]
	[ "$took" -ge 4900 ]
	[ "$took" -le 7000 ]
	[ "$(moved)" -gt 2000 ]
}

@test "without a bound that it meets, a run is a whole one" {
	run -0 --separate-stderr e3defrag -t 10m --max-bytes=1G --bwlimit=1G "$H"
	[[ $output != *"Stopped"* ]]
	run -6 e3defrag "$H"
	[ "$(moved)" = 0 ]
}
