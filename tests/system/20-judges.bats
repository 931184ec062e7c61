#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# The programs that judge the rest of the tests: do they see what is wrong?
# shellcheck disable=SC2030,SC2031

setup() {
	PATH="$BATS_TEST_DIRNAME/../../build/tests/bin:$PATH:/sbin:/usr/sbin"
	# direct I/O needs a real filesystem, which /tmp need not be
	work=$BATS_TEST_DIRNAME/../../build/tests/judges.$BATS_TEST_NUMBER
	rm -rf "$work"
	mkdir -p "$work"
	cd "$work" || return
}

teardown() {
	rm -rf "$work"
}

# pointers BLOCK [FIRST COUNT]...: makes an indirect block out of runs.
pointers() {
	local block=$1 i escaped=
	shift
	while (($#)); do
		for ((i = $1; i < $1 + $2; i++)); do
			printf -v escaped '%s\\x%02x\\x%02x\\x%02x\\x%02x' "$escaped" \
				$((i & 255)) $((i >> 8 & 255)) $((i >> 16 & 255)) $((i >> 24))
		done
		shift 2
	done
	dd if=/dev/zero of=image bs=1024 seek="$block" count=1 conv=notrunc status=none
	printf '%b' "$escaped" |
		dd of=image bs=1024 seek="$block" conv=notrunc iflag=fullblock status=none
}

# A file whose blocks are, in reading order, 5000 5001 5002 ..., with every level of indirection.
perfect_file() {
	truncate -s 16M image
	mke2fs -q -F -t ext3 -b 1024 -J size=1 image
	: >empty
	{
		echo "write empty file"
		for ((i = 0; i < 12; i++)); do
			echo "sif file block[$i] $((5000 + i))"
		done
		echo "sif file block[IND] 5012"
		echo "sif file block[DIND] 5269"
		echo "sif file block[TIND] 5281"
		echo "sif file size 67400000"
	} | debugfs -w -f - image >log 2>&1
	pointers 5012 5013 256
	pointers 5269 5270 1
	pointers 5270 5271 10
	pointers 5281 5282 1
	pointers 5282 5283 1
	pointers 5283 5284 5
}

@test "fragcount: a contiguous file with its indirect blocks in line is one fragment" {
	perfect_file
	run fragcount image /file
	echo "$output"
	[ "$status" -eq 0 ]
	[ "${lines[1]}" = "12 283 3 2 1 1 4" ]
	[ "${lines[2]}" = "total 1 283 3 2 1 1 4" ]
}

@test "fragcount --map: every run with its kind, level and place in the file" {
	perfect_file
	run fragcount --map image 12
	echo "$output"
	[ "${lines[0]}" = "inode 12" ]
	[ "${lines[1]}" = "data 0 0 5000 12" ]
	[ "${lines[2]}" = "indirect 1 12 5012 1" ]
	[ "${lines[3]}" = "data 0 12 5013 256" ]
	[ "${lines[4]}" = "indirect 2 268 5269 1" ]
	[ "${lines[5]}" = "indirect 1 268 5270 1" ]
	[ "${lines[6]}" = "data 0 268 5271 10" ]
	[ "${lines[7]}" = "indirect 3 65804 5281 1" ]
	[ "${lines[8]}" = "indirect 2 65804 5282 1" ]
	[ "${lines[9]}" = "indirect 1 65804 5283 1" ]
	[ "${lines[10]}" = "data 0 65804 5284 5" ]
}

@test "fragcount: an indirect block elsewhere breaks the run twice, and FIEMAP's count not at all" {
	perfect_file
	debugfs -w -R "sif file block[IND] 7000" image
	pointers 7000 5012 256
	# to 7000, back, over the gap that the data left behind before the next level
	run fragcount image /file
	echo "$output"
	[ "${lines[1]}" = "12 283 3 2 1 4 3" ]
}

@test "fragcount: a hole is no break, blocks behind a gap or out of order are" {
	perfect_file
	# a hole in the file, none on the disk
	for i in 5 6 7 8 9 10 11; do
		debugfs -w -R "sif file block[$i] $((i > 5 ? 4999 + i : 0))" image
	done
	debugfs -w -R "sif file block[IND] 5011" image
	pointers 5011 5012 256
	debugfs -w -R "sif file block[DIND] 5268" image
	pointers 5268 5269 1
	pointers 5269 5271 10
	run fragcount image /file
	echo "$output"
	# the only break is the block between 5269 and 5271; FIEMAP has one more for the hole
	[ "${lines[1]}" = "12 282 3 2 1 2 5" ]
	pointers 5269 5280 1 5279 1 5278 1
	run fragcount image /file
	[ "${lines[1]}" = "12 275 3 2 1 5 7" ]
}

@test "fragcount: counts each regular file once, hard links and all, and no other kind" {
	truncate -s 16M image
	mke2fs -q -F -t ext3 -b 1024 -J size=1 image
	fill one 100000 1
	printf '%s\n' "write one one" "ln one two" "sif one links_count 2" "mkdir dir" \
		"symlink three one" "mknod four p" | debugfs -w -f - image
	run fragcount image
	echo "$output"
	[ "${#lines[@]}" -eq 3 ]
	[[ ${lines[2]} == "total 1 98 1 0 0 "* ]]
}

@test "fragcount: a missing file and a broken image are errors" {
	perfect_file
	run fragcount image /nothing
	[ "$status" -eq 1 ]
	dd if=/dev/zero of=image bs=1024 count=4 conv=notrunc status=none
	run fragcount image
	[ "$status" -eq 1 ]
}

make_tree() {
	mkdir -p tree/sub
	fill tree/file 3000000 5
	truncate -s 1M tree/sub/hole
	ln tree/file tree/sub/link
	ln -s file tree/symlink
	manifest tree >before
}

changed() {
	manifest tree >now
	run cmp now before
	[ "$status" -eq 1 ]
}

@test "manifest: reading a tree twice gives the same, and disturbs no time" {
	make_tree
	touch -a -d 2001-01-01 tree/file tree/sub tree
	manifest tree >before
	manifest tree | cmp - before
}

@test "manifest: sees a changed byte though size and times are as before" {
	make_tree
	touch -r tree/file stamp
	printf X | dd of=tree/file bs=1 seek=1234567 conv=notrunc status=none
	touch -r stamp tree/file
	sed 's/ ctime=[^ ]*//' before >stripped
	manifest tree | sed "s/ ctime=[^ ]*//" >now
	run cmp now stripped
	[ "$status" -eq 1 ]
}

@test "manifest: sees each time, mode, size, a link, a name and a filled hole" {
	make_tree
	touch -a -d '2001-01-01 00:00:00.000000001' tree/file && changed
	manifest tree >before
	touch -m -d '2001-01-01 00:00:00.000000001' tree/file && changed
	manifest tree >before
	chmod 600 tree/sub/hole && changed
	manifest tree >before
	truncate -s +1 tree/sub/hole && changed
	manifest tree >before
	rm tree/sub/link && changed
	manifest tree >before
	mv tree/symlink tree/other && changed
	manifest tree >before
	dd if=/dev/zero of=tree/sub/hole bs=4096 seek=3 count=1 conv=notrunc status=none
	touch -d '2001-01-01' tree/sub/hole && changed
}

@test "manifest: its sums are XXH64 of where the data lies, the data and the size" {
	mkdir one
	printf 'Call me Ishmael. Some years ago--never mind how long precisely-' >one/file
	# (printf '\0\0\0\0\0\0\0\0'; cat one/file; printf '\x3f\0\0\0\0\0\0\0') | xxhsum -H64
	[[ $(manifest one | grep ./file) == *" xxh64=78e6321793423783" ]]
}

@test "verifywriter: finds nothing wrong where nothing is" {
	fill given 1000023 7
	fill sparse 1048576 7 0 16384 16384
	run verifywriter . 2 42 given sparse
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output =~ ^[1-9][0-9]*\ writes,\ [1-9][0-9]*\ verified,\ 0\ bad$ ]]
	# and can go on with what it left behind
	run verifywriter . 1 43 given sparse
	[ "$status" -eq 0 ]
}

@test "verifywriter: finds blocks that someone else changed, lost or exchanged" {
	for how in garbage zeros exchanged; do
		rm -f given verifywriter.*
		fill given 1048576 7
		verifywriter . 30 42 given >log &
		writer=$!
		until [ -s verifywriter.42.5 ]; do
			sleep 0.1
		done
		# between two of its operations it can't notice but by reading
		kill -STOP $writer
		for file in given verifywriter.*; do
			size=$(stat -c %s "$file")
			case $how in
			garbage) tr '\0' x </dev/zero | head -c "$size" ;;
			zeros) head -c "$size" /dev/zero ;;
			exchanged) tail -c +4097 "$file" ;;
			esac >other
			dd if=other of="$file" conv=notrunc status=none
		done
		kill -CONT $writer
		sleep 0.5
		kill -TERM $writer
		status=0
		wait $writer || status=$?
		echo "$how: $(tail -n 2 log)"
		[ "$status" -eq 1 ]
		grep -q '^BAD ' log
		[[ $(tail -n 1 log) =~ verified,\ [1-9][0-9]*\ bad$ ]]
	done
}

@test "verifywriter: refuses a file it can't know" {
	head -c 10000 /dev/urandom >given
	run verifywriter . 1 42 given
	[ "$status" -eq 2 ]
}

@test "bytewriter: finds nothing wrong where nothing is" {
	run bytewriter file 2 42
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output =~ ^[1-9][0-9]*\ operations,\ [1-9][0-9]*\ bytes\ compared,\ 0\ bad$ ]]
}

@test "bytewriter: finds bytes that someone else changed, moved by one, or cut off" {
	for how in changed moved cut; do
		rm -f file
		bytewriter file 30 42 >log 2>&1 &
		writer=$!
		# between two of its operations it can't notice but by reading; where its next one
		# happens to write over the damage, once more
		for ((tries = 0; tries < 20; tries++)); do
			sleep 0.3
			kill -STOP $writer 2>/dev/null || break
			size=$(stat -c %s file)
			case $how in
			changed) tr '\0-\377' '\377\0-\376' <file >other ;;
			moved) tail -c +2 file >other ;;
			cut) : >other; truncate -s $((size / 2)) file ;;
			esac
			dd if=other of=file conv=notrunc status=none
			kill -CONT $writer 2>/dev/null || break
		done
		status=0
		wait $writer || status=$?
		echo "$how: $(tail -n 2 log)"
		[ "$status" -eq 1 ]
		grep -qE '[1-9][0-9]* bad$|size is|wrong length' log
		# what it did before is shown
		grep -q ' write ' log
	done
}

@test "durable: keeps its promises, and notices a broken one" {
	fill given 1048576 7
	durable write . 2 9 given >log
	grep -q '^durable given ' log
	grep -q '^durable durable.0 ' log
	run durable check . log given
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output =~ " 0 bad" ]]

	# the last record of a file rolled back to what fill had written
	read -r _ _ cell _ _ < <(grep '^durable given ' log | tail -n 1)
	cp --preserve=all given copy
	fill given 512 7 $((cell * 512))
	run durable check . log given
	echo "$output"
	[ "$status" -eq 1 ]

	dd if=copy of=given conv=notrunc status=none
	durable check . log given
	truncate -s 1000 durable.0
	run durable check . log given
	[ "$status" -eq 1 ]
}

@test "durable: a line that was cut off is no promise" {
	fill given 1048576 7
	printf 'durable given 8 4 1\ndurable given 8 4 99' >log
	fill given 4096 7
	run durable check . log given
	[ "$status" -eq 1 ]	# generation 1 was promised and isn't there
	printf 'durable given 8 4 99' >log
	durable check . log given
}
