# SPDX-License-Identifier: GPL-2.0-only
# e3defrag --vm on what this system uses already: refused, whoever uses it, and before a virtual
# machine is even looked for, of which there is none here.

T=/tmp/vm
load tool

setup() {
	use_tool
	export E3DEFRAG_APPLIANCE=$T/none
	truncate -s 16M "$T/image"
	mke2fs -q -F -t ext3 "$T/image"
	device=
}

teardown() {
	umount "$H" 2>/dev/null || :
	losetup -D
	rm -rf "$T"
}

# refused MESSAGE ARGUMENT...
refused() {
	local wanted=$1
	shift
	run -3 --separate-stderr e3defrag "$@"
	# shellcheck disable=SC2154 # bats sets it
	echo "$stderr"
	[[ $stderr == "e3defrag: $wanted"* ]]
	# and that was the end of it
	[ "$(wc -l <<<"$stderr")" = 1 ]
}

# What nobody uses gets as far as that.
free_to_use() {
	refused "$T/none: has no appliance" "$@"
}

# hold WHAT FILE: a program that does that, in Python, until let_go.
hold() {
	python3 -c "import fcntl, os, sys, time; $1; print('held', flush=True); time.sleep(100)" "$2" \
		>"$T/out" 2>&1 3>&- &
	holder=$!
	until grep -qx held "$T/out"; do
		kill -0 "$holder"
		sleep 0.1
	done
}

let_go() {
	kill -9 "$holder"
	wait "$holder" || :
}

@test "an image that is mounted, or that has a loop device: refused, with or without -c" {
	free_to_use --vm "$T/image"
	ln -s image "$T/link"
	ln "$T/image" "$T/other-name"
	for options in "" -r; do
		# shellcheck disable=SC2086
		device=$(losetup --find --show $options "$T/image")
		for name in image link other-name; do
			refused "$T/$name: is in use: $device is a loop device of it" --vm "$T/$name"
			refused "$T/$name: is in use: $device is a loop device of it" -c --vm "$T/$name"
		done
		mount -t ext3 -o noatime "$device" "$H" || mount -t ext3 -o ro "$device" "$H"
		refused "$T/image: is in use: $device is a loop device of it" --vm "$T/image"
		umount "$H"
		losetup -d "$device"
	done
	free_to_use --vm "$T/link"
	free_to_use -c --vm "$T/image"
}

@test "a device that is mounted, also where it can't be seen: refused" {
	device=$(losetup --find --show "$T/image")
	free_to_use --vm "$device"
	mount -t ext3 "$device" "$H"
	refused "$device: is mounted on $H: unmount it, or run without --vm" --vm "$device"
	refused "$device: is mounted on $H" -n --vm "$device"
	umount "$H"
	free_to_use --vm "$device"
	unshare -m --propagation private sh -c "mount -t ext3 $device $H; exec sleep 100" 3>&- &
	until grep -q -s "$H" "/proc/$!/mountinfo"; do sleep 0.1; done
	refused "$device: is in use: it, or a part of it" --vm "$device"
	kill -9 $!
	wait $! || :
	free_to_use --vm "$device"
}

@test "a partition that is mounted: the disk is refused, and the other partition is not" {
	truncate -s 40M "$T/disk"
	printf 'label: dos\nsize=16M\nsize=16M\n' | sfdisk -q "$T/disk"
	device=$(losetup --find --show -P "$T/disk")
	mke2fs -q -F -t ext3 "${device}p1"
	mke2fs -q -F -t ext3 "${device}p2"
	free_to_use --vm "$device" --partition=2
	mount -t ext3 "${device}p1" "$H"
	refused "$device: is in use: it, or a part of it" --vm "$device" --partition=2
	refused "${device}p1: is mounted on $H" --vm "${device}p1"
	refused "$T/disk: is in use: $device is a loop device of it" --vm "$T/disk" --partition=2
	free_to_use --vm "${device}p2"
	umount "$H"
	for part in "$device" "${device}p2"; do
		second=$(losetup --find --show "$part")
		refused "$device: is in use: $second is a loop device of it" --vm "$device" --partition=2
		refused "${device}p2: is in use: $second is a loop device of it" --vm "${device}p2"
		[ "$part" = "$device" ] || free_to_use --vm "${device}p1"
		losetup -d "$second"
	done
}

@test "a device with a loop device on it, or with a twin on the same file: refused" {
	device=$(losetup --find --show "$T/image")
	second=$(losetup --find --show "$device")
	refused "$device: is in use: $second is a loop device of it" --vm "$device"
	losetup -d "$second"
	free_to_use --vm "$device"
	free_to_use -c --vm "$device"
	second=$(losetup --find --show "$T/image")
	refused "$device: is in use: $second is a loop device of it" --vm "$device"
}

@test "a device that is swapped to, or held by another program: refused" {
	device=$(losetup --find --show "$T/image")
	hold "os.open(sys.argv[1], os.O_RDWR | os.O_EXCL)" "$device"
	refused "$device: is in use: it, or a part of it" --vm "$device"
	let_go
	mkswap -q "$device"
	swapon "$device"
	refused "$device: is in use: it, or a part of it" --vm "$device"
	swapoff "$device"
}

@test "an image that anyone has open for writing, or has locked: refused; to read is no use" {
	exec 7<"$T/image"
	free_to_use --vm "$T/image"
	exec 7>>"$T/image"
	refused "$T/image: is in use: another program has it open for writing" --vm "$T/image"
	exec 7>&-
	free_to_use --vm "$T/image"
	hold "f = open(sys.argv[1]); fcntl.lockf(f, fcntl.LOCK_SH)" "$T/image"
	refused "$T/image: is in use: it is locked by another program" --vm "$T/image"
	let_go
	free_to_use --vm "$T/image"
}

@test "a sparse image that couldn't grow: refused, but not with -c" {
	mount -t tmpfs -o size=8M small "$H"
	truncate -s 64M "$H/image"
	mke2fs -q -F -t ext3 -J size=4 "$H/image"
	refused "$H/image: is sparse and may grow by " --vm "$H/image"
	free_to_use -c --vm "$H/image"
	mount -o remount,size=80M "$H"
	free_to_use --vm "$H/image"
}

@test "an ordinary user is refused by a loop device, too" {
	chmod o+x "$T"
	chmod 666 "$T/image"
	device=$(losetup --find --show -r "$T/image")
	cp build/sanitized/e3defrag "$T"
	user=(setpriv --reuid=65534 --regid=65534 --clear-groups)
	run -3 --separate-stderr "${user[@]}" "$T/e3defrag" --vm "$T/image"
	[ "$stderr" = "e3defrag: $T/image: is in use: $device is a loop device of it" ]
}
