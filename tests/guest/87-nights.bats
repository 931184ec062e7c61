# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154,SC2030,SC2031 # night sets some by eval; each test is a subshell
# --state: night after night, each run goes on where the last one stopped, and what is moved too
# often cools down.

T=/tmp/nights
load tool
STATE=$T/kept/state

setup_file() {
	local name

	use_tool
	mkdir -p "$T/a" "$T/b" "$T/c" "$T/meta" "$T/kept"
	mount_aged aged 12M 4 512 -b 1024 -J size=1
	umount "$H"
	modprobe ext3meta
	for name in a b c; do
		cp --sparse=always "$T/aged" "$T/$name.img"
		tune2fs -U random "$T/$name.img"
		mount -t ext3 -o loop,noatime "$T/$name.img" "$T/$name"
	done
}

teardown_file() {
	local name

	for name in a b c; do
		umount "$T/$name"
		e2fsck -fn "$T/$name.img"
	done
}

# night STATUS|STATUS ARGUMENT...: a run. What came of it is in $moved (blocks), $turns (of the
# filesystems, a letter each), $last (the status of the last of them), $files (that were moved),
# $left (in pieces) and $reasons.
night() {
	local statuses=$1

	shift
	run --separate-stderr e3defrag --state="$STATE" --json="$T/json" "$@"
	[ -z "$stderr" ] || echo "$stderr"
	eval "$(jq -r '.filesystems | @sh "
		moved=\([.[].moved_blocks] | add)
		turns=\([.[].mountpoint | split("/")[-1]] | join(""))
		last=\(.[-1].status)
		files=\([.[].listed[] | select(.moves > 0)] | length)
		left=\([.[].after.fragmented_files] | add)
		reasons=\([.[].left_alone[].reason] | unique | join(" "))"' "$T/json")"
	echo "# $(date +'%F %T') $status: $moved moved, $files files, turns $turns $last;" \
		"$left left: $reasons"
	[[ "|$statuses|" == *"|$status|"* ]]
}

# Blocks of files that are in pieces.
blocks_in_pieces() {
	e3defrag -c --json=- --top=1000 "$@" | jq '[.filesystems[].listed[].blocks] | add'
}

# fragment NAME FILE SEED [BLOCKS]: a user that leaves it in pieces (of 8).
fragment() {
	mount -t ext3meta "$T/$1" "$T/meta"
	scatter "$T/$1" "$T/meta" "$T/$1/files/$2" "$3" "${4:-8}" >/dev/null
	umount "$T/meta"
	sync -f "$T/$1"
}

# begin_with NAME: nothing is known, and nothing on it is in pieces.
begin_with() {
	rm -f "$STATE"
	run -0 e3defrag -c "$T/$1"
	[[ $output == *", fragmented 0"* ]] || e3defrag "$T/$1"
}

later() { # DAYS [SECONDS]
	date -s "@$(($(date +%s) + $1 * 86400 + ${2:-0}))" >/dev/null
}

# What is kept, without the times of the runs.
kept() {
	sed 's/^\(filesystem [^ ]*\) [^ ]* [^ ]*/\1/' "$STATE"
}

@test "nights with a budget: each begins where the last one stopped, and no move is wasted" {
	local nights=0 sum=0 stops=0 wanted before='' status=4

	wanted=$(blocks_in_pieces "$T/a" "$T/b" "$T/c")
	[ "$wanted" -gt 4000 ]
	while [ "$status" = 4 ]; do
		[ $((nights += 1)) -le 12 ]
		night "0|4" --max-bytes=1200K "$T/a" "$T/b" "$T/c"
		[[ $turns == "$before"* ]]
		before=''
		[ "$last" != 4 ] || before=${turns: -1}
		sum=$((sum + moved))
		stops=$((stops + (status == 4)))
		if [ $nights = 2 ]; then
			# Some of it is gone, and some comes anew.
			rm "$T/b/files/f04"
			fragment c f01 5
			cp "$T/c/files/f01" "$T/b/files/new"
			wanted=$((wanted + 515))
		fi
		later 1
	done
	[ "$nights" -ge 4 ]
	[ "$left" = 0 ]
	# A file that a night ends in is moved once more.
	echo "# $sum of $wanted blocks moved in $nights nights"
	[ "$sum" -le $((wanted + stops * 515)) ]

	# The second week, and the third: nothing changed, nothing is done.
	before=$(kept)
	night 6 --max-bytes=1200K "$T/a" "$T/b" "$T/c"
	[ "$moved" = 0 ]
	later 3
	night 6 "$T/a" "$T/b" "$T/c"
	[ "$moved" = 0 ]
	later 30
	night 6 "$T/a" "$T/b" "$T/c"
	[ "$moved" = 0 ]
	# What mattered for a while is forgotten.
	[ "$(kept)" != "$before" ]
	[ "$(tail -n 1 "$STATE")" = "end 0" ]
}

@test "a run that is killed: the next one begins there; two at once: the second is refused" {
	local pid before

	fragment b f01 11
	fragment b f02 12
	e3defrag --state="$STATE" --bwlimit=64K "$T/b" >"$T/out" 3>&- &
	pid=$!
	until grep -q '^Longest run' "$T/out"; do
		kill -0 $pid
		sleep 0.1
	done
	night 3 "$T/a" "$T/b" "$T/c"
	[ "$stderr" = "e3defrag: $STATE: can't be used as a state file: another run uses it" ]
	[ -z "$turns" ]
	# Who only looks is not in the way.
	run -0 e3defrag -c --state="$STATE" "$T/b"
	kill -9 $pid
	wait $pid || :
	night 0 "$T/a" "$T/b" "$T/c"
	[[ $turns == b?? ]]
	before=$turns
	# All were complete: it goes round.
	night 6 "$T/a" "$T/b" "$T/c"
	[ "$turns" = "$before" ]
}

@test "a file that is in pieces again and again cools down, longer each time, and is moved then" {
	local days seed=20

	begin_with a
	fragment a f01 $seed
	night 0 "$T/a"
	for days in 1 2 4; do
		fragment a f01 $((seed += 1))
		later $days -600
		night 6 "$T/a"
		[[ $reasons == *cool-down* ]]
		[[ $output == *"cooling down: it was moved recently"* ]]
		[ "$moved" = 0 ]
		later 0 1200
		night 0 "$T/a"
		[ "$moved" -ge 515 ]
		[ "$left" = 0 ]
	done
	[[ $(grep '^moved' "$STATE") =~ ^moved\ [0-9:]+\ 4\ [0-9]+\ 1\ 0$ ]]

	# The reports tell it, too, and write nothing; without a state nobody cares.
	fragment a f01 $((seed += 1))
	cp "$STATE" "$T/before"
	run -0 e3defrag -c --state="$STATE" "$T/a"
	[[ $output == *"cooling down"* ]]
	run -0 e3defrag -n --state="$STATE" "$T/a"
	[[ $output == *"Files to move: 0"*"cooling down"* ]]
	run -0 e3defrag -n "$T/a"
	[[ $output == *"Files to move: 1"* ]]
	cmp "$STATE" "$T/before"

	# The clock was wrong all the time: it waits as long as from now.
	later -3000
	night 6 "$T/a"
	[[ $reasons == *cool-down* ]]
	later 8
	night 0 "$T/a"
}

@test "a file larger than a night is gone on with once, and then others have their turn" {
	local name size

	# In two pieces it goes back each time, for three would be worse.
	fill "$T/c/files/two" 8192 1
	for name in two f01; do
		begin_with c
		fragment c $name 31 4
		size=200
		[ $name = f01 ] || size=2
		night 4 --max-bytes=${size}K "$T/c"
		[ "$files" = $((size > 2)) ]
		later 1
		night 4 --max-bytes=${size}K "$T/c"
		later 0 80000
		night 6 --max-bytes=${size}K "$T/c"
		[ "$reasons" = "cool-down empty perfect" ]
	done
	fragment c f02 32
	night 4 --max-bytes=200K "$T/c"
	[ "$files" = 1 ]
	later 0 7000
	night 0 "$T/c"
	[ "$left" = 0 ]
}

@test "files that had to be left in pieces are not moved again, neither whole nor in parts" {
	local seed i

	begin_with c
	for seed in 1 2 3; do
		for i in 1 2 3 4; do
			fragment c f0$i $((40 + 7 * seed + i))
		done
		comb "$T/c/filler" $((560 << 10)) $seed
		# else it is moved out of the way, in parts
		chattr +i "$T/c/filler"
		night 0 "$T/c"
		[ "$left" -ge 3 ]
		night 6 "$T/c"
		[ "$moved" = 0 ]
		[[ $reasons == *no-better* ]]
		chattr -i "$T/c/filler"
		rm "$T/c/filler" "$STATE"
	done
}

@test "what was tried in vain is not tried again while nothing has changed" {
	local drop=(setpriv --bounding-set -sys_resource --inh-caps -sys_resource)

	begin_with a
	# Each block that the map shows as free is kept for somebody else.
	fragment a f02 41
	umount "$T/a"
	tune2fs -u 1000 -r 6000 "$T/a.img"
	mount -t ext3 -o loop,noatime "$T/a.img" "$T/a"
	dd if=/dev/zero of="$T/a/filler" bs=1K count=$(($(stat -f -c %f "$T/a") - 5800))
	sync -f "$T/a"
	run -6 "${drop[@]}" e3defrag --state="$STATE" --json="$T/json" "$T/a"
	[[ $output == *"2  not enough free space"* ]]
	grep '^vain .* 1 [0-9]* [0-9]* 515 [0-9]*$' "$STATE"
	cp "$STATE" "$T/before"
	later 9
	run -6 "${drop[@]}" e3defrag --state="$STATE" --json="$T/json" "$T/a"
	[[ $output == *"2  no better place in the free space"* ]]
	diff <(grep -v filesystem "$T/before") <(grep -v filesystem "$STATE")
	# Other free space.
	rm "$T/a/filler"
	later 1
	night 0 "$T/a"
	[ "$left" = 0 ]
}

# refused MESSAGE: nothing is done.
refused() {
	run -3 --separate-stderr e3defrag --state="$STATE" "$T/b"
	[ "$stderr" = "e3defrag: $STATE: can't be used as a state file: $1" ]
	[ -z "$output" ]
}

@test "a file that others could write to, or in such a folder, is refused" {
	rm -f "$STATE"
	touch "$T/elsewhere"
	ln -s "$T/elsewhere" "$STATE"
	refused "it is a symbolic link"
	[ ! -s "$T/elsewhere" ]
	rm -f "$STATE"
	mkfifo "$STATE"
	refused "it is not a regular file"
	rm -f "$STATE"
	touch "$STATE"
	chown 1000 "$STATE"
	refused "it belongs to another user"
	chown 0 "$STATE"
	chmod 602 "$STATE"
	refused "it is writable by others"
	chmod 620 "$STATE"
	refused "it is writable by others"
	chmod 600 "$STATE"
	chmod 1777 "$T/kept"
	refused "its folder is writable by others"
	chmod 755 "$T/kept"
	chown 1000 "$T/kept"
	refused "its folder belongs to another user"
	chown 0 "$T/kept"
	[ ! -s "$STATE" ]
	run -5 --separate-stderr e3defrag --state="$T/none/state" "$T/b"
	[ "$stderr" = "e3defrag: $T/none/state: can't open its folder: No such file or directory" ]
	run -0 e3defrag -c --state="$T/none/state" "$T/b"
	night "0|6" "$T/b"
	[ "$(stat -c '%a %u' "$STATE")" = "600 0" ]
}

@test "a damaged state, or one of another version, is told and begun anew" {
	local good

	begin_with b
	night 6 "$T/b"
	good=$(head -c 60 "$STATE")
	printf '%s' "$good" >"$STATE"
	night 6 "$T/b"
	[ "$stderr" = "e3defrag: $STATE: is damaged in line 2: starting with an empty state" ]
	night 6 "$T/b"
	[ -z "$stderr" ]
	echo "e3defrag state 2" >"$STATE"
	night 6 "$T/b"
	[ "$stderr" = "e3defrag: $STATE: is of another version: starting with an empty state" ]
	truncate -s 200M "$STATE"
	night 6 "$T/b"
	[ "$stderr" = "e3defrag: $STATE: is too long for a state: starting with an empty one" ]
	[ "$(tail -n 1 "$STATE")" = "end 0" ]
}

@test "one that can't be written: 5, and what was there stays; the run goes on" {
	begin_with b
	fragment b f01 51
	mkdir "$T/full"
	mount -t tmpfs -o size=8k,mode=755 none "$T/full"
	echo "e3defrag state 2" >"$T/full/state"
	head -c 8192 /dev/zero >"$T/full/rest" || :
	run -5 --separate-stderr e3defrag --state="$T/full/state" "$T/b"
	[[ $stderr == *"e3defrag: $T/full/state: can't write it: No space left on device"* ]]
	[[ $output == *"Files improved: 1,"* ]]
	[ "$(cat "$T/full/state")" = "e3defrag state 2" ]
	[ "$(cd "$T/full" && echo .[!.]* *)" = ".[!.]* rest state" ]
	umount "$T/full"
}

@test "--state alone: its own folder, which nobody else can look into; TARGET is no FILE" {
	[ ! -e /var/lib/e3defrag ]
	run -0 e3defrag -c --state "$T/b"
	[ ! -e /var/lib/e3defrag ]
	run e3defrag --state "$T/b"
	[[ $status == [06] ]]
	[ "$(stat -c '%a %u' /var/lib/e3defrag /var/lib/e3defrag/state)" = "700 0"$'\n'"600 0" ]
	rm -r /var/lib/e3defrag
}
