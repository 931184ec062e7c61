# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2030,SC2031 # each test is a subshell of its own, and wants to be
# shellcheck disable=SC2034 # columns that no test looks at
# e3defrag against a kernel: what it takes as a target, what it says, how it ends.

T=/tmp/tool
load tool

# An aged filesystem of 1 KiB blocks, made once: files f01 to f06 of 1 MiB, and small ones.
setup_file() {
	use_tool
	mount_aged aged 24M 6 1024 -b 1024
	# A file with two names is shown by the one that its directory's hash happens to give first.
	rm "$H/files/f02-too" "$H/small/hard-link"
	umount "$H"
}

setup() {
	cp --sparse=always "$T/aged" "$T/image"
	device=$(losetup --find --show "$T/image")
}

teardown() {
	[ -z "${pid:-}" ] || kill -9 "$pid" 2>/dev/null || :
	umount -R "$H" 2>/dev/null || :
	losetup -d "$device"
}

mount_host() {
	mount -t "${1:-ext3}" -o "${2:-defaults}" "$device" "$H"
}

# The line of a file in the report that was just printed: its columns in $now, $best and so on.
row() {
	local line=${output%%"  $1"$'\n'*}
	[ "$line" != "$output" ]
	read -r now best fiemap score _ <<<"${line##*$'\n'}"
}

# Start the tool in the background; it has made its first move when this returns.
start() {
	local lines=()
	: >"$T/out"
	e3defrag -v --json="$T/json" "$H" >"$T/out" 2>&1 3>&- &
	pid=$!
	until [[ "${lines[*]}" == *" -> "* ]]; do
		kill -0 "$pid"
		mapfile -t lines <"$T/out"
	done
}

@test "--check tells fragments and extents as they are on the disk, and moves nothing" {
	local inode data ind1 ind2 ind3 fragments extents other name files=0
	mount_host
	run -0 --separate-stderr e3defrag -cv "$H"
	[ -z "$stderr" ]
	first=$output
	run -0 e3defrag -cv "$H"
	[ "$output" = "$first" ]
	find "$H" -xdev -type f -printf '%i %p\n' >"$T/names"
	unmount_host
	while read -r inode data ind1 ind2 ind3 fragments extents; do
		[[ $inode =~ ^[0-9]+$ && $fragments != 0 ]] || continue
		# a file with two names goes by one of them
		while read -r other name; do
			if [ "$other" = "$inode" ] && [[ $output$'\n' == *"  $name"$'\n'* ]]; then
				row "$name"
				break
			fi
		done <"$T/names"
		echo "# $inode $name: $now $fiemap, on the disk $fragments $extents"
		[ "$now" = "$fragments" ]
		[ "$fiemap" = "$extents" ]
		files=$((files + 1))
	done < <(fragcount "$T/image")
	[ "$files" -ge 8 ]
}

@test "a module that gives many inodes a read and one that doesn't: the same report" {
	local directory

	mount_host
	for directory in "$H" "$H/files" "$H/small/13-blocks"; do
		run -0 --separate-stderr defrag/e3defrag -cv "$directory"
		[ -z "$stderr" ]
		first=$output
		export LD_PRELOAD=$PWD/build/tests/bin/fewer.so
		run -0 --separate-stderr defrag/e3defrag -cv "$directory"
		unset LD_PRELOAD
		[ -z "$stderr" ]
		[ "$output" = "$first" ]
	done
	# a directory of many files, of which a read gives more than are wanted
	mkdir "$H/many" "$H/others"
	for i in {1..300}; do
		echo "$i" >"$H/many/$i"
		echo "$i" >"$H/others/$i"
	done
	rm "$H"/many/*3
	run -0 --separate-stderr defrag/e3defrag -cv "$H/many"
	first=$output
	[ -z "$stderr" ]
	[ "$(grep -c "  $H/many/" <<<"$first")" = 270 ]
	[[ $first != *others* ]]
	LD_PRELOAD=$PWD/build/tests/bin/fewer.so run -0 defrag/e3defrag -cv "$H/many"
	[ "$output" = "$first" ]
	unmount_host
}

@test "the whole filesystem: one fragment a file, the disk agrees, and then nothing moves" {
	mount_host ext4
	run -0 --separate-stderr e3defrag "$device"
	[ -z "$stderr" ]
	[[ $output == *"fragmented files"*" 0"$'\n'* ]]
	# nothing more to do
	run -6 --separate-stderr e3defrag "$H"
	[ -z "$stderr" ]
	[[ $output == *"Blocks moved: 0 "* ]]
	unmount_host
	while read -r inode data ind1 ind2 ind3 fragments extents; do
		[[ $inode =~ ^[0-9]+$ ]] || continue
		echo "# $inode $fragments"
		[ "$fragments" -le 1 ]
	done < <(fragcount "$T/image")
}

@test "--dry-run says where to and moves nothing" {
	mount_host
	run -0 e3defrag -cv "$H"
	before=$output
	run -0 e3defrag -n "$H"
	[[ $output == *"would move $H/files/f04: "*" -> 1 fragments, "*" blocks to "* ]]
	run -0 e3defrag -cv "$H"
	[ "$output" = "$before" ]
	unmount_host
}

@test "a file: that one alone" {
	mount_host
	run -0 e3defrag "$H/files/f06"
	[[ $output == *"Files improved: 1, "* ]]
	run -0 e3defrag -cv "$H"
	row "$H/files/f06"
	[ "$now" = 1 ]
	[ "$score" = 0 ]
	row "$H/files/f03"
	[ "$now" -gt 20 ]
	unmount_host
}

@test "a directory: what is below it, hard links once, nothing that is mounted inside" {
	mount_host
	mkdir "$H/files/inside"
	mount -t tmpfs none "$H/files/inside"
	echo foreign >"$H/files/inside/foreign"
	ln "$H/files/f01" "$H/files/again"
	ln -s "$H/small" "$H/files/symlink"
	run -0 e3defrag -cv "$H/files"
	[ "$(grep -cE "  $H/files/(f01|again)\$" <<<"$output")" = 1 ]
	[[ $output != *foreign* ]]
	[[ $output != *"$H/small/"* ]]
	row "$H/files/f04"
	umount "$H/files/inside"
	unmount_host
}

@test "a device means all, also what a mount hides; a bind mount; several targets" {
	mount_host
	mkdir "$H/covered"
	echo there >"$H/covered/hidden"
	mount -t tmpfs none "$H/covered"
	run -0 e3defrag -cv "$device"
	row "$H/covered/hidden"
	[ "$now" = 1 ]
	umount "$H/covered"

	# a bind mount of a directory is a directory
	mkdir -p "$T/bind"
	mount --bind "$H/small" "$T/bind"
	run -0 e3defrag -cv "$T/bind"
	umount "$T/bind"
	[[ $output == *"  $T/bind/13-blocks"* ]]
	[[ $output != *f04* ]]

	# several targets on one filesystem are one run
	run -0 e3defrag -cv "$H/files/f04" "$H/files" "$H/files/f04"
	[ "$(grep -c "^Score" <<<"$output")" = 1 ]
	[ "$(grep -cE "  $H/files/f04\$" <<<"$output")" = 1 ]
	unmount_host
}

@test "a device that isn't mounted: 3, with what it holds" {
	run -3 --separate-stderr e3defrag "$device"
	[ -z "$output" ]
	[[ $stderr == "e3defrag: $device: is not mounted; it holds ext3: "* ]]
}

@test "mounted read-only: 3, but a report" {
	mount_host ext3 ro
	run -3 --separate-stderr e3defrag "$H"
	[ -z "$output" ]
	[[ $stderr == *"read-only"* ]]
	run -0 e3defrag -c "$H"
	[[ $output == *"mounted read-only"* ]]
	unmount_host
}

@test "each file left alone has its reason: immutable, no journal, extents" {
	mount_host
	chattr +i "$H/files/f06"
	run -0 e3defrag -v "$H"
	[[ $output == *"  immutable"$'\n'"            $H/files/f06"* ]]
	chattr -i "$H/files/f06"
	unmount_host

	tune2fs -O ^has_journal "$T/image"
	mount_host ext4
	run -6 e3defrag -v "$H/files/f06"
	[[ $output == *"the filesystem has no journal"$'\n'"            $H/files/f06"* ]]
	unmount_host

	mke2fs -q -F -t ext4 "$T/image"
	mount_host ext4
	echo text >"$H/extents"
	run -6 e3defrag -v "$H"
	[[ $output == *"mapped by extents"*$'\n'"            $H/extents"* ]]
	unmount_host
}

# block FILE LOGICAL: where it lies, by the unmounted image.
block() {
	debugfs -R "bmap $1 $2" "$T/image" 2>/dev/null
}

@test "files that share a block, with a file, a directory or itself, stay where they are" {
	local shared directory own before

	shared=$(block files/f05 30)
	directory=$(block small 0)
	own=$(debugfs -R "stat files/f06" "$T/image" 2>/dev/null | grep -o '(IND):[0-9]*' | head -n 1)
	own=${own#*:}
	debugfs -w -f - "$T/image" <<-EOF
	sif files/f03 block[3] $shared
	sif files/f04 block[3] $directory
	sif files/f06 block[3] $own
	EOF
	before=$(fragcount --map "$T/image" files/f03 files/f04 files/f05 files/f06)
	mount_host
	run -1 --separate-stderr e3defrag -v "$H"
	echo "$stderr"
	[[ $stderr == *"/files/f03: shares block $shared with inode "*": run e2fsck"* ]]
	[[ $stderr == *"/files/f05: shares block $shared with inode "*": run e2fsck"* ]]
	[[ $stderr == *"/files/f04: shares block $directory with inode "* ]]
	[[ $stderr == *"/files/f06: has block $own twice: run e2fsck"* ]]
	[[ $output == *"  shares blocks with another file: run e2fsck"$'\n'* ]]
	# the others go
	row "$H/files/f02"
	[ "$now" -gt 1 ]
	run -1 e3defrag -cv "$H"
	row "$H/files/f02"
	[ "$now" = 1 ]
	umount "$H"
	[ "$(fragcount --map "$T/image" files/f03 files/f04 files/f05 files/f06)" = "$before" ]
	[ "$(block small 0)" = "$directory" ]
}

@test "a block map that makes no sense: 3, nothing moves before e2fsck, but a report" {
	local before

	debugfs -w -R "sif files/f06 block[3] 99999999" "$T/image"
	before=$(fragcount --map "$T/image" files/f03 files/f04)
	mount_host ext3 errors=continue
	run -3 --separate-stderr e3defrag "$H"
	[[ $stderr == *"$H/files/f06: can't read its block map: Structure needs cleaning"* ]]
	[[ $stderr == *"$H: is damaged: nothing is moved before e2fsck has repaired it"* ]]
	run -1 e3defrag -c "$H"
	[[ $output == *"/files/f03"* ]]
	umount "$H"
	[ "$(fragcount --map "$T/image" files/f03 files/f04)" = "$before" ]
}

@test "a file with a block that is free: 3, nothing moves before e2fsck, but a report" {
	local free before first per group count

	free=$(block files/f06 30)
	read -r first per < <(dumpe2fs -h "$T/image" 2>&1 |
		awk '/^First block:/ { first = $3 } /^Blocks per group:/ { print first, $4 }')
	group=$(((free - first) / per))
	count=$(debugfs -R stats "$T/image" 2>&1 | tr '\n' ' ' |
		sed -E "s/.* Group +$group: [^G]* ([0-9]+) free blocks.*/\1/")
	# ext4 gives nothing out of a group whose counts are wrong
	debugfs -w -f - "$T/image" <<-EOF
	freeb $free
	set_bg $group free_blocks_count $((count + 1))
	EOF
	before=$(fragcount --map "$T/image" files/f03 files/f04 files/f06)
	mount_host
	run -3 --separate-stderr e3defrag "$H"
	[[ $stderr == *"/files/f06: has block $free, which is free: run e2fsck"* ]]
	[[ $stderr == *"$H: is damaged: nothing is moved before e2fsck has repaired it"* ]]
	run -3 --separate-stderr e3defrag "$H/files/f06"
	run -1 e3defrag -c "$H"
	[[ $output == *"/files/f03"* ]]
	umount "$H"
	[ "$(fragcount --map "$T/image" files/f03 files/f04 files/f06)" = "$before" ]
}

# interleave A B KIB TIMES: two files that get so much each in turn.
interleave() {
	local i file
	for ((i = 0; i < $4; i++)); do
		for file in "$1" "$2"; do
			dd if=/dev/urandom of="$file" bs="$3K" count=1 oflag=append \
				conv=notrunc,fsync status=none
		done
	done
}

@test "--min-fragment-size leaves files of long pieces alone, and moves those of short ones" {
	local long
	mke2fs -q -F -t ext3 -b 4096 "$T/image"
	mount_host
	interleave "$H/long" "$H/too" 256 8
	interleave "$H/short" "$H/likewise" 8 30
	run -0 e3defrag -cv "$H"
	row "$H/long"
	long=$now
	[ "$long" -ge 6 ]
	[ "$long" -le 16 ]
	row "$H/short"
	[ "$now" -ge 20 ]

	run -0 e3defrag -cv --min-fragment-size=16K "$H"
	[[ $output == *"  fragments long enough"$'\n'"            $H/long"$'\n'* ]]
	run -0 e3defrag -n --min-fragment-size=16K "$H"
	[[ $output == *"would move $H/short: "* ]]
	[[ $output != *"would move $H/long: "* ]]
	run -0 e3defrag -v --min-fragment-size=16K "$H"
	[[ $output == *"Files improved: 2, "* ]]
	[[ $output == *" 2  fragments long enough"$'\n'"            $H/long"$'\n'* ]]
	run -0 e3defrag -cv "$H"
	row "$H/long"
	[ "$now" = "$long" ]
	row "$H/short"
	[ "$now" = 1 ]

	# For a larger SIZE they are short, and without one all that is in pieces moves
	run -0 e3defrag -c --min-fragment-size=1M "$H"
	[[ $output != *"fragments long enough"* ]]
	run -0 e3defrag "$H"
	[[ $output == *"Files improved: 2, "* ]]
	unmount_host
}

@test "a full disk stops nothing and has its reason" {
	mount_host
	dd if=/dev/zero of="$H/full" bs=64k 2>/dev/null || :
	run -6 --separate-stderr e3defrag "$H"
	[ -z "$stderr" ]
	[[ $output == *"not enough free space"* ]]
	rm "$H/full"
	run -0 e3defrag "$H"
	[[ $output == *"Files improved: "[1-9]* ]]
	unmount_host
}

@test "SIGINT, SIGTERM: the step in hand is finished, the report comes, the status is 4" {
	for signal in INT TERM; do
		cp --sparse=always "$T/aged" "$T/image"
		mount_host
		start
		# which is no reason to end
		kill -USR1 "$pid"
		kill -"$signal" "$pid"
		status=0
		wait "$pid" || status=$?
		cat "$T/out"
		[ "$status" = 4 ]
		run -0 cat "$T/out"
		[[ $output == *"Stopped by a signal."* ]]
		[ "$(jq -r .stopped "$T/json")" = signal ]
		python3 -W ignore -m jsonschema -i "$T/json" man/e3defrag-report.schema.json
		[[ $output == *"not finished when the run was stopped"* ]]
		unmount_host
	done
}

@test "killed: nothing stays behind" {
	mount_host
	start
	kill -9 "$pid"
	status=0
	wait "$pid" || status=$?
	[ "$status" = 137 ]
	[ "$(grep -c ext3meta /proc/self/mounts)" = 0 ]
	unmount_host
	rmmod ext3meta
}

@test "while it runs the filesystem can't be unmounted" {
	mount_host
	start
	kill -STOP "$pid"
	run ! umount "$H"
	kill -CONT "$pid"
	wait "$pid"
	unmount_host
}

@test "the module is loaded where it is missing, by modprobe, and by nothing else" {
	mount_host
	rmmod ext3meta 2>/dev/null || :
	# what the caller's environment says of modprobe is not heard
	mkdir -p "$T/bin"
	printf '#!/bin/sh\ntouch %s/called\n' "$T" >"$T/bin/modprobe"
	chmod 755 "$T/bin/modprobe"
	PATH=$T/bin:$PATH MODPROBE_OPTIONS=--dry-run run -0 --separate-stderr e3defrag -c "$H"
	[ -z "$stderr" ]
	[ ! -e "$T/called" ]
	[ -d /sys/module/ext3meta ]
	umount "$H"
}

@test "modprobe is not run where the module is there" {
	local modprobe

	modprobe=$(readlink -f /sbin/modprobe)
	mount_host
	modprobe ext3meta
	printf '#!/bin/sh\ntouch %s/called\n' "$T" >"$T/other"
	chmod 755 "$T/other"
	mount --bind "$T/other" "$modprobe"
	run e3defrag -c "$H"
	umount "$modprobe"
	[ "$status" = 0 ]
	[ ! -e "$T/called" ]
	umount "$H"
}

@test "without the module: 3, and what is missing, in modprobe's own words" {
	mount_host
	rmmod ext3meta 2>/dev/null || :
	mkdir -p "$T/nothing"
	mount --bind "$T/nothing" "/lib/modules/$(uname -r)"
	run --separate-stderr e3defrag -c "$H"
	umount "/lib/modules/$(uname -r)"
	[ "$status" = 3 ]
	[ -z "$output" ]
	[[ $stderr == *"the kernel module ext3meta is not there"*"modprobe: "*"ext3meta not found"* ]]
	[ "$(wc -l <<<"$stderr")" = 1 ]
	umount "$H"
}
