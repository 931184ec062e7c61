# SPDX-License-Identifier: GPL-2.0-only
# What the sections' guest sides share. To be sourced. What is measured goes to descriptor 3, as
# "KEY VALUE" lines; everything else to standard error.
# shellcheck shell=bash disable=SC2034,SC2154

# shellcheck source=tests/lib/guest.bash
. "$(dirname "${BASH_SOURCE[0]}")/../lib/guest.bash"
bench=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export PATH="$bench/../../build/tests/bench:$PATH"
exec 3>&1 1>&2
repeats=${REPEAT:-5}

# The filesystem of one disk on another: each run begins with the same bytes.
restore() {
	dd if="/dev/$1" of="/dev/$2" bs=4M iflag=direct oflag=direct status=none
}

# Nothing is cached but the programs, which are no part of what is measured.
cold() {
	local program
	sync
	echo 3 >/proc/sys/vm/drop_caches
	for program in e3defrag cp mv tar sync find xargs cat dd sh; do
		"$program" --version >/dev/null 2>&1 </dev/null || true
	done
	for program in filefrag e4defrag cost e2fsck e2freefrag; do
		"$program" >/dev/null 2>&1 </dev/null || true
	done
}

# measured NAME DISK COMMAND...: what it takes, and what is read from and written to the disk.
measured() {
	local name=$1 disk=$2 before after
	shift 2
	read -ra before <"/sys/block/$disk/stat"
	cost "$name" "$@"
	read -ra after <"/sys/block/$disk/stat"
	echo "${name}_read_mib $(((after[2] - before[2]) / 2048))" >&3
	echo "${name}_written_sectors $((after[6] - before[6]))" >&3
	echo "${name}_requests $((after[0] + after[4] - before[0] - before[4]))" >&3
}

# Blocks that went through the journal of a mounted disk: transactions times their average.
journal_blocks() {
	awk '/transactions \(/ { n = $1 } /logged blocks per transaction/ { print n * $1 }' \
		"/proc/fs/jbd2/$1-8/info"
}

fragments() {
	fragcount "/dev/$1" | awk '/^total/ { print $7 }'
}
