# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2030,SC2031 # each test is a subshell of its own, and wants to be
# shellcheck disable=SC2034,SC2153 # variables shared with common.bash
# Numbers, descriptors and mounts that come from elsewhere.

load common

@test "a host that was detached: requests are served, and it goes when ext3meta goes" {
	make_image 1024
	mount_host
	steps <<-EOF
	$(file_and_donor)
	run "umount -l $H" => 0
	write r "%d 10" 0 => 10
	write mr "%d 1" 12
	alloc da 40 5 => 5
	check f 0 $((40 * BS)) 1 => right
	close d
	umount $M => EBUSY
	close da
	close r
	close mr
	umount $M
	check f 0 $((40 * BS)) 1 => right
	close f
	within 5000 run "losetup -j $IMG | grep -q ." => 1
	EOF
	fsck "$IMG"
}

@test "an ident is its own host's: a donor of another filesystem is none" {
	make_image 1024
	make_second
	mount_host
	steps <<-EOF
	$(file_and_donor)
	host $IMG2 $H2 ext3 -> device2
	mount $H2 $M2 ext3meta
	open x $H2/one rw,creat
	open x $H2/two rw,creat
	donor e $H2
	open ea $M2/nodes/%e/data/alloc w
	alloc ea 0 40 => 40
	generation e -> egen
	generation f -> fgen
	syncfs f
	syncfs e
	imgmap state $DEV -> state
	imgmap state %device2 -> state2
	# no such number here; here, but another object; the original itself
	write r %e 0 => ENOENT
	write mr "%e 1" 12 => ENOENT
	write r "%f:%egen" 0 => ESTALE
	write r "%d:%egen" 0 => ESTALE
	write mr "%d:%egen 1" 12 => ESTALE
	write r "%f:%fgen" 0 => EINVAL
	syncfs f
	syncfs e
	imgmap state $DEV => "%state"
	imgmap state %device2 => "%state2"
	write r "%d 10" 0 => 10
	check f 0 $((40 * BS)) 1 => right
	close e
	close x
	close ea
	umount $M2
	umount $H2
	EOF
	unmount_host
	fsck "$IMG2"
}

@test "a bind mount of a directory shows the whole host, and holds it" {
	make_image 1024
	mount_host
	umount "$M"
	mkdir "$H/below" "$T/bound"
	mount --bind "$H/below" "$T/bound"
	mount -t ext3meta "$T/bound" "$M"
	steps <<-EOF
	$(file_and_donor)
	write r "%d 10" 0 => 10
	check f 0 $((40 * BS)) 1 => right
	umount $T/bound => EBUSY
	EOF
	umount "$M"
	umount "$T/bound"
	umount "$H"
	fsck "$IMG"
}

@test "reserved inodes, quota files and the orphan file are no nodes and no donors" {
	local ino orphan

	make_image 1024 16 -O quota,orphan_file
	orphan=$(dumpe2fs -h "$IMG" 2>/dev/null | sed -n 's/^Orphan file inode: *//p')
	[ -n "$orphan" ]
	mount_host ext4 usrquota
	steps <<-EOF
	dmesg
	$(file_and_donor)
	imgmap state $DEV -> state
	$(for ino in 1 3 4 5 6 7 8 9 10 "$orphan"; do echo "
	open x $M/nodes/$ino/info r => ENOENT
	open x $M/nodes/$ino:0/info r => ENOENT|ESTALE
	write r $ino 0 => ENOENT
	write r $ino:0 0 => ENOENT|ESTALE
	write mr \"$ino 1\" 12 => ENOENT"; done)
	syncfs f
	imgmap state $DEV => "%state"
	dmesg "EXT4-fs error" => no
	EOF
	unmount_host
}

# An owner can give his file any generation he likes.
@test "a number used again inherits nothing, not even with the same generation" {
	make_image 1024
	mount_host
	steps <<-EOF
	$(file_and_donor)
	generation d -> gen
	write r "%d 10" 0 => 10
	open g $M/nodes/%d/alloc_goal rw
	let old %d + 0
	close d
	open n $H/new rw,creat
	is %n => %old
	run "chattr -v %gen $H/new" => 0
	generation n => %gen
	pattern n 0 $((20 * BS)) 2
	fsync n
	flags n +0x10
	slurp $M/nodes/%n/info -> i
	key "%i" relocatable => immutable
	donor e $H
	open ea $M/nodes/%e/data/alloc w
	alloc ea 0 20 => 20
	open nr $M/nodes/%n/data/reloc w
	open na $M/nodes/%n/data/alloc w
	slurp $M/nodes/%n/data/extents -> extents
	write nr %e 0 => EPERM
	write na 1 20 => EPERM
	write r %n 0 => EPERM
	slurp $M/nodes/%n/data/extents => "%extents"
	check n 0 $((20 * BS)) 2 => right
	flags n -0x10
	write nr "%e 5" 0 => 5
	check n 0 $((20 * BS)) 2 => right
	EOF
	unmount_host
}

@test "a descriptor handed to a process without rights does what it was opened for, no more" {
	local nobody="setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all"

	make_image 1024
	mount_host
	chmod 755 "$T"
	steps <<-EOF
	$(file_and_donor)
	# as many bytes as blocks, which is what printf takes for all of it
	run "exec 9>$M/nodes/%f/data/reloc; $nobody printf '%d 0004' >&9" => 1
	run "exec 9>$M/nodes/%f/data/reloc; $nobody printf '%d 4' >&9" => 0
	slurp $M/nodes/%f/data/extents -> extents
	# it can't open one for itself, nor open again what it was handed
	run "$nobody sh -c 'exec 8>$M/nodes/%f/data/reloc' 2>/dev/null" => 2
	run "exec 9>$M/nodes/%f/data/reloc; $nobody sh -c 'exec 8>/proc/self/fd/9' 2>/dev/null" => 2
	slurp $M/nodes/%f/data/extents => "%extents"
	check f 0 $((40 * BS)) 1 => right
	EOF
	unmount_host
}
