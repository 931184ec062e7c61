#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# What "make install" installs, and what of it runs without a kernel module: the units, as systemd
# sees them, and what cron starts.

load common

setup_file() {
	HERE=$BATS_FILE_TMPDIR/usr
	ETC=$BATS_FILE_TMPDIR/etc
	export HERE ETC
	# The tree may not be ours to write to, and its builds are others' to make.
	mkdir "$BATS_FILE_TMPDIR/tree"
	cp -r "$PROJECT"/{Makefile,contrib,man,defrag,module} "$BATS_FILE_TMPDIR/tree"
	cp "$PROJECT/build/module-$KERNEL/ext3meta.ko" "$BATS_FILE_TMPDIR/tree/module"
	cd "$BATS_FILE_TMPDIR/tree" || return 1
	make_ install-tool
}

setup() {
	cd "$BATS_FILE_TMPDIR/tree" || return 1
	# Root mounts without a user namespace; it may have none to make.
	OWN_MOUNTS=(unshare --mount)
	[ "$(id -u)" = 0 ] || OWN_MOUNTS+=(--user --map-root-user)
}

make_() {
	make -s -o module -o defrag PREFIX="$HERE" SYSCONFDIR="$ETC" "$@"
}

# What cron starts, on a machine with nothing in /run but the folders given.
nightly() {
	# shellcheck disable=SC2016 # not to be expanded
	"${OWN_MOUNTS[@]}" sh -ec '
		script=$1
		shift
		mount -t tmpfs -o mode=755 tmpfs /run
		mount -t tmpfs tmpfs /var/lib
		mkdir -p /run/lock "$@"
		exec "$script"' sh "$HERE/libexec/e3defrag/nightly" "$@"
}

# settings [NAME=VALUE]...: what comes, with lines that come later in it.
settings() {
	cp contrib/e3defrag.default "$ETC/default/e3defrag"
	[ $# = 0 ] || printf '%s\n' "$@" >>"$ETC/default/e3defrag"
}

@test "install and uninstall: what the one brings the other takes away, but for changed settings" {
	local to=$BATS_TEST_TMPDIR/root release

	release=$(modinfo -F vermagic module/ext3meta.ko | cut -d ' ' -f 1)
	make -s -o module -o defrag install DESTDIR="$to"
	(cd "$to" && find . -type f -printf '%m %P\n' | sort -k 2) >"$BATS_TEST_TMPDIR/installed"
	diff "$BATS_TEST_TMPDIR/installed" - <<-END
	644 etc/cron.d/e3defrag
	644 etc/default/e3defrag
	644 lib/modules/$release/updates/ext3meta.ko
	644 usr/local/lib/systemd/system/e3defrag-failure.service
	644 usr/local/lib/systemd/system/e3defrag.service
	644 usr/local/lib/systemd/system/e3defrag.timer
	755 usr/local/libexec/e3defrag/nightly
	755 usr/local/libexec/e3defrag/tell-failure
	755 usr/local/sbin/e3defrag
	644 usr/local/share/bash-completion/completions/e3defrag
	644 usr/local/share/e3defrag/e3defrag-plan.schema.json
	644 usr/local/share/e3defrag/e3defrag-report.schema.json
	644 usr/local/share/man/man5/ext3meta.5
	644 usr/local/share/man/man8/e3defrag.8
	END
	run grep -rIE '@[A-Z]+@' "$to"
	[ "$status" = 1 ]
	echo 'TARGETS="/srv"' >>"$to/etc/default/e3defrag"
	make -s -o module -o defrag install DESTDIR="$to"
	grep -x 'TARGETS="/srv"' "$to/etc/default/e3defrag"
	make -s uninstall DESTDIR="$to"
	[ "$(cd "$to" && find . -type f)" = ./etc/default/e3defrag ]
	cp contrib/e3defrag.default "$to/etc/default/e3defrag"
	make -s uninstall DESTDIR="$to"
	[ -z "$(find "$to" -type f)" ]
}

@test "the module, the tool and the packages have one version" {
	local version

	version=$("$HERE/sbin/e3defrag" --version)
	[[ $version =~ ^e3defrag\ [0-9]+\.[0-9]+$ ]]
	[ "e3defrag $(modinfo -F version module/ext3meta.ko)" = "$version" ]
	[ "$(sed -n '1s/^\(e3defrag\) (\([^)]*\)).*/\1 \2/p' contrib/debian/changelog)" = "$version" ]
	make_ install-dkms DESTDIR="$BATS_TEST_TMPDIR/root"
	grep -Fx "PACKAGE_VERSION=\"${version#* }\"" \
		"$BATS_TEST_TMPDIR/root/usr/src/e3defrag-${version#* }/dkms.conf"
}

@test "systemd finds nothing wrong with the units, and the timer comes each night" {
	local units=("$HERE"/lib/systemd/system/e3defrag{.timer,.service,-failure.service})

	run -0 systemd-analyze verify --man=no "${units[@]}"
	[ -z "$output" ]
	run -0 systemd-analyze calendar --iterations=2 --base-time='2026-11-23 12:00 UTC' \
		"$(sed -n 's/^OnCalendar=//p' "${units[0]}")"
	[[ $output == *"2026-11-24 02:30"*"2026-11-25 02:30"* ]]
}

@test "the service is as hardened as one that mounts can be" {
	# By systemd's own measure, of 100; without any hardening it is 96.
	systemd-analyze security --offline=true --threshold=40 \
		"$HERE/lib/systemd/system/e3defrag.service"
}

@test "the service may load no module: that is done before it, when it has something to do" {
	run grep -E '^(ExecCondition|ExecStartPre|ExecStart|CapabilityBoundingSet)=' \
		"$HERE/lib/systemd/system/e3defrag.service"
	[[ ${lines[0]} == ExecCondition=* ]]
	[ "${lines[1]}" = "ExecStartPre=+-/sbin/modprobe ext3meta" ]
	[[ ${lines[2]} == ExecStart=* ]]
	[[ ${lines[3]} == CapabilityBoundingSet=* && ${lines[3]} != *CAP_SYS_MODULE* ]]
}

@test "the service leaves each filesystem writable and whole to see" {
	run grep -E '^(ProtectSystem|ProtectHome|PrivateTmp|PrivateDevices|ProtectKernelModules)=|^(ReadOnly|Inaccessible|TemporaryFileSystem|RootDirectory)' \
		"$HERE/lib/systemd/system/e3defrag.service"
	[ "$status" = 1 ]
}

@test "nightly by cron: as it comes, nothing is worked on" {
	settings
	run -0 nightly
	[ -z "$output" ]
	rm "$ETC/default/e3defrag"
	run -0 nightly
	[ -z "$output" ]
}

# shellcheck disable=SC2016 # not to be expanded
@test "nightly by cron: what is refused is printed, for cron to mail it" {
	settings 'TARGETS="/proc"'
	run -3 nightly
	[[ $output == *"e3defrag: /proc: is on a proc filesystem, not on ext3"*"status 3." ]]
	# Of several, each; the last line of a name counts, and nothing is expanded.
	settings 'TARGETS="/sys"' "TARGETS='/proc   \$HOME /pro*' "
	run -3 nightly
	[[ $output != *"/sys"* ]]
	[[ $output == *"/proc: is on a proc"* ]]
	[[ $output == *'$HOME: '* ]]
	[[ $output == *'/pro*: '* ]]
}

@test "nightly by cron: options get there, and a wrong one is printed" {
	settings 'TARGETS="/proc"' 'OPTIONS="--nice --top=none"'
	run -2 nightly
	[[ $output == *"none"*"status 2." ]]
}

@test "the nightly run takes --all for a target, by cron and by systemd" {
	local command

	# That it goes with no other shows that it got there.
	settings 'TARGETS="--all /proc"'
	run -2 nightly
	[[ $output == *"e3defrag: --all goes with no TARGET"*"status 2." ]]
	command=$(sed -n '/^ExecStart=/,/[^\\]$/{s/^ExecStart=//;s/\\$//;p}' \
		"$HERE/lib/systemd/system/e3defrag.service" | tr -d '\n')
	RUNTIME=5h OPTIONS=--nice TARGETS="--all /proc" run -2 sh -c "$command"
	[[ $output == *"e3defrag: --all goes with no TARGET"* ]]
}

@test "nightly by cron: it steps aside where systemd runs" {
	settings 'TARGETS="/proc"'
	run -0 nightly /run/systemd/system
	[ -z "$output" ]
}

@test "the service bounds what users choose: memory, time, and priorities of lines" {
	local unit=$HERE/lib/systemd/system/e3defrag.service

	grep -x 'SyslogLevelPrefix=no' "$unit"
	grep -x 'MemoryMax=50%' "$unit"
	grep -x 'MemorySwapMax=0' "$unit"
	grep -x 'TasksMax=16' "$unit"
	grep -x 'UMask=0077' "$unit"
	# By the command of the unit: a tool that goes on after its time is killed.
	grep '^ExecStart=.* --signal=INT --kill-after=10m ' "$unit"
	grep '^TimeoutStartSec=[0-9]' "$HERE/lib/systemd/system/e3defrag-failure.service"
}

@test "a failure is told in the journal as an error, and mailed to root" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	# What a mail server's sendmail would be given.
	printf '#!/bin/sh\ncat >%s\necho "$@" >>%s\n' "$BATS_TEST_TMPDIR"/{mail,mail} \
		>"$BATS_TEST_TMPDIR/bin/sendmail"
	chmod +x "$BATS_TEST_TMPDIR/bin/sendmail"
	PATH=$BATS_TEST_TMPDIR/bin:$PATH MONITOR_UNIT=e3defrag.service MONITOR_EXIT_CODE=exited \
		MONITOR_EXIT_STATUS=3 run -0 --separate-stderr "$HERE/libexec/e3defrag/tell-failure"
	[[ $output == "<3>e3defrag.service failed (status 3)"* ]]
	grep -x 'To: root' "$BATS_TEST_TMPDIR/mail"
	grep "^Subject: e3defrag.service on .* failed (status 3)$" "$BATS_TEST_TMPDIR/mail"
	[ "$(tail -n 1 "$BATS_TEST_TMPDIR/mail")" = "-oi root" ]
}

@test "a failure's mail has a bound, and the end of what was printed" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	printf '#!/bin/sh\ncat >%s\n' "$BATS_TEST_TMPDIR/mail" >"$BATS_TEST_TMPDIR/bin/sendmail"
	# A journal of 100 lines as long as journald lets them be.
	cat >"$BATS_TEST_TMPDIR/bin/journalctl" <<-'END'
	#!/bin/sh
	for i in $(seq 100); do head -c 49152 /dev/zero | tr '\0' x; echo; done
	echo the last line
	END
	chmod +x "$BATS_TEST_TMPDIR"/bin/*
	PATH=$BATS_TEST_TMPDIR/bin:$PATH MONITOR_UNIT=e3defrag.service MONITOR_EXIT_CODE=exited \
		MONITOR_EXIT_STATUS=3 run -0 "$HERE/libexec/e3defrag/tell-failure"
	[ "$(tail -n 1 "$BATS_TEST_TMPDIR/mail")" = "the last line" ]
	[ "$(stat -c %s "$BATS_TEST_TMPDIR/mail")" -lt 70000 ]
	# One that fails is told, and mailed all the same.
	printf '#!/bin/sh\necho no journal >&2\nexit 1\n' >"$BATS_TEST_TMPDIR/bin/journalctl"
	PATH=$BATS_TEST_TMPDIR/bin:$PATH MONITOR_UNIT=e3defrag.service \
		run -0 "$HERE/libexec/e3defrag/tell-failure"
	[ "$(tail -n 2 "$BATS_TEST_TMPDIR/mail")" = "no journal"$'\n'"journalctl failed" ]
}
