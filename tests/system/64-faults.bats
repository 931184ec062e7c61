#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Faults in the middle of a relocation. The long form is "make check-faults SEED=1".
# shellcheck disable=SC1091,SC2154

setup() {
	. "$BATS_TEST_DIRNAME/../lib/campaign.bash"
	log=$scratch/faults-short.$BATS_TEST_NUMBER.$KERNEL
	export PATH=$root/build/tests/bin:$root/defrag:$PATH
}

# Each argument is a command; they share a guest, and the last line of each is its sum.
faults() {
	vm --cpus 1 --timeout 400 -- env PATH="$PATH" bash -ec "$(printf '%s\n' "$@")" \
		>"$log" 2>"$log.err" || {
		echo "ended with $?"
		grep BAD "$log"
		tail -n 40 "$log.err"
		false
	}
	sed -n 's/^[0-9]* faults/# &/p' "$log" >&3
	[ "$(grep -c '^[1-9][0-9]* faults, 0 bad$' "$log")" -eq $# ]
}

@test "I/O errors, full disks and quotas: an errno, nothing lost, nothing leaked" {
	local n=${STRIDE:-14} seed=${SEED:-1}

	faults "faultrun -s reloc -m once -n $n -f $((seed % n + 1)) -S $seed" \
		"faultrun -s dirty -m dead -n $n -f $(((seed + 5) % n + 1)) -S $seed -t ext4" \
		"faultrun -s named -m once -n 4 -f $((seed % 4 + 1)) -S $seed -b 2048" \
		"faultrun -s reloc -m quota -n 9 -f $((seed % 9 + 1)) -S $seed -t ext4 -o usrquota" \
		"faultrun -s reloc -m room -n 9 -f $((seed % 9 + 1)) -S $seed" \
		"faultrun -s tool -m once -n 30 -f $((seed % 30 + 10)) -S $seed"
}

@test "metadata that must be read again and can't be: an errno, and nothing has changed" {
	faults "reread -s move -l 1" "reread -s move -l 2 -e -t ext4 -b 2048 -n 9 -f $((${SEED:-1} % 9 + 1))" \
		"reread -s named -l 2 -d -b 4096 -o errors=remount-ro -n 4 -f $((${SEED:-1} % 4 + 1))"
}

# A program that judges itself, in a guest; its last words if all is well.
passes() {
	vm --cpus 1 --timeout 200 -- "build/tests/bin/$1" >"$log" 2>&1 || {
		tail -n 40 "$log"
		false
	}
	grep -q "^$2\$" "$log"
}

@test "data that comes through a pin between write-back and swap is not lost" {
	passes late 'late data kept'
}

@test "a page that changes all the time, through a pin, moves in the end, with nothing lost" {
	passes starved 'starved page moved'
}

@test "a commit that fails gives no block of a file to others, nor to a discard" {
	passes aborted 'aborted: all kept'
}

@test "an indirect block that could not be written is not read again" {
	passes unwritten 'extents kept'
}

@test "gaps between blocks are read along where the disk turns; that they can't be read is no error" {
	passes gaps 'gaps passed'
}

@test "memory that is not to be had: ENOMEM, nothing lost, nothing leaked" {
	run vm --cpus 1 --timeout 400 -- build/tests/bin/faultmemory
	[ "$status" -ne 77 ] || skip "the kernel $KERNEL injects no faults"
	echo "$output"
	[ "$status" -eq 0 ]
	[[ ${lines[-1]} =~ ^[1-9][0-9]*\ faults,\ 0\ bad$ ]]
}
