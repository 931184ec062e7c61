# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2030,SC2031 # each test is a subshell of its own, and wants to be
# shellcheck disable=SC2034,SC2153 # variables shared with common.bash
# Who may, and what goes on beside it: quota, freezing, remounting.
# cpus: 2

load common

@test "an ordinary user opens nothing" {
	make_image 1024
	mount_host
	chmod 755 "$T"
	steps <<-EOF
	$(file_and_donor)
	euid 1000
	open x $M/features r => EACCES
	open x $M/super/id r => EACCES
	open x $M/allocation/free_blocks r => EACCES
	names $M/nodes => EACCES
	open x $M/nodes/%f/info r => EACCES
	open x $M/nodes/%f/data/extents r => EACCES
	open x $M/nodes/%f/data/reloc w => EACCES
	open x $M/nodes/%f/alloc_goal rw => EACCES
	euid 0
	open x $M/features r
	EOF
	unmount_host
}

@test "a request counts by who opened the file, not by who writes" {
	make_image 1024
	mount_host
	steps <<-EOF
	$(file_and_donor)
	slurp $M/nodes/%f/data/extents -> extents
	slurp $M/nodes/%d/data/extents -> dextents
	# root without CAP_SYS_ADMIN: may open, for the mode says so, but not ask
	admin drop
	open r2 $M/nodes/%f/data/reloc w
	open a2 $M/nodes/%d/data/alloc w
	open mr2 $M/nodes/%f/metadata/reloc w
	open ma2 $M/nodes/%d/metadata/alloc w
	open g2 $M/nodes/%d/alloc_goal w
	write r2 %d 0 => EPERM
	write a2 1 40 => EPERM
	write mr2 "%d 1" 12 => EPERM
	write ma2 2 268 => EPERM
	write g2 3000 0 => EPERM
	# before all else: what is malformed too
	write r2 x 0 => EPERM
	admin raise
	write r2 %d 0 => EPERM
	write a2 1 40 => EPERM
	write mr2 "%d 1" 12 => EPERM
	write ma2 2 268 => EPERM
	write g2 3000 0 => EPERM
	slurp $M/nodes/%f/data/extents => "%extents"
	slurp $M/nodes/%d/data/extents => "%dextents"
	slurp $M/nodes/%d/alloc_goal -> goal
	# opened with it, handed to another
	admin drop
	write r "%d 10" 0 => 10
	admin raise
	euid 1000
	write r "%d 10" 10 => 10
	write da 1 40 => 1
	euid 0
	check f 0 $((40 * BS)) 1 => right
	EOF
	unmount_host
}

@test "root of a user namespace may ask nothing" {
	make_image 1024
	mount_host
	steps <<-EOF
	$(file_and_donor)
	userns
	# the owner still, so the mode lets it in; CAP_SYS_ADMIN it has only in there
	open r2 $M/nodes/%f/data/reloc w
	write r2 "%d 10" 0 => EPERM
	write r "%d 10" 0 => 10
	check f 0 $((40 * BS)) 1 => right
	EOF
	unmount_host
}

charges() {
	steps <<-EOF
	open f $H/file rw,creat
	pattern f 0 $((100 * BS)) 1
	chown f 1000
	fsync f
	syncfs f
	charged $DEV 1000 -> user
	charged $DEV 0 -> root
	donor d $H
	open da $M/nodes/%d/data/alloc w
	alloc da 0 100 => 100
	charged $DEV 1000 => "%user"
	# 100 blocks and one indirect block, and an inode, for the donor's owner
	field "%root" 1 1 -> bytes
	field "%root" 1 2 -> inodes
	let bytes %bytes + $((101 * BS))
	let inodes %inodes + 1
	charged $DEV 0 => "%bytes %inodes"
	open r $M/nodes/%f/data/reloc w
	drain r %d => "100 ENODATA"
	open mr $M/nodes/%f/metadata/reloc w
	write mr "%d 1" 12
	charged $DEV 1000 => "%user"
	charged $DEV 0 => "%bytes %inodes"
	close d
	charged $DEV 1000 => "%user"
	charged $DEV 0 => "%root"
	check f 0 $((100 * BS)) 1 => right
	truncate f $((106 * BS))
	open fa $M/nodes/%f/data/alloc w
	alloc fa 100 3 => 3
	field "%user" 1 1 -> bytes
	let bytes %bytes + $((3 * BS))
	charged $DEV 1000 => "%bytes 1"
	EOF
}

# Whose quota it is has not been asked since the mount: nobody has opened the file to write.
charged_unopened() {
	steps <<-EOF
	open f $H/file r
	charged $DEV 1000 -> user
	field "%user" 1 1 -> bytes
	let bytes %bytes + $((3 * BS))
	open fa $M/nodes/%f/data/alloc w
	alloc fa 103 3 => 3
	charged $DEV 1000 => "%bytes 1"
	EOF
}

@test "quota: relocation changes no charge, allocation charges the owner" {
	local bs

	for bs in 1024 2048 4096; do
		make_image $bs 16 -O quota
		mount_host ext4 usrquota
		charges
		# e2fsck counts the quota, too
		unmount_host
		mount_host ext4 usrquota
		charged_unopened
		unmount_host
	done
}

@test "a limit that is reached ends an allocation with EDQUOT" {
	make_image 1024 16 -O quota
	mount_host ext4 usrquota
	setquota -u 1000 0 60 0 0 "$H" || skip "no setquota here"
	steps <<-EOF
	open f $H/file rw,creat
	chown f 1000
	truncate f 204800
	open a $M/nodes/%f/data/alloc w
	drain a 1 0 -> got
	charged $DEV 1000 -> now
	fsync f
	imgmap data $DEV %f -> data
	slurp $M/nodes/%f/data/extents => "%data"
	EOF
	unmount_host
}

@test "a frozen host: a request waits, reading goes on" {
	make_image 1024
	mount_host
	steps <<-EOF
	$(file_and_donor)
	open h $H r,dir
	freeze h
	start mover write r %d
	sleep 700
	running mover => yes
	slurp $M/nodes/%f/data/extents -> extents
	slurp $M/nodes/%f/info -> i
	thaw h
	within 5000 running mover => no
	finish mover => 40
	check f 0 $((40 * BS)) 1 => right
	open ma $M/nodes/%d/metadata/alloc w
	seek ma 268
	freeze h
	start taker write da 5
	start meta write ma 2
	sleep 500
	running taker => yes
	running meta => yes
	thaw h
	within 5000 running taker => no
	finish taker => 1
	finish meta => 1
	EOF
	unmount_host
}

@test "a fatal signal ends a request after the step in hand: data/reloc and data/alloc" {
	local blocks=$((12 + 1024 + 1024 + 500))

	# A frozen host holds them back, so that the signal is there when the first step ends.
	make_image 4096 48
	mount_host
	steps <<-EOF
	open f $H/file rw,creat
	pattern f 0 $((blocks * 4096)) 1
	fsync f
	donor d $H
	open a $M/nodes/%d/data/alloc w
	alloc a 0 $blocks => $blocks
	donor e $H
	open b $M/nodes/%e/data/alloc w
	syncfs f
	open r $M/nodes/%f/data/reloc w
	open h $H r,dir
	freeze h
	start mover write r %d
	start taker write b $blocks
	sleep 500
	running mover => yes
	running taker => yes
	kill mover
	kill taker
	thaw h
	within 10000 running mover => no
	within 10000 running taker => no
	finish mover => any
	finish taker => any
	# a step is 1024 blocks at most
	seek r 0 cur -> reached
	less %reached 1025 => yes
	seek b 0 cur -> reached
	less %reached 1025 => yes
	check f 0 $((blocks * 4096)) 1 => right
	# and nothing of it stays locked
	drain r %d 0 -> rest
	drain b 1 %reached -> rest
	check f 0 $((blocks * 4096)) 1 => right
	EOF
	unmount_host
}

@test "a host made read-only: EROFS, and served again when it is writable" {
	make_image 1024
	mount_host
	steps <<-EOF
	$(file_and_donor)
	slurp $M/nodes/%f/data/extents -> extents
	close da
	let dino %d + 0
	close d
	close f
	open f $H/file r
	open fa $M/nodes/%f/data/alloc w
	open ma $M/nodes/%f/metadata/alloc w
	open mr $M/nodes/%f/metadata/reloc w
	mount none $H ext3 remount,ro
	write r 11 0 => EROFS
	write fa 1 50 => EROFS
	write ma 2 268 => EROFS
	write mr "11 1" 12 => EROFS
	slurp $M/nodes/%f/data/extents => "%extents"
	slurp $M/nodes/%f/info -> i
	key "%i" relocatable => read-only
	mount none $H ext3 remount
	slurp $M/nodes/%f/info -> i
	key "%i" relocatable => yes
	donor d $H
	open da $M/nodes/%d/data/alloc w
	alloc da 0 40 => 40
	drain r %d 0 => "40 ENODATA"
	check f 0 $((40 * BS)) 1 => right
	EOF
	unmount_host
}

@test "a mount that is read-only alone is EROFS too" {
	make_image 1024
	mount_host
	steps <<-EOF
	$(file_and_donor)
	close r
	EOF
	umount "$M"
	mkdir "$T/ro"
	mount --bind "$H" "$T/ro"
	mount -o remount,bind,ro "$T/ro"
	mount -t ext3meta "$T/ro" "$M"
	steps <<-EOF
	open f $H/file r
	donor d $H
	open a $M/nodes/%d/data/alloc w
	write a 1 0 => EROFS
	EOF
	umount "$M"
	umount "$T/ro"
	umount "$H"
	fsck "$IMG"
}

@test "work on the host goes on while files move" {
	make_image 4096 32
	mount_host ext4
	steps <<-EOF
	open f $H/file rw,creat
	pattern f 0 8000000 1
	fsync f
	link $H/file $H/second
	donor d $H
	open da $M/nodes/%d/data/alloc w
	alloc da 0 1954 => 1954
	open r $M/nodes/%f/data/reloc w
	start mover drain r "%d 16"
	open o $H/other rw,creat
	pattern o 0 3000000 2
	fsync o
	unlink $H/second
	open s $H/file r,direct
	check s 0 8000000 1 => right
	check f 0 8000000 1 => right
	pattern f 0 8000000 3
	finish mover => "1954 ENODATA"
	check f 0 8000000 3 => right
	fsync f
	check s 0 7999488 3 => right
	check o 0 3000000 2 => right
	EOF
	unmount_host
}
