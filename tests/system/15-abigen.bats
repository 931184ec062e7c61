#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# abigen against the test kernels' own files; what it says is compared with other readers of them.

load common

setup_file() {
	[ -f "$PROJECT/build/kernels/$KERNEL/release" ] || "$PROJECT/tests/vm/fetch" "$KERNEL"
	use_kernel "$KERNEL"
	export RELEASE ROOT KDIR EXT4

	# From a copy, as the module's builds for several kernels have it.
	mkdir "$BATS_FILE_TMPDIR/abigen"
	cp "$PROJECT/module/abigen"/{*.[ch],Makefile} "$BATS_FILE_TMPDIR/abigen"
	make -s -C "$BATS_FILE_TMPDIR/abigen"
	export ABIGEN=$BATS_FILE_TMPDIR/abigen/abigen

	mkdir "$BATS_FILE_TMPDIR/whole"
	unpack_kernel "$ROOT/boot/vmlinuz-$RELEASE" > "$BATS_FILE_TMPDIR/whole/vmlinux"
	unpack_any "$(echo "$ROOT/$EXT4"/ext4.ko*)" > "$BATS_FILE_TMPDIR/whole/ext4.ko"
	export WHOLE=$BATS_FILE_TMPDIR/whole
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
}

use_kernel() { # NAME
	ROOT=$PROJECT/build/kernels/$1
	RELEASE=$(cat "$ROOT/release") || skip "kernel $1 is not unpacked"
	KDIR=$ROOT/usr/src/linux-headers-$RELEASE
	EXT4=lib/modules/$RELEASE/kernel/fs/ext4
}

unpack_any() {
	case $(head -c 4 "$1" | od -An -tx1 | tr -d ' ') in
	fd377a58) xz -dc --single-stream < "$1" ;;
	28b52ffd) zstd -dcq < "$1" ;;
	1f8b*) gzip -dc < "$1" ;;
	*) cat "$1" ;;
	esac
}

number_at() { # FILE OFFSET BYTES
	od -An -tu"$3" -j "$2" -N "$3" "$1" | tr -d ' '
}

# The trailing size is no part of an xz or zstd stream; gzip's end looks the same.
unpack_kernel() {
	local start length trailer=4

	start=$((($(number_at "$1" 497 1) + 1) * 512 + $(number_at "$1" 584 4)))
	length=$(number_at "$1" 588 4)
	[ "$(number_at "$1" "$start" 2)" != 35615 ] || trailer=0
	tail -c +$((start + 1)) "$1" | head -c $((length - trailer)) > "$BATS_FILE_TMPDIR/payload"
	unpack_any "$BATS_FILE_TMPDIR/payload"
}

# A tree like ROOT of which a test can spoil a part.
make_root() {
	mkdir -p root/boot "root/$EXT4"
	ln -s "$ROOT/boot/vmlinuz-$RELEASE" root/boot/
	ln -s "$ROOT/lib/modules/$RELEASE/modules.builtin" "root/lib/modules/$RELEASE/"
	ln -s "$ROOT/$EXT4"/ext4.ko* "root/$EXT4/"
}

abigen() {
	"$ABIGEN" --root "$ROOT" --kdir "$KDIR" --release "$RELEASE" -o out.h "$@"
}

# Fails with exactly this message, and leaves nothing behind.
refused() { # MESSAGE, COMMAND...
	local message=$1

	shift
	run "$@"
	echo "$output"
	[ "$status" -eq 1 ]
	[[ "$output" == "abigen: "$message ]]
	[ -z "$(find . -name 'out.h*')" ]
}

define() { # HEADER NAME
	sed -n "s/^#define $2 //p" "$1"
}

abigen_with_table() { # SED-EXPRESSION: an abigen for another table
	cp -r "$BATS_FILE_TMPDIR/abigen" changed
	sed -i "$1" changed/abi_table.c
	if cmp "$BATS_FILE_TMPDIR/abigen/abi_table.c" changed/abi_table.c; then
		return 1
	fi
	make -s -C changed
	ABIGEN=$BATS_TEST_TMPDIR/changed/abigen
}

@test "a header for the test kernel, with all that the table asks for" {
	local structure member name

	abigen
	grep -qx "#define EXT4_ABI_RELEASE \"$RELEASE\"" out.h
	grep -qx '#define EXT4_ABI_BUILTIN 0' out.h
	sed -n 's/^\tFIELD("\(.*\)", "\(.*\)"),/\1 \2/p' "$PROJECT/module/abigen/abi_table.c" > fields
	[ "$(wc -l < fields)" -ge 20 ]
	while read -r structure member; do
		grep -Eqx "#define EXT4_ABI_OFF_${structure}__$member [0-9]+" out.h
		grep -Eqx "#define EXT4_ABI_SIZE_${structure}__$member [1-9][0-9]*" out.h
	done < fields
	sed -n 's/.*\.name = "\(_*ext4_[a-z_0-9]*\)".*/\1/p' "$PROJECT/module/abigen/abi_table.c" \
		> functions
	[ "$(wc -l < functions)" -ge 15 ]
	while read -r name; do
		grep -Eqx "#define EXT4_ABI_SHAPE_$name [1-9]" out.h
	done < functions
	cat > use.c <<-'END'
		#include "out.h"
		unsigned char id[] = EXT4_ABI_BUILD_ID;
		_Static_assert(sizeof(id) == EXT4_ABI_BUILD_ID_LEN, "length of the build-id");
		_Static_assert(EXT4_ABI_ENUM_EXT4_INODE_EXTENTS == 19, "as on disk");
	END
	gcc -Wall -Werror -c use.c
}

@test "a header for the other test kernel" {
	local other=6.12

	[ "$KERNEL" = 6.1 ] || other=6.1
	use_kernel "$other"
	abigen
	grep -qx "#define EXT4_ABI_RELEASE \"$RELEASE\"" out.h
}

@test "the build-id is the one readelf shows" {
	local id

	abigen
	id=$(tr -d '\\\n' < out.h | sed 's/.*EXT4_ABI_BUILD_ID {\([^}]*\)}.*/\1/; s/0x//g; s/[, \t]//g')
	readelf -n "$WHOLE/ext4.ko" | grep "Build ID: $id\$"
}

@test "offsets in the superblock are those of the disk format" {
	local member offset

	abigen
	while read -r member offset; do
		[ "$(define out.h "EXT4_ABI_OFF_ext4_super_block__$member")" = $((offset)) ]
	done <<-'END'
		s_inodes_count 0x0
		s_blocks_count_lo 0x4
		s_first_data_block 0x14
		s_blocks_per_group 0x20
		s_inodes_per_group 0x28
		s_feature_incompat 0x60
		s_feature_ro_compat 0x64
		s_journal_inum 0xe0
		s_blocks_count_hi 0x150
		s_usr_quota_inum 0x240
		s_grp_quota_inum 0x244
		s_prj_quota_inum 0x26c
	END
}

@test "offsets in memory are those pahole shows" {
	local structure member compared=0

	command -v pahole > /dev/null || skip "pahole is not installed"
	abigen
	for structure in ext4_inode_info ext4_sb_info; do
		pahole --btf_base "$WHOLE/vmlinux" -C "$structure" "$WHOLE/ext4.ko" > layout
		while read -r member; do
			# "member; /* offset size */", also behind an array's or a pointer's signs
			sed -nE "s@^\t[^/]*[ *]$member(\[[0-9]+\])?; */\* +([0-9]+) +([0-9]+) .*@\2 \3@p" \
				layout > shown
			[ "$(define out.h "EXT4_ABI_OFF_${structure}__$member") $(define out.h \
				"EXT4_ABI_SIZE_${structure}__$member")" = "$(cat shown)" ]
			compared=$((compared + 1))
		done < <(sed -n "s/^#define EXT4_ABI_OFF_${structure}__\([a-z_]*\) .*/\1/p" out.h)
	done
	[ "$compared" -ge 10 ]
}

@test "a vmlinux among the headers is used, and gives the same as the kernel's image" {
	mkdir headers
	abigen --kdir headers
	mv out.h from-image.h
	make_root
	rm "root/boot/vmlinuz-$RELEASE"
	cp "$WHOLE/vmlinux" headers/
	abigen --kdir headers --root root
	cmp out.h from-image.h
}

@test "a vmlinux among the headers that is another kernel's is passed over" {
	local other=6.12 foreign

	[ "$KERNEL" = 6.1 ] || other=6.1
	foreign=$PROJECT/build/kernels/$other
	[ -f "$foreign/release" ] || skip "kernel $other is not unpacked"
	mkdir headers
	unpack_kernel "$foreign/boot/vmlinuz-$(cat "$foreign/release")" > headers/vmlinux
	run abigen --kdir headers
	[ "$status" -eq 0 ]
	[[ "$output" == "abigen: headers/vmlinux: passed over: "*ext4.ko*unsound* ]]
	mv out.h passed-over.h
	abigen
	cmp out.h passed-over.h
}

@test "ext4.ko plain and packed with xz, zstd and gzip" {
	local program ending

	abigen
	mv out.h expected.h
	while read -r ending program; do
		if [ "$program" != cat ]; then
			command -v "${program%% *}" > /dev/null || continue
		fi
		rm -rf root
		make_root
		rm "root/$EXT4"/ext4.ko*
		$program < "$WHOLE/ext4.ko" > "root/$EXT4/ext4.ko$ending"
		abigen --root root
		cmp out.h expected.h
	done <<-'END'
		.gz gzip -1
		.xz xz -0 --check=crc32
		.zst zstd -q -1
	END
	rm -rf root
	make_root
	rm "root/$EXT4"/ext4.ko*
	cp "$WHOLE/ext4.ko" "root/$EXT4/"
	abigen --root root
	cmp out.h expected.h
}

le32() { # NUMBER
	printf '%b' "$(printf '\\x%02x\\x%02x\\x%02x\\x%02x' $(($1 & 255)) $(($1 >> 8 & 255)) \
		$(($1 >> 16 & 255)) $(($1 >> 24)))"
}

@test "a kernel packed with gzip, xz, zstd and lz4" {
	local original=$ROOT/boot/vmlinuz-$RELEASE image=root/boot/vmlinuz-$RELEASE start program

	abigen --kdir .
	mv out.h expected.h
	make_root
	start=$((($(number_at "$original" 497 1) + 1) * 512 + $(number_at "$original" 584 4)))
	while read -r program; do
		command -v "${program%% *}" > /dev/null || continue
		rm "$image"
		$program < "$WHOLE/vmlinux" > payload
		[ "${program%% *}" = gzip ] || le32 "$(stat -c %s "$WHOLE/vmlinux")" >> payload
		head -c "$start" "$original" | cat - payload > "$image"
		le32 "$(stat -c %s payload)" | dd of="$image" bs=1 seek=588 conv=notrunc status=none
		abigen --root root --kdir .
		cmp out.h expected.h
		# The size behind the packed kernel is looked at.
		truncate -s -4 "$image"
		le32 12345 >> "$image"
		rm out.h
		refused "$image: the "* abigen --root root --kdir .
	done <<-'END'
		gzip -1
		xz --check=crc32 --x86 --lzma2=preset=0
		zstd -q -1
		lz4 -q -l -1
	END
}

@test "ext4 built in: types and build-id of the kernel itself (Debian's cloud flavour)" {
	use_kernel cloud
	abigen --kdir .
	grep -qx '#define EXT4_ABI_BUILTIN 1' out.h
}

@test "a truncated kernel image is refused" {
	make_root
	rm "root/boot/vmlinuz-$RELEASE"
	head -c 3000000 "$ROOT/boot/vmlinuz-$RELEASE" > "root/boot/vmlinuz-$RELEASE"
	refused "root/boot/vmlinuz-$RELEASE: truncated: the kernel in it ends at byte "*" of 3000000" \
		abigen --root root --kdir .
	head -c 512 "$ROOT/boot/vmlinuz-$RELEASE" > "root/boot/vmlinuz-$RELEASE"
	refused "root/boot/vmlinuz-$RELEASE: not an x86 bzImage" abigen --root root --kdir .
}

@test "a damaged kernel image is refused" {
	make_root
	rm "root/boot/vmlinuz-$RELEASE"
	cp "$ROOT/boot/vmlinuz-$RELEASE" root/boot/
	dd if=/dev/urandom of="root/boot/vmlinuz-$RELEASE" bs=4096 seek=500 count=1 conv=notrunc \
		status=none
	refused "root/boot/vmlinuz-$RELEASE: the "*" data are damaged "* \
		abigen --root root --kdir .
}

@test "a missing kernel image is refused" {
	make_root
	rm "root/boot/vmlinuz-$RELEASE"
	refused "root/boot/vmlinuz-$RELEASE: not there; "* \
		abigen --root root --kdir .
}

@test "a missing, a truncated and a stripped ext4.ko are refused" {
	make_root
	rm "root/$EXT4"/ext4.ko*
	refused "ext4.ko: not among the modules of $RELEASE in root, nor built in" \
		abigen --root root
	head -c 100000 "$WHOLE/ext4.ko" > "root/$EXT4/ext4.ko"
	refused "root/$EXT4/ext4.ko: "* abigen --root root
	objcopy -R .BTF "$WHOLE/ext4.ko" "root/$EXT4/ext4.ko"
	refused "root/$EXT4/ext4.ko: it has no BTF: CONFIG_DEBUG_INFO_BTF "* abigen --root root
	objcopy -R .note.gnu.build-id "$WHOLE/ext4.ko" "root/$EXT4/ext4.ko"
	refused "root/$EXT4/ext4.ko: it has no build-id" abigen --root root
}

@test "an unknown prototype is refused and shown" {
	abigen_with_table '/"u64 (struct inode \*)"/d'
	refused "ext4_inode_to_goal_block: unknown prototype: u64 (struct inode \*)" abigen
	rm -r changed
	abigen_with_table 's/\(s32, const char \*\), \.\.\.)/\1)/'
	refused "__ext4_error_inode: unknown prototype: void (struct inode \*, const char \*, u32, \
u64, s32, const char \*, ...)" abigen
}

@test "what the target lacks is refused, or left out if it is optional" {
	abigen_with_table 's/FIELD("ext4_inode_info", "i_sync_tid")/FIELD("ext4_inode_info", "jnode")/'
	refused "ext4_inode_info: no member jnode in the target's BTF" abigen
	rm -r changed
	abigen_with_table 's/"EXT4_INODE_EXTENTS"/"EXT4_INODE_SAX"/'
	refused "EXT4_INODE_SAX: no such enumerator in the target's BTF" abigen
	rm -r changed
	abigen_with_table 's/"ext4_evict_inode"/"ext4_evict_node"/'
	refused "ext4_evict_node: no such function in the target's BTF" abigen
	rm -r changed
	abigen_with_table 's/"ext4_evict_inode"/"ext4_sink_file", .optional = true/
		s/OPTIONAL_FIELD("ext4_super_block", ".*")/OPTIONAL_FIELD("ext4_super_block", "s_x")/
		s/"EXT4_INODE_EXTENTS"/"EXT4_INODE_X", .optional = true/'
	abigen
	[ "$(define out.h EXT4_ABI_SHAPE_ext4_sink_file)" = 0 ]
	run grep -E 's_orphan_file_inum|s_x|INODE_EXTENTS|INODE_X' out.h
	[ "$status" -eq 1 ]
}

@test "bit fields have no offset; members of unnamed unions have one" {
	abigen_with_table 's/FIELD("ext4_inode_info", "i_sync_tid")/FIELD("inode", "i_nlink")/'
	abigen
	[ "$(define out.h EXT4_ABI_OFF_inode__i_nlink)" -gt 0 ]
	[ "$(define out.h EXT4_ABI_SIZE_inode__i_nlink)" = 4 ]
	rm -r out.h changed
	abigen_with_table 's/FIELD("ext4_inode_info", "i_sync_tid")/FIELD("jbd2_journal_handle", "h_sync")/'
	refused "jbd2_journal_handle: h_sync is a bit field" abigen
}

@test "a failure leaves an older header as it was" {
	echo old > kept.h
	run "$ABIGEN" --root "$BATS_TEST_TMPDIR" --release "$RELEASE" -o kept.h
	[ "$status" -eq 1 ]
	[ "$(cat kept.h)" = old ]
	run abigen -o nowhere/out.h
	[ "$status" -eq 1 ]
	[ "$output" = "abigen: nowhere/out.h: No such file or directory" ]
}

@test "command lines that can't be meant" {
	run "$ABIGEN" -o out.h
	[ "$status" -eq 2 ]
	run "$ABIGEN" --release "$RELEASE"
	[ "$status" -eq 2 ]
	refused "../6.1: not the name of a kernel release" "$ABIGEN" --release ../6.1 -o out.h
}
