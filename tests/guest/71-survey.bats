# SPDX-License-Identifier: GPL-2.0-only
# The survey's threads, which take turns at the block groups: on two processors, where one of them
# can be far ahead of the other.
# cpus: 2

T=/tmp/survey
load tool

setup() {
	use_tool
}

@test "each file is there once, whichever block groups are empty" {
	local i

	mke2fs -q -F -t ext3 -b 1024 -N 8192 "$T/image" 192M
	mount -t ext3 -o loop "$T/image" "$H"
	echo "seed ${SEED:=$RANDOM}"
	RANDOM=$SEED
	# directories of the root go to groups of their own, files to their directories'
	for _ in 1 2; do
		for i in {1..16}; do
			mkdir -p "$H/$i"
			(cd "$H/$i" && eval "for f in {1..$((1 + RANDOM % 150))}; do echo >\$f; done")
		done
		for i in {1..16}; do
			[ $((RANDOM % 3)) = 0 ] || rm -r "${H:?}/$i"
		done
		find "$H" -type f -printf '%i\n' | sort -n >"$T/files"
		for i in {1..4}; do
			e3defrag -c --csv="$T/csv" "$H" >"$T/text"
			sed 1d "$T/csv" | cut -d, -f 3 | sort -n >"$T/found"
			diff "$T/files" "$T/found"
		done
	done
	umount "$H"
}
