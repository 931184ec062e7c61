#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# abigen where the kernel it reads is the one that runs.

setup() {
	BUILD=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)/build/module-$KERNEL
	cd "$BATS_TEST_TMPDIR" || return 1
}

@test "the running kernel tells the same as its files" {
	modprobe ext4
	"$BUILD/abigen/abigen" --release "$(uname -r)" -o running.h
	cmp "$BUILD/ext4_abi_generated.h" running.h
	id=$(od -An -tx1 -j 16 /sys/module/ext4/notes/.note.gnu.build-id | tr -d ' \n')
	tr -d '\\\n\t' < running.h | sed 's/0x//g; s/, //g' | grep -o "BUILD_ID { *$id }"
}
