# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2030,SC2031 # each test is a subshell of its own, and wants to be
# Which files are moved, and on which filesystems: what each option of choosing does.

T=/tmp/choice
load tool

setup_file() {
	use_tool
	mkdir -p "$T/other" "$T/bind"
	mount_aged aged 24M 6 1024 -b 1024
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
	mount_copy
}

teardown() {
	[ -z "${pid:-}" ] || kill -9 "$pid" 2>/dev/null || :
	unmount_all
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

# FILE as another filesystem, with a file in two pieces, mapped by blocks
make_other() {
	truncate -s 8M "$1"
	mke2fs -q -F "${@:2}" "$1"
}

@test "--all: each filesystem once, and none that can't be worked on" {
	mkdir -p "$T/small" "$T"/{without,extents,readonly,empty}
	mount --bind "$H" "$T/bind"
	mount --bind "$H/small" "$T/small"
	make_other "$T/without.img" -t ext4 -O ^has_journal,^extents,^64bit
	mount -o loop "$T/without.img" "$T/without"
	make_other "$T/extents.img" -t ext4
	mount -o loop "$T/extents.img" "$T/extents"
	echo x | tee "$T/without/file" >"$T/extents/file"
	cp --sparse=always "$T/aged" "$T/second"
	mount -t ext3 -o loop,ro "$T/second" "$T/readonly"
	run -0 --separate-stderr e3defrag -c --all --json="$T/json"
	[ -z "$stderr" ]
	[ "$(jq -r '.filesystems[].mountpoint' "$T/json")" = "$H" ]
	run -0 --separate-stderr e3defrag --all --json="$T/json"
	[ -z "$stderr" ]
	[[ $output == /dev/*" on $H, "* ]]
	[[ $output != *"left out"* ]]
	[ "$(jq -r '.filesystems[] | .mountpoint, .whole, .after.fragmented_files' "$T/json")" = \
		"$H"$'\ntrue\n0' ]
	run -6 --separate-stderr e3defrag --all -v
	[ -z "$stderr" ]
	[[ $output == *"$T/without: left out: the filesystem has no journal"* ]]
	[[ $output == *"$T/extents: left out: no file on it is mapped by blocks"* ]]
	[[ $output == *"$T/readonly: left out: mounted read-only"* ]]
	[ "$(grep -c "left out" <<<"$output")" = 3 ]
	# none is left that could be worked on
	umount "$T/bind" "$T/small" "$H"
	run -6 --separate-stderr e3defrag --all
	[ -z "$stderr" ]
	[ "$output" = "No ext3 filesystem is mounted here that e3defrag can work on." ]
	run -0 e3defrag --all -c
}

@test "--all: one that fails stops no other, and only the one at work is held" {
	cp --sparse=always "$T/image" "$T/second"
	debugfs -w -R "sif /files/f04 block[0] 99999999" "$T/second"
	umount "$H"
	mount -t ext3 -o loop "$T/second" "$T/other"
	mount_image
	run -3 --separate-stderr e3defrag --all --json="$T/json"
	[[ $stderr == *"$T/other: is damaged"* ]]
	[ "$(jq -c '[.filesystems[] | .status]' "$T/json")" = "[3,0]" ]

	umount "$T/other"
	umount "$H"
	mount_copy
	cp --sparse=always "$T/aged" "$T/second"
	mount -t ext3 -o loop "$T/second" "$T/other"
	e3defrag --all --bwlimit=64K >"$T/text" 2>&1 3>&- &
	pid=$!
	until grep -q "on $H," "$T/text"; do
		sleep 0.1
	done
	run umount "$H"
	[ "$status" != 0 ]
	umount "$T/other"
	kill -INT "$pid"
	status=0
	wait "$pid" || status=$?
	cat "$T/text"
	[ "$status" = 4 ]
}
