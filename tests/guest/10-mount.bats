# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2030,SC2031 # each test is a subshell of its own, and wants to be
# shellcheck disable=SC2034,SC2153 # variables shared with common.bash
# Mounting, the hold on the host, and what a host can't give.

load common

@test "no mount loads the module, whoever asks, root of a user namespace least of all" {
	make_image 1024
	mount_host
	umount "$M"
	rmmod ext3meta
	run ! setpriv --reuid 1000 --regid 1000 --clear-groups unshare --user --map-root-user \
		--mount mount -t ext3meta "$H" /mnt
	[ ! -d /sys/module/ext3meta ]
	[[ $output == *"unknown filesystem type 'ext3meta'"* ]]
	steps <<-EOF
	mount $H $M ext3meta => ENODEV
	EOF
	[ ! -d /sys/module/ext3meta ]
	[ -z "$(modinfo -F alias ext3meta)" ]
	umount "$H"
	modprobe ext3meta
}

@test "mount -t ext3meta shows the tree" {
	make_image 1024
	mount_host
	umount "$M"
	# mount(8), as a user has it
	mount -t ext3meta "$H" "$M"
	steps <<-EOF
	names $M => "allocation features inodes nodes super"
	names $M/super => "blocks blocks_per_group blocksize first_block id inodes inodes_per_group"
	names $M/allocation => "free_blocks"
	names $M/nodes/2 => "alloc_goal data info metadata"
	names $M/nodes/2/data => "alloc extents reloc"
	names $M/nodes/2/metadata => "alloc blocks reloc"
	EOF
	grep -q " $M ext3meta " /proc/self/mounts
	unmount_host
}

@test "any path on the host is a source" {
	make_image 1024
	mount_host
	umount "$M"
	steps <<-EOF
	mkdir $H/d
	open f $H/d/f rw,creat
	mount $H/d $M ext3meta
	mode $M/nodes/%f/info => "100400 0:0 0"
	umount $M
	mount $H/d/f $M ext3meta
	mode $M/nodes/%f/info => "100400 0:0 0"
	EOF
	unmount_host
}

@test "a source that the ext4 driver does not serve is ENODEV, and the log says why" {
	make_image 1024
	mount_host
	# an overlay can't be written to another one, as which the guest's root may hold $T
	mkdir -p "$T"/{memory,overlay}
	mount -t tmpfs tmpfs "$T/memory"
	mkdir "$T"/memory/{upper,work}
	mount -t overlay -o "lowerdir=$H,upperdir=$T/memory/upper,workdir=$T/memory/work" \
		overlay "$T/overlay"
	steps <<-EOF
	dmesg
	mount $T $T/other ext3meta => ENODEV
	mount /proc $T/other ext3meta => ENODEV
	mount $DEV $T/other ext3meta => ENODEV
	mount $T/overlay $T/other ext3meta => ENODEV
	mount $M $T/other ext3meta => ENODEV
	mount $H/nothing $T/other ext3meta => ENOENT
	dmesg "ext3meta: " => yes
	umount $T/overlay
	EOF
	umount "$T/memory"
	unmount_host
}

@test "a filesystem of the old ext2 driver is ENODEV" {
	modprobe ext2 2>/dev/null && [ -d /sys/module/ext2 ] ||
		skip "this kernel has no ext2 driver"
	make_image 1024 16 -O ^has_journal
	mount -t ext2 -o loop "$IMG" "$H"
	steps <<-EOF
	mount $H $M ext3meta => ENODEV
	EOF
	umount "$H"
}

@test "mounting needs CAP_SYS_ADMIN in the first user namespace" {
	make_image 1024
	mount_host
	umount "$M"
	steps <<-EOF
	admin drop
	mount $H $M ext3meta => EPERM
	admin raise
	mount $H $M ext3meta
	umount $M
	userns
	mount $H $M ext3meta => EPERM
	EOF
	umount "$H"
}

@test "umount of the host is EBUSY until ext3meta is unmounted" {
	make_image 1024
	mount_host
	steps <<-EOF
	umount $H => EBUSY
	slurp $M/super/blocksize => "1024\n"
	umount $M
	umount $H
	EOF
	fsck "$IMG"
}

@test "a host detached first lives until ext3meta goes" {
	make_image 1024
	mount_host
	umount -l "$H"
	steps <<-EOF
	slurp $M/super/blocksize => "1024\n"
	names $M/nodes => "2 11"
	umount $M
	within 5000 run "losetup -j $IMG | grep -q ." => 1
	EOF
	fsck "$IMG"
}

@test "a mount in a private namespace holds the host of all" {
	make_image 1024
	mount_host
	umount "$M"
	mkfifo "$T/go" "$T/done"
	(
		exec 8<"$H" 3>&-
		exec unshare -m sh -c "
			mount -c -t ext3meta /proc/self/fd/8 '$M' && exec 8<&- &&
			echo mounted >'$T/done' && read x <'$T/go'"
	) &
	read -r _ <"$T/done"
	steps <<-EOF
	names $M => ""
	umount $H => EBUSY
	EOF
	echo >"$T/go"
	wait
	steps <<-EOF
	within 5000 umount $H => 0
	EOF
	fsck "$IMG"
}

@test "two mounts of one host show one tree and one state" {
	local other=$T/other

	make_image 1024
	mount_host
	steps <<-EOF
	mount $H $other ext3meta
	open f $H/f rw,creat
	slurp $M/nodes/%f/info -> info
	slurp $other/nodes/%f/info => %info
	open g $M/nodes/%f/alloc_goal w
	write g "3000\n" => 5
	close g
	slurp $other/nodes/%f/alloc_goal => "3000\n"
	umount $M
	slurp $other/nodes/%f/alloc_goal => "3000\n"
	umount $H => EBUSY
	mount $H $M ext3meta
	slurp $M/nodes/%f/alloc_goal => "3000\n"
	umount $other
	umount $M
	mount $H $M ext3meta
	slurp $M/nodes/%f/alloc_goal => "0\n"
	close f
	EOF
	unmount_host
}

# What %f's requests get through ext3meta at $1: OK or an errno, and the word in info.
requests_through() {
	text <<-EOF
	open a $1/nodes/%d/data/alloc w
	write a 1 $2 => $3
	slurp $1/nodes/%f/info -> info
	key "%info" relocatable => $4
	close a
	EOF
}

# $1: ro or rw, the mount that ext3meta is mounted from first; the other one is mounted second.
read_only_and_not() {
	local ro=$T/ro first=$M second=$T/other ro_view rw_view

	make_image 1024
	mount_host
	umount "$M"
	mkdir -p "$ro"
	mount --bind "$H" "$ro"
	mount -o remount,bind,ro "$ro"
	if [ "$1" = ro ]; then
		ro_view=$first rw_view=$second
		mount -t ext3meta "$ro" "$first"
		mount -t ext3meta "$H" "$second"
	else
		ro_view=$second rw_view=$first
		mount -t ext3meta "$H" "$first"
		mount -t ext3meta "$ro" "$second"
	fi
	steps <<-EOF
	open f $H/f rw,creat
	donor d $H
	$(requests_through "$ro_view" 0 EROFS read-only)
	$(requests_through "$rw_view" 0 1 yes)
	$(requests_through "$ro_view" 1 EROFS read-only)
	$(requests_through "$rw_view" 1 1 yes)
	# what the one was told of a file, the other knows: goal and donor
	open g $ro_view/nodes/%f/alloc_goal w
	write g 3000 => 4
	close g
	slurp $rw_view/nodes/%f/alloc_goal => "3000\\n"
	truncate d 1024 => EPERM
	umount $ro_view
	umount $ro => 0
	$(requests_through "$rw_view" 2 1 yes)
	umount $H => EBUSY
	umount $rw_view
	close d
	close f
	umount $H
	EOF
	rmdir "$ro"
	fsck "$IMG"
}

@test "a read-only mount of the host says nothing of another one that is mounted, too" {
	read_only_and_not ro
	read_only_and_not rw
}

@test "two hosts do not see each other" {
	make_image 1024
	make_second
	mount_host
	steps <<-EOF
	host $IMG2 $H2 ext3
	mount $H2 $M2 ext3meta
	open f $H/f rw,creat
	open g $H2/g rw,creat
	is %f => %g
	open gf $M/nodes/%f/alloc_goal w
	write gf "3000" => 4
	slurp $M2/nodes/%g/alloc_goal => "0\n"
	slurp $M/super/id -> id
	slurp $M2/super/id -> id2
	run "test '%id' != '%id2'" => 0
	close g
	umount $M2
	umount $H2
	EOF
	unmount_host
}

@test "the module loads and unloads twice, and not while it is in use" {
	make_image 1024
	mount_host
	run ! rmmod ext3meta
	unmount_host
	rmmod ext3meta
	insmod "$(modinfo -n ext3meta)"
	rmmod ext3meta
	insmod "$(modinfo -n ext3meta)"
	mount_host
	steps <<-EOF
	slurp $M/super/blocksize => "1024\n"
	EOF
	unmount_host
}

@test "a module built for another ext4 refuses to load, and the log says why" {
	local notes=/sys/module/ext4/notes/.note.gnu.build-id

	[ -e "$notes" ] || notes=/sys/kernel/notes
	rmmod ext3meta
	otherid "$(modinfo -n ext3meta)" "$notes" "$T/other.ko"
	run ! insmod "$T/other.ko"
	dmesg | grep -i 'ext3meta.*buil[dt]'
	run ! grep -w ext3meta /proc/filesystems
	modprobe ext3meta
}

# What a read-only host answers to each request, and that nothing was done.
requests_fail_with() {
	steps <<-EOF
	open f $H/f r
	slurp $M/nodes/%f/data/extents -> extents
	field "%extents" 1 1 => 0
	slurp $M/nodes/%f/metadata/blocks -> blocks
	slurp $M/allocation/free_blocks -> free
	open a $M/nodes/%f/data/alloc w
	write a "1" 30 => $1
	open r $M/nodes/%f/data/reloc w
	write r "11" 0 => $1
	open ma $M/nodes/%f/metadata/alloc w
	write ma "2" 2000 => $1
	open mr $M/nodes/%f/metadata/reloc w
	write mr "11 1" 12 => $1
	# what is malformed, or too far, is so all the same
	write a "x" 30 => EINVAL
	write a "1" 4294967308 => EFBIG
	slurp $M/nodes/%f/data/extents => "%extents"
	slurp $M/nodes/%f/metadata/blocks => "%blocks"
	slurp $M/allocation/free_blocks => "%free"
	slurp $M/nodes/%f/info -> info
	key "%info" relocatable => $2
	EOF
}

write_f() {
	steps <<-EOF
	$(new_file 20480)
	EOF
}

@test "a read-only host can be read, requests are EROFS" {
	make_image 1024
	mount_host
	write_f
	unmount_host
	mount_host ext3 ro
	requests_fail_with EROFS read-only
	unmount_host
}

@test "a host without a journal can be read, requests are EOPNOTSUPP" {
	make_image 1024 16 -O ^has_journal
	mount_host ext4
	write_f
	requests_fail_with EOPNOTSUPP no-journal
	unmount_host
}

@test "a host whose ext4 checks no pointers can be read, requests are EOPNOTSUPP" {
	make_image 1024
	mount_host ext3 noblock_validity
	write_f
	requests_fail_with EOPNOTSUPP unchecked
	unmount_host
}

@test "a host with fast commits can be read, requests are EOPNOTSUPP" {
	make_image 1024 16 -t ext4 -O ^extents,^64bit,fast_commit
	mount_host ext4
	write_f
	requests_fail_with EOPNOTSUPP fast-commit
	unmount_host
}

@test "a host with a feature that nothing was proven of can be read, requests are EOPNOTSUPP" {
	make_image 1024
	mount_host
	write_f
	unmount_host
	# a compat feature of tomorrow: today's kernel mounts it, as ext2 has it
	debugfs -w -R 'feature FEATURE_C14' "$IMG" 2>&1
	mount_host
	requests_fail_with EOPNOTSUPP features
	fsck_wanted=no
	unmount_host
	debugfs -w -R 'feature -FEATURE_C14' "$IMG" 2>&1
	fsck "$IMG"
}

@test "a host with a mount option that nothing was proven of can be read, requests are EOPNOTSUPP" {
	make_image 1024 16 -t ext4 -O ^extents,^64bit,encrypt
	mount_host ext4
	write_f
	unmount_host
	mount_host ext4 test_dummy_encryption || skip "this ext4 has no test_dummy_encryption"
	requests_fail_with EOPNOTSUPP options
	unmount_host
}

# Every option that ext4 shows of a mount like this is on the list.
@test "mount options of all kinds are served" {
	local options

	make_image 1024 16 -t ext4 -O ^extents,^64bit,quota
	for options in minixdf,grpid,debug,nodelalloc,dioread_lock,noauto_da_alloc \
		discard,nobarrier,noinit_itable,errors=remount-ro,data_err=abort,commit=7 \
		journal_async_commit,data=writeback,stripe=16,max_dir_size_kb=8,usrquota,grpquota \
		nouid32,no_prefetch_block_bitmaps,inode_readahead_blks=8,min_batch_time=1,lazytime \
		resuid=7,resgid=7,noquota,init_itable=3,dax=never,data=journal; do
		echo "# $options"
		mount_host ext4 "$options"
		write_f
		steps <<-EOF
		open f $H/f r
		slurp $M/nodes/%f/info -> info
		key "%info" relocatable => yes
		donor d $H
		open da $M/nodes/%d/data/alloc w
		write da 1 0 => 1
		close da
		close d
		close f
		EOF
		unmount_host
	done
}

@test "data=journal: no blocks for a file with a name, EOPNOTSUPP, but for a donor" {
	make_image 1024
	mount_host ext3 data=journal
	write_f
	steps <<-EOF
	open f $H/f rw
	donor d $H
	open a $M/nodes/%f/data/alloc w
	write a 1 30 => EOPNOTSUPP
	open ma $M/nodes/%f/metadata/alloc w
	write ma 2 2000 => EOPNOTSUPP
	open da $M/nodes/%d/data/alloc w
	write da 1 30 => 1
	slurp $M/nodes/%f/info -> info
	key "%info" relocatable => yes
	check f 0 20480 1 => right
	EOF
	unmount_host
}

@test "data=writeback is served" {
	make_image 1024
	mount_host ext3 data=writeback
	write_f
	steps <<-EOF
	open f $H/f rw
	donor d $H
	open a $M/nodes/%d/data/alloc w
	alloc a 0 20 => 20
	slurp $M/nodes/%d/data/extents -> new
	open r $M/nodes/%f/data/reloc w
	drain r %d => "20 ENODATA"
	slurp $M/nodes/%f/data/extents => "%new"
	check f 0 20480 1 => right
	EOF
	unmount_host
}
