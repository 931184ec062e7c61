# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2030,SC2031 # each test is a subshell of its own, and wants to be
# shellcheck disable=SC2034,SC2153 # variables shared with common.bash
# data/reloc and metadata/reloc: what moves, what stays, and what others see.

load common

one_with=data=journal

# The whole of a file that reaches double indirection and is longer than a step.
whole_file() {
	local blocks=$((12 + P + P + 77)) size type=$TYPE

	size=$((blocks * BS - 100))
	steps <<-EOF
	$(new_file $size)
	$(new_donor)
	alloc a 0 $blocks => $blocks
	slurp $M/nodes/%f/data/extents -> old
	slurp $M/nodes/%d/data/extents -> new
	slurp $M/nodes/%f/metadata/blocks -> fmeta
	slurp $M/nodes/%d/metadata/blocks -> dmeta
	stat f -> stat
	# what is cached would hide a copy that went wrong
	dontneed f
	open r $M/nodes/%f/data/reloc w
	write r "%d\n" => $blocks
	# past the last block looked at, which may lie behind the last that moved
	seek r 0 cur -> reached
	less %reached $blocks => no
	write r "%d\n" => ENODATA
	stat f => "%stat"
	slurp $M/nodes/%f/data/extents => "%new"
	slurp $M/nodes/%d/data/extents => "%old"
	# the indirect blocks have not moved
	slurp $M/nodes/%f/metadata/blocks => "%fmeta"
	slurp $M/nodes/%d/metadata/blocks => "%dmeta"
	imgmap data $DEV %f => "%new"
	check f 0 $size 1 => right
	stat f => "%stat"
	close d
	syncfs f
	print "%new"
	EOF
}

reloc_whole_file() {
	local type=$TYPE size=$(((12 + P + P + 77) * BS - 100))

	whole_file >"$T/new"
	unmount_host
	steps <<-EOF
	slurp $T/new -> new
	imgmap data $IMG 12 => "%new"
	imgmap check $IMG 12 0 $size 1 => right
	EOF
	mount_host "$type"
	steps <<-EOF
	open f $H/f rw
	check f 0 $size 1 => right
	# what lies behind the end of the file is zero when it grows
	truncate f $((size + 100))
	check f $size 100 0 => right
	EOF
}

@test "data/reloc: the file lies in the donor's blocks, nothing else changed" {
	each_host reloc_whole_file 40
}

# ext4 has looked up where the blocks lie and remembers it; nothing of the file is cached.
written_afterwards() {
	steps <<-EOF
	$(new_file $((100 * BS)))
	dontneed f
	check f 0 $((100 * BS)) 1 => right
	dontneed f
	$(new_donor)
	alloc a 0 100 => 100
	open r $M/nodes/%f/data/reloc w
	drain r %d => "100 ENODATA"
	pattern f 0 $((100 * BS)) 2
	fsync f
	close d
	EOF
	unmount_host
	[ "$(imgmap check "$IMG" 12 0 $((100 * BS)) 2)" = right ]
}

@test "data/reloc: what is written afterwards goes to the new blocks" {
	each_host written_afterwards
}

# Blocks free before and after, to the block.
no_leak() {
	steps <<-EOF
	$(new_file $((300 * BS)))
	syncfs f
	imgmap count $DEV -> before
	$(new_donor)
	alloc a 0 300 => 300
	open r $M/nodes/%f/data/reloc w
	drain r %d => "300 ENODATA"
	close d
	syncfs f
	imgmap count $DEV => %before
	EOF
}

@test "data/reloc: as many blocks are free as before" {
	each_host no_leak
}

# The file is open for writing, so that the allocator keeps blocks at hand to go on with.
preallocated() {
	steps <<-EOF
	$(new_file $((100 * BS)))
	syncfs f
	$(new_donor)
	alloc a 0 100 => 100
	slurp $M/allocation/free_blocks -> free
	total "%free" 2 -> before
	open r $M/nodes/%f/data/reloc w
	drain r %d => "100 ENODATA"
	slurp $M/allocation/free_blocks -> free
	total "%free" 2 -> after
	less %before %after => yes
	EOF
}

@test "data/reloc: what is preallocated where the file lay is given back" {
	each_host preallocated
}

counted() {
	steps <<-EOF
	$(new_file $((40 * BS)))
	slurp $M/nodes/%f/data/extents -> fall
	field "%fall" 1 2 -> f0
	$(new_donor)
	alloc a 0 40 => 40
	slurp $M/nodes/%d/data/extents -> dall
	field "%dall" 1 2 -> d0
	open r $M/nodes/%f/data/reloc w
	# one block in the middle of a page, where blocks are smaller than that
	seek r 1
	write r "%d 1" => 1
	seek r 0 cur => 2
	let d1 %d0 + 1
	slurp $M/nodes/%f/data/extents 64 1 -> e
	field "%e" 1 2 => %d1
	field "%e" 1 3 => 1
	check f 0 $((40 * BS)) 1 => right
	# from there on, and not one more
	write r "%d 2\n" => 2
	seek r 0 cur => 4
	seek r 7
	write r "%d 4" => 4
	seek r 0 cur => 11
	imgmap data $DEV %f -> data
	slurp $M/nodes/%f/data/extents => "%data"
	check f 0 $((40 * BS)) 1 => right
	# over the border of the direct blocks
	write r "%d 3" 10 => 3
	check f 0 $((40 * BS)) 1 => right
	# the last one, and more than there is
	write r "%d 1000" 39 => 1
	write r "%d 1000" 40 => ENODATA
	check f 0 $((40 * BS)) 1 => right
	# an ident with its generation
	generation d -> gen
	let wrong %gen + 1
	write r "%d:%gen 2" 20 => 2
	write r "%d:%wrong 2" 22 => ESTALE
	write r "%d:%gen" 22 => 18
	check f 0 $((40 * BS)) 1 => right
	open f2 $H/f r,direct
	check f2 0 $((40 * BS)) 1 => right
	EOF
}

@test "data/reloc: position and COUNT, single blocks, parts of pages" {
	each_host counted
}

holes() {
	steps <<-EOF
	open f $H/f rw,creat
	comb f 0 10 1 $BS 1
	comb f 20 10 1 $BS 1
	truncate f $(((2 * P) * BS))
	fsync f
	slurp $M/nodes/%f/data/extents -> fbefore
	$(new_donor)
	alloc a 5 20 => 20
	alloc a $((12 + P + 2)) 5 => 5
	slurp $M/nodes/%d/data/extents -> dbefore
	open r $M/nodes/%f/data/reloc w
	write r %d 10 -> got
	is %got => 5
	seek r 10
	drain r %d => "5 ENODATA"
	# that was back again; now the rest: 5 to 9
	seek r 5
	write r "%d 5" => 5
	seek r 0 cur => 10
	imgmap data $DEV %f -> f1
	slurp $M/nodes/%f/data/extents => "%f1"
	imgmap data $DEV %d -> d1
	slurp $M/nodes/%d/data/extents => "%d1"
	check f 0 $((10 * BS)) 1 => right
	check f $((10 * BS)) $((10 * BS)) 0 => right
	check f $((20 * BS)) $((10 * BS)) 1 => right
	check f $((30 * BS)) $((100 * BS)) 0 => right
	# a range with nothing in common, and one where the first common block is far
	write r "%d 5" 0 => ENODATA
	write r "%d 10" 10 => ENODATA
	write r "%d 6" 0 => 1
	write r %d 30 => ENODATA
	check f 0 $((10 * BS)) 1 => right
	close d
	syncfs f
	EOF
}

@test "data/reloc: holes on either side stay holes" {
	each_host holes
}

nothing_in_common() {
	steps <<-EOF
	open f $H/f rw,creat
	open r $M/nodes/%f/data/reloc w
	$(new_donor)
	write r %d 0 => ENODATA
	alloc a 0 5 => 5
	write r %d 0 => ENODATA
	write r "%d 1" 0 => ENODATA
	pattern f 0 1 1
	fsync f
	write r %d 1 => ENODATA
	write r %d 0 => 1
	check f 0 1 1 => right
	donor e $H
	write r %e 0 => ENODATA
	check f 0 1 1 => right
	EOF
}

@test "data/reloc: ENODATA, and files of no block and of one byte" {
	each_host nothing_in_common
}

triple_indirect() {
	local tind=$((12 + P + P * P))

	steps <<-EOF
	open f $H/f rw,creat
	comb f $((tind - 4)) 10 1 $BS 1
	comb f $((tind + P - 2)) 6 1 $BS 1
	comb f $((tind + P * P - 1)) 3 1 $BS 1
	fsync f
	$(new_donor)
	alloc a $((tind - 4)) 10 => 10
	alloc a $((tind + P - 2)) 6 => 6
	alloc a $((tind + P * P - 1)) 3 => 3
	slurp $M/nodes/%d/data/extents -> new
	slurp $M/nodes/%f/data/extents -> old
	stat f -> stat
	dontneed f
	open r $M/nodes/%f/data/reloc w
	drain r %d => "19 ENODATA"
	stat f => "%stat"
	slurp $M/nodes/%f/data/extents => "%new"
	slurp $M/nodes/%d/data/extents => "%old"
	check f $(((tind - 4) * BS)) $((10 * BS)) 1 => right
	check f $(((tind + P - 2) * BS)) $((6 * BS)) 1 => right
	check f $(((tind + P * P - 1) * BS)) $((3 * BS)) 1 => right
	close d
	syncfs f
	EOF
	unmount_host
	[ "$(imgmap check "$IMG" 12 $(((tind - 4) * BS)) $((10 * BS)) 1)" = right ]
	[ "$(imgmap check "$IMG" 12 $(((tind + P * P - 1) * BS)) $((3 * BS)) 1)" = right ]
}

@test "data/reloc in the triple indirect part, sparse" {
	each_host triple_indirect
}

dirty() {
	steps <<-EOF
	$(new_file $((60 * BS)))
	$(new_donor)
	alloc a 0 60 => 60
	slurp $M/nodes/%d/data/extents -> new
	open r $M/nodes/%f/data/reloc w
	# newer than what is on the disk, and not written back yet
	pattern f 0 $((60 * BS)) 2
	drain r %d => "60 ENODATA"
	slurp $M/nodes/%f/data/extents => "%new"
	check f 0 $((60 * BS)) 2 => right
	# parts of blocks and of pages
	pattern f $((3 * BS + 5)) 50 3
	pattern f $((30 * BS - 5)) 10 3
	drain r %d 0 => "60 ENODATA"
	check f 0 $((3 * BS + 5)) 2 => right
	check f $((3 * BS + 5)) 50 3 => right
	check f $((3 * BS + 55)) $((27 * BS - 60)) 2 => right
	check f $((30 * BS - 5)) 10 3 => right
	check f $((30 * BS + 5)) $((30 * BS - 5)) 2 => right
	# written after the move: lands in the new place
	pattern f 0 $((60 * BS)) 4
	fsync f
	close d
	EOF
	unmount_host
	[ "$(imgmap check "$IMG" 12 0 $((60 * BS)) 4)" = right ]
}

@test "data/reloc takes data along that is dirty" {
	each_host dirty
}

mapped() {
	local size=$((64 * BS))

	steps <<-EOF
	$(new_file $size)
	map m f 0 $size
	mcheck m 1 => right
	$(new_donor)
	alloc a 0 64 => 64
	open r $M/nodes/%f/data/reloc w
	mpattern m 2
	drain r %d => "64 ENODATA"
	mcheck m 2 => right
	check f 0 $size 2 => right
	mpattern m 3
	drain r "%d 5" 0 -> x
	mcheck m 3 => right
	check f 0 $size 3 => right
	msync m
	open o $H/f r,direct
	check o 0 $size 3 => right
	mcheck m 3 => right
	mpattern m 4
	unmap m
	close d
	EOF
	unmount_host
	[ "$(imgmap check "$IMG" 12 0 "$size" 4)" = right ]
}

@test "data/reloc of a file that is mapped and written through the mapping" {
	each_host mapped
}

direct() {
	local size=$((64 * BS))

	steps <<-EOF
	open f $H/f rw,creat,direct
	pattern f 0 $size 1
	$(new_donor)
	alloc a 0 64 => 64
	slurp $M/nodes/%d/data/extents -> new
	open r $M/nodes/%f/data/reloc w
	drain r "%d" => "64 ENODATA"
	check f 0 $size 1 => right
	open c $H/f r
	check c 0 $size 1 => right
	# a direct write after the move goes to the new place
	pattern f 0 $size 2
	check c 0 $size 2 => right
	slurp $M/nodes/%f/data/extents => "%new"
	drain r "%d" 0 => "64 ENODATA"
	check f 0 $size 2 => right
	check c 0 $size 2 => right
	close d
	EOF
	unmount_host
	[ "$(imgmap check "$IMG" 12 0 "$size" 2)" = right ]
}

@test "data/reloc of a file open for direct I/O" {
	each_host direct
}

twice() {
	steps <<-EOF
	$(new_file $((50 * BS)))
	slurp $M/nodes/%f/data/extents -> old
	$(new_donor)
	alloc a 0 50 => 50
	slurp $M/nodes/%d/data/extents -> new
	open r $M/nodes/%f/data/reloc w
	dontneed f
	drain r %d => "50 ENODATA"
	slurp $M/nodes/%f/data/extents => "%new"
	drain r %d 0 => "50 ENODATA"
	slurp $M/nodes/%f/data/extents => "%old"
	slurp $M/nodes/%d/data/extents => "%new"
	check f 0 $((50 * BS)) 1 => right
	drain r %d 0 => "50 ENODATA"
	slurp $M/nodes/%f/data/extents => "%new"
	check f 0 $((50 * BS)) 1 => right
	EOF
}

@test "data/reloc twice brings the file back, three times moves it" {
	each_host twice
}

# Both files in turn through one donor: what the first left there is the
# second's place, and neither may be lost when the machine dies at the end.
one_donor_two_files() {
	local cut=$T/cut size=$((30 * BS))

	steps <<-EOF
	$(new_file $size)
	open e $H/e rw,creat
	pattern e 0 $size 2
	fsync e
	syncfs f
	slurp $M/nodes/%f/data/extents -> fold
	slurp $M/nodes/%e/data/extents -> eold
	$(new_donor)
	alloc a 0 30 => 30
	syncfs f
	slurp $M/nodes/%d/data/extents -> new
	open r1 $M/nodes/%f/data/reloc w
	open r2 $M/nodes/%e/data/reloc w
	drain r1 %d => "30 ENODATA"
	drain r2 %d => "30 ENODATA"
	copy $IMG $cut
	slurp $M/nodes/%f/data/extents => "%new"
	slurp $M/nodes/%e/data/extents => "%fold"
	slurp $M/nodes/%d/data/extents => "%eold"
	check f 0 $size 1 => right
	check e 0 $size 2 => right
	EOF
	replay "$cut"
	[ "$(imgmap check "$cut" 12 0 "$size" 1)" = right ]
	[ "$(imgmap check "$cut" 13 0 "$size" 2)" = right ]
}

@test "one donor for two files, also when the machine dies before the commit" {
	each_block_size one_donor_two_files 16 ext3 commit=300
	each_block_size one_donor_two_files 16 ext4 commit=300
}

# A crash right after a move, before any commit, or after it: whole either way.
crash_after() {
	local cut=$T/cut size=$(((12 + P + 50) * BS)) blocks=$((12 + P + 50))

	steps <<-EOF
	$(new_file $size)
	$(new_donor)
	alloc a 0 $blocks => $blocks
	syncfs f
	open r $M/nodes/%f/data/reloc w
	drain r %d => "$blocks ENODATA"
	copy $IMG $cut.before
	syncfs f
	copy $IMG $cut.after
	print "%d"
	EOF
	for when in before after; do
		replay "$cut.$when"
		[ "$(imgmap check "$cut.$when" 12 0 "$size" 1)" = right ]
		# the donor went with the orphan clean-up
		[ "$(imgmap inodes "$cut.$when")" = "2 11 12" ]
	done
	[ "$(imgmap data "$cut.after" 12)" = "$(<"$M/nodes/12/data/extents")" ]
}

@test "data/reloc, then the machine dies: the file is whole, the donor gone" {
	each_block_size crash_after 16 ext3 commit=300
}

two_donors() {
	steps <<-EOF
	$(new_file $((40 * BS)))
	$(new_donor)
	alloc a 0 20 => 20
	slurp $M/nodes/%d/data/extents -> dnew
	donor e $H
	open a2 $M/nodes/%e/data/alloc w
	alloc a2 15 25 => 25
	slurp $M/nodes/%e/data/extents 65536 20 -> enew
	open r $M/nodes/%f/data/reloc w
	drain r %e => "25 ENODATA"
	drain r %d 0 => "20 ENODATA"
	slurp $M/nodes/%f/data/extents 65536 20 => "%enew"
	check f 0 $((40 * BS)) 1 => right
	drain r %e 0 => "25 ENODATA"
	check f 0 $((40 * BS)) 1 => right
	imgmap data $DEV %f -> data
	slurp $M/nodes/%f/data/extents => "%data"
	EOF
}

@test "two donors for one file" {
	each_host two_donors
}

sealed() {
	steps <<-EOF
	$(new_file $((20 * BS)))
	$(new_donor)
	alloc a 0 30 => 30
	# from its first block on
	write d x 0 => EPERM
	truncate d $((10 * BS)) => EPERM
	map before d 0 4096
	open r $M/nodes/%f/data/reloc w
	write r "%d 5" 0 => 5
	# what the VFS knows of flags is worked out anew by each that is set
	flags d +0x40 => EPERM
	write d x 0 => EPERM
	write d x 100000 => EPERM
	truncate d 0 => EPERM
	truncate d $((10 * BS)) => EPERM
	punch d 0 $BS => EPERM
	map m d 0 4096 => EPERM|0
	mstore before => SIGBUS
	read d 100 0 => ""
	slurp $M/nodes/%d/data/extents -> e
	field "%e" -1 1 -> last
	# it serves on, and is sealed again for whoever may take that off
	flags d -0x10
	drain r %d 5 => "15 ENODATA"
	check f 0 $((20 * BS)) 1 => right
	write d x 0 => EPERM
	truncate d $((10 * BS)) => EPERM
	close d
	syncfs f
	check f 0 $((20 * BS)) 1 => right
	EOF
}

@test "a donor is sealed once it was used" {
	each_host sealed
}

left_blocks() {
	local cut=$T/cut blocks=$((1048576 / BS)) filler

	filler=$(filler_blocks "$blocks")
	steps <<-EOF
	$(new_file 1048576)
	open filler $H/filler rw,creat
	pattern filler 0 $((filler * BS)) 2
	fsync filler
	# what is set aside for it would be all that is left
	close filler
	$(new_donor)
	alloc a 0 $blocks => $blocks
	syncfs f
	open r $M/nodes/%f/data/reloc w
	drain r %d => "$blocks ENODATA"
	close d
	open junk $H/junk rw,creat,direct
	pattern junk 0 1048576 9
	copy $IMG $cut
	check f 0 1048576 1 => right
	EOF
	replay "$cut"
	[ "$(imgmap check "$cut" 12 0 1048576 1)" = right ]
	unmount_host
	[ "$(imgmap check "$IMG" 12 0 1048576 1)" = right ]
}

@test "blocks that a file left are its own until the journal commits" {
	each_block_size left_blocks 12 ext3 commit=300
}

# There ext4 hands out freed data blocks at once, and what was in them is lost in a crash.
@test "blocks that a file left are its own until the journal commits, with data=writeback" {
	each_block_size left_blocks 12 ext3 commit=300,data=writeback
	each_block_size left_blocks 12 ext4 commit=300,data=writeback
}

# The indirect blocks freed with the donor are someone's data next; an old
# journal record must not be replayed over it.
@test "freed indirect blocks are revoked" {
	local cut=$T/cut

	make_image 1024 8
	mount_host ext3 commit=300
	steps <<-EOF
	$(new_file 1048576)
	$(new_donor)
	alloc a 0 1024 => 1024
	open r $M/nodes/%f/data/reloc w
	drain r %d => "1024 ENODATA"
	open mr $M/nodes/%f/metadata/reloc w
	write mr "%d 1" 12
	write mr "%d 2" 268
	close d
	syncfs f
	open junk $H/junk rw,creat
	pattern junk 0 100000000 9 => ENOSPC
	fsync junk
	copy $IMG $cut
	is %junk => 13
	EOF
	replay "$cut"
	[ "$(imgmap check "$cut" 12 0 1048576 1)" = right ]
	[ "$(imgmap check "$cut" 13 0 4000000 9)" = right ]
	unmount_host
}

# -------- metadata/reloc --------

# A sparse file with two leaves at each depth, and a donor with the same tree.
meta() {
	local dind=$((12 + P)) tind=$((12 + P + P * P)) type=$TYPE

	steps <<-EOF
	open f $H/f rw,creat
	comb f 0 30 1 $BS 1
	comb f $((dind + 5)) 3 1 $BS 1
	comb f $((dind + 3 * P + 5)) 3 1 $BS 1
	comb f $((tind + 2 * P * P + P + 7)) 4 1 $BS 1
	comb f $((tind + 2 * P * P + 4 * P)) 4 1 $BS 1
	fsync f
	# what is preallocated for it is given back when nobody has it open
	close f
	open f $H/f rw
	$(new_donor)
	write ma 1 12
	write ma 2 $dind
	write ma 1 $dind
	write ma 1 $((dind + 3 * P))
	write ma 3 $tind
	write ma 2 $((tind + 2 * P * P))
	write ma 1 $((tind + 2 * P * P + P))
	write ma 1 $((tind + 2 * P * P + 4 * P))
	# the donor has data of its own below one of them
	alloc a $((dind + 8)) 2 => 2
	slurp $M/nodes/%f/data/extents -> fdata
	slurp $M/nodes/%d/data/extents -> ddata
	slurp $M/nodes/%f/metadata/blocks -> fmeta
	slurp $M/nodes/%d/metadata/blocks -> dmeta
	lines "%fmeta" => 8
	lines "%dmeta" => 8
	stat f -> stat
	# what is committed isn't going to be written for any other reason
	syncfs f
	open r $M/nodes/%f/metadata/reloc w
	# one of each level, then the rest
	write r "%d 1" 12
	field "%dmeta" 1 3 -> d1
	slurp $M/nodes/%f/metadata/blocks 64 -> now
	field "%now" 1 3 => %d1
	field "%fmeta" 2 3 -> f2
	field "%now" 2 3 => %f2
	write r "%d 2" $((dind + 100))
	slurp $M/nodes/%f/metadata/blocks 64 -> now
	field "%dmeta" 2 3 -> d2
	field "%now" 2 3 => %d2
	field "%fmeta" 3 3 -> f3
	field "%now" 3 3 => %f3
	imgmap meta $DEV %f => "%now"
	imgmap data $DEV %f => "%fdata"
	imgmap data $DEV %d => "%ddata"
	write r "%d 3" $((tind + 5))
	imgmap data $DEV %f => "%fdata"
	write r "%d 1\n" $dind
	write r "%d 1" $((dind + 4 * P - 1))
	write r "%d 2" $((tind + 2 * P * P))
	write r "%d 1" $((tind + 2 * P * P + P))
	write r "%d 1" $((tind + 2 * P * P + 4 * P))
	slurp $M/nodes/%f/metadata/blocks => "%dmeta"
	slurp $M/nodes/%d/metadata/blocks => "%fmeta"
	slurp $M/nodes/%f/data/extents => "%fdata"
	slurp $M/nodes/%d/data/extents => "%ddata"
	imgmap meta $DEV %d => "%fmeta"
	imgmap data $DEV %d => "%ddata"
	stat f => "%stat"
	check f 0 $((30 * BS)) 1 => right
	check f $(((dind + 5) * BS)) $((3 * BS)) 1 => right
	check f $(((tind + 2 * P * P + 4 * P) * BS)) $((4 * BS)) 1 => right
	# the file lives on: a block below a moved one, another is freed
	comb f $((dind + 8)) 1 1 $BS 1
	punch f $((BS * 20)) $((BS * 3))
	fsync f
	check f $((20 * BS)) $((3 * BS)) 0 => right
	check f $(((dind + 5) * BS)) $((4 * BS)) 1 => right
	close d
	syncfs f
	check f $(((dind + 5) * BS)) $((4 * BS)) 1 => right
	print "%dmeta"
	EOF
}

meta_levels() {
	local type=$TYPE tind=$((12 + P + P * P))

	meta >"$T/meta.new"
	unmount_host
	steps <<-EOF
	slurp $T/meta.new -> new
	imgmap meta $IMG 12 => "%new"
	imgmap check $IMG 12 0 $((20 * BS)) 1 => right
	imgmap check $IMG 12 $(((tind + 2 * P * P + P + 7) * BS)) $((4 * BS)) 1 => right
	EOF
}

@test "metadata/reloc: levels 1, 2 and 3, seen from the image" {
	each_host meta_levels
}

meta_missing() {
	local dind=$((12 + P)) tind=$((12 + P + P * P))

	steps <<-EOF
	open f $H/f rw,creat
	comb f 0 30 1 $BS 1
	comb f $dind 1 1 $BS 1
	comb f $tind 1 1 $BS 1
	fsync f
	$(new_donor)
	open r $M/nodes/%f/metadata/reloc w
	slurp $M/nodes/%f/metadata/blocks -> meta
	# nothing in the donor
	write r "%d 1" 12 => ENOENT
	write r "%d 2" $dind => ENOENT
	write r "%d 3" $tind => ENOENT
	write r "%d 1" $tind => ENOENT
	# nothing in the file
	write ma 2 $dind
	write ma 1 $((dind + P))
	write r "%d 1" $((dind + P)) => ENOENT
	write r "%d 1" $dind => ENOENT
	# a level that the block doesn't have
	write r "%d 1" 0 => EINVAL
	write r "%d 1" 11 => EINVAL
	write r "%d 2" 12 => EINVAL
	write r "%d 3" $dind => EINVAL
	write r "%d 0" 12 => EINVAL
	write r "%d 4" $tind => EINVAL
	slurp $M/nodes/%f/metadata/blocks => "%meta"
	write r "%d 2" $dind
	field "%meta" 2 1 => 2
	check f 0 $((30 * BS)) 1 => right
	EOF
}

@test "metadata/reloc: what is missing is ENOENT, a wrong level EINVAL" {
	each_block_size meta_missing
}

# The whole move as the tool does it: data and indirect blocks, one run after.
all_of_it() {
	local blocks=$((12 + P + P + 30)) type=$TYPE total

	total=$((blocks + 4))
	steps <<-EOF
	open f $H/f rw,creat
	open e $H/e rw,creat
	comb f 0 $((blocks / 2)) 2 $BS 1
	pattern f 0 $((blocks * BS)) 1
	fsync f
	$(new_donor)
	alloc a 0 $blocks => $blocks
	open r $M/nodes/%f/data/reloc w
	drain r %d => "$blocks ENODATA"
	open mr $M/nodes/%f/metadata/reloc w
	write mr "%d 1" 12
	write mr "%d 2" $((12 + P))
	write mr "%d 1" $((12 + P))
	write mr "%d 1" $((12 + P + P))
	imgmap order $DEV %f => "%start $total\n"
	check f 0 $((blocks * BS)) 1 => right
	close d
	syncfs f
	EOF
	unmount_host
	steps <<-EOF
	imgmap order $IMG 12 -> order
	lines "%order" => 1
	imgmap check $IMG 12 0 $((blocks * BS)) 1 => right
	EOF
}

@test "data and indirect blocks moved: one run, as debugfs sees it" {
	each_host all_of_it 40
}

# -------- at the same time --------

races() {
	local size=$((200 * BS))

	steps <<-EOF
	$(new_file $size)
	$(new_donor)
	alloc a 0 200 => 200
	donor e $H
	open a2 $M/nodes/%e/data/alloc w
	alloc a2 0 200 => 200
	open r1 $M/nodes/%f/data/reloc w
	open r2 $M/nodes/%f/data/reloc w
	start one drain r1 "%d 7"
	start two drain r2 "%e 11"
	start three pattern f 0 $size 1
	finish one => "200 ENODATA"
	finish two => "200 ENODATA"
	finish three
	check f 0 $size 1 => right
	imgmap data $DEV %f -> data
	slurp $M/nodes/%f/data/extents => "%data"
	EOF
}

@test "two movers and a writer on one file at once" {
	each_host races
}

truncated_in_between() {
	steps <<-EOF
	$(new_file $((100 * BS)))
	$(new_donor)
	alloc a 0 100 => 100
	open r $M/nodes/%f/data/reloc w
	write r "%d 30" 0 => 30
	truncate f $((20 * BS))
	write r %d 30 => ENODATA
	drain r %d 0 => "20 ENODATA"
	check f 0 $((20 * BS)) 1 => right
	truncate f $((60 * BS))
	pattern f $((50 * BS)) $((10 * BS)) 1
	fsync f
	drain r %d 0 => "30 ENODATA"
	check f $((20 * BS)) $((30 * BS)) 0 => right
	check f $((50 * BS)) $((10 * BS)) 1 => right
	unlink $H/f
	write r %d 0 => ENOENT
	check f $((50 * BS)) $((10 * BS)) 1 => right
	EOF
}

@test "truncate and unlink in between" {
	each_host truncated_in_between
}

@test "a fatal signal ends a long request after a step, nothing is lost" {
	local blocks=$((12 + 1024 + 5000))

	make_image 4096 80
	mount_host
	steps <<-EOF
	$(new_file $((blocks * 4096)))
	$(new_donor)
	alloc a 0 $blocks => $blocks
	slurp $M/nodes/%d/data/extents -> new
	slurp $M/nodes/%f/data/extents -> old
	open r $M/nodes/%f/data/reloc w
	start mover write r %d
	sleep 30
	kill mover
	finish mover => any
	imgmap data $DEV %f -> data
	slurp $M/nodes/%f/data/extents => "%data"
	check f 0 $((blocks * 4096)) 1 => right
	# what was moved is where the position says
	seek r 0 cur -> reached
	drain r %d %reached -> rest
	check f 0 $((blocks * 4096)) 1 => right
	EOF
	unmount_host
}
