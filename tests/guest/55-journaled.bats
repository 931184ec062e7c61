# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2030,SC2031 # each test is a subshell of its own, and wants to be
# shellcheck disable=SC2034,SC2153 # variables shared with common.bash
# Files whose data goes through the journal: what is there only must move too, and nothing that is
# there may come back over the blocks that a file has left. 50-reloc does all else on such a host.

load common

# The journal has the file's blocks, and what is in their place is older: nothing but time commits
# them, and the newer kernels' fsync would write them to their place.
only_in_the_journal() {
	local cut=$T/cut blocks=$((12 + P + 50)) size in_place

	size=$((blocks * BS - 100))
	in_place=$(steps <<-EOF
	open f $H/f rw,creat
	$1
	pattern f 0 $size 1
	fsync f
	pattern f 0 $size 2
	sleep 2500
	imgmap check $DEV %f 0 $size 2 -> in_place
	$(new_donor)
	alloc a 0 $blocks => $blocks
	slurp $M/nodes/%d/data/extents -> new
	open r $M/nodes/%f/data/reloc w
	drain r %d => "$blocks ENODATA"
	slurp $M/nodes/%f/data/extents => "%new"
	check f 0 $size 2 => right
	copy $IMG $cut.before
	syncfs f
	copy $IMG $cut.after
	pattern f 0 $size 3
	fsync f
	copy $IMG $cut.written
	close d
	print "%in_place"
	EOF
	)
	[ "$in_place" != right ]
	replay "$cut.before"
	[ "$(imgmap check "$cut.before" 12 0 "$size" 2)" = right ]
	replay "$cut.after"
	[ "$(imgmap check "$cut.after" 12 0 "$size" 2)" = right ]
	replay "$cut.written"
	[ "$(imgmap check "$cut.written" 12 0 "$size" 3)" = right ]
	unmount_host
	[ "$(imgmap check "$IMG" 12 0 "$size" 3)" = right ]
}

in_journal_of_the_host() {
	only_in_the_journal ''
}

in_journal_by_flag() {
	only_in_the_journal 'flags f +0x4000'
}

@test "data=journal: data that is in the journal only moves too, also when the machine dies" {
	on_host 1024 16 ext3 in_journal_of_the_host commit=1,data=journal
	on_host 4096 16 ext3 in_journal_of_the_host commit=1,data=journal
}

@test "a file with chattr +j: data that is in the journal only moves too" {
	on_host 1024 16 ext3 in_journal_by_flag commit=1
	on_host 2048 16 ext4 in_journal_by_flag commit=1,data=writeback,nodelalloc
}

# Another file has the old blocks at once, and its data doesn't go through the journal: nothing
# there revokes what a replay would bring back.
left_to_others() {
	local cut=$T/cut blocks=$((1048576 / BS)) filler junk

	filler=$(filler_blocks "$blocks")
	junk=$(steps <<-EOF
	open filler $H/filler rw,creat
	pattern filler 0 $((filler * BS)) 2
	fsync filler
	close filler
	open f $H/f rw,creat
	flags f +0x4000
	pattern f 0 1048576 1
	fsync f
	$(new_donor)
	alloc a 0 $blocks => $blocks
	open r $M/nodes/%f/data/reloc w
	drain r %d => "$blocks ENODATA"
	close d
	syncfs f
	open junk $H/junk rw,creat,direct
	pattern junk 0 1048576 9
	fsync junk
	copy $IMG $cut
	is %f => 13
	print %junk
	EOF
	)
	replay "$cut"
	[ "$(imgmap check "$cut" 13 0 1048576 1)" = right ]
	[ "$(imgmap check "$cut" "$junk" 0 1048576 9)" = right ]
	unmount_host
	[ "$(imgmap check "$IMG" 13 0 1048576 1)" = right ]
}

@test "what the journal held of the blocks that a file left isn't replayed over the next file" {
	each_block_size left_to_others 12 ext3 commit=300
}
