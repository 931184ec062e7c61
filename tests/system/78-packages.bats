#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# The Debian packages, as they are built; "make check-packages" installs, uses and purges them.

load common

setup_file() {
	cd "$PROJECT" || return 1
	export DEBS=$BATS_FILE_TMPDIR/debs
	DEBFULLNAME='A Tester' DEBEMAIL=tester@packages.debian.org make deb \
		>"$BATS_FILE_TMPDIR/log" 2>&1 || {
		tail -n 50 "$BATS_FILE_TMPDIR/log"
		return 1
	}
}

setup() {
	cd "$PROJECT" || return 1
}

@test "the packages' version is the tool's" {
	local version

	version=$(defrag/e3defrag --version)
	[ "$(dpkg-parsechangelog -l contrib/debian/changelog -S Version)" = "${version#e3defrag }" ]
	[ -e "$DEBS/e3defrag_${version#e3defrag }_amd64.deb" ]
	[ -e "$DEBS/e3defrag-dkms_${version#e3defrag }_all.deb" ]
}

@test "lintian finds no errors and no warnings" {
	local as_root=()

	[ "$(id -u)" != 0 ] || as_root=(--allow-root)
	run lintian "${as_root[@]}" --fail-on error,warning "$DEBS"/*.changes
	echo "$output"
	[ "$status" = 0 ]
	[ -z "$output" ]
}

@test "no package is built from what isn't the project's, and all of the module is in it" {
	dpkg-deb -x "$DEBS"/e3defrag-dkms_*.deb "$BATS_TEST_TMPDIR/dkms"
	(cd "$BATS_TEST_TMPDIR/dkms/usr/src"/e3defrag-* && find . -type f -printf '%P\n' | sort) \
		>"$BATS_TEST_TMPDIR/has"
	{
		git ls-files module | sed 's|^module/||'
		echo dkms.conf
	} | sort | diff - "$BATS_TEST_TMPDIR/has"
}

@test "settings and cron's file are the administrator's to change" {
	dpkg-deb -e "$DEBS"/e3defrag_*.deb "$BATS_TEST_TMPDIR/control"
	diff "$BATS_TEST_TMPDIR/control/conffiles" - <<-END
	/etc/cron.d/e3defrag
	/etc/default/e3defrag
	END
}

@test "installing and upgrading start the timer, not a run" {
	dpkg-deb -e "$DEBS"/e3defrag_*.deb "$BATS_TEST_TMPDIR/control"
	grep "deb-systemd-invoke .* 'e3defrag.timer'" "$BATS_TEST_TMPDIR/control/postinst"
	run -1 grep e3defrag.service "$BATS_TEST_TMPDIR"/control/{postinst,prerm,postrm}
}

@test "the tool in the package is the hardened one" {
	dpkg-deb -x "$DEBS"/e3defrag_*.deb "$BATS_TEST_TMPDIR/tool"
	readelf -d "$BATS_TEST_TMPDIR/tool/usr/sbin/e3defrag" | grep -w BIND_NOW
	readelf -h "$BATS_TEST_TMPDIR/tool/usr/sbin/e3defrag" | grep -w DYN
}
