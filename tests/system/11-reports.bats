# SPDX-License-Identifier: GPL-2.0-only
# What e3defrag's reports need no kernel module for: their options and files, the alert rules.
# shellcheck disable=SC2154 # bats sets $stderr

load common

setup() {
	use_tool
	mkdir "$BATS_TEST_TMPDIR/here"
	cd "$BATS_TEST_TMPDIR/here" || exit
}

@test "a run that is refused is reported all the same: status 3, and no filesystem" {
	run -3 as_root "$tool" -c --json=report --prometheus=run.prom --csv=files --html=page /proc
	python3 -W ignore -m jsonschema -i report \
		"$PROJECT/man/e3defrag-report.schema.json"
	[[ $(tr -d ' \n' <report) == *'"filesystems":[],'*'"status":3}' ]]
	grep -qx 'e3defrag_run_exit_status 3' run.prom
	run -0 promtool check metrics <run.prom
	[ -z "$output" ]
	[ "$(wc -l <files)" = 1 ]
	[[ $(<page) == "<!DOCTYPE html>"*"No filesystem was checked."*"Exit status 3: "*"</html>" ]]
	[ "$(ls -A)" = "files"$'\n'"page"$'\n'"report"$'\n'"run.prom" ]
}

@test "a file that can't be written: 5 before any work, no other report, nothing left behind" {
	mkdir folder
	for file in none/report folder folder/ . ..; do
		run -5 --separate-stderr as_root "$tool" -c --json=good --html=page --csv="$file" \
			/proc
		[[ $stderr == "e3defrag: $file: can't write it: "* ]]
		[[ $stderr != *"ext3"* ]]
		[ "$(ls -A)" = folder ]
		[ -z "$(ls -A folder)" ]
	done
}

@test "a symbolic link, a pipe or a device is neither followed nor replaced" {
	echo before >there
	ln -s there link
	ln -s nowhere dangling
	mkfifo pipe
	for file in link dangling pipe /dev/null; do
		run -5 --separate-stderr as_root "$tool" -c --prometheus="$file" /proc
		[[ $stderr == "e3defrag: $file: can't write it: "* ]]
		[ ! -f "$file" ] || [ -L "$file" ]
	done
	[ "$(<there)" = before ]
	[ -c /dev/null ]
	[ "$(ls -A)" = "$(printf '%s\n' dangling link pipe there)" ]
}

@test "a file that was there is replaced whole, not written to" {
	echo before >report
	ln report other
	run -3 as_root "$tool" -c --json=report /proc
	[ "$(<other)" = before ]
	[[ $(<report) == "{"* ]]
}

@test "usage errors: 2, a message, and no file" {
	for args in "--sort=worst" "--sort=" "--top=-1" "--top=x" "--top=4294967296" "--json=" \
		"--csv=a --json=a" "--csv=- --json=-" "--html=" "--html=a --csv=a" \
		"--state=" "--state=-" "--state=a --json=a" "--state=a --html=a" \
		"--plan=" "--plan=a --html=a" "--apply=-"; do
		# shellcheck disable=SC2086
		run -2 --separate-stderr "$tool" $args /
		[ -z "$output" ]
		[[ $stderr == "e3defrag: "*"--help"* ]]
		[ -z "$(ls -A)" ]
	done
}

@test "plans: what makes no sense is a usage error, and no file" {
	for args in "--plan= /" "--plan=a -c /" "--plan=a --json=a /" "--plan=- --csv=- /" "--plan=a" \
		"--apply=" "--apply=-" "--apply=a -c" "--apply=a -n /" "--apply=a --plan=b" \
		"--apply=a --prometheus=a /" "--apply=a --vm=b"; do
		# shellcheck disable=SC2086
		run -2 --separate-stderr "$tool" $args
		[ -z "$output" ]
		[[ $stderr == "e3defrag: "* ]]
		[ -z "$(ls -A)" ]
	done
}

@test "a plan of nothing isn't written; one that is none is refused before any target is looked at" {
	echo before >plan
	run -3 --separate-stderr as_root "$tool" --plan=plan --json=report /proc
	[ "$(<plan)" = before ]
	[[ $(<report) == *'"mode": "dry-run"'* ]]
	for target in "" /proc; do
		# shellcheck disable=SC2086
		run -3 --separate-stderr as_root "$tool" --apply=plan --json=report $target
		[ "$stderr" = "e3defrag: plan: line 1: is not JSON: lexical error: invalid char in json text." ]
		[[ $(tr -d ' \n' <report) == *'"mode":"apply",'*'"filesystems":[],'*'"status":3}' ]]
	done
}

@test "the alert rules are valid, and fire when they should" {
	cd "$PROJECT/contrib/prometheus"
	promtool check rules e3defrag.rules.yml
	promtool test rules e3defrag.test.yml
}
