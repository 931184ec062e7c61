#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# dkms itself builds the module for the test kernels, in a folder of its own. None of them runs here.

load common

setup_file() {
	PATH=$PATH:/usr/sbin:/sbin
	VERSION=$(sed -n 's/^#define E3DEFRAG_VERSION "\(.*\)"/\1/p' "$PROJECT/module/version.h")
	export PATH VERSION
	mkdir "$BATS_FILE_TMPDIR"/{src,dkms,tree}
	cp -r "$PROJECT"/{Makefile,contrib,defrag,module} "$BATS_FILE_TMPDIR/tree"
	make -s -C "$BATS_FILE_TMPDIR/tree" install-dkms DKMSDIR="$BATS_FILE_TMPDIR/src"
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	tree=$BATS_FILE_TMPDIR/dkms
	# As if no kernel had anything of it yet.
	rm -rf "$tree"
	mkdir "$tree"
}

use_kernel() { # NAME
	ROOT=$PROJECT/build/kernels/$1
	"$PROJECT/tests/vm/fetch" "$1"
	RELEASE=$(cat "$ROOT/release")
	export KROOT=$ROOT
}

# dkms that keeps its hands off this system: its folders are the test's, as is its key.
dkms_() {
	sign_file=$ROOT/usr/src/linux-headers-$RELEASE/scripts/sign-file \
		mok_signing_key=$BATS_FILE_TMPDIR/mok.key mok_certificate=$BATS_FILE_TMPDIR/mok.pub \
		as_root dkms "$@" --dkmstree "$tree" \
		--sourcetree "$BATS_FILE_TMPDIR/src" \
		--installtree "$BATS_TEST_TMPDIR/installed"
}

# build_for HEADERS
build_for() {
	dkms_ add "e3defrag/$VERSION"
	dkms_ build "e3defrag/$VERSION" -k "$RELEASE" -a x86_64 --kernelsourcedir "$1" --no-depmod
}

# A tree like KROOT, and headers like its, of which a test can spoil a part.
make_root() {
	local modules=lib/modules/$RELEASE

	mkdir -p root/boot "root/$modules/kernel/fs/ext4" headers
	ln -s "$ROOT/boot/vmlinuz-$RELEASE" root/boot/
	ln -s "$ROOT/$modules/modules.builtin" "root/$modules/"
	ln -s "$ROOT/$modules"/kernel/fs/ext4/ext4.ko* "root/$modules/kernel/fs/ext4/"
	ln -s "$ROOT/usr/src/linux-headers-$RELEASE"/{*,.config} headers/
	export KROOT=$PWD/root
}

# The build-id in the ext4.ko of the kernel, and whether the bytes are in the module.
built_for_its_ext4() {
	local ext4 id

	ext4=$(echo "$ROOT/lib/modules/$RELEASE"/kernel/fs/ext4/ext4.ko*)
	case $ext4 in
	*.xz)  xz -dc "$ext4" >ext4.ko ;;
	*.zst) zstd -dqc "$ext4" >ext4.ko ;;
	*)     cp "$ext4" ext4.ko ;;
	esac
	id=$(readelf -n ext4.ko | sed -n 's/.*Build ID: //p')
	[ ${#id} = 40 ]
	od -An -v -tx1 "$1" | tr -d ' \n' | grep -q "$id"
}

built() {

	use_kernel "$1"
	[ "$(uname -r)" != "$RELEASE" ]
	run build_for "$ROOT/usr/src/linux-headers-$RELEASE"
	echo "$output"
	cat "$tree/e3defrag/$VERSION/build/make.log" || true
	[ "$status" = 0 ]
	module=$tree/e3defrag/$VERSION/$RELEASE/x86_64/module/ext3meta.ko
	[[ $(modinfo -F vermagic "$module") == "$RELEASE "* ]]
	[ "$(modinfo -F version "$module")" = "$VERSION" ]
	built_for_its_ext4 "$module"
	# With the key that dkms made, for Secure Boot.
	[ "$(modinfo -F signer "$module")" = "DKMS module signing key" ]
}

@test "a module for 6.1, which doesn't run, fits the ext4 of 6.1, and is signed" {
	built 6.1
}

@test "a module for 6.12, which doesn't run, fits the ext4 of 6.12, and is signed" {
	built 6.12
}

@test "a kernel without BTF is passed over, and dkms says that it isn't for that kernel" {
	use_kernel 6.1
	make_root
	rm headers/.config
	sed 's/^CONFIG_DEBUG_INFO_BTF=.*/# CONFIG_DEBUG_INFO_BTF is not set/' \
		"$ROOT/usr/src/linux-headers-$RELEASE/.config" >headers/.config
	run -77 build_for "$PWD/headers"
	[[ $output == *BUILD_EXCLUSIVE* ]]
}

@test "an ext4 without BTF, and a missing kernel image, are named in the log of the build" {
	local ext4 log=$tree/e3defrag/$VERSION/build/make.log

	use_kernel 6.1
	make_root
	ext4=root/lib/modules/$RELEASE/kernel/fs/ext4/ext4.ko
	cp "$ext4" ext4.ko
	rm "$ext4"
	objcopy -R .BTF ext4.ko "$ext4"
	run -10 build_for "$PWD/headers"
	grep -x "abigen: .*/ext4.ko: it has no BTF: CONFIG_DEBUG_INFO_BTF wasn't set .*" "$log"
	cp ext4.ko "$ext4"
	rm "root/boot/vmlinuz-$RELEASE"
	dkms_ remove "e3defrag/$VERSION" --all
	run -10 build_for "$PWD/headers"
	grep -x "abigen: .*/boot/vmlinuz-$RELEASE: not there; .*" "$log"
}
