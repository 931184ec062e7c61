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
}

teardown() {
	for process in $pid $qemu; do
		kill -9 "$process" 2>/dev/null || :
	done
	[ -z "$device" ] || losetup -d "$device"
	# a failed run's image stays to be looked at
	[ -z "${BATS_TEST_COMPLETED:-}" ] || rm -f "$image" "$image".*
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

# Start it on $image, or $1, in the background; it has made its first move when this returns, and
# isn't so fast that it has made all of them.
start() {
	E3DEFRAG_VM_ACCEL=tcg "$tool" -v --vm "${1:-$image}" >"$image.out" 2>"$image.err" 3>&- &
	pid=$!
	until grep -q -e ' -> ' "$image.out"; do
		kill -0 "$pid"
		sleep 0.05
	done
	qemu=$(pgrep -P "$pid")
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

@test "asked three times, it ends whatever the machine does; the journal makes it good" {
	"$lib/aged-image" "$image"
	start
	kill -STOP "$qemu"
	# while it lasts, no other QEMU opens the image
	run -1 timeout 20 qemu-system-x86_64 -S -nodefaults -display none -machine pc -accel tcg \
		-drive "if=virtio,format=raw,file=$image"
	[[ $output == *"Failed to get"*"lock"* ]]
	for i in 1 2 3; do
		kill -TERM "$pid"
		[ "$i" = 3 ] || sleep 2.1
		kill -0 "$pid"
	done
	status=0
	wait "$pid" || status=$?
	[ "$status" = 4 ]
	[ "$(grep -c "ending the virtual machine at once" "$image.err")" = 2 ]
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
