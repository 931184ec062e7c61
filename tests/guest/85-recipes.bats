# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2030,SC2031 # each test is a subshell of its own, and wants to be
# shellcheck disable=SC2034,SC2154 # variables shared with common.bash
# The recipes by which xfstests proves ext4's defragmenter (generic/018 and /324, ext4/020, /307
# and /308), for ours. Those with fio, ext4/301 to 304, are scenes of tests/stress.

load common

one_with=data=journal

# Steps that write blocks of f, each synced before the next is written, in the order given.
write_synced() {
	local block
	for block; do
		printf 'pattern f %d %d 1\nfsync f\n' $((block * BS)) "$BS"
	done
}

# fragments_of[FILE]: how many fragments each file below $H has, as the disk shows them.
declare -gA fragments_of
look() {
	local -A name
	local inode fragments file

	sync -f "$H"
	while read -r inode file; do
		name[$inode]=$file
	done < <(find "$H" -type f -printf '%i %P\n')
	while read -r inode _ _ _ _ fragments _; do
		[ -z "${name[$inode]:-}" ] || fragments_of[${name[$inode]}]=$fragments
	done < <(fragcount "$DEV")
}

# defragments FILE LEAST AFTER...: each FILE has LEAST fragments or more, then AFTER; nothing that
# can be seen of it changes, and doing it once more moves nothing.
defragments() {
	local i wanted=6
	look
	for ((i = 1; i <= $#; i += 3)); do
		echo "# ${!i}: ${fragments_of[${!i}]} fragments"
		[ "${fragments_of[${!i}]}" -ge "${*:i+1:1}" ]
		[ "${fragments_of[${!i}]}" -le "${*:i+2:1}" ] || wanted=0
	done
	manifest "$H" >"$T/before"
	run "-$wanted" --separate-stderr e3defrag -v "$H"
	echo "$output"
	[ -z "$stderr" ]
	echo 3 >/proc/sys/vm/drop_caches
	manifest "$H" | diff "$T/before" -
	look
	for ((i = 1; i <= $#; i += 3)); do
		echo "# ${!i}: ${fragments_of[${!i}]} fragments"
		[ "${fragments_of[${!i}]}" -eq "${*:i+2:1}" ]
	done
	run -6 --separate-stderr e3defrag "$H"
	[ -z "$stderr" ]
	[[ $output == *"Blocks moved: 0 "* ]]
}

# What is perfect is left where it lies.
layouts() {
	local old
	steps <<-EOF
	open f $H/empty rw,creat
	open f $H/hole rw,creat
	truncate f 1048576
	open f $H/contiguous rw,creat
	pattern f 0 $((4 * BS)) 1
	fsync f
	open f $H/backwards rw,creat
	$(write_synced {9..0})
	open f $H/backwards-holes rw,creat
	$(write_synced {31..0..2})
	open f $H/forwards-holes rw,creat
	$(write_synced {0..31..2})
	EOF
	old=$(<"$M/nodes/14/data/extents")
	# how many there are is the allocator's affair, but what is written backwards can't be one
	defragments empty 0 0 hole 0 0 contiguous 1 1 backwards 2 1 backwards-holes 2 1 \
		forwards-holes 1 1
	[ "$(<"$M/nodes/14/data/extents")" = "$old" ]
	[ "$(grep -c ' 0 1$' "$M/nodes/16/data/extents")" = 16 ]
	[ "$(grep -c ' 0 1$' "$M/nodes/17/data/extents")" = 15 ]
}

@test "generic/018: nothing, holes, forwards, backwards: fewer fragments or left alone" {
	each_host layouts
}

# sparse_pieces FILE COUNT: single blocks far from each other; then what is between them is filled
# in the first half, which can't lie next to them any more.
sparse_pieces() {
	steps <<-EOF
	open f $H/$1 rw,creat
	open g $H/between.$1 rw,creat
	comb f 0 $2 25 $BS 1
	fsync f
	comb g 0 60 1 $BS 1
	fsync g
	comb f 1 $(($2 * 25 / 2)) 1 $BS 1
	comb f 0 $2 25 $BS 1
	fsync f
	close f
	close g
	EOF
}

many_pieces() {
	sparse_pieces ten 10
	sparse_pieces more 90
	defragments ten 2 1 more 10 1
}

@test "generic/324: many pieces become one, and stay it when it is done again" {
	each_host many_pieces 24
}

# The end of a file in the middle of a block, in the middle of a page, in each of the first blocks
# and behind the first indirect one: moved at once, moved block by block from the end.
odd_ends() {
	local size ends="1 511 1023 $((BS - 1)) $((BS + 1)) 4095 4097 $((12 * BS - 3))"
	for size in $ends $(((12 + P) * BS + 1)); do
		blocks=$(((size + BS - 1) / BS))
		steps <<-EOF
		open f $H/f rw,creat
		pattern f 0 $size 1
		fsync f
		donor d $H
		open a $M/nodes/%d/data/alloc w
		# where there is more of the donor than of the file
		alloc a 0 $((blocks + 9)) => $((blocks + 9))
		slurp $M/nodes/%f/data/extents -> old
		stat f -> stat
		run "echo 3 >/proc/sys/vm/drop_caches" => 0
		open r $M/nodes/%f/data/reloc w
		drain r %d 0 => "$blocks ENODATA"
		stat f => "%stat"
		dontneed f
		check f 0 $size 1 => right
		$(for ((i = blocks - 1; i >= 0 && i > blocks - 9; i--)); do
			echo "write r \"%d 1\" $i => 1"
		done)
		check f 0 $size 1 => right
		dontneed f
		check f 0 $size 1 => right
		stat f => "%stat"
		write r "%d 1" $blocks => ENODATA
		write r "%d 0" 0 => EINVAL
		write r "%d -1" 0 => EINVAL
		truncate f $((size + 5000))
		check f $size 5000 0 => right
		unlink $H/f
		syncfs f
		EOF
	done
}

@test "ext4/020: a file that ends in the middle of a block loses no byte of it" {
	each_host odd_ends
}

# Aged by writers, then two defragmenters at once, and all read again from the disk.
compacted() {
	local first=0 second=0 before=0 i
	RANDOM=$((${SEED:-1} + BS))
	echo "# SEED=${SEED:-1}"
	mkdir "$H/dir"
	for i in {1..8}; do
		fill "$H/dir/$i" $((RANDOM % 600 * 512 + 512)) "$i"
	done
	for i in {1..8}; do
		scatter "$H" "$M" "$H/dir/$i" "$i" $((RANDOM % 4 + 1)) >/dev/null
		fallocate -p -o $((RANDOM * 4)) -l $((RANDOM % 9000 + 1)) \
			"$H/dir/$((RANDOM % 8 + 1))"
	done
	look
	# delayed allocation has counted no indirect blocks before it was synced
	manifest "$H/dir" >"$T/before"
	for i in {1..8}; do
		((before += fragments_of[dir/$i])) || :
	done
	e3defrag -v "$H" >"$T/first" 2>&1 &
	e3defrag -v "$H/dir" >"$T/second" 2>&1 || second=$?
	wait $! || first=$?
	cat "$T/first" "$T/second"
	# each may have found a file busy with the other, or all done by it
	[[ $first == [016] ]]
	[[ $second == [016] ]]
	echo 3 >/proc/sys/vm/drop_caches
	manifest "$H/dir" | diff "$T/before" -
	# and what they left each other is done by one
	e3defrag "$H" || (($? == 6))
	look
	echo "# $before fragments before"
	[ "$before" -gt 20 ]
	for i in {1..8}; do
		[ "${fragments_of[dir/$i]}" -le 1 ]
	done
}

@test "ext4/307: two defragmenters over the same files at once, and every byte is right" {
	each_host compacted
}

# Swapped twice, the data and the indirect blocks are where they were.
swapped_back() {
	local count output
	for count in 10 40 90; do
		sparse_pieces "f$count" "$count"
		output=$(steps <<-EOF
		open f $H/f$count rw
		slurp $M/nodes/%f/data/extents -> data
		slurp $M/nodes/%f/metadata/blocks -> indirect
		field "%data" -1 1 -> last
		field "%data" -1 3 -> length
		let all %last + %length
		stat f -> stat
		donor d $H
		open a $M/nodes/%d/data/alloc w
		alloc a 0 %all => %all
		open r $M/nodes/%f/data/reloc w
		open mr $M/nodes/%f/metadata/reloc w
		drain r %d 0 -> first
		write mr "%d 1" 12
		slurp $M/nodes/%f/data/extents -> moved
		slurp $M/nodes/%f/metadata/blocks -> away
		drain r %d 0 => "%first"
		write mr "%d 1" 12
		slurp $M/nodes/%f/data/extents => "%data"
		slurp $M/nodes/%f/metadata/blocks => "%indirect"
		run "echo 3 >/proc/sys/vm/drop_caches" => 0
		stat f => "%stat"
		syncfs f
		imgmap data $DEV %f => "%data"
		print "%data--%moved--%indirect--%away"
		EOF
		)
		[[ $output =~ ^(.*)--(.*)--(.*)--(.*)$ ]]
		[ "${BASH_REMATCH[1]}" != "${BASH_REMATCH[2]}" ]
		[ "${BASH_REMATCH[3]}" != "${BASH_REMATCH[4]}" ]
	done
}

@test "ext4/308: swapped twice, a layout is as it was, and it was another in between" {
	each_host swapped_back 24
}
