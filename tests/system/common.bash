# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
#
# What the tests that run on this system share; campaign.bash in tests/lib has what they share with
# the campaigns.

bats_require_minimum_version 1.5.0

PROJECT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
export PROJECT KERNEL=${KERNEL:-6.1}

# $tool is the build that ends by SIGABRT, which is no exit status of the tool's, where its memory
# or its arithmetic goes wrong, or where it leaks.
use_tool() {
	tool=$PROJECT/build/sanitized/e3defrag
	export ASAN_OPTIONS=abort_on_error=1
}

# Run as root, or as what looks like root to the tool.
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		unshare --user --map-root-user "$@"
	fi
}
