# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2030,SC2031 # each test is a subshell of its own, and wants to be
# Which files are moved: what each option of choosing does.

bats_require_minimum_version 1.5.0

T=/tmp/choice
H=$T/host

setup_file() {
	export PATH="$PWD/build/sanitized:$PWD/tests/lib:$PATH" ASAN_OPTIONS=abort_on_error=1
	mkdir -p "$H" "$T/other" "$T/bind"
	truncate -s 24M "$T/aged"
	mke2fs -q -F -t ext3 -b 1024 "$T/aged"
	mount -t ext3 -o loop "$T/aged" "$H"
	age-mounted "$H" 7 6 1024
	truncate -s 300K "$H/files/f02"
	truncate -s 600K "$H/files/f03"
	touch -d 2006-06-06 "$H"/files/f0[23]
	# Which of two names is shown is the directories' affair: here it is one word.
	mv "$H/files/f02-too" "$H/small/f02"
	mv "$H/small/hard-link" "$H/small/f01"
	rm "$H/small/13-blocks"
	umount "$H"
}

setup() {
	cp --sparse=always "$T/aged" "$T/image"
	mount -t ext3 -o loop,noatime "$T/image" "$H"
}

teardown() {
	mount | awk -v at="$T/" 'index($3, at) == 1 { print $3 }' | tac |
		while read -r mounted; do umount "$mounted"; done
	e2fsck -fn "$T/image" >/dev/null
}

# plan OPTION... [TARGET]: what a dry run says of each file in pieces, known by the last component
# of its path: "f01 move", or why it is left alone.
plan() {
	[[ ${*: -1} != -* ]] || set -- "$@" "$H"
	run -0 --separate-stderr e3defrag -n -v --json="$T/json" "$@"
	[ -z "$stderr" ]
	files=$(told "$T/json")
	echo "$files" | paste -sd ';'
	[ "$(sed -n 's|^would move \(.*/\)\?\([^:]*\): .*|\2 move|p' <<<"$output" | sort)" = \
		"$(grep ' move$' <<<"$files")" ]
}

told() {
	jq -r '.filesystems[0].listed[] | select(.fragments_before > 1) |
		(.path | split("/")[-1]) + " " +
		(if .moves > 0 or .outcome == "planned" then "move" else .reason end)' "$1" | sort
}

# The same, and just that is what happens.
choose() {
	local planned

	plan "$@"
	planned=$files
	[[ ${*: -1} != -* ]] || set -- "$@" "$H"
	run -0 --separate-stderr e3defrag -v --json="$T/json" "$@"
	[ -z "$stderr" ]
	[ "$(told "$T/json")" = "$planned" ]
	[ "$(jq '[.filesystems[0].listed[] | select(.fragments > 1)] | length' "$T/json")" = \
		"$(grep -c -v ' move$' <<<"$planned")" ]
}

@test "--min-fragments, --min-score, --min-size, --max-size: just those beyond are left alone" {
	local all limit

	run -0 e3defrag -c -v --json="$T/all" "$H"
	all=$(jq .filesystems[0].before.fragmented_files "$T/all")
	[ "$all" = 6 ]
	limit=$(jq '[.filesystems[0].listed[].score] | unique | .[-2]' "$T/all")
	[ "$limit" -gt 0 ]
	plan --min-score="$limit"
	[ "$files" = "$(jq -r --argjson n "$limit" '.filesystems[0].listed[] |
		select(.fragments > 1) | (.path | split("/")[-1]) +
		(if .score >= $n then " move" else " low-score" end)' "$T/all" | sort)" ]
	[[ $files == *low-score* ]]
	limit=$(jq '[.filesystems[0].listed[].fragments] | sort | .[-2]' "$T/all")
	[ "$limit" -gt 2 ]
	choose --min-fragments="$limit"
	[ "$files" = "$(jq -r --argjson n "$limit" '.filesystems[0].listed[] |
		select(.fragments > 1) | (.path | split("/")[-1]) +
		(if .fragments >= $n then " move" else " few-fragments" end)' "$T/all" | sort)" ]
	[[ $files == *move*few-fragments* || $files == *few-fragments*move* ]]
	# what is left alone counts all the same
	[ "$(jq .filesystems[0].before.fragmented_files "$T/json")" = "$all" ]
	plan --min-size=300K --max-size=600K
	[ "$(grep move <<<"$files")" = $'f02 move\nf03 move' ]
	[ "$(grep -c ' size$' <<<"$files")" = "$(($(wc -l <<<"$files") - 2))" ]
	choose --max-size=300K
	[ "$(grep move <<<"$files")" = "f02 move" ]
	choose --min-size=600K --min-score=1
	[ "$files" = "${files//size/}" ]
	run -6 e3defrag --min-score=100 "$H"
}

@test "--older-than: what changed since then is left alone, and what nobody knows of" {
	local device

	touch -d '2 hours ago' "$H/files/f02"
	touch -d '8 days ago' "$H/files/f03"
	touch "$H/files/f04"
	# that it was renamed, or read, is no change
	mv "$H/files/f05" "$H/files/f5"
	touch -a "$H/files/f5"
	plan --older-than=10d
	[ "$(grep -v move <<<"$files")" = $'f02 recent\nf03 recent\nf04 recent' ]
	choose --older-than=3h
	[ "$files" = $'f01 move\nf02 recent\nf03 move\nf04 recent\nf06 move\nf5 move' ]
	plan --older-than=3h "$H/files/f02" "$H/files/f04"
	[ "$files" = $'f02 recent\nf04 recent' ]
	plan --older-than=1h "$H/files/f02"
	[ "$files" = "f02 move" ]
	run -6 e3defrag --older-than=10000d "$H"

	# only a part of it can be seen: the rest has no names
	cp --sparse=always "$T/aged" "$T/second"
	mount -t ext3 -o loop "$T/second" "$T/other"
	device=$(findmnt -n -o SOURCE "$T/other")
	mount --bind "$T/other/small" "$T/bind"
	umount "$T/other"
	plan --older-than=1h "$device"
	[ "$(grep -c '^<inode .*> nameless$' <<<"$files")" = 4 ]
	[ "$(grep -v nameless <<<"$files")" = $'f01 move\nf02 move' ]
	plan --exclude='*' "$device"
	[ "$(grep -c '^<inode .*> move$' <<<"$files")" = 4 ]
	[ "$(grep excluded <<<"$files")" = $'f01 excluded\nf02 excluded' ]
}

@test "--exclude: by any of a file's names, by a directory, by the path as it is shown" {
	# f01 and f02 are in small, too
	plan --exclude=small
	[ "$(grep -v move <<<"$files")" = $'f01 excluded\nf02 excluded' ]
	plan --exclude="$H/files" "$H/small"
	[ "$files" = $'f01 move\nf02 move' ]
	plan --exclude=./f06 --exclude=f05 "$H/files/f06"
	[ "$files" = "f06 excluded" ]
	cd "$H/files"
	plan --exclude="$H/files/f06" --exclude=./f05 .
	cd "$OLDPWD"
	[ "$(grep -v move <<<"$files")" = $'f05 excluded\nf06 excluded' ]
	choose --exclude=small/f02 --exclude="$H/*/f03" --exclude='f0[56]' --exclude=/files \
		--older-than=1h
	[ "$files" = $'f01 move\nf02 excluded\nf03 excluded\nf04 move\nf05 excluded\nf06 excluded' ]
}

@test "--exclude-from: each line but comments; a list that is wrong ends the run before it begins" {
	printf '%s\n' '# the boot loader'\''s' '' 'f0[1-3]' "$H/files/f04" >"$T/list"
	choose --exclude-from="$T/list" --exclude=f06
	[ "$(grep -v excluded <<<"$files")" = 'f05 move' ]
	[ "$(grep -c excluded <<<"$files")" = 5 ]
	echo 'f06 ' >>"$T/list"
	run -2 --separate-stderr e3defrag --exclude-from="$T/list" "$H"
	[ -z "$output" ]
	[[ $stderr == "e3defrag: $T/list: line 5 "* ]]
}
