# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154,SC2030,SC2031 # bats sets $stderr; each test is a subshell
# What the users whose files are moved can do to each other: the time that their files take, and
# files that they keep busy.

T=/tmp/owners
load tool
STATE=$T/kept/state

setup_file() {
	use_tool
	modprobe ext3meta
	mkdir -p "$T/meta" "$T/kept"
	# so large that there is a run for each file, however the others are scattered
	truncate -s 512M "$T/empty"
	mke2fs -q -F -t ext3 -b 4096 "$T/empty"
}

setup() {
	mount_copy empty
	rm -f "$STATE"
	mkdir "$H/bad" "$H/good"
}

teardown() {
	unmount_host
}

# user_files DIRECTORY UID FIRST LAST BLOCKS PIECE: files of a user, each of so many blocks, in
# pieces of so many.
user_files() {
	local i

	for ((i = $3; i <= $4; i++)); do
		head -c $(($5 * 4096)) /dev/urandom >"$H/$1/f$i"
		chown "$2" "$H/$1/f$i"
	done
	sync -f "$H"
	mount -t ext3meta "$H" "$T/meta"
	for ((i = $3; i <= $4; i++)); do
		scatter "$H" "$T/meta" "$H/$1/f$i" "$i" "$6" >/dev/null
	done
	umount "$T/meta"
	sync -f "$H"
}

# How many files of the good user are in pieces.
waiting() {
	e3defrag -c --json=- --top=1000 "$H" | jq "[.filesystems[].listed[] |
		select((.path | contains(\"/good/\")) and .fragments > 1)] | length"
}

@test "one user's bad files don't take all of a run" {
	user_files bad 1000 1 96 64 4
	user_files good 1001 1 3 64 16
	[ "$(waiting)" = 3 ]
	# the last of all, by their scores
	run -0 e3defrag -n "$H"
	[[ $(grep '^would move' <<<"$output" | tail -n 3 | grep -c /good/) = 3 ]]
	run -4 --separate-stderr e3defrag --max-bytes=20M "$H"
	[ -z "$stderr" ]
	[ "$(waiting)" = 0 ]
	run -0 e3defrag "$H"
	[[ $output == *"fragmented files"*" 0"$'\n'* ]]
}

@test "one user's new bad files don't take all nights" {
	local night

	# nights that know nothing of each other
	user_files good 1001 1 3 64 16
	for night in 1 2 3; do
		user_files bad 1000 "${night}1" "${night}6" 64 4
		run -4 e3defrag --max-bytes=1M "$H"
	done
	[ "$(waiting)" = 3 ]
	# nights that do
	for night in 4 5 6; do
		user_files bad 1000 "${night}1" "${night}6" 64 4
		run -4 e3defrag --state="$STATE" --max-bytes=1M "$H"
		grep -q '^owner 1000 ' "$STATE"
	done
	[ "$(waiting)" = 0 ]
	# when all is done, nobody waits
	run -0 e3defrag --state="$STATE" "$H"
	run ! grep '^owner' "$STATE"
}

# What tells of files that moved, in their order.
moved_in_order() {
	sed -n "s|^$H/[a-z]*/\(f[0-9]*\): [0-9]* -> 1 fragments$|\1|p" <<<"$output" | tr '\n' ' '
}

# held VARIABLE=VALUE... -- ARGUMENT...: the tool, with a module that says that a file is busy.
held() {
	local set=()

	while [ "$1" != -- ]; do
		set+=("$1")
		shift
	done
	shift
	# what a signal is sent to is the tool itself
	exec env "${set[@]}" LD_PRELOAD="$PWD/build/tests/bin/held.so" defrag/e3defrag "$@"
}

three_files() {
	user_files bad 1000 1 1 64 1
	user_files bad 1000 2 2 64 2
	user_files bad 1000 3 3 64 4
	inode=$(stat -c %i "$H/bad/f1")
}

@test "a file that is busy is put off, and done when the others are" {
	three_files
	run -0 --separate-stderr held HELD="$inode" HELD_TIMES=1 HELD_MS=1200 -- -v "$H"
	[ -z "$stderr" ]
	[ "$(moved_in_order)" = "f2 f3 f1 " ]
}

@test "a file that stays busy is passed over, with one message, and costs some seconds" {
	local start

	three_files
	start=$SECONDS
	run -1 --separate-stderr held HELD="$inode" HELD_MS=2000 -- -v --json="$T/json" "$H"
	[ $((SECONDS - start)) -lt 20 ]
	[ "$stderr" = "e3defrag: $H/bad/f1: moving its data stopped: another program keeps it busy; \
the next run tries it again" ]
	[ "$(moved_in_order)" = "f2 f3 " ]
	[ "$(jq -r '.filesystems[].listed[] | select(.path | endswith("f1")) | .reason' \
		"$T/json")" = busy ]
	# the same of a plan
	user_files bad 1000 4 4 64 2
	run -0 e3defrag --plan="$T/plan" "$H"
	run -1 --separate-stderr held HELD="$inode" -- --apply="$T/plan" -v
	echo "$output" "$stderr"
	[[ $stderr == *"/bad/f1: moving its data stopped: another program keeps it busy;"* ]]
	[ "$(wc -l <<<"$stderr")" = 1 ]
	[ "$(moved_in_order)" = "f4 " ]
	run -0 held HELD="$inode" HELD_TIMES=1 HELD_MS=1200 -- --apply="$T/plan"
}

@test "while the filesystem is frozen a run waits, and ends within 5 s if it is told to" {
	local pid start

	three_files
	touch "$T/frozen"
	held FROZEN="$T/frozen" -- "$H" >"$T/out" 2>"$T/err" 3>&- &
	pid=$!
	sleep 5
	kill -0 $pid
	start=$SECONDS
	kill -INT $pid
	status=0
	wait $pid || status=$?
	[ $((SECONDS - start)) -le 5 ]
	[ "$status" = 4 ]
	grep -q '^Stopped by a signal' "$T/out"
	[ ! -s "$T/err" ]

	held FROZEN="$T/frozen" -- "$H" >"$T/out" 2>"$T/err" 3>&- &
	pid=$!
	sleep 5
	kill -0 $pid
	rm "$T/frozen"
	wait $pid
	[ ! -s "$T/err" ]
	[ "$(waiting)" = 0 ]
}
