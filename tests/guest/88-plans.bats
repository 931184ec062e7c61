# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154,SC2016 # bats sets $stderr; the $names of jq are its own
# Plans in files: what --plan writes, and what --apply makes of it, be it what it was or not.

T=/tmp/plans
load tool

setup_file() {
	use_tool
	mount_aged aged 24M 9 1024 -b 1024
	mv "$H/files/f05" "$H/files/"$'a\nline \\ \xff'
	umount "$H"
}

setup() {
	mount_copy
}

teardown() {
	umount "$H"
	rm -f "$T"/plan* "$T"/report*
	e2fsck -fn "$T/image"
}

plan() {
	run -0 --separate-stderr e3defrag --plan="$T/plan" "$H"
	[ -z "$stderr" ]
	mapfile -t ino < <(jq '.filesystems[0].moves[].inode' "$T/plan")
	moves=${#ino[@]}
	[ "$moves" -ge 7 ]
}

# edit NEW FILTER: a plan like $T/plan.
edit() {
	jq "$2" "$T/plan" >"$T/$1"
}

# report FILTER
report() {
	jq -c "$1" "$T/report"
}

# What came of the files: "REASON=FILES" of those left alone, but for what is perfect or empty.
came() {
	jq -r '.filesystems[0] | [.outcomes | "improved=\(.improved)", if .failed + .partly > 0 then
		"failed" else empty end] + [.left_alone[] | select(.reason | IN("perfect", "empty") | not) |
		"\(.reason)=\(.files)"] | join(" ")' "$T/report"
}

# The plan that is made now; the same as before where nothing was moved.
unmoved() {
	e3defrag --plan="$T/plan.now" "$H" >/dev/null
	diff <(jq 'del(.made)' "$T/plan") <(jq 'del(.made)' "$T/plan.now")
}

# as_planned FROM: so many of the moves from that number on made their files what they should be.
as_planned() {
	jq --argjson from "$1" --slurpfile report "$T/report" '[.filesystems[0].moves[$from:][] | . as $m |
		select(any($report[0].filesystems[0].listed[]; .inode == $m.inode and
			.fragments == $m.fragments_after))] | length' "$T/plan"
}

@test "--plan is what --dry-run says, in a file; --apply makes it come true, fragment by fragment" {
	run -0 e3defrag -n "$H"
	local said=$output
	manifest "$H" >"$T/before"

	plan
	[ "$output" = "$said" ]
	[[ $output == *"would move $H/files/a\\012line \\134 \\377: "* ]]
	python3 -W ignore -m jsonschema -i "$T/plan" man/e3defrag-plan.schema.json
	[ "$(jq -r '.filesystems[0].moves[] | "\(.path): \(.fragments_before) -> \(.fragments_after) fragments, \(.pieces[0].length) blocks to \(.pieces[0].goal)"' "$T/plan")" = \
		"$(sed -n 's/^would move \(.* to [0-9]*\)\(, .*\)\?$/\1/p' <<<"$output" |
			sed 's/\( blocks to [0-9]*\),.*/\1/')" ]

	# found by its UUID
	run -0 --separate-stderr e3defrag --apply="$T/plan" --json="$T/report" -v
	echo "$output"
	[ -z "$stderr" ]
	[ "$(report .mode)" = '"apply"' ]
	# in one piece each, and some in several
	[ "$(jq '[.filesystems[0].moves[].fragments_after] | min == 1 and max > 4' "$T/plan")" = true ]
	[ "$(as_planned 0)" = "$moves" ]
	[ "$(came)" = "improved=$moves" ]
	[ "$(report '.filesystems[0] | [.before, .after | [.fragmented_files, .fragments, .score]]')" = \
		"$(jq -c '.filesystems[0] | [.before, .after | [.fragmented_files, .fragments, .score]]' "$T/plan")" ]
	manifest "$H" | diff "$T/before" -

	# and where all is in place, nothing is left to do
	run -6 --separate-stderr e3defrag --apply="$T/plan" --json="$T/report" "$H"
	[ -z "$stderr" ]
	[ "$(report '.filesystems[0].moved_blocks')" = 0 ]
}

@test "what changed, went, was replaced, or lost its place is left alone; the rest is moved" {
	local file gone other i
	plan

	# another file goes where the move 0 wants to: by an edited plan, which moves nothing else
	edit plan.other '.filesystems[0] |= (if [.moves[0, 1].fragments_after] == [1, 1] then . else
		error end | .moves[0].pieces[0].goal as $goal | .moves |= [.[1]] |
		.moves[0].pieces[0].goal = $goal)'
	run -0 --separate-stderr e3defrag --apply="$T/plan.other" --json="$T/report" "$H"
	echo "$output"
	[ -z "$stderr" ]
	[ "$(came)" = "improved=1 unplanned=$((moves - 1))" ]

	name() { find "$H" -inum "${ino[$1]}" -print -quit; }
	for i in 2 3 4; do
		file=$(name "$i")
		case $i in
		2) head -c 5000 /dev/urandom >>"$file" ;;
		3) find "$H" -samefile "$file" -delete ;;
		4) chattr -v 12345 "$file" ;;
		esac
	done
	chattr +i "$(name 5)"
	{ read -r other; read -r gone; } < <(jq -r '.filesystems[0].moves[0, 3].path' "$T/plan")
	manifest "$H" >"$T/before"
	run -1 --separate-stderr e3defrag --apply="$T/plan" --json="$T/report" -v "$H"
	echo "$output"
	[ -z "$stderr" ]
	[ "$(report .status)" = 1 ]
	[ "$(came)" = "improved=$((moves - 6)) immutable=1 vanished=1 replaced=1 outdated=1 taken=1" ]
	[[ $output == *$'deleted meanwhile\n            '"$gone"$'\n'* ]]
	[[ $output == *$'is taken\n            '"$other"$'\n'* ]]
	[ "$(as_planned 6)" = $((moves - 6)) ]
	manifest "$H" | diff "$T/before" -
	chattr -i "$(name 5)"
}

@test "TARGETs bound what is done of a plan, and so does --max-bytes; the next run goes on" {
	plan
	run -0 e3defrag --apply="$T/plan" --json="$T/report" "$H/files/f03" "$H/files/f02"
	[ "$(came)" = "improved=2 outside=$((moves - 2))" ]

	run -4 --separate-stderr e3defrag --apply="$T/plan" --json="$T/report" --max-bytes=2M "$H"
	[ -z "$stderr" ]
	[[ $(came) == *" stopped="[1-9]* ]]
	run --separate-stderr e3defrag --apply="$T/plan" --json="$T/report" -v "$H"
	echo "$output"
	# the one that it ended in may be in another place now
	if [[ $(came) == *outdated=1* ]]; then
		[ "$status" = 1 ]
		[ "$(as_planned 0)" = $((moves - 1)) ]
	else
		[ "$status" = 0 ]
		[ "$(as_planned 0)" = "$moves" ]
	fi
}

@test "a plan that isn't one, isn't safe, or is of another filesystem is refused, and nothing moves" {
	local id
	plan
	# refused MESSAGE [TARGET]
	refused() {
		run -3 --separate-stderr e3defrag --apply="$T/plan.bad" --json="$T/report" "${@:2}"
		echo "$stderr"
		[[ $stderr == "e3defrag: $1"* ]]
		[[ $output != *"Files improved"* ]]
		[ "$(report .filesystems)" = "[]" ]
	}
	edit plan.bad '.filesystems[0].moves[1].pieces[0].goal = .filesystems[0].moves[0].pieces[0].goal + 1'
	refused "$T/plan.bad: filesystems[0]: pieces of moves[0] and moves[1] overlap at block " "$H"
	# at the end of a line: elsewhere it could be within an escape, which is another error
	printf %s "$(head -n 100 "$T/plan")" >"$T/plan.bad"
	refused "$T/plan.bad: line 100: is not JSON: parse error: premature EOF" "$H"
	cp "$T/plan" "$T/plan.bad"
	chmod g+w "$T/plan.bad"
	refused "$T/plan.bad: can be written by others, who could have written anything into it" "$H"
	chmod 644 "$T/plan.bad"
	chown 1000 "$T/plan.bad"
	refused "$T/plan.bad: belongs to another user, who could have written anything into it" "$H"
	rm "$T/plan.bad"
	mkfifo "$T/plan.bad"
	refused "$T/plan.bad: is not a regular file" "$H"
	rm "$T/plan.bad"
	refused "$T/plan.bad: can't read it: No such file or directory" "$H"

	id=$(jq -r '.filesystems[0].uuid' "$T/plan")
	edit plan.bad '.filesystems[0].uuid = "01234567-89ab-cdef-0123-456789abcdef"'
	refused "$H: is not what was planned for: the plan has no filesystem with the UUID $id" "$H"
	refused "UUID=01234567-89ab-cdef-0123-456789abcdef: no such device"
	edit plan.bad '.filesystems[0].blocks += 1'
	refused "$H: is not what was planned for: it has 24576 blocks of 1024 bytes, not 24577 of 1024" "$H"
	unmoved

	# which of two, if both are mounted?
	cp "$T/plan" "$T/plan.bad"
	cp --sparse=always "$T/image" "$T/copy"
	mkdir "$T/copied"
	mount -t ext3 -o loop "$T/copy" "$T/copied"
	refused "UUID=$id: several mounted filesystems have it: name the TARGET"
	umount "$T/copied"
	rm -r "$T/copied" "$T/copy"

	# a plan without moves is one
	edit plan.bad '.filesystems[0].moves = []'
	run -6 --separate-stderr e3defrag --apply="$T/plan.bad" "$H"
	[ -z "$stderr" ]
	unmoved
}

@test "whatever an edited plan wants, only what is free and better is had" {
	local generation
	plan
	# a directory, by what its inode says
	read -r generation _ < <(lsattr -dv "$H/files")
	edit plan.bad ".filesystems[0] |= (.moves |= .[0:1] | .moves[0].generation = $generation |
		.moves[0].inode = $(stat -c %i "$H/files"))"
	run -1 e3defrag --apply="$T/plan.bad" --json="$T/report" "$H"
	[ "$(came)" = "improved=0 type=1 unplanned=$moves" ]
	# a place that the filesystem itself uses, what isn't the file, and what isn't better
	edit plan.bad '.filesystems[0] |= (.moves[0].pieces[0].goal = 2 | .moves |= .[0:1])'
	run -1 --separate-stderr e3defrag --apply="$T/plan.bad" --json="$T/report" "$H"
	[ "$(came)" = "improved=0 unplanned=$((moves - 1)) taken=1" ]
	edit plan.bad '.filesystems[0] |= (.moves |= .[0:1] | .moves[0].generation += 1)'
	run -1 --separate-stderr e3defrag --apply="$T/plan.bad" --json="$T/report" "$H"
	[ "$(came)" = "improved=0 unplanned=$((moves - 1)) replaced=1" ]
	edit plan.bad '.filesystems[0] |= (.moves |= .[0:1] | .moves[0].layout = "0123456789abcdef")'
	run -1 --separate-stderr e3defrag --apply="$T/plan.bad" --json="$T/report" "$H"
	[ "$(came)" = "improved=0 unplanned=$((moves - 1)) outdated=1" ]
	edit plan.bad '.filesystems[0] |= (.moves |= .[0:1] | .moves[0].fragments_before = .moves[0].blocks |
		.moves[0].fragments_after = .moves[0].blocks - 1 |
		.moves[0].pieces[0] as $p | .moves[0].pieces = ([range($p.length - 2) |
		{ at: ., length: 1, goal: ($p.goal + .) }] +
		[{ at: ($p.length - 2), length: 2, goal: ($p.goal + $p.length - 2) }]))'
	run -1 --separate-stderr e3defrag --apply="$T/plan.bad" --json="$T/report" "$H"
	[ "$(came)" = "improved=0 no-better=1 unplanned=$((moves - 1))" ]
	unmoved
}
