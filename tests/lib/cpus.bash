# SPDX-License-Identifier: GPL-2.0-only
# How many processors a test file of tests/guest runs on. To be sourced.
# shellcheck shell=bash

# cpus_of FILE: what the line "# cpus: N" among the comments at its head says, or 1. One is faster
# where several guests run at a time; more are for what happens at the same time in one guest.
cpus_of()
{
	local n

	n=$(sed -n '/^#/!q; s/^# cpus: \([1-9]\)$/\1/p' "$1")
	echo "${n:-1}"
}
