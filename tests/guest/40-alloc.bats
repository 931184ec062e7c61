# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2030,SC2031 # each test is a subshell of its own, and wants to be
# shellcheck disable=SC2034,SC2153 # variables shared with common.bash
# alloc_goal, data/alloc and metadata/alloc.

load common

# Steps that leave a donor d with its files open, and in %start and %length the
# longest free run.
donor_at_longest() {
	text <<-EOF
	open h $H r,dir
	syncfs h
	slurp $M/allocation/free_blocks -> free
	longest "%free" -> longest
	field "%longest" 1 1 -> start
	field "%longest" 1 2 -> length
	donor d $H
	open g $M/nodes/%d/alloc_goal rw
	open a $M/nodes/%d/data/alloc w
	open ma $M/nodes/%d/metadata/alloc w
	EOF
}

# Closes the donor and sees that each block of it came back.
all_came_back() {
	text <<-EOF
	close g
	close a
	close ma
	close d
	syncfs h
	within 5000 slurp $M/allocation/free_blocks => "%free"
	EOF
}

goal() {
	local blocks

	blocks=$(<"$M/super/blocks")
	steps <<-EOF
	donor d $H
	open g $M/nodes/%d/alloc_goal rw
	read g 100 0 => "0\n"
	write g "2345\n" 0 => 5
	read g 100 0 => "2345\n"
	close g
	slurp $M/nodes/%d/alloc_goal => "2345\n"
	open g $M/nodes/%d/alloc_goal rw
	write g $blocks 0 => EINVAL
	write g 4294967296 0 => EINVAL
	write g 4294969641 0 => EINVAL
	read g 100 0 => "2345\n"
	write g $((blocks - 1)) 0 => ${#blocks}
	read g 100 0 => "$((blocks - 1))\n"
	write g 0 0 => 1
	read g 100 0 => "0\n"
	# it is one for all that have it open
	open g2 $M/nodes/%d/alloc_goal rw
	write g2 77 0 => 2
	read g 100 0 => "77\n"
	close g
	close g2
	let gone %d + 0
	close d
	mode $M/nodes/%gone/alloc_goal => ENOENT
	donor d $H
	is %d => %gone
	slurp $M/nodes/%d/alloc_goal => "0\n"
	EOF
}

@test "alloc_goal: range, life, one state" {
	each_block_size goal
}

at_goal() {
	steps <<-EOF
	$(donor_at_longest)
	let goal %start + 10
	write g %goal
	write a "12\n" => 3
	seek a 0 cur => 12
	slurp $M/nodes/%d/data/extents => "0 %goal 12\n"
	let next %goal + 12
	read g 100 0 => "%next\n"
	# a goal that is taken: somewhere else
	write g %goal 0
	alloc a 20 3 => 3
	slurp $M/nodes/%d/data/extents 64 20 -> e
	field "%e" 1 2 -> other
	run "test %other -ne %goal" => 0
	slurp $M/nodes/%d/metadata/blocks -> m
	field "%m" 1 3 -> ind
	run "test %ind -ne %goal -a %ind -ne %other" => 0
	field "%e" -1 2 -> last
	field "%e" -1 3 -> length
	let after %last + %length
	read g 100 0 => "%after\n"
	imgmap data $DEV %d -> data
	slurp $M/nodes/%d/data/extents => "%data"
	$(all_came_back)
	EOF
}

@test "data/alloc takes the goal exactly, or goes elsewhere when it is taken" {
	each_host at_goal
}

# 12 data, IND, data, DIND, IND, data, IND, data: one run without a break.
reading_order() {
	local count=$((12 + P + P + 40)) total

	total=$((count + 1 + 1 + 2))
	steps <<-EOF
	$(donor_at_longest)
	less $((total + 20)) %length => yes
	let goal %start + 5
	write g %goal
	alloc a 0 $count => $count
	let next %goal + $total
	read g 100 0 => "%next\n"
	imgmap order $DEV %d => "%goal $total\n"
	imgmap data $DEV %d -> data
	slurp $M/nodes/%d/data/extents => "%data"
	imgmap meta $DEV %d -> meta
	slurp $M/nodes/%d/metadata/blocks => "%meta"
	slurp $M/nodes/%d/info -> i
	key "%i" blocks => $total
	key "%i" size => 0
	$(all_came_back)
	EOF
}

@test "data/alloc lays out a donor in reading order, without a break" {
	each_host reading_order 32
}

# The same asked for in pieces, as a plan of several runs does.
reading_order_in_pieces() {
	local count=$((12 + P + P + 40)) total

	total=$((count + 1 + 1 + 2))
	steps <<-EOF
	$(donor_at_longest)
	write g %start
	alloc a 0 5 => 5
	alloc a 5 9 => 9
	alloc a 14 $P => $P
	alloc a $((14 + P)) $((count - 14 - P)) => $((count - 14 - P))
	imgmap order $DEV %d => "%start $total\n"
	$(all_came_back)
	EOF
}

@test "data/alloc in pieces gives the same layout" {
	each_block_size reading_order_in_pieces 32
}

triple() {
	local tind=$((12 + P + P * P)) count=$((P + 5))

	steps <<-EOF
	$(donor_at_longest)
	write g %start
	alloc a $tind $count => $count
	imgmap order $DEV %d => "%start $((count + 4))\n"
	slurp $M/nodes/%d/metadata/blocks -> m
	field "%m" 1 1 => 3
	field "%m" 1 2 => $tind
	field "%m" 1 3 => %start
	lines "%m" => 4
	# across the border of double and triple
	alloc a $((tind - 3)) 3 => 3
	write a 1 $((tind - 3)) => EEXIST
	imgmap data $DEV %d -> data
	slurp $M/nodes/%d/data/extents => "%data"
	imgmap meta $DEV %d -> meta
	slurp $M/nodes/%d/metadata/blocks => "%meta"
	$(all_came_back)
	EOF
}

@test "data/alloc in the triple indirect part" {
	each_host triple
}

stops_before_allocated() {
	steps <<-EOF
	$(donor_at_longest)
	alloc a 10 5 => 5
	write a 1 10 => EEXIST
	write a 3 14 => EEXIST
	seek a 14
	write a 3 => EEXIST
	seek a 0 cur => 14
	slurp $M/nodes/%d/data/extents 64 10 -> e
	seek a 4
	write a 20 => 2
	seek a 0 cur => 10
	write a 20 => EEXIST
	slurp $M/nodes/%d/data/extents 64 10 => "%e"
	seek a 15
	write a 2 => 1
	seek a 0 cur => 17
	# up to a block behind another indirect block
	alloc a $((12 + P + 3)) 1 => 1
	seek a 17
	write a $((2 * P)) => any
	seek a 0 cur => $((12 + P + 3))
	imgmap data $DEV %d -> data
	slurp $M/nodes/%d/data/extents => "%data"
	$(all_came_back)
	EOF
}

@test "data/alloc stops before what is allocated, EEXIST if that is the first" {
	each_block_size stops_before_allocated
}

space_ends() {
	steps <<-EOF
	$(donor_at_longest)
	drain a 1000000 0 -> got
	field "%got" 1 2 => ENOSPC
	seek a 0 cur -> reached
	less 100 %reached => yes
	write a 5 => ENOSPC
	seek a 0 cur => %reached
	slurp $M/allocation/free_blocks -> left
	lines "%left" -> lines
	less %lines 4 => yes
	imgmap data $DEV %d -> data
	slurp $M/nodes/%d/data/extents => "%data"
	field "%data" -1 1 -> last
	field "%data" -1 3 -> length
	let end %last + %length
	is %end => %reached
	write ma 3 $((12 + P + P * P)) => any
	write ma 2 $((12 + P + P * P)) => any
	write ma 1 $((12 + P + P * P)) => any
	drain a 1 $((12 + P + P * P)) => "0 ENOSPC"
	$(all_came_back)
	EOF
}

@test "data/alloc takes what there is, then ENOSPC" {
	each_block_size space_ends 12
	each_block_size space_ends 12 ext4
}

# Steps after which all that is free holds someone's data; h is the host.
junk_in_free_blocks() {
	text <<-EOF
	open junk $H/junk rw,creat
	pattern junk 0 100000000 9 => ENOSPC
	fsync junk
	close junk
	unlink $H/junk
	open h $H r,dir
	syncfs h
	EOF
}

# None of the data that was in free blocks may ever be seen.
named_file_is_zeroed() {
	local type=$TYPE length=$(((12 + P + 300) * BS))

	steps <<-EOF
	$(junk_in_free_blocks)
	open f $H/f rw,creat
	truncate f $length
	open a $M/nodes/%f/data/alloc w
	alloc a 0 $((12 + P + 300)) => $((12 + P + 300))
	check f 0 $length 0 => right
	fsync f
	dontneed f
	check f 0 $length 0 => right
	imgmap data $DEV %f -> data
	slurp $M/nodes/%f/data/extents => "%data"
	slurp $M/nodes/%f/data/extents -> first
	field "%first" 1 2 -> physical
	run "test %physical -ne 0" => 0
	EOF
	unmount_host
	[ "$(imgmap check "$IMG" 12 0 "$length" 0)" = right ]
	mount_host "$type"
	rm "$H/f"
}

@test "data/alloc on a named file shows zeros, never old data" {
	each_host named_file_is_zeroed
}

# The blocks are zero on the device before they are mapped, so that a crash
# right after the commit can't show what they held.
zeroed_before_commit() {
	local length=$((40 * BS)) cut=$T/cut

	steps <<-EOF
	$(junk_in_free_blocks)
	open f $H/f rw,creat
	truncate f $length
	open a $M/nodes/%f/data/alloc w
	alloc a 0 40 => 40
	syncfs h
	copy $IMG $cut
	EOF
	replay "$cut"
	steps <<-EOF
	imgmap data $cut 12 -> data
	field "%data" 1 2 -> physical
	less 0 %physical => yes
	imgmap check $cut 12 0 $length 0 => right
	EOF
}

@test "after a crash the blocks of a named file are zeros" {
	each_block_size zeroed_before_commit
}

holes_of_a_named_file() {
	local length=$((60 * BS))

	steps <<-EOF
	open f $H/f rw,creat
	comb f 0 10 4 $BS 1
	truncate f $length
	fsync f
	# the holes are in the page cache when they are filled
	check f $BS $BS 0 => right
	map m f 0 $((16 * BS))
	slurp $M/nodes/%f/data/extents -> before
	open a $M/nodes/%f/data/alloc w
	alloc a 1 3 => 3
	alloc a 5 1 => 1
	alloc a 37 23 => 23
	check f 0 $BS 1 => right
	check f $BS $((3 * BS)) 0 => right
	check f $((4 * BS)) $BS 1 => right
	check f $((37 * BS)) $((23 * BS)) 0 => right
	# writes through the cache go to the new blocks
	pattern f $((2 * BS)) $BS 1
	pattern f $((5 * BS + 10)) 100 1
	mpattern m 1
	msync m
	fsync f
	check f 0 $((16 * BS)) 1 => right
	EOF
	unmount_host
	[ "$(imgmap check "$IMG" 12 0 $((16 * BS)) 1)" = right ]
}

@test "data/alloc fills holes of a file in use" {
	each_host holes_of_a_named_file
}

# Blocks that wait for delayed allocation have a reservation that must not leak.
waiting_blocks() {
	steps <<-EOF
	dmesg
	open f $H/f rw,creat
	pattern f 0 $((20 * BS)) 1
	open a $M/nodes/%f/data/alloc w
	write a 20 0 => any
	check f 0 $((20 * BS)) 1 => right
	fsync f
	check f 0 $((20 * BS)) 1 => right
	imgmap data $DEV %f -> data
	slurp $M/nodes/%f/data/extents => "%data"
	EOF
	unmount_host
	steps <<-EOF
	imgmap check $IMG 12 0 $((20 * BS)) 1 => right
	# "Inode 12: i_reserved_data_blocks (20) not cleared!", or the mount's
	dmesg reserved => no
	dmesg leak => no
	EOF
}

@test "data/alloc where delayed allocation waits" {
	each_block_size waiting_blocks 16 ext4
}

@test "a file of no block, one byte, and one byte short of a block" {
	make_image 1024
	mount_host
	steps <<-EOF
	open f $H/zero rw,creat
	open a $M/nodes/%f/data/alloc w
	write a 1 0 => EINVAL
	truncate f 1
	write a 1 0 => 1
	check f 0 1 0 => right
	open f $H/one rw,creat
	pattern f 0 1 1
	fsync f
	open a $M/nodes/%f/data/alloc w
	write a 1 0 => EEXIST
	write a 1 1 => EINVAL
	truncate f 1025
	alloc a 1 1 => 1
	check f 0 1 1 => right
	check f 1 1024 0 => right
	open f $H/short rw,creat
	pattern f 0 1023 1
	fsync f
	open a $M/nodes/%f/data/alloc w
	write a 1 0 => EEXIST
	check f 0 1023 1 => right
	EOF
	unmount_host
}

meta_levels() {
	local dind=$((12 + P)) tind=$((12 + P + P * P)) below leaf blocks

	below=$((tind + P * P))
	leaf=$((below + 2 * P))
	blocks="1 12 %start\n2 $dind %b2\n1 $dind %b4\n1 $((dind + P)) %b3\n"
	blocks+="3 $tind %b5\n2 $below %b6\n1 $leaf %b7\n"

	steps <<-EOF
	$(donor_at_longest)
	# levels that a block doesn't have
	write ma 1 0 => EINVAL
	write ma 1 11 => EINVAL
	write ma 2 12 => EINVAL
	write ma 3 12 => EINVAL
	write ma 3 $dind => EINVAL
	write ma 0 12 => EINVAL
	write ma 4 $tind => EINVAL
	# no parent yet
	write ma 1 $dind => ENOENT
	write ma 1 $tind => ENOENT
	write ma 2 $tind => ENOENT
	slurp $M/nodes/%d/metadata/blocks => ""
	write g %start
	write ma "1\n" 12 => 2
	write ma 1 12 => EEXIST
	write ma 1 $((12 + P - 1)) => EEXIST
	let b2 %start + 1
	read g 100 0 => "%b2\n"
	write ma 2 $dind => 1
	write ma 2 $((dind + P + 1)) => EEXIST
	write ma 1 $((dind + P + 1)) => 1
	write ma 1 $dind => 1
	write ma 1 $((dind + P)) => EEXIST
	write ma 3 $((tind + 5)) => 1
	write ma 3 $tind => EEXIST
	write ma 1 $tind => ENOENT
	write ma 2 $below => 1
	write ma 1 $leaf => 1
	write ma 1 $tind => ENOENT
	let b3 %start + 2
	let b4 %start + 3
	let b5 %start + 4
	let b6 %start + 5
	let b7 %start + 6
	let b8 %start + 7
	read g 100 0 => "%b8\n"
	slurp $M/nodes/%d/metadata/blocks => "$blocks"
	imgmap meta $DEV %d -> meta
	slurp $M/nodes/%d/metadata/blocks => "%meta"
	slurp $M/nodes/%d/data/extents => ""
	slurp $M/nodes/%d/info -> i
	key "%i" blocks => 7
	# data goes below what is there
	alloc a $leaf 3 => 3
	slurp $M/nodes/%d/data/extents 64 $leaf => "$leaf %b8 3\n"
	$(all_came_back)
	EOF
}

@test "metadata/alloc: levels 1, 2 and 3, parents first" {
	each_host meta_levels
}

meta_of_a_named_file() {
	steps >"$T/meta.list" <<-EOF
	open junk $H/junk rw,creat
	pattern junk 0 100000000 9 => ENOSPC
	fsync junk
	close junk
	unlink $H/junk
	open f $H/f rw,creat
	pattern f 0 $((5 * BS)) 1
	truncate f $(((12 + P + P * P + 10) * BS))
	fsync f
	syncfs f
	open ma $M/nodes/%f/metadata/alloc w
	write ma 1 12 => 1
	write ma 2 $((12 + P)) => 1
	write ma 1 $((12 + P)) => 1
	write ma 3 $((12 + P + P * P)) => 1
	check f 0 $((5 * BS)) 1 => right
	check f $((5 * BS)) $((30 * BS)) 0 => right
	slurp $M/nodes/%f/metadata/blocks -> meta
	pattern f $((12 * BS)) $((3 * BS)) 1
	fsync f
	slurp $M/nodes/%f/metadata/blocks => "%meta"
	print "%meta"
	EOF
	unmount_host
	steps <<-EOF
	slurp $T/meta.list -> meta
	lines "%meta" => 4
	imgmap meta $IMG 12 => "%meta"
	imgmap check $IMG 12 $((12 * BS)) $((3 * BS)) 1 => right
	imgmap check $IMG 12 0 $((5 * BS)) 1 => right
	EOF
}

@test "metadata/alloc on a named file leaves a sound tree" {
	each_host meta_of_a_named_file
}

past_the_size() {
	steps <<-EOF
	open f $H/f rw,creat
	truncate f $((30 * BS + 1))
	open a $M/nodes/%f/data/alloc w
	open ma $M/nodes/%f/metadata/alloc w
	write a 1 31 => EINVAL
	write a 32 0 => EINVAL
	write a 2 30 => EINVAL
	write ma 2 $((12 + P)) => EINVAL
	slurp $M/nodes/%f/data/extents => "0 0 31\n"
	slurp $M/nodes/%f/metadata/blocks => ""
	write a 31 0 => 2
	# nothing of it, also where the first steps would fit
	open g $H/g rw,creat
	truncate g $((2000 * BS))
	open b $M/nodes/%g/data/alloc w
	write b 2001 0 => EINVAL
	slurp $M/nodes/%g/data/extents => "0 0 2000\n"
	EOF
}

# e2fsck takes blocks past the end of a named file for a size that was lost.
@test "a file with a name gets no blocks past its size" {
	each_block_size past_the_size
}

two_at_once() {
	steps <<-EOF
	$(donor_at_longest)
	open a2 $M/nodes/%d/data/alloc w
	start one alloc a 0 $((12 + P + 20))
	start two alloc a2 0 $((12 + P + 20))
	finish one => any
	finish two => any
	imgmap data $DEV %d -> data
	slurp $M/nodes/%d/data/extents => "%data"
	slurp $M/nodes/%d/info -> i
	key "%i" blocks -> blocks
	less %blocks $((12 + P + 20 + 4)) => yes
	close a2
	$(all_came_back)
	EOF
}

@test "two that allocate for one donor at once" {
	each_block_size two_at_once
}

@test "a donor unlinked by closing leaves nothing, however it was built" {
	make_image 1024 32
	mount_host ext4
	steps <<-EOF
	$(donor_at_longest)
	alloc a 0 1500 => 1500
	write ma 1 $((12 + 256 + 20 * 256)) => 1
	write ma 3 $((12 + 256 + 65536)) => 1
	alloc a 5000 7 => 7
	$(all_came_back)
	$(donor_at_longest)
	alloc a 0 3000 => 3000
	$(all_came_back)
	EOF
	unmount_host
}

# A hole, filled by data/alloc and by a write, which is a plain overwrite then. $1: what syncs it.
# Nothing but that sync may bring the blocks into the file that the machine comes back with.
alloc_write_sync() {
	local length=$((40 * BS)) cut=$T/cut

	steps <<-EOF
	open f $H/f rw,creat
	truncate f $length
	fsync f
	syncfs f
	open a $M/nodes/%f/data/alloc w
	alloc a 0 40 => 40
	pattern f 0 $length 1
	run "$1 $H/f" => 0
	copy $IMG $cut
	close f
	EOF
	replay "$cut" >/dev/null
	[ "$(imgmap check "$cut" 12 0 "$length" 1)" = right ]
}
alloc_write_fdatasync() { alloc_write_sync "sync -d"; }
alloc_write_fsync() { alloc_write_sync sync; }

@test "what is written and synced after data/alloc is there after a crash" {
	each_block_size alloc_write_fdatasync 16 ext3 commit=300
	each_block_size alloc_write_fdatasync 16 ext4 commit=300
	each_block_size alloc_write_fsync 16 ext3 commit=300
}

# An indirect block that came by metadata/alloc, and data that ext4 itself put below it.
metadata_alloc_write_fdatasync() {
	local at=$((12 * BS)) length=$((20 * BS)) cut=$T/cut

	steps <<-EOF
	open f $H/f rw,creat
	truncate f $((at + length))
	fsync f
	syncfs f
	open ma $M/nodes/%f/metadata/alloc w
	write ma 1 12 => 1
	pattern f $at $length 1
	run "sync -d $H/f" => 0
	copy $IMG $cut
	close f
	EOF
	replay "$cut" >/dev/null
	[ "$(imgmap check "$cut" 12 "$at" "$length" 1)" = right ]
}

@test "what is written and synced after metadata/alloc is there after a crash" {
	each_block_size metadata_alloc_write_fdatasync 16 ext3 commit=300
}

@test "where files can have inline data, a small write after data/alloc goes into the blocks" {
	make_image 4096 16 -t ext4 -O ^extents,^64bit,inline_data -I 256
	mount_host ext4
	steps <<-EOF
	open f $H/f rw,creat
	truncate f 49152
	open a $M/nodes/%f/data/alloc w
	alloc a 0 12 => 12
	pattern f 0 5 1
	fsync f
	slurp $M/nodes/%f/info -> i
	key "%i" mapping => indirect
	key "%i" blocks => 12
	check f 0 5 1 => right
	close f
	EOF
	unmount_host
}
