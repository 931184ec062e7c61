# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2030,SC2031 # each test is a subshell of its own, and wants to be
# Requests to data/reloc from a shell, in the ways that the man page has: the write answers with
# more than was written, which most programs take for an error.

load common

# A file f of 100 blocks and a donor for it that a program holds: $reloc, $donor.
file_and_held_donor() {
	make_image 1024
	mount_host
	head -c 102400 /dev/urandom >"$H/f"
	sync -f "$H"
	reloc=$M/nodes/$(stat -c %i "$H/f")/data/reloc
	# a file without a name, for as long as its pipe is open
	coproc { exec python3 -c 'import os, sys
fd = os.open(sys.argv[1], os.O_TMPFILE | os.O_RDWR | os.O_EXCL, 0o600)
print(os.fstat(fd).st_ino, flush=True)
sys.stdin.read()' "$H" 3>&-; }
	holder=$! pipe=${COPROC[1]}
	read -r donor <&"${COPROC[0]}"
	echo 100 >"$M/nodes/$donor/data/alloc"
	sum=$(sha256sum <"$H/f")
	before=$(<"${reloc%reloc}extents")
	wanted=$(<"$M/nodes/$donor/data/extents")
}

# That many blocks from the file's start lie where the donor had its own.
moved() {
	local list=$1

	[ "$(blocks "$(<"${reloc%reloc}extents")" 0 "$list")" = "$(blocks "$wanted" 0 "$list")" ]
	[ "$(blocks "$(<"${reloc%reloc}extents")" "$list" 100)" = "$(blocks "$before" "$list" 100)" ]
	[ "$(sha256sum <"$H/f")" = "$sum" ]
	exec {pipe}>&-
	wait "$holder"
	unmount_host
}

# blocks EXTENTS FROM TO: where each lies.
blocks() {
	awk -v from="$2" -v to="$3" '{
		for (i = 0; i < $3; i++)
			if ($1 + i >= from && $1 + i < to)
				print $2 + i
	}' <<<"$1"
}

@test "data/reloc from bash, dash and busybox by Perl: all blocks, status 0, nothing said" {
	local shell

	for shell in bash dash "busybox sh"; do
		file_and_held_donor
		# shellcheck disable=SC2016,SC2086 # a shell's words; expanded by Perl, and by that shell
		run -0 $shell -c 'perl -e '\''syswrite STDOUT, shift or die "$!\n"'\'' "$1" >"$2"' \
			x "$donor" "$reloc"
		[ -z "$output" ]
		moved 100
		file_and_held_donor
		# shellcheck disable=SC2016,SC2086
		run -0 $shell -c 'perl -e '\''$r = shift; while ($n = syswrite STDOUT, $r) { $all += $n }
			warn "$all blocks, $!\n"'\'' "$1" >"$2"' x "$donor" "$reloc"
		[ "$output" = "100 blocks, No data available" ]
		moved 100
	done
}

@test "data/reloc from bash, dash and busybox with a count of blocks that is the count of bytes" {
	local shell request

	for shell in bash dash "busybox sh"; do
		file_and_held_donor
		request="$donor $((${#donor} + 3))"
		# shellcheck disable=SC2016,SC2086
		run -0 $shell -c 'echo "$1" >"$2"' x "$request" "$reloc"
		[ -z "$output" ]
		moved $((${#request} + 1))
	done
}
