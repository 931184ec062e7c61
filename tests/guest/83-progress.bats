# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2030,SC2031 # each test is a subshell of its own, and wants to be
# What a run shows while it lasts: the line on a terminal, and what SIGUSR1 is answered.

T=/tmp/see
load tool

setup_file() {
	use_tool
	mount_aged aged 24M 6 1024 -b 1024
	umount "$H"
}

setup() {
	mount_copy
}

teardown() {
	unmount_host
}

# A terminal that gets the size it has is only waited for: the survey may take so long that the time
# left is shown for it, too.

# The lines as they were drawn, one over the other, in what a terminal got.
drawn() {
	tr '\r' '\n' <"$T/raw" | grep -E '^(looking|finding|moving)[a-z ]*: ' || :
}

# The widest of them.
widest() {
	drawn | awk '{ if (length > most) most = length } END { print most + 0 }'
}

@test "a terminal gets a line, redrawn in place, no wider than it is; SIGUSR1 a line that stays" {
	run -0 terminal -o "$T/raw" 30x90 'moving=30x90' 'left, =USR1' 'left, =30x60' -- e3defrag --bwlimit=1M "$H"
	echo "$output"
	drawn
	[ "$(drawn | grep -c "^moving files: .* of [0-9.]* MiB")" -ge 4 ]
	[[ $(drawn) == *", "[0-9]:[0-9][0-9]" left, "*"/s"* ]]
	[[ $(drawn) == *", $H/files/f"* ]]
	[ "$(widest)" -le 86 ]
	# after the terminal became narrower
	[ "$(drawn | tail -n 1 | awk '{ print length }')" -le 56 ]
	# none of it is left, and what was printed meanwhile is whole
	[ "$(grep -c -E "^(looking|finding|moving)" <<<"$output")" = 0 ]
	[ "$(grep -c -E "^e3defrag: $H: moving files: [0-9]+ of [1-9][0-9]*, " <<<"$output")" = 1 ]
	[[ $output == *$'\n'"Files improved: "* ]]
	[[ ${lines[-1]} == "-- cursor "*" 0, shown, plain, codes 0, strange 0" ]]
}

@test "Ctrl-C: the line goes, the report comes" {
	run -4 terminal -o "$T/raw" 30x60 'moving=30x60' 'left, =^C' -- e3defrag --bwlimit=1M "$H"
	echo "$output"
	[ "$(grep -c -E "^(looking|finding|moving)" <<<"$output")" = 0 ]
	[[ $output == *$'\n'"Stopped by a signal."$'\n'* ]]
	[[ ${lines[-1]} == "-- cursor "*" 0, shown, plain, codes 0, strange 0" ]]
}

@test "no terminal: not a byte but the report, and SIGUSR1's line" {
	local pid

	e3defrag -v --bwlimit=1M "$H" >"$T/out" 2>"$T/err" 3>&- &
	pid=$!
	until grep -q -- ' -> ' "$T/out"; do
		sleep 0.1
	done
	[ ! -s "$T/err" ]
	kill -USR1 "$pid"
	wait "$pid"
	cat "$T/err"
	[ "$(wc -l <"$T/err")" = 1 ]
	grep -q -E "^e3defrag: $H: moving files: [1-9][0-9]* of [1-9][0-9]*, [0-9.]+ [KM]iB of [0-9.]+ MiB, [1-9][0-9]* fragments, .*/s, [0-9]:[0-9]{2} left, at $H/files/f0[1-6]" "$T/err"
	run ! grep -c $'[\r\033]' "$T/out" "$T/err"
	run -6 --separate-stderr e3defrag "$H"
	[ -z "$stderr" ]
}

@test "--quiet: neither line nor report, but reports for programs; a run in the background draws nothing" {
	run -0 terminal -o "$T/raw" 30x70 -- e3defrag -q --json="$T/json" "$H"
	echo "$output"
	[ ! -s "$T/raw" ]
	[ "$(jq -r .filesystems[0].outcomes.improved "$T/json")" -gt 3 ] || jq . "$T/json"
	run -0 --separate-stderr e3defrag -cq --json=- "$H"
	[ "$(jq -r .mode <<<"$output")" = check ]
	run -0 e3defrag -cq "$H"
	[ -z "$output" ]
	run -3 --separate-stderr e3defrag -cq /proc
	[ -n "$stderr" ]

	umount "$H"
	setup
	run -0 terminal -o "$T/raw" 30x70 -- bash -c "set -m; e3defrag --bwlimit=4M $H & wait \$!"
	[[ $output == *"Files improved: "* ]]
	[ -z "$(drawn)" ]
}

# All that is left to see of maps: their titles.
titles() {
	grep -c "^ e3defrag   /dev/loop[0-9]* on $H *$" <<<"$output" || :
}

@test "--map: drawn in place as blocks move, around messages, at any size; the last one stays, above the report" {
	export TERM=xterm LC_ALL=C.UTF-8

	# the new size comes when a map is there
	run -0 terminal -o "$T/raw" 50x100 'moving=50x100' 'left, =USR1' $'\033[?25h=50x60' -- e3defrag --map --bwlimit=1M "$H"
	echo "$output"
	# while it ran, something was read, something written, and there were fragments
	grep -q 'rr' "$T/raw"
	grep -q 'WW' "$T/raw"
	grep -q '▚▚' "$T/raw"
	[ "$(grep -c -E "^e3defrag: $H: moving files: [0-9]+ of [1-9][0-9]*, " <<<"$output")" = 1 ]
	# the map of the old size has scrolled away as a whole
	[ "$(titles)" = 2 ]
	run -0 sed -n "/^ e3defrag /,\$p" <<<"$output"
	[[ ${output%$'\n e3defrag '*} =~ $'\n'[^$'\n'░▚]*$ ]]
	output=" e3defrag ${output##*$'\n e3defrag '}"
	# all of that is gone now
	[[ $output == *"███"*$'\n'" ░ free "*" X other "*" blocks, "*$'\n'" 100% █████"*$'\n'"moving files: "*$'\n\n'"Files improved: 7, "* ]]
	[ "$(grep -c -E '▚▚|rr|WW' <<<"${output%%░ free*}")" = 0 ]
	[[ ${lines[-1]} =~ ^"-- cursor "[0-9]+" 0, shown, plain, codes "[1-9][0-9]+", strange 0"$ ]]
}

@test "--map: Ctrl-C, SIGTERM and SIGKILL leave the terminal as it was" {
	export TERM=xterm LC_ALL=C.UTF-8

	for event in ^C TERM; do
		run -4 terminal -o "$T/raw" 40x100 "WW=$event" -- e3defrag --map --bwlimit=1M "$H"
		echo "$output"
		[ "$(titles)" = 1 ]
		[[ $output == *"moving files: "*$'\n'"Stopped by a signal."* ]]
		# the key's echo may come in the middle of a code, which makes one strange
		[[ ${lines[-1]} == "-- cursor "*" 0, shown, plain, codes "*", strange "[01] ]]
	done
	# not while a drawing is on its way: nothing can be done about that
	run -137 terminal -o "$T/raw" 40x100 'WW=40x100' $'\033[?25h=KILL' -- e3defrag --map --bwlimit=1M "$H"
	[[ ${lines[-1]} == "-- cursor "*", shown, plain, codes "*", strange 0" ]]
}

@test "--map without colours, without UTF-8, and where there is no room or no terminal for it" {
	export TERM=xterm

	LC_ALL=C.UTF-8 NO_COLOR=1 run -0 terminal -o "$T/raw" 40x100 -- e3defrag -c --map "$H"
	echo "$output"
	[[ $output == *"▚▚"*$'\n'" 100% "*"Free space: "* ]]
	[ "$(titles)" = 1 ]
	run ! grep -c $'\033\\[[0-9;]*m' "$T/raw"
	LC_ALL=C run -0 terminal -o "$T/raw" 40x100 -- e3defrag -c --map "$H"
	[[ $output == *"%%"*$'\n'" 100% "* ]]
	run ! env LC_ALL=C grep -c $'[\x80-\xff]' "$T/raw"

	LC_ALL=C.UTF-8 run -0 terminal 40x39 -- e3defrag -c --map "$H"
	[[ ${lines[-1]} == *", codes 0, strange 0" ]]
	TERM=dumb run -0 terminal 40x100 -- e3defrag -c --map "$H"
	[[ ${lines[-1]} == *", codes 0, strange 0" ]]
	[ "$(titles)" = 0 ]
	run -0 --separate-stderr e3defrag -c --map "$H"
	[ -z "$stderr" ]
	[[ $output != *$'\033'* ]]
}
