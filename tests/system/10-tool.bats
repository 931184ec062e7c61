#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# e3defrag's command line: what needs no kernel module.
# shellcheck disable=SC2154 # use_tool sets $tool

load common

setup() {
	use_tool
	man=$PROJECT/man/e3defrag.8
	# A filesystem that isn't ext3 for sure.
	foreign=/proc/version
}

# The tree may lie where only its owner can go.
copy_for_all() {
	install -m 755 "$tool" "$BATS_TEST_TMPDIR/e3defrag"
	chmod o+x "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" "$BATS_TEST_TMPDIR"
}

as_nobody() {
	if [ "$(id -u)" = 0 ]; then
		setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
	else
		"$@"
	fi
}

@test "--help says what it does, each option and each exit status" {
	run -0 --separate-stderr "$tool" --help
	[ -z "$stderr" ]
	[[ ${lines[0]} == "Usage: e3defrag"* ]]
	for option in -c,\ --check -n,\ --dry-run -N,\ --nice --min-fragment-size=SIZE \
		--json=FILE --csv=FILE --prometheus=FILE --html=FILE --plan=FILE --apply=FILE \
		--all --sort=KEY --top=N --state\[=FILE\] --reserve=SIZE --exclude=GLOB \
		--vm=IMAGE --partition=N \
		--map -q,\ --quiet -v,\ --verbose -V,\ --version \
		-h,\ --help --usage; do
		[[ $output == *" $option "* ]]
	done
	for status in {0..6}; do
		[[ $output == *$'\n'"  $status  "* ]]
	done
}

@test "-h and -? are --help" {
	run -0 "$tool" --help
	wanted=$output
	for option in -h '-?'; do
		run -0 "$tool" "$option"
		[ "$output" = "$wanted" ]
	done
}

@test "--help fits 80 columns" {
	run -0 "$tool" --help
	for line in "${lines[@]}"; do
		[ ${#line} -le 80 ]
	done
}

@test "--help and the man page have the same options and exit statuses" {
	options() { grep -oE -e '--[a-z][a-z-]+' | sort -u; }
	run -0 "$tool" --help
	in_help=$(options <<<"$output")
	in_man=$(sed 's/\\-/-/g; s/\\fB//g' "$man" |
		sed -n '/^\.SH OPTIONS/,/^\.SH [^O]/p' | options)
	echo "help: $in_help"; echo "man: $in_man"
	[ "$in_help" = "$in_man" ]
	status_help=$(sed -n 's/^  \([0-9]\)  \(.*\)/\1 \2/p' <<<"$output")
	status_man=$(sed -n '/^\.SH EXIT STATUS/,/^\.SH [^E]/p' "$man" |
		sed -n '/^\.B [0-9]/{s/^\.B //;N;s/\n/ /;s/\\-/-/g;p}')
	echo "help: $status_help"; echo "man: $status_man"
	[ "$(wc -l <<<"$status_help")" = 7 ]
	[ "$status_help" = "$status_man" ]
}

@test "--usage and --version" {
	run -0 --separate-stderr "$tool" --usage
	[[ $output == "Usage: e3defrag"* ]]
	[ -z "$stderr" ]
	for option in -V --version; do
		run -0 --separate-stderr "$tool" "$option"
		[[ $output =~ ^e3defrag\ [0-9]+\.[0-9]+(\.[0-9]+)?$ ]]
	done
}

@test "usage errors: 2, a message and nothing on standard output" {
	for args in "" "--bogus /" "-x /" "--check" "-c -n /" "--check=yes /" \
		"--check --dry-run /" "-q -v /" "-q --map /" "--min-fragment-size /" "--min-fragment-size= /" \
		"--min-fragment-size=128KB /" "--min-fragment-size=-1 /" \
		"--min-fragment-size=1025G /" "--min-fragment-size" "--reserve=1x /" \
		"--reserve=101% /" "--reserve=-1% /" "--reserve=1025G /" "--reserve= /"; do
		# shellcheck disable=SC2086
		run -2 --separate-stderr "$tool" $args
		[ -z "$output" ]
		[[ $stderr == "e3defrag: "* ]]
		[[ $stderr == *"--help"* ]]
	done
}

@test "an option that was somebody's file name is escaped in the message" {
	run -2 --separate-stderr "$tool" $'--\033[2J\n<3>'
	# shellcheck disable=SC2154 # bats sets it
	[ "${stderr_lines[0]}" = "e3defrag: --\\033[2J\\012<3>: unknown option" ]
}

@test "an ordinary user is refused: 3, and told why" {
	copy_for_all
	run -3 --separate-stderr as_nobody "$BATS_TEST_TMPDIR/e3defrag" -c /
	[ -z "$output" ]
	[[ $stderr == *"root"* ]]
}

@test "an ordinary user gets --help and --version all the same" {
	copy_for_all
	run -0 as_nobody "$BATS_TEST_TMPDIR/e3defrag" --help
	run -0 as_nobody "$BATS_TEST_TMPDIR/e3defrag" --version
}

@test "a file of another kind of filesystem: 3, and named" {
	run -3 --separate-stderr as_root "$tool" "$foreign"
	[ -z "$output" ]
	[[ $stderr == "e3defrag: $foreign: is on a proc filesystem, not on ext3" ]]
}

@test "a directory and a mount point of another kind: 3" {
	for target in /proc/self /proc /proc/; do
		run -3 --separate-stderr as_root "$tool" "$target"
		[[ $stderr == *": is on a proc filesystem, not on ext3" ]]
	done
}

@test "what is no file, directory or block device: 3" {
	run -3 --separate-stderr as_root "$tool" /dev/null
	[[ $stderr == "e3defrag: /dev/null: is not a file, a directory or a block device" ]]
}

@test "what isn't there: 3, with the reason" {
	run -3 --separate-stderr as_root "$tool" "$BATS_TEST_TMPDIR/none"
	[[ $stderr == *"/none: can't open it: No such file or directory" ]]
	run -3 --separate-stderr as_root "$tool" LABEL=surely-no-such-label
	[[ $stderr == "e3defrag: LABEL=surely-no-such-label: no such device" ]]
}

@test "each of several targets is looked at" {
	run -3 --separate-stderr as_root "$tool" "$foreign" /dev/null "$BATS_TEST_TMPDIR/none"
	[ "$(wc -l <<<"$stderr")" = 3 ]
}

@test "control characters of a name don't reach the terminal" {
	run -3 --separate-stderr as_root "$tool" $'/none\e[2J\n'
	[[ $stderr == 'e3defrag: /none\033[2J\012: '* ]]
}

@test "what chooses files and filesystems: usage errors end the run before it begins" {
	cd "$BATS_TEST_TMPDIR"
	printf 'a\n\n# b \nc/\\\n' >list
	printf 'a\n' >good
	truncate -s 1048577 large
	while IFS='|' read -r args said; do
		# shellcheck disable=SC2086
		run -2 --separate-stderr "$tool" $args
		[ -z "$output" ]
		echo "$stderr"
		[[ $stderr == "e3defrag: $said"* ]]
	done <<-'END'
	--min-fragments=-1 /|--min-fragments requires a number
	--min-fragments=4294967296 /|--min-fragments requires a number
	--min-score=101 /|--min-score requires a number from 0 to 100
	--min-score=5% /|--min-score requires a number from 0 to 100
	--min-size=1T /|--min-size requires a SIZE
	--max-size=0 /|--max-size requires a SIZE
	--min-size=2K --max-size=1K /|--min-size is more than --max-size
	--older-than=1w /|--older-than requires a TIME
	--older-than=10001d /|--older-than requires a TIME
	--time=10001d /|--time wants a TIME
	--exclude= /|--exclude requires a GLOB; '' is empty
	--exclude=a --exclude=/ /|--exclude requires a GLOB; '/' names nothing
	--exclude|--exclude: missing argument
	--exclude-from=list /|list: line 4 has a backslash with nothing after it
	--exclude-from=good --exclude-from=none /|none: can't open it: No such file or directory
	--exclude-from=. /|.: can't read it: Is a directory
	--exclude-from=large /|large: is larger than 1 MiB
	--all /|--all goes with no TARGET, and not with --vm
	--all --vm=good|--all goes with no TARGET, and not with --vm
	END
	# and what is right gets past that
	run -3 as_root "$tool" --min-fragments=2 --min-score=0 --min-size=1K --max-size=1K \
		--older-than=10000d --time=7d --exclude='*' --exclude-from=good "$foreign"
}
