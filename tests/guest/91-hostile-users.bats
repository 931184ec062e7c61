# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # bats sets $stderr
# What users do to files of their own, a run of e3defrag bears: it ends in its time, all files of
# others are done, and it says what it passed over. The requests themselves: 61-held-files.bats.

T=/tmp/hostile
load tool

setup_file() {
	use_tool
	modprobe fuse
	chmod 666 /dev/fuse
	chmod 1777 /tmp
	mount_aged aged 64M 6 512 -b 1024
	install -d -o 1000 -g 1000 "$H/home"
	fragment "$H/home/held"
	fragment "$H/home/held-too"
	chown 1000:1000 "$H/home"/*
	umount "$H"
}

# A file of 60 blocks in as many pieces, so that it comes first.
fragment() {
	local i

	for ((i = 59; i >= 0; i--)); do
		dd if=/dev/urandom of="$1" bs=1024 count=1 seek="$i" conv=notrunc,fdatasync \
			status=none
	done
}

setup() {
	mount_copy
	holders=()
}

teardown() {
	[ ${#holders[@]} = 0 ] || kill -9 "${holders[@]}" 2>/dev/null || :
	umount "$H" 2>/dev/null || :
}

# hold HOW PATH: user 1000 holds a lock of PATH until the test ends.
hold() {
	local line

	exec {out}< <(exec build/tests/bin/fuse_holder "$@" 3>&- 2>&1)
	holders+=($!)
	read -r -t 60 -u "$out" line
	echo "fuse_holder: $line"
	[ "$line" = ready ]
}

release() {
	kill -9 "${holders[@]}"
	holders=()
	# their files are closed when they are gone
	sleep 0.5
	unmount_host
}

# timed MOST COMMAND...: as run does, and ends within MOST seconds.
timed() {
	local start=${EPOCHREALTIME/./} ms

	run --separate-stderr "${@:2}"
	ms=$(((${EPOCHREALTIME/./} - start) / 1000))
	echo "status $status after $ms ms" "$output" "$stderr"
	[ "$ms" -le $(($1 * 1000)) ]
}

# All but the files of user 1000 are done.
others_are_done() {
	jq -e '[.filesystems[].files[] | select(.path | contains("/home/") | not) |
		select(.reason != "perfect" and .reason != null)] == []' "$T/json" ||
		jq . "$T/json"
}

@test "files whose locks are held for ever: the others are done, these are busy, --time holds" {
	hold write "$H/home/held"
	hold direct "$H/home/held-too"
	timed 25 e3defrag --time=20 --json="$T/json" "$H"
	[ "$status" = 1 ]
	jq . "$T/json" | head -60
	[[ $stderr == *"home/held: "*"busy"* ]]
	[[ $stderr == *"home/held-too: "*"busy"* ]]
	others_are_done
	release
}
