#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Files that are mapped to the device's memory. A part of the guest's memory plays that device.

load common

setup() {
	cd "$PROJECT" || return 1
	mkdir -p build/tests
}

@test "a DAX file is refused, as original and as donor, and left as it is" {
	job=$(mktemp "$PWD/build/tests/dax.XXXXXX")
	cat >"$job" <<-'END'
	set -e
	modprobe nd_e820 || true
	modprobe nd_pmem || true
	modprobe ext3meta
	for i in {1..50}; do
		[ ! -b /dev/pmem0 ] || break
		sleep 0.1
	done
	mkdir -p /tmp/host /tmp/meta
	mke2fs -q -F -t ext3 -b 4096 /dev/pmem0
	mount -t ext4 -o dax=inode /dev/pmem0 /tmp/host
	touch /tmp/host/dax /tmp/host/plain
	chattr +x /tmp/host/dax
	# The flag means something from the next time the inode is read.
	umount /tmp/host
	mount -t ext4 -o dax=inode /dev/pmem0 /tmp/host
	seq 10000 | tee /tmp/host/dax >/tmp/host/plain
	sync
	mount -t ext3meta /tmp/host /tmp/meta
	dax=/tmp/meta/nodes/$(stat -c %i /tmp/host/dax)
	plain=/tmp/meta/nodes/$(stat -c %i /tmp/host/plain)
	grep relocatable "$dax/info" "$plain/info" | sed 's/.*info://'
	before=$(cat "$dax/data/extents" "$plain/data/extents")
	for request in "$dax ${plain##*/}" "$plain ${dax##*/}"; do
		echo "${request#* }" >"${request% *}/data/reloc" || true
		echo "${request#* } 1" >"${request% *}/metadata/reloc" || true
	done
	echo 1 >"$dax/data/alloc" || true
	[ "$before" = "$(cat "$dax/data/extents" "$plain/data/extents")" ]
	seq 10000 | cmp - /tmp/host/dax
	e3defrag -v /tmp/host
	END
	run tests/vm/run --cpus 1 --timeout 120 --append 'memmap=64M!512M' -- bash "$job"
	rm "$job"
	echo "$output"
	# nothing to do
	[ "$status" = 6 ]
	[[ $output == "relocatable dax"$'\n'"relocatable yes"$'\n'* ]]
	[ "$(grep -c 'Operation not supported' <<<"$output")" = 5 ]
}
