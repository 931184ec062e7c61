# SPDX-License-Identifier: GPL-2.0-only
# What the campaigns share. To be sourced; paths are absolute afterwards.
# shellcheck shell=bash disable=SC2034

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
lib=$root/tests/lib
scratch=$root/build/tests
KERNEL=${KERNEL:-6.1}
export PATH="$root/build/tests/bin:$PATH:/usr/sbin:/sbin"

vm() {
	"$root/tests/vm/run" --kernel "$KERNEL" "$@"
}

# What an unmounted image says of itself.
free_blocks() {
	dumpe2fs -h "$1" 2>/dev/null | awk '$1 == "Free" && $2 == "blocks:" { print $3 }'
}

free_inodes() {
	dumpe2fs -h "$1" 2>/dev/null | awk '$1 == "Free" && $2 == "inodes:" { print $3 }'
}

# Every run of an image's free blocks, as LENGTH lines.
free_runs() {
	dumpe2fs "$1" 2>/dev/null | sed -n 's/^  Free blocks: //p' | tr -s ', ' '\n' |
		awk -F- 'NF { print (NF > 1 ? $2 - $1 : 0) + 1 }'
}

clean() {
	local log
	log=$(e2fsck -fn "$1" 2>&1) || {
		echo "e2fsck -fn $1 says:"
		echo "$log"
		return 1
	}
}

# A random number below $1 out of the campaign's seed, so that a run can be repeated.
random_state=${SEED:-1}
below() {
	random_state=$((random_state * 6364136223846793005 + 1442695040888963407))
	random=$(((random_state >> 33 & 0x3fffffff) % $1))
}

# e3defrag --vm with the appliance of this tree; what the runner of VMs has found out about KVM
# needn't be found out again.
appliance() {
	local answer
	E3DEFRAG_APPLIANCE=$root/build/appliance-$KERNEL
	"$root/contrib/appliance/build" "$KERNEL" "$E3DEFRAG_APPLIANCE"
	answer=$(cat "$root/build/vm/accel-$(</proc/sys/kernel/random/boot_id)" 2>/dev/null) || :
	E3DEFRAG_VM_ACCEL=$(grep -o -m 1 -e kvm -e tcg <<<"$answer") || :
	export E3DEFRAG_APPLIANCE E3DEFRAG_VM_ACCEL
}
