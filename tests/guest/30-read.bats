# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2030,SC2031 # each test is a subshell of its own, and wants to be
# shellcheck disable=SC2034,SC2153 # variables shared with common.bash
# What can be read of the allocator, of an inode and of its blocks, held against
# what libext2fs finds in the image.

load common

# -------- allocation/free_blocks --------

age() {
	steps <<-EOF
	$(new_file $((700 * BS)))
	open g $H/g rw,creat
	comb g 0 50 3 $BS 2
	comb g $((12 + P + 7)) 20 2 $BS 2
	fsync g
	punch f $((10 * BS)) $((3 * BS))
	punch f $((100 * BS)) $((57 * BS))
	punch f $((200 * BS)) $BS
	EOF
}

free_as_in_bitmap() {
	local type=$TYPE

	age
	unmount_host
	imgmap free "$IMG" >"$T/free"
	mount_host "$type"
	steps <<-EOF
	slurp $T/free -> free
	lines "%free" -> lines
	less 3 %lines => yes
	slurp $M/allocation/free_blocks => "%free"
	slurp $M/allocation/free_blocks 32 => "%free"
	slurp $M/allocation/free_blocks 1048576 => "%free"
	EOF
}

@test "free_blocks is what the bitmaps have" {
	each_host free_as_in_bitmap
}

@test "free_blocks over many groups, with a last group that is short" {
	make_image 1024 21 -g 1024
	mount_host
	TYPE=ext3 free_as_in_bitmap
	unmount_host
}

free_from_position() {
	steps <<-EOF
	slurp $M/allocation/free_blocks -> free
	field "%free" -1 1 -> start
	field "%free" -1 2 -> length
	let middle %start + 10
	let rest %length - 10
	slurp $M/allocation/free_blocks 64 %middle => "%middle %rest\n"
	let end %start + %length
	let before %end - 1
	slurp $M/allocation/free_blocks 64 %before => "%before 1\n"
	slurp $M/allocation/free_blocks 64 %end => ""
	slurp $M/allocation/free_blocks 64 4294967296 => ""
	open x $M/allocation/free_blocks r
	seek x %middle
	read x 100 => "%middle %rest\n"
	seek x 0 cur => %end
	read x 100 => ""
	# a used block: from the next free one on
	slurp $M/allocation/free_blocks 64 0 => "%free"
	field "%free" 1 1 -> first
	open y $M/allocation/free_blocks r
	read y 3 => EINVAL
	seek y 0 cur => 0
	slurp $M/allocation/free_blocks 64 %first => "%free"
	EOF
}

@test "free_blocks starts at the position, also inside an extent" {
	each_block_size free_from_position
}

@test "free_blocks has blocks freed only when the journal has committed" {
	make_image 4096
	mount_host ext3 commit=300
	steps <<-EOF
	open h $H r,dir
	syncfs h
	$(new_file 819200)
	syncfs h
	slurp $M/nodes/%f/data/extents -> extents
	field "%extents" -1 2 -> data
	close f
	slurp $M/allocation/free_blocks -> full
	unlink $H/f
	slurp $M/allocation/free_blocks => "%full"
	syncfs h
	sleep 300
	slurp $M/allocation/free_blocks 64 %data -> free
	field "%free" 1 1 => %data
	total "%full" 2 -> before
	slurp $M/allocation/free_blocks -> after
	total "%after" 2 -> after
	let least %before + 200
	less %after %least => no
	EOF
	unmount_host
}

@test "free_blocks has no block that was just allocated" {
	make_image 1024
	mount_host
	steps <<-EOF
	slurp $M/allocation/free_blocks -> before
	longest "%before" -> run
	field "%run" 1 1 -> start
	field "%run" 1 2 -> length
	donor d $H
	open g $M/nodes/%d/alloc_goal w
	write g "%start\n"
	open a $M/nodes/%d/data/alloc w
	alloc a 0 12 => 12
	let next %start + 12
	let less %length - 12
	slurp $M/allocation/free_blocks 64 %start -> now
	field "%now" 1 1 => %next
	field "%now" 1 2 => %less
	EOF
	unmount_host
}

# -------- nodes --------

@test "nodes lists the inodes in use, also thousands" {
	make_image 1024 16 -N 4096
	mount_host
	mkdir "$H/many"
	(cd "$H/many" && eval 'for i in {1..700}; do : >$i; done')
	rm "$H"/many/*7
	mkdir "$H/many/dir"
	sync -f "$H"
	steps <<-EOF
	imgmap inodes $DEV -> inodes
	names $M/nodes => "%inodes"
	EOF
	unmount_host
}

@test "a nameless file is an inode in use, and gone when closed" {
	make_image 1024
	mount_host
	steps <<-EOF
	names $M/nodes => "2 11"
	donor d $H
	names $M/nodes => "2 11 %d"
	slurp $M/nodes/%d/info -> info
	key "%info" links => 0
	close d
	names $M/nodes => "2 11"
	mode $M/nodes/%d/info => ENOENT
	EOF
	unmount_host
}

@test "lookup finds inodes in use and the root, nothing reserved or misspelt" {
	make_image 1024 16 -O quota
	mount_host ext4
	steps <<-EOF
	open f $H/f rw,creat
	generation f -> gen
	let wrong %gen + 1
	mode $M/nodes/%f/info => "100400 0:0 0"
	mode $M/nodes/%f:%gen/info => "100400 0:0 0"
	mode $M/nodes/2/info => "100400 0:0 0"
	mode $M/nodes/11/info => "100400 0:0 0"
	slurp $M/nodes/%f/info -> info
	slurp $M/nodes/%f:%gen/info => "%info"
	open x $M/nodes/%f:%wrong/info r => ESTALE
	open x $M/nodes/0/info r => ENOENT
	open x $M/nodes/1/info r => ENOENT
	open x $M/nodes/3/info r => ENOENT
	open x $M/nodes/4/info r => ENOENT
	open x $M/nodes/5/info r => ENOENT
	open x $M/nodes/6/info r => ENOENT
	open x $M/nodes/7/info r => ENOENT
	open x $M/nodes/8/info r => ENOENT
	open x $M/nodes/9/info r => ENOENT
	open x $M/nodes/10/info r => ENOENT
	open x $M/nodes/1000/info r => ENOENT
	open x $M/nodes/100000000/info r => ENOENT
	open x $M/nodes/4294967308/info r => ENOENT
	open x $M/nodes/18446744073709551628/info r => ENOENT
	open x $M/nodes/0%f/info r => ENOENT
	open x $M/nodes/+%f/info r => ENOENT
	open x $M/nodes/-%f/info r => ENOENT
	open x "$M/nodes/%f /info" r => ENOENT
	open x "$M/nodes/ %f/info" r => ENOENT
	open x $M/nodes/0xc/info r => ENOENT
	open x $M/nodes/%f:/info r => ENOENT
	open x $M/nodes/:%gen/info r => ENOENT
	open x $M/nodes/%f:0%gen/info r => ENOENT
	open x $M/nodes/%f:%gen:1/info r => ENOENT
	open x $M/nodes/f/info r => ENOENT
	open x $M/nodes/%f/nothing r => ENOENT
	names $M/nodes => "2 11 %f"
	EOF
	unmount_host
}

@test "an inode number used again is a new object" {
	make_image 1024
	mount_host
	steps <<-EOF
	$(new_file 5000)
	let old %f + 0
	generation f -> oldgen
	open e $M/nodes/%f/data/extents r
	open g $M/nodes/%f/alloc_goal rw
	write g 4000
	close f
	unlink $H/f
	mode $M/nodes/%old/info => ENOENT
	open f $H/g rw,creat
	is %f => %old
	pattern f 0 3000 2
	fsync f
	open x $M/nodes/%f:%oldgen/info r => ESTALE|ENOENT
	slurp $M/nodes/%f/alloc_goal => "0\n"
	slurp $M/nodes/%f/data/extents -> extents
	# what was opened before belongs to the file that is gone
	read e 1000 => ESTALE|ENOENT
	read g 100 0 => ESTALE|ENOENT
	write g 5000 0 => ESTALE|ENOENT
	slurp $M/nodes/%f/alloc_goal => "0\n"
	EOF
	unmount_host
}

# -------- info --------

info_of_a_file() {
	local rest='generation %gen\nflags %flags\nmapping indirect\nrelocatable yes\nuid 0\n'
	local size=$((12345 * BS + 1))

	steps <<-EOF
	open f $H/f rw,creat
	pattern f 0 $((20 * BS - 7)) 1
	truncate f $size
	flags f +0x40
	fsync f
	link $H/f $H/g
	generation f -> gen
	flags f -> flags
	slurp $M/nodes/%f/info => "type regular\nsize $size\nblocks 21\nlinks 2\n$rest"
	open e $H/empty rw,creat
	generation e -> gen
	flags e -> flags
	slurp $M/nodes/%e/info => "type regular\nsize 0\nblocks 0\nlinks 1\n$rest"
	EOF
}

@test "info of regular files" {
	each_block_size info_of_a_file
}

@test "info of each type" {
	make_image 1024
	mount_host
	steps <<-EOF
	mkdir $H/dir
	symlink target $H/fast
	symlink aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa $H/slow
	mknod $H/fifo fifo
	mknod $H/socket socket
	mknod $H/char char
	mknod $H/block block
	donor d $H
	open dir $H/dir path,nofollow
	open fast $H/fast path,nofollow
	open slow $H/slow path,nofollow
	open fifo $H/fifo path,nofollow
	open socket $H/socket path,nofollow
	open char $H/char path,nofollow
	open block $H/block path,nofollow
	slurp $M/nodes/%dir/info -> i
	key "%i" type => directory
	key "%i" links => 2
	key "%i" size => 1024
	key "%i" blocks => 1
	key "%i" mapping => indirect
	key "%i" relocatable => type
	slurp $M/nodes/%dir/data/extents -> e
	field "%e" 1 1 => 0
	field "%e" 1 3 => 1
	slurp $M/nodes/%fast/info -> i
	key "%i" type => symlink
	key "%i" size => 6
	key "%i" blocks => 0
	key "%i" mapping => none
	key "%i" relocatable => type
	slurp $M/nodes/%fast/data/extents => ""
	slurp $M/nodes/%fast/metadata/blocks => ""
	slurp $M/nodes/%slow/info -> i
	key "%i" type => symlink
	key "%i" mapping => indirect
	slurp $M/nodes/%slow/data/extents -> e
	field "%e" 1 3 => 1
	slurp $M/nodes/%fifo/info -> i
	key "%i" type => fifo
	key "%i" mapping => none
	slurp $M/nodes/%fifo/data/extents => ""
	slurp $M/nodes/%socket/info -> i
	key "%i" type => socket
	key "%i" mapping => none
	slurp $M/nodes/%char/info -> i
	key "%i" type => char
	key "%i" mapping => none
	slurp $M/nodes/%char/data/extents => ""
	slurp $M/nodes/%block/info -> i
	key "%i" type => block
	key "%i" mapping => none
	slurp $M/nodes/%block/data/extents => ""
	slurp $M/nodes/2/info -> i
	key "%i" type => directory
	slurp $M/nodes/%d/info -> i
	key "%i" relocatable => deleted
	key "%i" links => 0
	EOF
	unmount_host
}

@test "info says why a file is not relocatable" {
	make_image 4096
	mount_host
	steps <<-EOF
	open j $H/journaled rw,creat
	flags j +0x4000
	slurp $M/nodes/%j/info -> i
	key "%i" relocatable => yes
	open m $H/immutable rw,creat
	flags m +0x10
	slurp $M/nodes/%m/info -> i
	key "%i" relocatable => immutable
	flags m -0x10
	slurp $M/nodes/%m/info -> i
	key "%i" relocatable => yes
	open a $H/append rw,creat
	flags a +0x20
	slurp $M/nodes/%a/info -> i
	key "%i" relocatable => append-only
	flags a -0x20
	open s $H/swap rw,creat 0600
	pattern s 0 1048576 1
	fsync s
	run "mkswap $H/swap >$T/mkswap 2>&1" => 0
	fsync s
	slurp $M/nodes/%s/info -> i
	key "%i" relocatable => yes
	swapon $H/swap
	slurp $M/nodes/%s/info -> i
	key "%i" relocatable => swapfile
	swapoff $H/swap
	slurp $M/nodes/%s/info -> i
	key "%i" relocatable => yes
	EOF
	unmount_host
}

@test "ext4's extents and inline data: info tells, lists are EOPNOTSUPP" {
	make_image 4096 16 -t ext4 -O inline_data -I 256
	mount_host ext4
	steps <<-EOF
	$(new_file 50000)
	slurp $M/nodes/%f/info -> i
	key "%i" mapping => extents
	key "%i" relocatable => extents
	slurp $M/nodes/%f/data/extents => EOPNOTSUPP
	slurp $M/nodes/%f/metadata/blocks => EOPNOTSUPP
	open g $H/g rw,creat
	pattern g 0 20 1
	fsync g
	slurp $M/nodes/%g/info -> i
	key "%i" mapping => inline
	key "%i" relocatable => inline
	slurp $M/nodes/%g/data/extents => EOPNOTSUPP
	donor d $H
	slurp $M/nodes/%d/info -> i
	key "%i" mapping => indirect
	EOF
	unmount_host
}

@test "block-mapped files of an ext4 host are served" {
	make_image 4096 16 -t ext4
	mount_host ext4
	steps <<-EOF
	open f $H/f rw,creat
	flags f -0x80000
	pattern f 0 100000 1
	fsync f
	slurp $M/nodes/%f/info -> i
	key "%i" mapping => indirect
	key "%i" relocatable => yes
	imgmap data $DEV %f -> data
	slurp $M/nodes/%f/data/extents => "%data"
	imgmap meta $DEV %f -> meta
	slurp $M/nodes/%f/metadata/blocks => "%meta"
	EOF
	unmount_host
}

# -------- the map of a file --------

# Dense, with holes, at each level of indirection, ending in a hole.
all_levels() {
	local dind=$((12 + P)) tind=$((12 + P + P * P)) type=$TYPE

	steps <<-EOF
	open f $H/f rw,creat
	pattern f 0 $((9 * BS)) 1
	comb f 11 4 1 $BS 1
	comb f $((12 + 20)) 10 3 $BS 1
	comb f $((dind - 1)) 3 1 $BS 1
	comb f $((dind + P - 1)) 2 1 $BS 1
	comb f $((dind + 9 * P + 3)) 5 2 $BS 1
	comb f $((tind - 1)) 2 1 $BS 1
	comb f $((tind + 3 * P + 1)) 5 1 $BS 1
	comb f $((tind + P * P - 1)) 2 1 $BS 1
	truncate f $(((tind + P * P + 1000) * BS - 1))
	fsync f
	open s $H/s rw,creat
	truncate s $((500 * BS))
	open e $H/e rw,creat
	open o $H/o rw,creat
	pattern o 0 1 1
	fsync o
	syncfs f
	imgmap data $DEV %f -> data
	imgmap meta $DEV %f -> meta
	slurp $M/nodes/%f/data/extents => "%data"
	slurp $M/nodes/%f/data/extents 64 => "%data"
	slurp $M/nodes/%f/metadata/blocks => "%meta"
	slurp $M/nodes/%f/metadata/blocks 64 => "%meta"
	slurp $M/nodes/%s/data/extents => "0 0 500\n"
	slurp $M/nodes/%s/metadata/blocks => ""
	slurp $M/nodes/%e/data/extents => ""
	imgmap data $DEV %o -> data
	slurp $M/nodes/%o/data/extents => "%data"
	imgmap data $DEV 2 -> data
	slurp $M/nodes/2/data/extents => "%data"
	imgmap data $DEV 11 -> data
	slurp $M/nodes/11/data/extents => "%data"
	EOF
	unmount_host
	imgmap data "$IMG" 12 >"$T/data.list"
	imgmap meta "$IMG" 12 >"$T/meta.list"
	mount_host "$type"
	# with nothing of the file in memory
	steps <<-EOF
	slurp $T/data.list -> data
	slurp $T/meta.list -> meta
	lines "%meta" -> lines
	less 10 %lines => yes
	slurp $M/nodes/12/data/extents => "%data"
	slurp $M/nodes/12/metadata/blocks => "%meta"
	EOF
}

@test "data/extents and metadata/blocks of all levels, sparse" {
	each_host all_levels
}

not_placed_yet_is_a_hole() {
	steps <<-EOF
	open f $H/f rw,creat
	pattern f 0 $((10 * BS)) 1
	slurp $M/nodes/%f/data/extents => "0 0 10\n"
	fsync f
	imgmap data $DEV %f -> data
	slurp $M/nodes/%f/data/extents => "%data"
	pattern f $((20 * BS)) $((5 * BS)) 1
	slurp $M/nodes/%f/data/extents => "%{data}10 0 15\n"
	EOF
}

@test "blocks that delayed allocation has not placed are holes" {
	each_block_size not_placed_yet_is_a_hole 16 ext4
}

past_the_size() {
	steps <<-EOF
	donor d $H
	open a $M/nodes/%d/data/alloc w
	alloc a 5 3 => 3
	alloc a $((12 + P + 10)) 2 => 2
	slurp $M/nodes/%d/data/extents -> e
	field "%e" 1 1 => 0
	field "%e" 1 2 => 0
	field "%e" 1 3 => 5
	field "%e" -1 1 => $((12 + P + 10))
	field "%e" -1 3 => 2
	imgmap data $DEV %d => "%e"
	EOF
}

# e2fsck would call blocks past the size of a named file an error, so it goes.
@test "data/extents goes on past the size where blocks are" {
	each_block_size past_the_size
}

meta_position() {
	local dind=$((12 + P)) tind=$((12 + P + P * P))

	steps <<-EOF
	open f $H/f rw,creat
	comb f 12 1 1 $BS 1
	comb f $dind 3 $P $BS 1
	comb f $tind 1 1 $BS 1
	fsync f
	slurp $M/nodes/%f/metadata/blocks -> all
	lines "%all" => 8
	open x $M/nodes/%f/metadata/blocks r
	field "%all" 1 1 => 1
	field "%all" 1 2 => 12
	field "%all" 2 1 => 2
	field "%all" 2 2 => $dind
	field "%all" 3 1 => 1
	field "%all" 3 2 => $dind
	field "%all" 4 2 => $((dind + P))
	field "%all" 6 1 => 3
	field "%all" 6 2 => $tind
	field "%all" 7 1 => 2
	field "%all" 8 1 => 1
	field "%all" 8 2 => $tind
	# from a position on
	slurp $M/nodes/%f/metadata/blocks 64 12 => "%all"
	slurp $M/nodes/%f/metadata/blocks 64 13 -> rest
	lines "%rest" => 7
	slurp $M/nodes/%f/metadata/blocks 64 $dind => "%rest"
	slurp $M/nodes/%f/metadata/blocks 64 $((dind + 1)) -> rest
	lines "%rest" => 5
	slurp $M/nodes/%f/metadata/blocks 64 $tind -> rest
	lines "%rest" => 3
	slurp $M/nodes/%f/metadata/blocks 64 $((tind + 1)) => ""
	# lines of one logical block come together or not at all
	seek x $tind
	read x 20 => EINVAL
	read x 64 => "%rest"
	read x 64 => ""
	EOF
}

@test "metadata/blocks from a position on" {
	each_block_size meta_position
}

# -------- inodes --------

# Regular files of all shapes, directories, and all that has no blocks.
all_kinds() {
	local dind=$((12 + P)) tind=$((12 + P + P * P)) i

	steps <<-EOF
	open f $H/dense rw,creat
	pattern f 0 $((700 * BS)) 1
	fsync f
	open f $H/sparse rw,creat
	comb f 11 4 1 $BS 1
	comb f $((dind - 1)) 3 1 $BS 1
	comb f $((dind + 9 * P + 3)) 5 2 $BS 1
	comb f $((tind - 1)) 2 1 $BS 1
	comb f $((tind + 3 * P + 1)) 5 1 $BS 1
	truncate f $(((tind + P * P + 1000) * BS - 1))
	fsync f
	open g $H/pieces rw,creat
	comb g 0 400 2 $BS 1
	fsync g
	open g $H/more-pieces rw,creat
	comb g 0 2000 2 $BS 1
	fsync g
	open e $H/empty rw,creat
	open s $H/only-a-hole rw,creat
	truncate s $((500 * BS))
	mkdir $H/dir
	symlink target $H/fast
	symlink aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa $H/slow
	mknod $H/fifo fifo
	mknod $H/socket socket
	mknod $H/char char
	mknod $H/block block
	flags g +0x10
	open i $H/small-immutable rw,creat
	pattern i 0 $((3 * BS)) 1
	fsync i
	flags i +0x10
	open a $H/small-append-only rw,creat
	pattern a 0 $((2 * BS)) 1
	fsync a
	flags a +0x20
	open l $H/long-but-small rw,creat
	comb l 2 3 3 $BS 1
	truncate l $((5 << 30))
	open x $H/attributes rw,creat
	pattern x 0 $BS 1
	setxattr x user.big 900
	open t $H/dense rw
	link $H/dense $H/link
	EOF
	for i in {1..60}; do
		echo "$i" >"$H/dir/a-longer-name-so-that-the-directory-has-blocks-$i"
	done
	rm "$H"/dir/*7
	sync -f "$H"
}

# As it is in memory, and with nothing in memory.
inodes_as_in_the_nodes() {
	local type=$TYPE

	all_kinds
	build/tests/bin/inodejudge "$M" 64 100 300 4096 20000 65536 131072 1048576
	steps <<-EOF
	open g $H/more-pieces r
	flags g -0x10
	EOF
	unmount_host
	mount_host "$type"
	run -0 build/tests/bin/inodejudge -c "$M" 1048576 65536 64
	echo "$output"
	# nothing is too long for the largest buffer, nearly all is for the smallest
	[[ ${lines[0]} == "1048576 "[12]" "*" 0" ]]
	[[ ${lines[2]} == "64 "* ]]
	read -r _ _ whole referred <<<"${lines[2]}"
	((whole > 0 && referred > 2))
}

@test "inodes has what each node's own files have, whatever the size of the buffer" {
	each_host inodes_as_in_the_nodes 32
}

@test "inodes of an ext4: extents and inline data have no blocks there, block-mapped files do" {
	make_image 4096 32 -t ext4 -O inline_data,ea_inode,quota,^metadata_csum -I 256
	mount_host ext4
	steps <<-EOF
	open f $H/extents rw,creat
	pattern f 0 50000 1
	fsync f
	open g $H/inline rw,creat
	pattern g 0 20 1
	fsync g
	open h $H/mapped rw,creat
	flags h -0x80000
	pattern h 0 300000 1
	fsync h
	donor d $H
	open i $H/attribute rw,creat
	# in an inode of its own, which is none of the nodes
	setxattr i user.big 6000
	EOF
	sync -f "$H"
	run -0 build/tests/bin/inodejudge -c "$M" 1048576 4096
	echo "$output"
	run -0 cat "$M/inodes"
	[[ $output == *" regular extents extents 50000 "* ]]
	[[ $output == *" regular inline inline 20 "* ]]
	[[ $output == *" regular indirect yes 300000 "* ]]
	[ "$(grep -c "^e " <<<"$output")" -ge 1 ]
	unmount_host
}

@test "inodes has a file that is being written as it is in memory" {
	make_image 4096 32 -t ext4 -O ^metadata_csum -I 256
	mount_host ext4
	# the inode on the disk knows nothing of it before the data has its blocks
	steps <<-EOF
	open h $H/mapped rw,creat
	flags h -0x80000
	syncfs h
	pattern h 0 30000 1
	EOF
	run -0 cat "$M/inodes"
	[[ $output == *" regular indirect yes 30000 0 1"* ]]
	unmount_host
}

inodes_from_position() {
	steps <<-EOF
	$(new_file $((3 * BS)))
	open g $H/g rw,creat
	syncfs g
	slurp $M/inodes -> all
	slurp $M/inodes 1048576 2 => "%all"
	slurp $M/inodes 1048576 3 -> from3
	slurp $M/inodes 1048576 11 => "%from3"
	open x $M/inodes r
	# not even the shortest line
	read x 3 => EINVAL
	seek x 0 cur => 0
	read x 4 => "n 2\n"
	seek x 0 cur => 3
	read x 8 => "n 11\n"
	seek x 0 cur => 12
	seek x %f
	read x 8 => "n %f\n"
	read x 8 => "n %g\n"
	read x 8 => ""
	read x 1048576 => ""
	seek x 4294967295
	read x 4096 => ""
	seek x 4294967296
	read x 4096 => ""
	slurp $M/inodes 1048576 %g -> last
	lines "%last" => 1
	field "%last" 1 1 => i
	field "%last" 1 2 => %g
	EOF
}

@test "inodes starts at the inode of the position" {
	each_block_size inodes_from_position
}

@test "inodes while files come and go" {
	local writers=()

	make_image 1024 32 -N 4096
	mount_host
	for i in 1 2; do
		(
			set +e
			mkdir "$H/$i"
			while [ ! -e "$T/enough" ]; do
				for k in {1..40}; do
					echo "$k" >"$H/$i/$k"
				done
				truncate -s 2M "$H/$i/3"
				dd if=/dev/zero of="$H/$i/$((RANDOM % 40))" bs=1k count=70 \
					conv=notrunc seek=$((RANDOM % 300)) 2>/dev/null
				rm -f "$H/$i"/*[1-7]
			done
		) 3>&- &
		writers+=($!)
	done
	run build/tests/bin/inodejudge -b "$M" 15
	touch "$T/enough"
	wait "${writers[@]}"
	rm "$T/enough"
	echo "$output"
	[ "$status" = 0 ]
	sync -f "$H"
	build/tests/bin/inodejudge "$M" 64 4096 1048576
	unmount_host
}

@test "reading inodes leaves none of them in memory that was not there before" {
	local before after

	make_image 1024 16 -N 4096
	mount_host
	(cd "$H" && eval 'for i in {1..2000}; do : >$i; done')
	unmount_host
	mount_host
	exec 9<"$H/77"
	before=$(awk '$1 == "ext4_inode_cache" { print $2 }' /proc/slabinfo)
	cat "$M/inodes" >"$T/inodes"
	[ "$(wc -l <"$T/inodes")" -ge 2002 ]
	sleep 1
	after=$(awk '$1 == "ext4_inode_cache" { print $2 }' /proc/slabinfo)
	exec 9<&-
	echo "$before inodes in memory before, $after after"
	((after - before < 1000))
	unmount_host
}

# -------- a damaged filesystem --------

@test "inodes goes on past what can't be read, and refers to it" {
	local bad

	fsck_wanted=no
	make_image 1024 16 -I 256
	mount_host
	for bad in f12 f13 f14 f15 f16; do
		head -c 102400 /dev/zero >"$H/$bad"
	done
	for bad in f17 f18 f19 f20; do
		head -c 3000 /dev/zero >"$H/$bad"
	done
	unmount_host
	debugfs -w -f - "$IMG" <<-EOF
	set_inode_field <14> extra_isize 5
	set_inode_field <17> extra_isize 5
	set_inode_field <18> block[1] 99999999
	set_inode_field <19> file_acl 99999999
	EOF
	steps <<-EOF
	imgmap point $IMG 13 20 99999999
	imgmap point $IMG 15 i12 2
	EOF
	mount_host ext3 errors=continue
	run -0 --separate-stderr cat "$M/inodes"
	echo "$output"
	[[ $output == *$'\n'"i 12 "*$'\n'"e "*$'\n'"n 13"$'\n'"n 14"$'\n'"n 15"$'\n'"i 16 "*$'\n'"e "* ]]
	# and without indirect blocks
	[[ $output == *$'\n'"n 17"$'\n'"n 18"$'\n'"n 19"$'\n'"i 20 "*$'\n'"e "* ]]
	steps <<-EOF
	slurp $M/nodes/13/data/extents => EUCLEAN
	open x $M/nodes/14/info r => EUCLEAN
	slurp $M/nodes/15/metadata/blocks => EUCLEAN
	EOF
	unmount_host
}

@test "inodes ends in a map without an end: one indirect block in all places of another" {
	local ind dind i script=''

	fsck_wanted=no
	make_image 1024
	mount_host
	steps <<-EOF
	open f $H/f12 rw,creat
	comb f 12 1 1 $BS 1
	comb f $((12 + P)) 1 1 $BS 1
	comb f $((12 + P + P * P)) 1 1 $BS 1
	truncate f 10000000000
	EOF
	echo good >"$H/f13"
	unmount_host
	# the triple-indirect block's slots all lead to one block, and that one's all to another
	debugfs -R "stat <12>" "$IMG" >"$T/stat"
	dind=$(grep -o '(TIND):[0-9]*' "$T/stat") && dind=${dind#*:}
	fill_with "$dind" "$(slot_of "$dind")"
	ind=$(slot_of "$dind")
	fill_with "$ind" "$(slot_of "$ind")"
	mount_host
	run -0 timeout 100 cat "$M/inodes"
	[[ $output$'\n' == *$'\n'"n 12"$'\n'"i 13 "* ]]
	unmount_host
}

# The first pointer in block $1 of the image, of 1 KiB blocks, and a block full of pointer $2.
slot_of() {
	od -A n -t u4 -j $(($1 * 1024)) -N 4 "$IMG" | tr -d ' '
}

fill_with() {
	local bytes

	printf -v bytes '\\x%02x' $(($2 & 255)) $(($2 >> 8 & 255)) $(($2 >> 16 & 255)) $(($2 >> 24))
	for _ in {1..256}; do
		# shellcheck disable=SC2059 # it is a format
		printf "$bytes"
	done | dd of="$IMG" bs=1024 seek="$1" conv=notrunc 2>&1
}

@test "a block pointer that is wrong is EUCLEAN, with an error in the log" {

	fsck_wanted=no
	make_image 1024
	mount_host
	steps <<-EOF
	open f $H/f12 rw,creat
	pattern f 0 102400 1
	open f $H/f13 rw,creat
	pattern f 0 102400 1
	open f $H/f14 rw,creat
	pattern f 0 1024000 1
	open f $H/f15 rw,creat
	pattern f 0 1024000 1
	open f $H/f16 rw,creat
	pattern f 0 1024000 1
	EOF
	unmount_host
	steps <<-EOF
	imgmap point $IMG 12 20 99999999
	imgmap point $IMG 13 20 1
	imgmap point $IMG 14 i12 99999999
	imgmap point $IMG 15 i13 2
	imgmap point $IMG 16 5 99999999
	dmesg
	EOF
	mount_host
	steps <<-EOF
	slurp $M/nodes/12/data/extents => EUCLEAN
	slurp $M/nodes/13/data/extents => EUCLEAN
	slurp $M/nodes/14/data/extents => EUCLEAN
	slurp $M/nodes/14/metadata/blocks => EUCLEAN
	slurp $M/nodes/15/data/extents => EUCLEAN
	slurp $M/nodes/15/metadata/blocks => EUCLEAN
	slurp $M/nodes/16/data/extents => EUCLEAN
	dmesg "EXT4-fs error" => yes
	EOF
	unmount_host
}
