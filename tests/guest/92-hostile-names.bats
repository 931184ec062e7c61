# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # bats sets $stderr
# Users choose how their directories are nested and named, when they are renamed, and who holds
# their locks. None of that decides whether a run ends, or whether the files of others are moved.

T=/tmp/hostile-names
load tool

setup_file() {
	use_tool
	export PATH="$PWD/build/tests/bin:$PATH"
	modprobe fuse
	chmod 666 /dev/fuse
	chmod 1777 /tmp
}

setup() {
	truncate -s 0 "$T/image"
	truncate -s 100M "$T/image"
	mke2fs -q -F -t ext3 -b 1024 -N 40000 "$T/image"
	mount_image
	mkdir "$H/others" "$H/user"
	chown 1000:1000 "$H/user"
	hostile deep "$H/others" 0
	holder=
}

teardown() {
	[ -z "$holder" ] || kill -9 "$holder" 2>/dev/null || :
	wait
	unmount_host
}

as_user() {
	setpriv --reuid 1000 --regid 1000 --clear-groups "$@"
}

# start COMMAND...: one of the user, which prints "ready" and stays.
start() {
	setpriv --reuid 1000 --regid 1000 --clear-groups "$@" 3>&- >"$T/started" 2>&1 &
	holder=$!
	for ((i = 0; i < 300; i++)); do
		[ "$(head -n 1 "$T/started")" != ready ] || return 0
		sleep 0.1
	done
	cat "$T/started"
	return 1
}

# The tests exclude what is not there: then a walk does not end before it has seen all names.

# What was done to the file of others: "improved", or nothing where it was left alone.
others() {
	jq -r '.filesystems[0].listed[] | select(.path | endswith("/others/bottom")) | .outcome' \
		"$T/json"
}

# The last time a process of the tool is seen; one that waits in the kernel may be left.
no_process_left() {
	for ((i = 0; i < 100; i++)); do
		pgrep -x e3defrag >/dev/null || return 0
		sleep 0.1
	done
	ps -eo pid,stat,wchan:30,args
	return 1
}

@test "30,000 nested directories: all others are done, what lies too deep has no name" {
	as_user hostile deep "$H/user" 30000
	run -0 --separate-stderr e3defrag -v --json="$T/json" "$H"
	echo "$stderr"
	[ "$(others)" = improved ]
	# told once, and not for each
	[ "$(wc -l <<<"$stderr")" = 1 ]
	[[ $stderr == *"$H: 1 directories were not searched"*"called by inode number"* ]]
	[ "$(jq '[.filesystems[0].listed[] | select(.outcome == "improved")] | length' \
		"$T/json")" = 2 ]
}

@test "30,000 nested directories: what may have an excluded name is left alone, no other" {
	as_user hostile deep "$H/user" 30000
	run -0 --separate-stderr e3defrag -v --exclude=not-there --json="$T/json" "$H"
	[ "$(others)" = improved ]
	[ "$(jq -r '[.filesystems[0].listed[] | select(.reason == "nameless")] | length' \
		"$T/json")" = 1 ]
	run -6 --separate-stderr e3defrag -v --json="$T/json" "$H/user"
	echo "$stderr"
	[[ $stderr == *"$H: 1 directories were not searched"*"not looked at"* ]]
}

@test "30 damaged directories: ten are told, and the rest in one line" {
	mkdir "$H/d"{1..30}
	for ((i = 1; i <= 30; i++)); do
		touch "$H/d$i/file"
	done
	umount "$H"
	for ((i = 1; i <= 30; i++)); do
		echo "sif /d$i block[0] 99999999"
	done >"$T/commands"
	debugfs -w -f "$T/commands" "$T/image" >/dev/null 2>&1
	mount_image
	run -1 --separate-stderr e3defrag -c --exclude=not-there "$H"
	echo "$stderr"
	# not one of them was left out of both numbers
	[ "$(grep -c "$H/d[0-9]*: can't read this directory: " <<<"$stderr")" = 10 ]
	[ "$(grep -c "$H: 20 more directories can't be read: " <<<"$stderr")" = 1 ]
	[ "$(grep -c "can't read its block map\|which is free" <<<"$stderr")" = 10 ]
	[ "$(grep -c "$H: 20 more files and directories have such errors" <<<"$stderr")" = 1 ]
	[ "$(wc -l <<<"$stderr")" = 22 ]
	# for the teardown, which wants a filesystem that is whole
	umount "$H"
	mke2fs -q -F -t ext3 "$T/image"
	mount_image
}

@test "a directory that is moved on whenever it is opened is walked once" {
	start hostile chase "$H/user" 60
	run -0 --separate-stderr e3defrag -v --exclude=not-there --json="$T/json" "$H"
	[ -z "$stderr" ]
	[ "$(others)" = improved ]
	kill "$holder"
	wait "$holder" || :
	holder=
	cat "$T/started"
	# to its end, which takes two calls
	[ "$(tail -n 1 "$T/started")" -le 2 ]
}

@test "a directory whose lock a user holds is passed over, and all others are done" {
	as_user mkdir "$H/user/held" "$H/user/held/below"
	start fuse_holder readdir "$H/user/held"
	SECONDS=0
	run -1 --separate-stderr timeout -k 5 100 e3defrag -v --exclude=not-there --json="$T/json" "$H"
	echo "$SECONDS s" "$stderr"
	[ "$SECONDS" -lt 60 ]
	[ "$(others)" = improved ]
	[ "$(wc -l <<<"$stderr")" = 1 ]
	[[ $stderr == *"$H/user/held: "*"of user 1000"* ]]
	no_process_left
}

@test "a held directory as a target: the run ends" {
	as_user mkdir "$H/user/held"
	start fuse_holder readdir "$H/user/held"
	run -1 --separate-stderr timeout -k 5 100 e3defrag --json="$T/json" "$H/user/held" "$H/others"
	echo "$stderr"
	[ "$(wc -l <<<"$stderr")" = 1 ]
	[ "$(others)" = improved ]
}

@test "a held directory: --time and SIGINT end the run all the same" {
	local pid

	as_user mkdir "$H/user/held"
	start fuse_holder readdir "$H/user/held"
	SECONDS=0
	run --separate-stderr timeout -k 5 60 e3defrag --time=5 --exclude=not-there "$H"
	echo "$SECONDS s" "$stderr"
	[ "$status" = 4 ]
	[ "$SECONDS" -lt 10 ]
	timeout -k 5 60 e3defrag --exclude=not-there "$H" 3>&- >"$T/out" 2>&1 &
	pid=$!
	sleep 4
	kill -INT "$pid"
	SECONDS=0
	status=0
	wait "$pid" || status=$?
	echo "$SECONDS s, status $status"
	cat "$T/out"
	[ "$status" = 4 ]
	[ "$SECONDS" -le 5 ]
	no_process_left
}

@test "a held directory: time for the others is left within --time" {
	as_user mkdir "$H/user/held"
	start fuse_holder readdir "$H/user/held"
	SECONDS=0
	run --separate-stderr timeout -k 5 60 e3defrag -v --time=20 --exclude=not-there \
		--json="$T/json" "$H"
	echo "$SECONDS s" "$stderr"
	[ "$SECONDS" -le 25 ]
	[ "$(others)" = improved ]
}
