# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2030,SC2031 # each test is a subshell of its own, and wants to be
# shellcheck disable=SC2034,SC2153 # variables shared with common.bash
# Plain text in and out, positions that count blocks, modes, super/ and features.

load common

# A file of 60 pieces with holes between, over the direct and the indirect area.
comb_host() {
	make_image 1024
	mount_host
	steps <<-EOF
	open f $H/f rw,creat
	comb f 0 60 2 $BS 1
	fsync f
	EOF
}

@test "every file has its mode, belongs to root and has no size" {
	comb_host
	steps <<-EOF
	mode $M/features => "100400 0:0 0"
	mode $M/super/id => "100400 0:0 0"
	mode $M/super/blocksize => "100400 0:0 0"
	mode $M/super/blocks => "100400 0:0 0"
	mode $M/super/first_block => "100400 0:0 0"
	mode $M/super/blocks_per_group => "100400 0:0 0"
	mode $M/super/inodes => "100400 0:0 0"
	mode $M/super/inodes_per_group => "100400 0:0 0"
	mode $M/allocation/free_blocks => "100400 0:0 0"
	mode $M/inodes => "100400 0:0 0"
	mode $M/nodes -> nodes
	field "%nodes" 1 1 => 40500
	field "%nodes" 1 2 => 0:0
	mode $M/nodes/12/info => "100400 0:0 0"
	mode $M/nodes/12/alloc_goal => "100600 0:0 0"
	mode $M/nodes/12/data/extents => "100400 0:0 0"
	mode $M/nodes/12/data/alloc => "100200 0:0 0"
	mode $M/nodes/12/data/reloc => "100200 0:0 0"
	mode $M/nodes/12/metadata/blocks => "100400 0:0 0"
	mode $M/nodes/12/metadata/alloc => "100200 0:0 0"
	mode $M/nodes/12/metadata/reloc => "100200 0:0 0"
	EOF
	unmount_host
}

@test "nothing can be made, renamed or removed in the tree" {
	comb_host
	steps <<-EOF
	mkdir $M/x => EPERM|EACCES|ENOENT
	mkdir $M/nodes/x => EPERM|EACCES|ENOENT
	open x $M/x rw,creat => EPERM|EACCES|ENOENT
	unlink $M/features => EPERM|EACCES
	link $M/features $M/y => EPERM|EACCES|ENOENT
	run "mv $M/features $M/y 2>/dev/null" => 1
	open x $M/features w,trunc => any
	slurp $M/features -> features
	lines "%features" => 3
	names $M => "allocation features inodes nodes super"
	EOF
	unmount_host
}

@test "features has the bits of each extension" {
	comb_host
	steps <<-EOF
	slurp $M/features => "compat 0x7f\nincompat 0x0\nro_compat 0x0\n"
	EOF
	unmount_host
}

@test "info has the owner's number, as it is now" {
	comb_host
	steps <<-EOF
	open f $H/f rw
	slurp $M/nodes/%f/info -> i
	key "%i" uid => 0
	chown f 1000
	slurp $M/nodes/%f/info -> i
	key "%i" uid => 1000
	chown f 4294967294
	slurp $M/nodes/%f/info -> i
	key "%i" uid => 4294967294
	EOF
	unmount_host
}

super_as_in_image() {
	local key value script='' n=0

	while read -r key value; do
		script+="slurp $M/super/$key => \"$value\n\""$'\n'
		n=$((n + 1))
	done <<<"$(imgmap super "$IMG")"
	[ $n -eq 7 ]
	steps <<<"$script"
}

@test "super/ is what the superblock has" {
	each_block_size super_as_in_image
	make_image 1024 17 -N 3000 -g 4096
	mount_host
	super_as_in_image
	unmount_host
}

small_and_large_agree() {
	local path

	steps <<-EOF
	open f $H/f rw,creat
	comb f 0 60 2 $BS 1
	comb f $((12 + P + 5)) 3 2 $BS 1
	comb f $((12 + P + P * P + 5)) 3 2 $BS 1
	fsync f
	EOF
	for path in features super/id super/blocks allocation/free_blocks nodes/12/info \
		nodes/12/alloc_goal nodes/12/data/extents nodes/12/metadata/blocks; do
		echo "$path"
		steps <<-EOF
		slurp $M/$path 64 -> small
		slurp $M/$path => "%small"
		slurp $M/$path 1048576 => "%small"
		lines "%small" -> n
		less 0 %n => yes
		EOF
	done
}

@test "buffers of 64 bytes and of 1 MiB read the same" {
	each_block_size small_and_large_agree 32
}

@test "cat and dd read the same" {
	comb_host
	cat "$M"/{features,super/*,allocation/free_blocks,nodes/12/{info,data/extents}} >"$T/cat"
	for path in "$M"/{features,super/*,allocation/free_blocks,nodes/12/{info,data/extents}}; do
		dd if="$path" bs=64 status=none
	done | cmp - "$T/cat"
	dd if="$M/nodes/12/data/extents" bs=1M status=none | cmp - "$M/nodes/12/data/extents"
	unmount_host
}

position_is_in_blocks() {
	steps <<-EOF
	open f $H/f rw,creat
	comb f 0 60 2 $BS 1
	fsync f
	slurp $M/nodes/%f/data/extents -> all
	field "%all" 1 2 -> first
	open x $M/nodes/%f/data/extents r
	seek x 0 cur => 0
	# only the first line fits
	read x 12 => "0 %first 1\n"
	seek x 0 cur => 1
	seek x 7 => 7
	seek x 3 cur => 10
	seek x -11 cur => EINVAL
	seek x -1 => EINVAL
	seek x 0 end => EINVAL
	seek x 0 cur => 10
	seek x -9 cur => 1
	read x 12 => "1 0 1\n"
	seek x 0 cur => 2
	# too small for the next line, which is not lost
	read x 3 => EINVAL
	seek x 0 cur => 2
	field "%all" 3 2 -> second
	read x 12 => "2 %second 1\n"
	# at the end, and past it
	seek x 118 => 118
	field "%all" -1 2 -> last
	read x 1000 => "118 %last 1\n"
	seek x 0 cur => 119
	read x 1000 => ""
	seek x 119 => 119
	read x 1000 => ""
	seek x 4294967296 => 4294967296
	read x 1000 => ""
	# pread has its own position
	read x 12 0 => "0 %first 1\n"
	seek x 0 cur => 4294967296
	EOF
}

@test "the position of a list counts blocks" {
	each_block_size position_is_in_blocks
}

inside_an_extent() {
	steps <<-EOF
	open f $H/f rw,creat
	pattern f 0 $((10 * BS)) 1
	truncate f $((20 * BS))
	fsync f
	slurp $M/nodes/%f/data/extents -> all
	field "%all" 1 2 -> first
	is "%all" => "0 %first 10\n10 0 10\n"
	let fourth %first + 4
	slurp $M/nodes/%f/data/extents 64 4 => "4 %fourth 6\n10 0 10\n"
	slurp $M/nodes/%f/data/extents 64 15 => "15 0 5\n"
	slurp $M/nodes/%f/data/extents 64 19 => "19 0 1\n"
	slurp $M/nodes/%f/data/extents 64 20 => ""
	EOF
}

@test "an extent the position falls into is reported from there" {
	each_block_size inside_an_extent
}

# Every request that isn't one is EINVAL, at any position, and changes nothing.
@test "malformed requests are EINVAL and change nothing" {
	local file text before

	comb_host
	steps <<-EOF
	open f $H/f r
	syncfs f
	EOF
	before=$(imgmap state "$DEV")
	{
		text <<-EOF
		open f $H/f rw
		donor d $H
		open da $M/nodes/%d/data/alloc w
		alloc da 0 20 => 20
		open ma $M/nodes/%f/metadata/alloc w
		open mr $M/nodes/%f/metadata/reloc w
		open a $M/nodes/%f/data/alloc w
		open r $M/nodes/%f/data/reloc w
		open g $M/nodes/%f/alloc_goal w
		write g "2000" => 4
		slurp $M/nodes/%f/data/extents -> extents
		slurp $M/nodes/%d/data/extents -> dextents
		slurp $M/allocation/free_blocks -> free
		seek a 1
		seek r 2
		seek ma 300
		seek mr 12
		EOF
		for text in '' '\n' ' ' ' 1' '1 ' '1\n\n' '\n1' '-1' '+1' '0x10' '1\0' '1\0\n' 'x' \
			'1x' '1\t' '1\r' '1.0' '1,2' '18446744073709551616' '18446744073709551617' \
			'99999999999999999999999999999999' '1 1 1' '1 1\n\n' '1  1' '1:' \
			':1' '1:1:1' \
			'0000000000000000000000000000000000000000000000000000000000000001\n'; do
			for file in a r g ma mr; do
				printf 'write %s "%s" => EINVAL\n' "$file" "$text"
			done
		done
		# a field too many, or one too few, for each
		for text in 'a "1 1"' 'a "0"' 'a "1:1"' 'g "1 1"' 'g "1:1"' 'ma "1 1"' 'ma "0"' \
			'ma "4"' 'ma "1:1"' 'mr "%d"' 'mr "%d 0"' 'mr "%d 4"' 'mr "%d 1 1"' \
			'mr "%d -1"' 'mr "%d 0x1"' 'r "%d 0"' 'r "%d -1"' 'r "%d 1 1"' 'r "%d "' \
			'r " %d"' 'r "%d  1"' 'r "%d:"' 'r "%d:x"' \
			'r "%d 18446744073709551616"' 'r "%d 1x"'; do
			echo "write $text => EINVAL"
		done
		text <<-EOF
		seek a 0 cur => 1
		seek r 0 cur => 2
		seek ma 0 cur => 300
		seek mr 0 cur => 12
		slurp $M/nodes/%f/alloc_goal => "2000\n"
		slurp $M/nodes/%f/data/extents => "%extents"
		slurp $M/nodes/%d/data/extents => "%dextents"
		slurp $M/allocation/free_blocks => "%free"
		close da
		close d
		syncfs f
		EOF
	} >"$T/script"
	steps <"$T/script"
	# The donor came and went; the rest of the image is as it was.
	[ "$(imgmap state "$DEV")" = "$before" ]
	unmount_host
}

@test "an ordinary newline may end a request or not" {
	comb_host
	steps <<-EOF
	open f $H/f rw
	donor d $H
	open g $M/nodes/%d/alloc_goal rw
	write g "2000\n" 0 => 5
	write g "2000" 0 => 4
	open a $M/nodes/%d/data/alloc w
	write a "2\n" => 2
	seek a 0 cur => 2
	write a "2" => 1
	seek a 0 cur => 4
	write a "12\n" => 3
	seek a 0 cur => 16
	EOF
	unmount_host
}

@test "a request of 65 bytes is EINVAL even when what it says is not malformed" {
	comb_host
	steps <<-EOF
	donor d $H
	open g $M/nodes/%d/alloc_goal w
	write g "00000000000000000000000000000000000000000000000000000000000002000" => EINVAL
	slurp $M/nodes/%d/alloc_goal => "0\n"
	EOF
	unmount_host
}

too_far_is_efbig() {
	local end=$((12 + P + P * P + P * P * P))

	steps <<-EOF
	open f $H/f rw,creat
	donor d $H
	open a $M/nodes/%d/data/alloc w
	open r $M/nodes/%f/data/reloc w
	open ma $M/nodes/%d/metadata/alloc w
	open mr $M/nodes/%f/metadata/reloc w
	write a 1 $end => EFBIG
	write r %d $end => EFBIG
	write ma 1 $end => EFBIG
	write mr "%d 1" $end => EFBIG
	# 2^32 + 12 must not become 12, nnor the largest something negative
	write a 1 4294967308 => EFBIG
	write r %d 4294967308 => EFBIG
	write ma 1 4294967308 => EFBIG
	write mr "%d 1" 4294967308 => EFBIG
	write a 1 9223372036854775000 => EFBIG
	write r %d 9223372036854775000 => EFBIG
	# malformed comes first
	write a x 4294967308 => EINVAL
	slurp $M/nodes/%d/data/extents => ""
	slurp $M/nodes/%d/metadata/blocks => ""
	EOF
	if [ "$BS" -eq 1024 ]; then
		steps <<-EOF
		donor d $H
		open a $M/nodes/%d/data/alloc w
		seek a $((end - 1))
		write a 1 => 1
		seek a 0 cur => $end
		write a 1 => EFBIG
		slurp $M/nodes/%d/data/extents 64 $((end - 1)) -> last
		field "%last" 1 1 => $((end - 1))
		field "%last" 1 3 => 1
		EOF
	fi
}

@test "a position past the last block a file can have is EFBIG" {
	each_block_size too_far_is_efbig
}

@test "files to read can't be written, and the other way round" {
	comb_host
	steps <<-EOF
	open x $M/nodes/12/data/extents w => any
	open r $M/nodes/12/data/reloc r => any
	open r $M/nodes/12/data/reloc w
	read r 10 => EBADF
	open e $M/nodes/12/data/extents r
	write e 12 => EBADF
	open f $M/features r
	write f 12 => EBADF
	EOF
	unmount_host
}
