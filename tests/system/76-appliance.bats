#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# e3defrag --vm: the same job in a virtual machine of its own. What it refuses because of how this
# system uses it stands in guest/90-vm.bats.
# shellcheck disable=SC1091,SC2030,SC2031,SC2154

load common

setup_file() {
	. "$BATS_TEST_DIRNAME/../lib/campaign.bash"
	appliance
}

setup() {
	. "$BATS_TEST_DIRNAME/../lib/campaign.bash"
	use_tool
	image=$scratch/appliance.$BATS_TEST_NUMBER.$KERNEL
	pid='' qemu='' device=''
	rm -rf "$image" "$image".*
	built=$E3DEFRAG_APPLIANCE
	no_answer="e3defrag: $image: the virtual machine does not answer: ending it; "
	no_answer+="the next mount replays the journal"
}

teardown() {
	for process in $pid $qemu; do
		kill -9 "$process" 2>/dev/null || :
	done
	[ -z "$device" ] || losetup -d "$device"
	# a failed run's image stays to be looked at
	[ -z "${BATS_TEST_COMPLETED:-}" ] || rm -rf "$image" "$image".*
}

# Each file that has blocks is one fragment, the filesystem is whole and was unmounted.
perfect() {
	clean "$1"
	unmounted "$1"
	[ "$(free_blocks "$1")" -eq "$2" ]
	[ "$(fragcount "$1" | awk '$1 ~ /^[0-9]+$/ && $2 > 0 && $6 != 1' | wc -l)" -eq 0 ]
	[ "$(fragcount "$1" | awk '/^total/ { print $2 }')" -gt 12 ]
}

unmounted() {
	[[ $(dumpe2fs -h "$1" 2>/dev/null) != *needs_recovery* ]]
}

# What a user sees of the files in $image.
same_files() {
	run -0 vm --cpus 1 --disk "$1" --timeout 120 -- "$lib/see-job" "$image.manifest"
	[ "$output" = "all identical" ]
}

# Start it on $image, or $1, with the options that follow, in the background; it has made its first
# move when this returns, and isn't so fast that it has made all of them.
start() {
	E3DEFRAG_VM_ACCEL=tcg "$tool" -v "${@:2}" --vm "${1:-$image}" >"$image.out" 2>"$image.err" 3>&- &
	pid=$!
	until grep -q -e ' -> ' "$image.out"; do
		kill -0 "$pid"
		sleep 0.05
	done
	qemu=$(pgrep -P "$pid" qemu)
}

# Wait until the tool $pid has started QEMU, and this is in its sandbox, and stop it there.
stop_in_sandbox() {
	until qemu=$(pgrep -P "$pid" qemu) && grep -q '^Seccomp:.2' "/proc/$qemu/status"; do
		kill -0 "$pid"
		sleep 0.05
	done
	kill -STOP "$qemu"
}

# What /proc says of QEMU.
facts() {
	grep -E '^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp:)' "/proc/$qemu/status" | tr -s ' \t' ' ' |
		sed 's/ $//'
	awk '/^Max (core file|file) size/ { print $1, $2, $3, $(NF - 1) }' "/proc/$qemu/limits"
	echo "session $(($(ps -o sess= -p "$qemu") == qemu))"
	echo "umask $(awk '/^Umask/ { print $2 }' "/proc/$qemu/status")"
	echo "in $(readlink "/proc/$qemu/cwd")"
	tr '\0' '\n' <"/proc/$qemu/environ" | sed 's/=.*//'
}

# An appliance whose guest was taken over: it does what COMMANDS say after it has its settings.
taken_over() {
	local folder=$image.appliance
	mkdir -p "$folder"
	sed '/^# \/busy exists/,$d' "$root/contrib/appliance/init" >"$image.init"
	cat >>"$image.init"
	"$root/tests/vm/initramfs" --init "$image.init" --modules "virtio_pci virtio_console" \
		"$KERNEL" "$folder/initramfs"
	ln -sf "$built/kernel" "$built/version" "$folder"
	export E3DEFRAG_APPLIANCE=$folder
	[ -e "$image" ] || {
		truncate -s 16M "$image"
		mke2fs -q -F -t ext3 "$image"
	}
}

# Run it on $image with a time limit of the test, and say how long it took.
attacked() {
	local before=$EPOCHREALTIME
	run --separate-stderr timeout -k 1 120 "$tool" "$@" --vm "$image"
	took=$(((${EPOCHREALTIME/./} - ${before/./}) / 1000))
	echo "status $status after $took ms: $stderr"
}

# Wait for the end of process $1, no child of ours.
gone() {
	local tries
	for ((tries = 0; tries < 600; tries++)); do
		[[ $(ps -o stat= -p "$1") == [!Z]* ]] || return 0
		sleep 0.1
	done
	return 1
}

@test "an image, and the partition of one: one fragment a file, nothing else changes" {
	"$lib/aged-image" -b 4096 -m 128 -k 4096 "$image"
	free=$(free_blocks "$image")
	truncate -s 160M "$image.disk"
	sfdisk -q "$image.disk" <<-'END'
	label: gpt
	1: start=2048, size=4096
	2: start=6145, size=262144
	3: start=272000
	END
	head -c 160M /dev/urandom >"$image.noise"
	dd if="$image.noise" of="$image.disk" bs=512 seek=2048 count=4096 conv=notrunc status=none
	dd if="$image.noise" of="$image.disk" bs=512 seek=272000 count=50000 conv=notrunc status=none
	dd if="$image" of="$image.disk" bs=512 seek=6145 conv=notrunc status=none
	cp "$image.disk" "$image.before"

	run -0 --separate-stderr "$tool" --vm "$image"
	[ -z "$stderr" ]
	perfect "$image" "$free"
	same_files "$image"

	run -3 --separate-stderr "$tool" --vm "$image.disk"
	[ "$stderr" = "e3defrag: $image.disk: partition 2 holds ext3: use --partition=2" ]
	run -3 --separate-stderr "$tool" --vm "$image.disk" --partition=1
	[[ $stderr == *"holds no ext3"* ]]
	run -3 --separate-stderr "$tool" --vm "$image.disk" --partition=4
	[ "$stderr" = "e3defrag: $image.disk: has no partition 4" ]
	cmp "$image.disk" "$image.before"

	run -0 --separate-stderr "$tool" --partition 2 --vm "$image.disk"
	[ -z "$stderr" ]
	for file in "$image.disk" "$image.before"; do
		dd if="$file" of="$image.part" bs=512 skip=6145 count=262144 status=none
		# the rest of the disk, byte by byte
		dd if=/dev/zero of="$file" bs=512 seek=6145 count=262144 conv=notrunc status=none
		[ "$file" != "$image.disk" ] || perfect "$image.part" "$free"
	done
	cmp "$image.disk" "$image.before"
}

@test "a block device: the same job, and nobody can mount it meanwhile" {
	[ "$(id -u)" = 0 ] || skip "only root has block devices"
	"$lib/aged-image" -b 4096 -m 128 -k 4096 "$image"
	free=$(free_blocks "$image")
	device=$(losetup --find --show "$image") || skip "there are no loop devices here"
	start "$device"
	# however long what asks meanwhile takes on a busy machine
	kill -STOP "$qemu"
	run ! mount -t ext3 "$device" "$BATS_TEST_TMPDIR"
	run -3 "$tool" -c --vm "$device"
	[[ $output == "e3defrag: $device: is in use: "* ]]
	kill -CONT "$qemu"
	wait "$pid"
	[ ! -s "$image.err" ]
	losetup -d "$device"
	device=
	perfect "$image" "$free"
}

@test "-c as an ordinary user, on an image that is read-only: reports come out, no byte changes" {
	cd "$BATS_TEST_TMPDIR"
	# installed, it finds its appliance
	make -s -C "$root" install-appliance DESTDIR="$PWD" PREFIX=/usr
	mkdir usr/sbin
	cp "$tool" usr/sbin
	unset E3DEFRAG_APPLIANCE
	"$lib/aged-image" -b 4096 -m 128 -k 4096 image
	sum=$(sha256sum <image)
	chmod 444 image
	mkdir -m 777 out
	chmod -R o+rX usr
	chmod o+x . "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test"
	user=()
	[ "$(id -u)" != 0 ] || user=(setpriv --reuid=65534 --regid=65534 --clear-groups)
	run -0 --separate-stderr "${user[@]}" usr/sbin/e3defrag -c --vm image --csv - \
		--json=out/json --prometheus=out/prom --html=out/page
	[ -z "$stderr" ]
	[[ ${lines[0]} == *,* ]]
	[[ $output == *"/vm$PWD/image/files/f12"* ]]
	[[ $output != *Score* ]]
	python3 -W ignore -m jsonschema -i out/json "$root/man/e3defrag-report.schema.json"
	[ "$(jq .filesystems[0].before.fragmented_files out/json)" = 13 ]
	[ -z "$(promtool check metrics <out/prom 2>&1)" ]
	grep -q '<svg class="map"' out/page
	[ "$(tail -n 1 out/page)" = "</html>" ]
	[ "$(echo out/* out/.[!.]*)" = "out/json out/page out/prom out/.[!.]*" ]
	[ "$(sha256sum <image)" = "$sum" ]
	# to write to it is another matter, also for root
	run -3 --separate-stderr usr/sbin/e3defrag --vm image
	[[ $stderr == *"image: is read-only: use -c for a report only" ]]
	[ "$(sha256sum <image)" = "$sum" ]
}

@test "targets are paths in the image; messages and status come out" {
	image+=" it's, one"
	"$lib/aged-image" -b 4096 -m 128 -k 4096 "$image"
	# a list of excludes is read here, and its patterns hold there
	printf '%s\n' "# it's only" "*it's, one/files/f05" >"$image.list"
	run -3 --separate-stderr "$tool" -v --json="$image.json" --exclude-from="$image.list" \
		--older-than=1d --vm "$image" files/f04 files/f05 "it's not there"
	[[ $output == *"/vm$image/files/f04: "*" -> 1 fragments"* ]]
	[ "$(grep -c -e ' -> ' <<<"$output")" = 1 ]
	[ "$stderr" = "e3defrag: /vm$image/it's not there: can't open it: No such file or directory" ]
	[ "$(jq .status "$image.json")" = 3 ]
	[ "$(jq -r '.filesystems[0].left_alone[].reason' "$image.json")" = excluded ]
	clean "$image"
	# nobody is left to read it: an end in good order
	status=0
	"$tool" --vm "$image" 2>"$image.err" | false || status=${PIPESTATUS[0]}
	grep -q "^e3defrag: standard output: can't write it: Broken pipe" "$image.err"
	[ "$status" = 5 ]
	unmounted "$image"
	clean "$image"
	# what can't be mounted: the journal is on a device that isn't there
	rm "$image"
	truncate -s 16M "$image.journal" "$image"
	mke2fs -q -F -b 4096 -O journal_dev "$image.journal"
	mke2fs -q -F -b 4096 -t ext3 -O ^has_journal "$image"
	debugfs -w -R "feature has_journal" "$image"
	debugfs -w -R "ssv journal_dev 0x0700" "$image"
	run -3 --separate-stderr "$tool" --json="$image.json" --vm "$image"
	[[ $stderr == "e3defrag: $image: can't be mounted in the virtual machine: "* ]]
	[[ $stderr == *"the kernel says: EXT4-fs (vda): "* ]]
	[ "$(jq .status "$image.json")" = 3 ]
}

@test "SIGINT, sent twice at once as timeout does: the step is finished, all is unmounted, status 4" {
	"$lib/aged-image" "$image"
	free=$(free_blocks "$image")
	# before the machine has mounted it, there is nothing to wait for
	cp "$image" "$image.copy"
	run -4 timeout --preserve-status -s INT 0.5 "$tool" --vm "$image"
	[ -z "$output" ]
	cmp "$image" "$image.copy"

	start
	run -3 "$tool" --vm "$image"
	[[ $output == "e3defrag: $image: is in use: "* ]]
	# which is no reason to end, but one to say something
	kill -USR1 "$pid"
	until [ -s "$image.err" ]; do
		kill -0 "$pid"
		sleep 0.05
	done
	# not so close that they become one on the way
	kill -INT "$pid"
	sleep 0.05
	kill -INT "$pid"
	status=0
	wait "$pid" || status=$?
	cat "$image.out" "$image.err"
	[ "$status" = 4 ]
	grep -q '^Stopped by a signal' "$image.out"
	[ "$(wc -l <"$image.err")" = 1 ]
	grep -q "^e3defrag: /vm$image: moving files: .* at /vm$image/" "$image.err"
	unmounted "$image"
	clean "$image"
	[ "$(free_blocks "$image")" -eq "$free" ]
	fragments=$(fragcount "$image" | awk '/^total/ { print $7 }')
	[ "$fragments" -gt 100 ] && [ "$fragments" -lt 8500 ]
}

@test "killed itself, it leaves a machine that unmounts and ends" {
	"$lib/aged-image" "$image"
	free=$(free_blocks "$image")
	start
	kill -9 "$pid"
	gone "$qemu"
	unmounted "$image"
	clean "$image"
	[ "$(free_blocks "$image")" -eq "$free" ]
	[ "$(fragcount "$image" | awk '/^total/ { print $7 }')" -gt 100 ]
}

@test "asked twice, it ends whatever the machine does; the journal makes it good" {
	"$lib/aged-image" "$image"
	start
	kill -STOP "$qemu"
	# while it lasts, what respects the locks of QEMU knows
	run -0 python3 -c "import fcntl, os, struct, sys
lock = struct.pack('hhqqi4x', fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
lock = fcntl.fcntl(os.open(sys.argv[1], os.O_RDONLY), 36, lock) # F_OFD_GETLK
print(struct.unpack('hhqqi4x', lock)[0] != fcntl.F_UNLCK)" "$image"
	[ "$output" = True ]
	for i in 1 2; do
		kill -TERM "$pid"
		[ "$i" = 2 ] || sleep 2.1
		kill -0 "$pid"
	done
	# QEMU is stopped, so this is pending; on SIGKILL nothing is
	kill -CONT "$qemu"
	status=0
	wait "$pid" || status=$?
	[ "$status" = 4 ]
	[ "$(grep -c "ending the virtual machine at once" "$image.err")" = 1 ]
	e2fsck -fp "$image" || [ $? = 1 ]
	clean "$image"
}

@test "QEMU killed: status 5, nothing is lost, and the next run ends the work" {
	"$lib/aged-image" -b 4096 -m 128 -k 4096 "$image"
	free=$(free_blocks "$image")
	start
	kill -9 "$qemu"
	status=0
	wait "$pid" || status=$?
	cat "$image.err"
	[ "$status" = 5 ]
	grep -q "e3defrag: $image: the virtual machine was killed by signal 9" "$image.err"
	run ! unmounted "$image"

	# for a report the journal is replayed, too, but not in the image
	cp "$image" "$image.copy"
	run -0 --separate-stderr "$tool" --plan="$image.plan" --vm "$image"
	[ -z "$stderr" ]
	[[ $output == *"would move "*"Files to move: "* ]]
	python3 -W ignore -m jsonschema -i "$image.plan" "$root/man/e3defrag-plan.schema.json"
	[ "$(jq '.filesystems[0].moves | length' "$image.plan")" = \
		"$(grep -c '^would move ' <<<"$output")" ]
	cmp "$image" "$image.copy"
	status=0
	e2fsck -fp "$image.copy" || status=$?
	[ "$status" -le 1 ]
	clean "$image.copy"
	run -0 --separate-stderr "$tool" --vm "$image"
	[ -z "$stderr" ]
	perfect "$image" "$free"
	same_files "$image"
}

@test "an image that another QEMU has open, to write or to read, is refused" {
	truncate -s 16M "$image"
	mke2fs -q -F -t ext3 "$image"
	for how in off on; do
		qemu-system-x86_64 -S -nodefaults -display none -machine pc -accel tcg \
			-drive "if=virtio,format=raw,file=$image,read-only=$how" \
			-pidfile "$image.pid" 3>&- &
		until [ -s "$image.pid" ]; do sleep 0.05; done
		pid=$!
		run -3 --separate-stderr "$tool" --vm "$image"
		[[ $stderr == "e3defrag: $image: is in use: "* ]]
		kill "$pid"
		wait "$pid" || :
		rm -f "$image.pid"
	done
}

@test "what isn't an ext3 filesystem in good order is refused: 3, a message, no byte changed" {
	refused() {
		local wanted=$1 sum
		shift
		[ ! -f "$image" ] || sum=$(sha256sum <"$image")
		run -3 --separate-stderr "$tool" --json="$image.json" "$@"
		[ -z "$output" ]
		echo "$stderr"
		[[ $stderr == "e3defrag: "*"$wanted"* ]]
		[ "$(wc -l <<<"$stderr")" = 1 ]
		[ "$(jq .status "$image.json")" = 3 ]
		[ ! -f "$image" ] || [ "$(sha256sum <"$image")" = "$sum" ]
	}
	refused "can't open it: No such file" --vm "$image"
	refused "is neither an image file nor a block device" --vm /dev/null
	refused "is neither an image file nor a block device" --vm "$scratch"
	refused "can't open it: No such device" --vm LABEL=surely-no-such-label
	: >"$image"
	refused "holds no ext3" --vm "$image"
	truncate -s 16M "$image"
	refused "holds no ext3" --vm "$image"
	refused "has no partition 1" --partition=1 --vm "$image"
	mke2fs -q -F -t ext2 "$image"
	refused "holds ext2, not ext3" --vm "$image"
	mkswap -q "$image"
	refused "holds swap, not ext3" --vm "$image"
	mke2fs -q -F -t ext4 -O ^has_journal "$image"
	refused "has no journal" --vm "$image"
	mke2fs -q -F -t ext3 "$image"
	debugfs -w -R "ssv state 3" "$image" 2>/dev/null
	refused "has errors: let e2fsck repair it first" --vm "$image"
	mke2fs -q -F -t ext3 "$image"
	E3DEFRAG_APPLIANCE=$scratch/none refused "$scratch/none: has no appliance; " --vm "$image"
	mkdir -p "$image.appliance"
	echo "e3defrag 0.0" >"$image.appliance/version"
	E3DEFRAG_APPLIANCE=$image.appliance refused "another version" --vm "$image"
	rm -r "$image.appliance"
	run -2 "$tool" --partition=1 /
	run -2 "$tool" --partition=-1 --vm "$image"
	run -5 --separate-stderr "$tool" --csv="$image.csv" --json="$image/none" --vm "$image"
	[ "$stderr" = "e3defrag: $image/none: can't write it: Not a directory" ]
	[ ! -e "$image.csv" ]
}

@test "QEMU has no rights: user, groups, capabilities, sandbox, limits; as root" {
	[ "$(id -u)" = 0 ] || skip "what root gives up"
	"$lib/aged-image" -b 4096 -m 128 -k 4096 "$image"
	free=$(free_blocks "$image")
	# no path of it may be open to others, and nothing is theirs
	mkdir -m 700 "$image.folder"
	mv "$image" "$image.folder/image"
	cp -r "$E3DEFRAG_APPLIANCE" "$image.folder/appliance"
	chmod 700 "$image.folder/appliance"
	chmod 600 "$image.folder/image" "$image.folder/appliance"/*
	export E3DEFRAG_APPLIANCE=$image.folder/appliance SECRET=1
	"$tool" --vm "$image.folder/image" >"$image.out" 2>"$image.err" 3>&- &
	pid=$!
	stop_in_sandbox
	run facts
	echo "$output"
	nobody=$(id -u nobody) nogroup=$(id -g nobody)
	size=$(stat -c %s "$image.folder/image")
	none=0000000000000000
	[ "$output" = "Uid: $nobody $nobody $nobody $nobody
Gid: $nogroup $nogroup $nogroup $nogroup
Groups:
CapInh: $none
CapPrm: $none
CapEff: $none
CapBnd: $none
CapAmb: $none
NoNewPrivs: 1
Seccomp: 2
Max file size $((size + 511))
Max core file 0
session 1
umask 0077
in /
PATH" ]
	# only what it was given, and no file of a root's
	ls -l "/proc/$qemu/fd"
	for fd in "/proc/$qemu/fd"/*; do
		case $(readlink "$fd") in
		"$image.folder/image" | "/memfd:appliance (deleted)" | /dev/null) ;;
		socket:* | anon_inode:*) ;;
		*) false ;;
		esac
	done
	kill -CONT "$qemu"
	wait "$pid"
	[ ! -s "$image.err" ]
	perfect "$image.folder/image" "$free"

	# a report: where only root may write, what is not written to the image
	mkdir -m 700 "$image.folder/tmp"
	sum=$(sha256sum <"$image.folder/image")
	TMPDIR=$image.folder/tmp run -0 --separate-stderr "$tool" -c --vm "$image.folder/image"
	[ -z "$stderr" ]
	[ -z "$(ls -A "$image.folder/tmp")" ]
	[ "$(sha256sum <"$image.folder/image")" = "$sum" ]
}

@test "QEMU has no rights beyond those of an ordinary user: capabilities, sandbox, limits" {
	mkdir -m 755 "$image.folder"
	cp "$tool" "$image.folder/e3defrag"
	"$lib/aged-image" -b 4096 -m 128 -k 4096 "$image.folder/image"
	chmod 666 "$image.folder/image"
	chmod o+x "$scratch"
	cp -r "$E3DEFRAG_APPLIANCE" "$image.folder/appliance"
	chmod -R o+rX "$image.folder/appliance"
	# not the user that root's machines have
	user=()
	[ "$(id -u)" != 0 ] || user=(setpriv --reuid=4242 --regid=4242 --clear-groups)
	E3DEFRAG_APPLIANCE=$image.folder/appliance "${user[@]}" "$image.folder/e3defrag" \
		--vm "$image.folder/image" >"$image.out" 2>"$image.err" 3>&- &
	pid=$!
	stop_in_sandbox
	id=$(awk '/^Uid/ { print $2 }' "/proc/$pid/status")
	run facts
	echo "$output"
	[ "$id" != 0 ]
	[[ $output == "Uid: $id $id $id $id"$'\n'* ]]
	for set in CapInh CapPrm CapEff CapAmb; do
		[[ $output == *$'\n'"$set: 0000000000000000"$'\n'* ]]
	done
	[[ $output == *$'\nNoNewPrivs: 1\nSeccomp: 2\n'* ]]
	[[ $output == *$'\nMax core file 0\nsession 1\numask 0077\nin /\nPATH' ]]
	kill -CONT "$qemu"
	wait "$pid"
	[ ! -s "$image.err" ]
	clean "$image.folder/image"
}

@test "a program that opens the image meanwhile waits until the machine has unmounted it" {
	[ "$(id -u)" = 0 ] || chmod u+rw "$image"
	"$lib/aged-image" "$image"
	# so slowly that it is still at work then
	start "$image" --bwlimit=300K
	# to read it takes no more than a moment
	timeout 5 head -c 1 "$image" >/dev/null
	kill -0 "$pid"
	sleep 1.5
	# whoever has opened it to write finds it unmounted
	exec 9>>"$image"
	unmounted "$image"
	exec 9>&-
	status=0
	wait "$pid" || status=$?
	cat "$image.err"
	[ "$status" = 5 ]
	[ "$(cat "$image.err")" = \
		"e3defrag: $image: another program opens it for writing: ending the work" ]
	clean "$image"
}

@test "a machine that hangs: SIGINT ends the run within five seconds; the journal makes it good" {
	"$lib/aged-image" "$image"
	start
	kill -STOP "$qemu"
	before=$EPOCHREALTIME
	kill -INT "$pid"
	status=0
	wait "$pid" || status=$?
	took=$(((${EPOCHREALTIME/./} - ${before/./}) / 1000))
	echo "status $status after $took ms: $(cat "$image.err")"
	[ "$status" = 5 ]
	[ "$took" -lt 5000 ]
	[ "$(cat "$image.err")" = "$no_answer" ]
	gone "$qemu"
	e2fsck -fp "$image" || [ $? = 1 ]
	clean "$image"
}

@test "killed itself while the machine hangs: that is ended a minute later" {
	truncate -s 16M "$image"
	mke2fs -q -F -t ext3 "$image"
	taken_over <<-'END'
	printf 'x -> y\n' >&4
	while :; do echo alive >&3; $b sleep 1; done
	END
	start
	kill -9 "$pid"
	sleep 55
	kill -0 "$qemu"
	sleep 10
	gone "$qemu"
}

@test "a guest that was taken over and never answers: --time ends it, five seconds later at most" {
	taken_over <<-'END'
	while :; do $b sleep 100; done
	END
	attacked --time=60
	[ "$status" = 5 ]
	[ "$took" -lt 65000 ]
	[ "$stderr" = "$no_answer" ]
}

@test "a guest that was taken over floods the terminal: escaped, cut off, and told" {
	taken_over <<-'END'
	heart
	printf '\033]0;owned\007\r\n' >&5
	$b yes "$(printf '\033[2J')" >&4 &
	$b sleep 1000
	END
	attacked
	[ "$status" = 5 ]
	[ "${#output}" -le $((4 << 20)) ]
	[ "${#output}" -gt $((3 << 20)) ]
	[ -z "$(tr -d '\n -~' <<<"$output$stderr")" ]
	[[ $stderr == '\033]0;owned\007\015'$'\n'* ]]
	[[ $stderr == *"e3defrag: $image: the virtual machine printed more than a run can print: "* ]]
}

@test "a guest that was taken over sends a report without an end: it is not written" {
	cd "$scratch"
	taken_over <<-'END'
	echo "file json 99999999999" >&3
	$b cat /dev/zero >&3
	END
	echo old >"$image.csv"
	attacked --json="$image.json" --csv="$image.csv"
	[ "$status" = 5 ]
	[[ $stderr == *"e3defrag: $image: the virtual machine sends a report that is too large"* ]]
	[ "$(jq .status "$image.json")" = 5 ]
	[ "$(stat -c %s "$image.json")" -lt 10000 ]
}

@test "a guest that was taken over ends with a status that e3defrag does not have: 5" {
	for code in 77 -1 4294967296; do
		taken_over <<-END
		echo "exit $code" >&3
		\$b sleep 2
		\$b poweroff -f
		END
		attacked
		[ "$status" = 5 ]
		[[ $stderr == *"the virtual machine sent a status that e3defrag does not have"* ]]
	done
}
