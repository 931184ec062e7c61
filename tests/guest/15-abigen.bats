#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# abigen where the kernel it reads is the one that runs.

setup() {
	BUILD=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)/build/module-$KERNEL
	bats_require_minimum_version 1.5.0
	cd "$BATS_TEST_TMPDIR" || return 1
}

@test "the running kernel tells the same as its files" {
	modprobe ext4
	"$BUILD/abigen/abigen" --release "$(uname -r)" -o running.h
	cmp "$BUILD/ext4_abi_generated.h" running.h
	id=$(od -An -tx1 -j 16 /sys/module/ext4/notes/.note.gnu.build-id | tr -d ' \n')
	tr -d '\\\n\t' < running.h | sed 's/0x//g; s/, //g' | grep -o "BUILD_ID { *$id }"
}

@test "with --installed the files count, though the kernel runs that they are named for" {
	local release modules files ext4

	release=$(uname -r)
	files=$BATS_TEST_DIRNAME/../../build/kernels/$KERNEL
	modules=/lib/modules/$release
	# The next boot's: the same, with another build-id.
	mkdir -p /boot
	cp "$files/boot/vmlinuz-$release" /boot/
	ext4=$(echo "$modules"/kernel/fs/ext4/ext4.ko*)
	case $ext4 in
	*.xz)  xz -d "$ext4" ;;
	*.zst) zstd -dq --rm "$ext4" ;;
	esac
	ext4=$modules/kernel/fs/ext4/ext4.ko
	objcopy --dump-section .note.gnu.build-id=note "$ext4"
	head -c 16 note >other
	printf '%020d' 7 >>other
	objcopy --update-section .note.gnu.build-id=other "$ext4"

	"$BUILD/abigen/abigen" --release "$release" -o running.h
	cmp "$BUILD/ext4_abi_generated.h" running.h
	"$BUILD/abigen/abigen" --installed --release "$release" -o installed.h
	run ! cmp "$BUILD/ext4_abi_generated.h" installed.h
	diff <(sed '/BUILD_ID {/,/}/d' running.h) <(sed '/BUILD_ID {/,/}/d' installed.h)
	tr -d '\\\n\t' <installed.h | sed 's/0x//g; s/, //g' |
		grep "BUILD_ID { *$(printf '%020d' 7 | od -An -v -tx1 | tr -d ' \n') *}"
}
