#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: the clean system of /dev/vda, in which both packages were installed, works on the
# aged filesystems of /dev/vdb and /dev/vdc, and loses the packages again. The tests lean on each
# other, in this order.

C=/tmp/clean

setup_file() {
	bats_require_minimum_version 1.5.0
	local release

	release=$(uname -r)
	modprobe -q ext4
	mkdir -p $C
	mount -t ext4 /dev/vda $C
	mount --rbind /dev $C/dev
	mount -t proc proc $C/proc
	mount -t sysfs sysfs $C/sys
	mount -t cgroup2 cgroup2 $C/sys/fs/cgroup
	mount -t tmpfs -o mode=755 run $C/run
	mkdir -p $C/run/lock $C/srv/one $C/srv/two
	mount -t ext3 -o noatime /dev/vdb $C/srv/one
	mount -t ext3 -o noatime /dev/vdc $C/srv/two
	# The kernel's own calls of modprobe, too, are to find that system's modules.
	mount --bind "$C/lib/modules/$release" "/lib/modules/$release"
	depmod "$release"
	# The clean system has no syslog daemon; its /dev is this one's.
	busybox syslogd -n -O "$BATS_FILE_TMPDIR/syslog" 3>&- &
	echo $! >"$BATS_FILE_TMPDIR/syslogd"
	(cd $C/srv/one && manifest . | grep -v '^\. ') >"$BATS_FILE_TMPDIR/before"
}

teardown_file() {
	[ ! -e "$BATS_FILE_TMPDIR/syslogd" ] || kill "$(<"$BATS_FILE_TMPDIR/syslogd")" || true
	[ ! -e "$BATS_FILE_TMPDIR/cron" ] || kill "$(<"$BATS_FILE_TMPDIR/cron")" || true
	[ ! -e "$BATS_FILE_TMPDIR/systemd" ] || kill -9 "$(<"$BATS_FILE_TMPDIR/systemd")" || true
	umount -R $C/srv/one $C/srv/two || true
}

in_clean() {
	chroot $C /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 "$@"
}

# In what systemd started there.
in_systemd() {
	[ -e "$BATS_FILE_TMPDIR/systemd" ] || return 1
	nsenter --target "$(<"$BATS_FILE_TMPDIR/systemd")" --pid --mount --root --wd \
		/usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 "$@"
}

fragments() { # FOLDER
	in_clean e3defrag -c --json=- "$1" | jq .filesystems[0].before.fragments
}

files() { # FOLDER
	in_clean e3defrag -c --json=- "$1" | jq .filesystems[0].before.files
}

# defragmented FOLDER: a file is in at most two pieces, on average, and is what it was.
defragmented() {
	local f n

	f=$(fragments "$1")
	n=$(files "$1")
	echo "# $n files, $f fragments"
	[ "$f" -le $((2 * n)) ]
	(cd "$C$1" && manifest . | grep -v '^\. ') | diff "$BATS_FILE_TMPDIR/before" -
}

# until_true SECONDS COMMAND...
until_true() {
	local deadline=$((SECONDS + $1))

	shift
	until "$@"; do
		[ $SECONDS -lt $deadline ] || return 1
		sleep 0.5
	done
}

tool_ended() {
	! pgrep -x e3defrag
}

service_ended() {
	[ "$(in_systemd systemctl is-active e3defrag.service)" != activating ]
}

error_told() {
	in_systemd journalctl --no-pager -p err -o cat | grep "e3defrag.service failed (status 3)"
}

settings() {
	sed -i "s|^TARGETS=.*|TARGETS=\"$1\"|" $C/etc/default/e3defrag
}

@test "dpkg installed both, and DKMS built for two kernels of which none ran" {
	local release

	cat $C/root/installed
	[ -z "$(in_clean dpkg --audit)" ]
	run -0 in_clean dkms status
	[ "$(grep -c ': installed$' <<<"$output")" = 2 ]
	for release in "$C"/lib/modules/*; do
		release=${release##*/}
		[[ $output == *" $release, x86_64: installed"* ]]
		[ "$(in_clean modinfo -k "$release" -F signer ext3meta)" = "DKMS module signing key" ]
	done
}

@test "the module that DKMS built for this kernel loads, by its name as by the tool" {
	local file

	in_clean modprobe ext3meta
	file=$C$(in_clean modinfo -n ext3meta)
	[[ $file == */updates/dkms/ext3meta.ko ]]
	objcopy --dump-section .note.gnu.build-id="$BATS_TEST_TMPDIR/id" "$file"
	cmp /sys/module/ext3meta/notes/.note.gnu.build-id "$BATS_TEST_TMPDIR/id"
	rmmod ext3meta
	[ "$(fragments /srv/one)" -gt $((10 * $(files /srv/one))) ]
	[ -d /sys/module/ext3meta ]
}

@test "cron, with nothing named, does nothing" {
	local before command

	before=$(fragments /srv/one)
	command=$(sed -n 's/^30 2 \* \* \* root //p' $C/etc/cron.d/e3defrag)
	[ -n "$command" ]
	run -0 in_clean sh -c "$command"
	[ -z "$output" ]
	[ "$(fragments /srv/one)" = "$before" ]
}

@test "cron itself, at half past two, defragments what is named" {
	settings /srv/one
	date -s '2026-11-24 02:29:40'
	chroot $C /usr/sbin/cron -f 3>&- &
	echo $! >"$BATS_FILE_TMPDIR/cron"
	until_true 60 pgrep -x e3defrag
	until_true 300 tool_ended
	kill "$(<"$BATS_FILE_TMPDIR/cron")"
	[ -s $C/var/lib/e3defrag/state ]
	[ "$(stat -c '%F %u %a' $C/run/e3defrag)" = "directory 0 700" ]
	until_true 60 grep 'cron.info e3defrag: Files improved: ' "$BATS_FILE_TMPDIR/syslog"
	defragmented /srv/one
}

@test "cron, when nothing is left to do, sends no mail" {
	run -6 in_clean e3defrag /srv/one
	run -0 in_clean /usr/libexec/e3defrag/nightly
	[ -z "$output" ]
}

@test "cron, when the last night's run still works, has that mailed" {
	run -0 in_clean install -d -m 700 /run/e3defrag
	flock $C/run/e3defrag sleep 100 3>&- &
	until_true 30 in_clean sh -c '! flock -n /run/e3defrag true'
	run -75 in_clean /usr/libexec/e3defrag/nightly
	kill $!
	[ "$output" = "e3defrag: the last nightly run is still working, so this night was skipped" ]
	grep 'cron.err e3defrag: the last nightly run is still working' "$BATS_FILE_TMPDIR/syslog"
	# What systemd makes is there in its place.
	kill "$(<"$BATS_FILE_TMPDIR/syslogd")"
	rm -f "$BATS_FILE_TMPDIR/syslogd" /dev/log
}

@test "systemd's timer is there after installing, waiting for the night" {
	# The module has to be loaded by the service.
	rmmod ext3meta
	settings ""
	unshare --pid --mount --fork --kill-child sh -c "mount -t proc proc $C/proc &&
		exec chroot $C env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
		/lib/systemd/systemd --system --unit=multi-user.target" >"$BATS_FILE_TMPDIR/log" 2>&1 3>&- &
	until_true 30 pgrep -x systemd
	pgrep -o -x systemd >"$BATS_FILE_TMPDIR/systemd"
	until_true 120 in_systemd systemctl is-active timers.target
	[ "$(in_systemd systemctl is-enabled e3defrag.timer)" = enabled ]
	[ "$(in_systemd systemctl is-active e3defrag.timer)" = active ]
}

@test "the service, with nothing named, is passed over" {
	local before

	before=$(fragments /srv/two)
	[ "$before" -gt $((10 * $(files /srv/two))) ]
	rmmod ext3meta
	in_systemd systemctl start e3defrag.service || {
		in_systemd journalctl --no-pager -u e3defrag.service
		return 1
	}
	[ "$(in_systemd systemctl show -P Result e3defrag.service)" = exec-condition ]
	[ "$(in_systemd systemctl is-failed e3defrag.service)" != failed ]
	[ ! -d /sys/module/ext3meta ]
}

@test "the timer, at half past two, starts the service, which defragments within its limits" {
	settings /srv/two
	mkdir -p $C/run/systemd/system/e3defrag.timer.d
	printf '[Timer]\nRandomizedDelaySec=0\nAccuracySec=1s\n' \
		>$C/run/systemd/system/e3defrag.timer.d/now.conf
	in_systemd systemctl daemon-reload
	date -s '2026-11-26 02:29:55'
	until_true 60 pgrep -x e3defrag
	until_true 300 tool_ended
	until_true 60 service_ended
	[ "$(stat -c %a $C/var/lib/e3defrag $C/var/lib/e3defrag/state)" = 700$'\n'600 ]
	in_systemd journalctl --no-pager -u e3defrag.service
	[ "$(in_systemd systemctl show -P Result e3defrag.service)" = success ]
	defragmented /srv/two
}

@test "systemd takes the bounds of the service" {
	local ram

	ram=$(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo)
	[ "$(in_systemd systemctl show -P SyslogLevelPrefix e3defrag.service)" = no ]
	[ "$(in_systemd systemctl show -P MemoryMax e3defrag.service)" -le $((ram * 1024 / 2)) ]
	[ "$(in_systemd systemctl show -P MemorySwapMax e3defrag.service)" = 0 ]
	[ "$(in_systemd systemctl show -P TasksMax e3defrag.service)" = 16 ]
}

@test "the service, when nothing is left to do, is a success" {
	in_systemd systemctl start e3defrag.service
	[ "$(in_systemd systemctl show -P Result e3defrag.service)" = success ]
	[ "$(in_systemd systemctl show -P ExecMainStatus e3defrag.service)" = 6 ]
}

@test "a run that fails is told in the journal as an error" {
	settings /proc
	run in_systemd systemctl start e3defrag.service
	in_systemd journalctl --no-pager -n 20 -u e3defrag.service
	[ "$status" != 0 ]
	until_true 60 error_told
	[ "$(in_systemd systemctl show -P Result e3defrag-failure.service)" = success ]
}

@test "purged, nothing is left of both" {
	# Where systems write that run, what dkms keeps as its own, what mmdebstrap took away at its
	# end, and what comes with this test.
	local others='^. /(dev|proc|sys|run|tmp|var/(backups|cache|log|tmp)|etc/(machine-id|\.updated)'

	others+='|var/lib/(systemd|private)|var/lib/dkms/mok\.|etc/apt|var/lib/apt'
	others+='|usr/sbin/(policy-rc\.d|start-stop-daemon\.REAL)|lost\+found|srv/(one|two))'

	rm -r $C/run/systemd/system/e3defrag.timer.d
	in_systemd systemctl daemon-reload
	run -0 in_systemd dpkg -P e3defrag e3defrag-dkms
	echo "$output"
	[[ $output != *'dpkg: warning'* ]]
	[ "$(in_systemd systemctl is-active e3defrag.timer)" = inactive ]
	run ! in_clean modinfo ext3meta
	find $C -xdev \( -name '*e3defrag*' -o -name '*ext3meta*' \) ! -path "$C/root/*" \
		>"$BATS_TEST_TMPDIR/left"
	cat "$BATS_TEST_TMPDIR/left"
	[ ! -s "$BATS_TEST_TMPDIR/left" ]
	in_clean find / -xdev -path /root -prune -o -print | LC_ALL=C sort >"$BATS_TEST_TMPDIR/after"
	run diff $C/root/before "$BATS_TEST_TMPDIR/after"
	grep '^[<>]' <<<"$output" | grep -v -E "$others" >"$BATS_TEST_TMPDIR/differs" || true
	cat "$BATS_TEST_TMPDIR/differs"
	[ ! -s "$BATS_TEST_TMPDIR/differs" ]
}
