# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
#
# What the tests of e3defrag in the guest share: the programs, and an aged filesystem that is made
# once for a file and copied for each test. A file says its folder, T, and then "load tool".

bats_require_minimum_version 1.5.0

H=$T/host

# Comes first. The build is the one that ends by SIGABRT, which is no exit status of
# the tool's, where its memory or its arithmetic goes wrong, or where it leaks.
use_tool() {
	export PATH="$PWD/build/sanitized:$PWD/tests/lib:$PATH" ASAN_OPTIONS=abort_on_error=1
	mkdir -p "$H"
}

# mount_aged NAME SIZE FILES KIB MKE2FS-OPTION...: a new filesystem in $T/NAME, aged as age-mounted
# has it with these FILES and KIB, and still mounted at $H, for what a file wants otherwise.
mount_aged() {
	truncate -s "$2" "$T/$1"
	mke2fs -q -F -t ext3 "${@:5}" "$T/$1"
	mount -t ext3 -o loop "$T/$1" "$H"
	age-mounted "$H" 7 "$3" "$4"
}

# mount_copy [NAME [OPTIONS]]: a copy of $T/NAME (aged), $T/image, mounted at $H (noatime).
mount_copy() {
	cp --sparse=always "$T/${1:-aged}" "$T/image"
	mount_image "${2:-}"
}

# mount_image [OPTIONS]: $T/image as it is.
mount_image() {
	mount -t ext3 -o "loop,${1:-noatime}" "$T/image" "$H"
}

# Unmounted, the filesystem is whole.
unmount_host() {
	umount "$H"
	e2fsck -fn "$T/image"
}

# All that is mounted below $T, the last first.
unmount_all() {
	local at

	while read -r at; do umount "$at"; done < <(awk -v at="$T/" \
		'index($2, at) == 1 { print $2 }' /proc/self/mounts | tac)
}
