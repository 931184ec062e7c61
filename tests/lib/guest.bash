# SPDX-License-Identifier: GPL-2.0-only
# What the campaigns' guest sides share. To be sourced.
# shellcheck shell=bash disable=SC2034

lib=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export PATH="$lib/../../build/tests/bin:$PATH:/usr/sbin:/sbin"
mnt=/tmp/mnt
view=/tmp/view
meta=/tmp/meta
mkdir -p "$mnt" "$view" "$meta"

# Everything that can be seen of the files, by a way in that leaves no atime behind.
see() {
	mount --bind "$mnt" "$view"
	mount -o remount,bind,noatime "$view"
	manifest "$view"
	umount "$view"
}
