# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2030,SC2031 # each test is a subshell of its own, and wants to be
# shellcheck disable=SC2034,SC2153 # variables shared with common.bash
# Which files may be changed: each row of the table, for the file that moves and
# for the donor. After each refusal the image holds what it held before.

load common

keep_state() {
	echo "imgmap state $DEV -> state"
}

same_state() {
	text <<-EOF
	syncfs f
	imgmap state $DEV => "%state"
	EOF
}

# refused_original NAME ERRNO: all four requests on the file NAME.
refused_original() {
	text <<-EOF
	$(keep_state)
	open xa $M/nodes/%$1/data/alloc w
	write xa 1 100 => $2
	open xr $M/nodes/%$1/data/reloc w
	write xr %d 0 => $2
	open xma $M/nodes/%$1/metadata/alloc w
	write xma 2 $((12 + P)) => $2
	open xmr $M/nodes/%$1/metadata/reloc w
	write xmr "%d 1" 12 => $2
	$(same_state)
	EOF
}

# refused_donor NAME ERRNO: NAME as the donor of f.
refused_donor() {
	text <<-EOF
	$(keep_state)
	write r %$1 0 => $2
	write mr "%$1 1" 12 => $2
	$(same_state)
	EOF
}

@test "the same inode twice is EINVAL" {
	make_image 1024
	mount_host
	steps <<-EOF
	$(file_and_donor)
	$(refused_donor f EINVAL)
	generation f -> gen
	write r %f:%gen 0 => EINVAL
	open xr $M/nodes/%d/data/reloc w
	write xr %d 0 => EINVAL
	check f 0 $((40 * BS)) 1 => right
	EOF
	unmount_host
}

@test "a count of zero, or one that overflows with the position, is EINVAL" {
	make_image 1024
	mount_host
	steps <<-EOF
	$(file_and_donor)
	open a $M/nodes/%d/data/alloc w
	$(keep_state)
	write r "%d 0" 0 => EINVAL
	write a 0 50 => EINVAL
	write r "%d 18446744073709551616" 0 => EINVAL
	write a 18446744073709551616 50 => EINVAL
	$(same_state)
	# the largest numbers there are must not wrap round to something small
	write r "%d 18446744073709551615" 39 => EINVAL|1
	write r "%d 4294967295" 38 => EINVAL|2
	write r "%d 4294967296" 38 => EINVAL|2
	write r "%d 9223372036854775807" 38 => EINVAL|2
	check f 0 $((40 * BS)) 1 => right
	EOF
	unmount_host
}

@test "idents that name nothing: ENOENT, a wrong generation: ESTALE" {
	make_image 1024
	mount_host
	steps <<-EOF
	$(file_and_donor)
	generation d -> gen
	let wrong %gen + 1
	$(keep_state)
	write r 0 0 => ENOENT|EINVAL
	write r 1 0 => ENOENT
	write r 5 0 => ENOENT
	write r 7 0 => ENOENT
	write r 8 0 => ENOENT
	write r 1000 0 => ENOENT
	write r 4294967295 0 => ENOENT
	write r 4294967308 0 => ENOENT|EINVAL
	write mr "8 1" 12 => ENOENT
	write mr "1000 1" 12 => ENOENT
	write r "%d:%wrong" 0 => ESTALE
	write mr "%d:%wrong 1" 12 => ESTALE
	$(same_state)
	write r "%d:%gen 1" 0 => 1
	EOF
	unmount_host
}

@test "what is not a regular file is EOPNOTSUPP" {
	make_image 1024
	mount_host
	steps <<-EOF
	$(file_and_donor)
	mkdir $H/dir
	open dir $H/dir r,dir
	mknod $H/fifo fifo
	open fifo $H/fifo rw,nonblock
	symlink aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa $H/slow
	open slow $H/slow path,nofollow
	symlink short $H/fast
	open fast $H/fast path,nofollow
	let root 2
	syncfs f
	$(refused_original dir EOPNOTSUPP)
	$(refused_original root EOPNOTSUPP)
	$(refused_original fifo EOPNOTSUPP)
	$(refused_original fast EOPNOTSUPP)
	$(refused_donor dir EOPNOTSUPP)
	$(refused_donor root EOPNOTSUPP)
	$(refused_donor fifo EOPNOTSUPP)
	$(refused_donor fast EOPNOTSUPP)
	# a directory that is nameless, as a donor has to be
	run "rmdir $H/dir" => 0
	syncfs f
	$(refused_donor dir EOPNOTSUPP)
	EOF
	unmount_host
}

@test "files mapped by extents, or inline, are EOPNOTSUPP" {
	make_image 4096 16 -t ext4 -O inline_data -I 256
	mount_host ext4
	steps <<-EOF
	open f $H/file rw,creat
	flags f -0x80000
	pattern f 0 $((40 * BS)) 1
	fsync f
	slurp $M/nodes/%f/info -> i
	key "%i" mapping => indirect
	open r $M/nodes/%f/data/reloc w
	open mr $M/nodes/%f/metadata/reloc w
	donor d $H
	open da $M/nodes/%d/data/alloc w
	alloc da 0 40 => 40
	open e $H/extents rw,creat
	pattern e 0 100000 1
	open n $H/inline rw,creat
	pattern n 0 20 1
	fsync n
	slurp $M/nodes/%n/info -> i
	key "%i" mapping => inline
	# nameless ones with extents, which is what O_TMPFILE alone gives
	open t $H rw,tmpfile,excl
	syncfs f
	$(refused_original e EOPNOTSUPP)
	$(refused_original n EOPNOTSUPP)
	$(refused_original t EOPNOTSUPP)
	$(refused_donor e EOPNOTSUPP)
	$(refused_donor n EOPNOTSUPP)
	$(refused_donor t EOPNOTSUPP)
	# nothing is wrong with the two that are block-mapped
	drain r %d 0 => "40 ENODATA"
	check f 0 $((40 * BS)) 1 => right
	check e 0 100000 1 => right
	check n 0 20 1 => right
	EOF
	unmount_host
}

@test "encrypted files are EOPNOTSUPP" {
	make_image 4096 16 -O encrypt
	mount_host ext4
	steps <<-EOF
	$(file_and_donor)
	mkdir $H/secret
	open dir $H/secret r,dir
	encrypt dir
	open e $H/secret/file rw,creat
	pattern e 0 100000 1
	fsync e
	open t $H/secret rw,tmpfile,excl
	syncfs f
	slurp $M/nodes/%e/info -> i
	key "%i" relocatable => encrypted
	$(refused_original e EOPNOTSUPP)
	$(refused_original t EOPNOTSUPP|ENOENT)
	$(refused_donor e EOPNOTSUPP)
	$(refused_donor t EOPNOTSUPP)
	check e 0 100000 1 => right
	EOF
	unmount_host
}

@test "files with fs-verity are EOPNOTSUPP" {
	make_image 4096 16 -O verity
	mount_host ext4
	steps <<-EOF
	open f $H/f12 rw,creat
	pattern f 0 $((40 * BS)) 1
	EOF
	unmount_host
	debugfs -w -R "sif <12> flags 0x100000" "$IMG"
	fsck_wanted=no
	mount_host ext4
	steps <<-EOF
	$(file_and_donor)
	let v 12
	slurp $M/nodes/12/info -> i
	key "%i" relocatable => verity
	$(refused_original v EOPNOTSUPP)
	$(refused_donor v EOPNOTSUPP)
	EOF
	unmount_host
}

# Looking it up as a file must not look like damage to ext4.
@test "an inode that holds an extended attribute is refused, and that is no error" {
	make_image 4096 16 -O ea_inode
	mount_host ext4
	steps <<-EOF
	dmesg
	$(file_and_donor)
	open x $H/x rw,creat
	setxattr x user.long 20000
	fsync x
	let e %x + 1
	syncfs f
	names $M/nodes => "2 11 %f %d %x %e"
	open xr $M/nodes/%e/data/reloc w => ENOENT
	$(refused_donor e "ENOENT|EOPNOTSUPP")
	dmesg "EXT4-fs error" => no
	EOF
	unmount_host
	# the same when the inode is not in memory yet
	mount_host ext4
	steps <<-EOF
	open f $H/file rw
	open x $H/x r
	let e %x + 1
	open r $M/nodes/%f/data/reloc w
	write r %e 0 => ENOENT|EOPNOTSUPP
	open xr $M/nodes/%e/data/reloc w => ENOENT
	dmesg "EXT4-fs error" => no
	EOF
	unmount_host
}

@test "a host with bigalloc is EOPNOTSUPP" {
	make_image 4096 64 -t ext4 -O bigalloc -C 16384
	mount_host ext4
	steps <<-EOF
	open f $H/f12 rw,creat
	open f $H/f13 rw,creat
	EOF
	unmount_host
	# an empty file is as good with no extents flag
	debugfs -w -f - "$IMG" <<-EOF
	sif <12> flags 0
	sif <12> block[0] 0
	sif <12> block[1] 0
	sif <13> flags 0
	sif <13> block[0] 0
	sif <13> block[1] 0
	EOF
	fsck_wanted=no
	mount_host ext4
	steps <<-EOF
	open f $H/f13 r
	let x 12
	let d 13
	slurp $M/nodes/12/info -> i
	key "%i" relocatable => bigalloc
	$(refused_original x EOPNOTSUPP)
	EOF
	unmount_host
}

@test "a swap file in use is ETXTBSY" {
	make_image 4096
	mount_host
	steps <<-EOF
	$(file_and_donor)
	open s $H/swap rw,creat 0600
	pattern s 0 1048576 1
	fsync s
	run "mkswap $H/swap >$T/mkswap 2>&1" => 0
	fsync s
	swapon $H/swap
	syncfs f
	$(refused_original s ETXTBSY)
	$(refused_donor s "ETXTBSY|EPERM")
	swapoff $H/swap
	open sr $M/nodes/%s/data/reloc w
	write sr "%d 2" 0 => 2
	EOF
	unmount_host
}

@test "immutable and append-only files are EPERM" {
	make_image 1024
	mount_host
	steps <<-EOF
	$(file_and_donor)
	open m $H/immutable rw,creat
	pattern m 0 $((20 * BS)) 1
	flags m +0x10
	open p $H/append rw,creat
	pattern p 0 $((20 * BS)) 1
	flags p +0x20
	# by others, before they could be sealed
	donor tm $H
	donor tp $H
	flags tm +0x10
	flags tp +0x20
	open ta $M/nodes/%tm/data/alloc w
	write ta 20 0 => EPERM
	open ta $M/nodes/%tp/data/alloc w
	write ta 20 0 => EPERM
	syncfs f
	$(refused_original m EPERM)
	$(refused_original p EPERM)
	$(refused_donor m EPERM)
	$(refused_donor p EPERM)
	$(refused_donor tm EPERM)
	$(refused_donor tp EPERM)
	flags tm -0x10
	flags tp -0x20
	flags m -0x10
	open ta $M/nodes/%tm/data/alloc w
	alloc ta 0 20 => 20
	open mr2 $M/nodes/%m/data/reloc w
	drain mr2 %tm => "20 ENODATA"
	check m 0 $((20 * BS)) 1 => right
	EOF
	unmount_host
}

@test "quota files are EPERM" {
	make_image 1024
	mount_host ext3 usrquota
	quotacheck -cum "$H"
	steps <<-EOF
	$(file_and_donor)
	open q $H/aquota.user r
	quotaon $DEV $H/aquota.user
	slurp $M/nodes/%q/info -> i
	key "%i" relocatable => quota
	syncfs f
	$(refused_original q EPERM)
	$(refused_donor q EPERM)
	quotaoff $DEV
	check f 0 $((40 * BS)) 1 => right
	EOF
	unmount_host
}

@test "a file already deleted is ENOENT" {
	make_image 1024
	mount_host
	steps <<-EOF
	$(file_and_donor)
	donor e $H
	open ea $M/nodes/%e/data/alloc w
	alloc ea 0 40 => 40
	open er $M/nodes/%e/data/reloc w
	open emr $M/nodes/%e/metadata/reloc w
	syncfs f
	$(keep_state)
	write er %d 0 => ENOENT
	write emr "%d 1" 12 => ENOENT
	$(same_state)
	# one that lost its name while it was open
	unlink $H/file
	syncfs d
	imgmap state $DEV -> state
	write r %d 0 => ENOENT
	write mr "%d 1" 12 => ENOENT
	syncfs d
	imgmap state $DEV => "%state"
	check f 0 $((40 * BS)) 1 => right
	slurp $M/nodes/%f/info -> i
	key "%i" relocatable => deleted
	# and one that nobody has open any more
	let gone %f + 0
	close f
	write r %d 0 => ENOENT|ESTALE
	EOF
	unmount_host
}

@test "a donor with a name or a size is EPERM" {
	make_image 1024
	mount_host
	steps <<-EOF
	$(file_and_donor)
	open n $H/named rw,creat
	truncate n $((40 * BS))
	open na $M/nodes/%n/data/alloc w
	alloc na 0 40 => 40
	open t $H rw,tmpfile,excl
	pattern t 0 $((40 * BS)) 2
	fsync t
	syncfs f
	$(refused_donor n EPERM)
	$(refused_donor t EPERM)
	check f 0 $((40 * BS)) 1 => right
	check t 0 $((40 * BS)) 2 => right
	# a name lost makes a donor of it
	unlink $H/named
	truncate n 0
	alloc na 0 40 => 40
	drain r %n 0 => "40 ENODATA"
	check f 0 $((40 * BS)) 1 => right
	EOF
	unmount_host
}

# A device may still write into a page it has pinned. Either the page is left
# alone, or it stays the file's page: never does a write through it get lost.
@test "a page that is pinned for writing is EBUSY, or keeps serving the file" {
	make_image 4096
	mount_host
	if ! steps 2>/dev/null <<-EOF
	open f $H/probe rw,creat
	pattern f 0 16384 1
	fsync f
	map m f 0 16384
	pin p m
	EOF
	then
		unmount_host
		skip "this kernel does not pin pages of a file for long"
	fi
	steps <<-EOF
	$(file_and_donor)
	map m f 16384 16384
	pin p m
	write r "%d 4" 4 => EBUSY|4
	mpattern m 2
	check f 16384 16384 2 => right
	write r "%d" 0 => any
	check f 16384 16384 2 => right
	mcheck m 2 => right
	mpattern m 3
	close p
	unmap m
	check f 0 16384 1 => right
	check f 16384 16384 3 => right
	check f 32768 131072 1 => right
	within 3000 write r "%d 4" 4 => 4
	fsync f
	dontneed f
	check f 16384 16384 3 => right
	EOF
	unmount_host
	steps <<-EOF
	imgmap check $IMG 13 16384 16384 3 => right
	EOF
}

@test "a block pointer outside the filesystem or inside its metadata is EUCLEAN" {
	fsck_wanted=no
	make_image 1024
	mount_host
	steps <<-EOF
	$(for i in 12 13 14 15 16; do echo "
	open f $H/f$i rw,creat
	pattern f 0 $((40 * 1024)) 1
	truncate f $((500 * 1024))"; done)
	EOF
	unmount_host
	steps <<-EOF
	imgmap point $IMG 12 20 99999999
	imgmap point $IMG 13 20 2
	imgmap point $IMG 14 i12 99999999
	imgmap point $IMG 15 i12 3
	imgmap point $IMG 16 i13 99999999
	dmesg
	EOF
	mount_host
	steps <<-EOF
	$(file_and_donor)
	$(keep_state)
	open r12 $M/nodes/12/data/reloc w
	write r12 "%d 1" 20 => EUCLEAN
	open r13 $M/nodes/13/data/reloc w
	write r13 "%d 1" 20 => EUCLEAN
	open r14 $M/nodes/14/data/reloc w
	write r14 "%d 1" 20 => EUCLEAN
	open r15 $M/nodes/15/data/reloc w
	write r15 "%d 1" 20 => EUCLEAN
	open m14 $M/nodes/14/metadata/reloc w
	write m14 "%d 1" 12 => EUCLEAN
	open m15 $M/nodes/15/metadata/reloc w
	write m15 "%d 1" 12 => EUCLEAN
	open a14 $M/nodes/14/data/alloc w
	write a14 1 100 => EUCLEAN
	open a15 $M/nodes/15/data/alloc w
	write a15 1 100 => EUCLEAN
	open a16 $M/nodes/16/data/alloc w
	write a16 1 400 => EUCLEAN
	open m16 $M/nodes/16/metadata/alloc w
	write m16 1 400 => EUCLEAN
	$(same_state)
	dmesg "EXT4-fs error" => yes
	EOF
	unmount_host
}

# What ext4 itself doesn't see in a pointer alone. The donor's end would free the block that a file
# still finds its others by, or change what lies two levels above.
@test "a tree that bites its own tail, or that has a block twice, is EUCLEAN" {
	fsck_wanted=no
	make_image 1024
	mount_host
	steps <<-EOF
	$(for i in 12 13 14 15 16; do echo "
	open f $H/f$i rw,creat
	pattern f 0 $((40 * 1024)) 1
	truncate f $((3000 * 1024))"; done)
	EOF
	unmount_host
	steps <<-EOF
	imgmap meta $IMG 12 -> m
	field "%m" 1 3 -> ind12
	imgmap data $IMG 13 -> m
	field "%m" 2 2 -> second
	imgmap meta $IMG 14 -> m
	field "%m" 1 3 -> ind14
	imgmap data $IMG 16 -> m
	field "%m" 1 2 -> data16
	# 12: its indirect block as data; 13: one block in two places; 15: data of 16 as pointers
	imgmap point $IMG 12 20 %ind12
	imgmap point $IMG 13 30 %second
	imgmap point $IMG 13 31 %second
	imgmap point $IMG 15 i12 %data16
	# 14: a double indirect block that is its own child
	imgmap point $IMG 14 20 %ind14
	imgmap point $IMG 14 i13 %ind14
	EOF
	mount_host
	steps <<-EOF
	donor d $H
	open da $M/nodes/%d/data/alloc w
	alloc da 0 40 => 40
	alloc da $((12 + 9 * P)) 5 => 5
	open f $H/f16 rw
	$(keep_state)
	open r12 $M/nodes/12/data/reloc w
	write r12 "%d 1" 20 => EUCLEAN
	open m12 $M/nodes/12/metadata/reloc w
	write m12 "%d 1" 12 => EUCLEAN
	open r13 $M/nodes/13/data/reloc w
	write r13 "%d 2" 30 => EUCLEAN
	open r14 $M/nodes/14/data/reloc w
	write r14 "%d 1" $((12 + 9 * P)) => EUCLEAN
	open m14 $M/nodes/14/metadata/reloc w
	write m14 "%d 1" $((12 + 9 * P)) => EUCLEAN
	open a14 $M/nodes/14/data/alloc w
	write a14 1 $((12 + 9 * P)) => EUCLEAN|EINVAL
	slurp $M/nodes/14/data/extents => EUCLEAN
	open m15 $M/nodes/15/metadata/reloc w
	write m15 "%d 1" 12 => EUCLEAN
	$(same_state)
	dmesg "EXT4-fs error" => yes
	open r16 $M/nodes/16/data/reloc w
	write r16 "%d 40" 0 => 40
	EOF
	unmount_host
}

# The second leaf holds the wrong pointer, the first is the inode's own.
@test "a request that fails half-way says what it has moved, the next one why" {
	local good=12

	fsck_wanted=no
	make_image 1024
	mount_host
	steps <<-EOF
	open f $H/f rw,creat
	pattern f 0 $((40 * 1024)) 1
	EOF
	unmount_host
	steps <<-EOF
	imgmap point $IMG 12 20 99999999
	EOF
	mount_host
	steps <<-EOF
	open f $H/f rw
	donor d $H
	open a $M/nodes/%d/data/alloc w
	alloc a 0 40 => 40
	slurp $M/nodes/%d/data/extents 64 $good -> kept
	open r $M/nodes/%f/data/reloc w
	write r %d 0 => $good
	write r %d $good => EUCLEAN
	slurp $M/nodes/%d/data/extents 64 $good => "%kept"
	check f 0 $((good * 1024)) 1 => right
	EOF
	unmount_host
}

@test "a donor that could still get a name is EPERM" {
	make_image 1024
	mount_host
	steps <<-EOF
	$(file_and_donor)
	open n $H rw,tmpfile
	open na $M/nodes/%n/data/alloc w
	open nm $M/nodes/%n/metadata/alloc w
	$(keep_state)
	write na 1 0 => EPERM
	write nm 1 12 => EPERM
	$(same_state)
	$(refused_donor n EPERM)
	# with a size it is no donor: its blocks are zeroed, and it may have a name
	truncate n 20480
	write na 20 0 => 2
	check n 0 20480 0 => right
	$(refused_donor n EPERM)
	EOF
	unmount_host
}

# Where extents can be had, an owner could turn a sealed donor into a file of extents, which
# fallocate(2) can lengthen that looked at it before it was sealed.
@test "a user's donor is EPERM where the host has extents, root's is not" {
	make_image 1024 16 -t ext4 -O ^64bit
	mount_host ext4
	steps <<-EOF
	open f $H/file rw,creat
	flags f -$((0x80000))
	pattern f 0 20480 1
	fsync f
	donor u $H
	open ua $M/nodes/%u/data/alloc w
	chown u 1000
	write ua 20 0 => EPERM
	open r $M/nodes/%f/data/reloc w
	write r %u 0 => EPERM
	donor d $H
	open a $M/nodes/%d/data/alloc w
	alloc a 0 20 => 20
	write r %d 0 => 20
	check f 0 20480 1 => right
	EOF
	unmount_host
}

@test "a donor whose owner gave it another generation is EPERM" {
	make_image 1024
	mount_host
	steps <<-EOF
	$(file_and_donor)
	write r "%d 10" 0 => 10
	generation d 4711 => 0
	$(keep_state)
	write da 1 40 => ESTALE
	open na $M/nodes/%d/data/alloc w
	write na 1 40 => EPERM
	$(refused_donor d EPERM)
	truncate d 1024 => EPERM
	check f 0 $((40 * BS)) 1 => right
	EOF
	unmount_host
}
