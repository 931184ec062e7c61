# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the interface tests share. Each test has its own small filesystem (the
# host) in a file on tmpfs, mounted at $H, with ext3meta of it at $M. "steps"
# does the system calls, "imgmap" looks at the image without the kernel; both
# are in tools/.

setup_file() {
	modprobe ext3meta
}

setup() {
	IMG=$BATS_TEST_TMPDIR/image
	H=$BATS_TEST_TMPDIR/host
	M=$BATS_TEST_TMPDIR/meta
	mkdir -p "$H" "$M"
	DEV=
	fsck_wanted=yes
}

teardown() {
	local mounted

	# Newest first; what a failed test left must not fail the next one.
	while mounted=$(grep -F " $BATS_TEST_TMPDIR/" /proc/self/mounts | tail -1 | cut -d' ' -f2) &&
		[ -n "$mounted" ]; do
		umount "$mounted" || umount -l "$mounted" || break
	done
	rm -f "$IMG"
}

# make_image BLOCKSIZE [MIB [MKE2FS-OPTION...]]
make_image() {
	local mib=${2:-16}

	BS=$1
	P=$((BS / 4))
	rm -f "$IMG"
	truncate -s "${mib}M" "$IMG"
	mke2fs -q -F -t ext3 -b "$BS" "${@:3}" "$IMG" "${mib}M"
}

# mount_host [TYPE [OPTIONS]]: mounts $IMG at $H and ext3meta at $M.
mount_host() {
	mount -t "${1:-ext3}" -o "loop,noatime${2:+,$2}" "$IMG" "$H"
	DEV=$(sed -n "s|^\([^ ]*\) $H .*|\1|p" /proc/self/mounts)
	mount -t ext3meta "$H" "$M"
}

unmount_host() {
	umount "$M"
	umount "$H"
	DEV=
	if [ "$fsck_wanted" = yes ]; then
		e2fsck -fn "$IMG" >"$BATS_TEST_TMPDIR/e2fsck" 2>&1 || {
			cat "$BATS_TEST_TMPDIR/e2fsck"
			return 1
		}
	fi
}

# each_host FUNCTION [MIB]: calls it on a fresh host of each block size, mounted
# both as ext3 and as ext4 (where allocation is delayed). It may leave the host
# mounted or not.
each_host() {
	local bs type

	for bs in 1024 2048 4096; do
		for type in ext3 ext4; do
			echo "# block size $bs, mounted as $type"
			make_image "$bs" "${2:-16}"
			mount_host "$type"
			TYPE=$type
			"$1"
			[ -z "$DEV" ] || unmount_host
		done
	done
}

# each_block_size FUNCTION [MIB [TYPE]]
each_block_size() {
	local bs

	for bs in 1024 2048 4096; do
		echo "# block size $bs"
		make_image "$bs" "${2:-16}"
		mount_host "${3:-ext3}"
		TYPE=${3:-ext3}
		"$1"
		[ -z "$DEV" ] || unmount_host
	done
}
