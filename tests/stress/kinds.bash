# SPDX-License-Identifier: GPL-2.0-only
# The kinds of scenes: each function starts the jobs of one, in the root of the filesystem, and
# returns. kind_other is for those that mount and unmount by themselves. To be sourced after
# guest.bash and load.bash. The files f01 to f04 and the directory work/ are there to be written
# to; f05 and all that follow stay as they are.
# shellcheck shell=bash disable=SC2034,SC2154,SC2317

all_kinds="aio buffered mapped donors inplace bytes names changes quota freeze remount tools
	killed memory lazy mixed"

# What belongs to a kind of scene before anything is mounted: the features it adds.
features_of() {
	case $1 in
	quota) echo quota ;;
	*) echo ;;
	esac
}

file_size() {
	stat -c %s files/f01
}

storm() {
	local name=$1
	shift
	job "storm-$name" swapstorm . "$meta" "$seconds" "$RANDOM" "$@"
}

bytes_job() {
	: >"work/$1"
	job "$1" nice bytewriter "work/$1" "$seconds" "$RANDOM"
}

# Caches dropped and pages migrated, all the time.
drop_caches() {
	local count=0
	while ((SECONDS < end)); do
		echo $((count % 3 + 1)) >/proc/sys/vm/drop_caches
		echo 1 >/proc/sys/vm/compact_memory
		sleep 0.2
		count=$((count + 1))
	done
	echo "caches dropped $count times"
}

# Deep queues of direct I/O on a file that the tool and the storm move.
kind_aio() {
	job aio verified aio --filename=files/f01 --size="$(file_size)" --ioengine=libaio \
		--direct=1 --iodepth=32 --bs=64k
	job reads fio_job reads --filename=files/f07 --size="$(file_size)" --rw=randread --bs=16k \
		--ioengine=libaio --direct=1 --iodepth=8 --time_based --runtime="$seconds"
	job runs runs aio files files/f01 files/f07
	storm aio 1 20 files/f01 files/f07
}

kind_buffered() {
	job buffered verified buffered --filename=files/f02 --size="$(file_size)" \
		--ioengine=libaio --iodepth=16 --bs=16k
	job synced verified synced --filename=files/f01 --size="$(file_size)" --ioengine=psync \
		--bs=4k --fdatasync=16
	job drop drop_caches
	job runs runs buffered files/f02 files/f02
	storm buffered 1 20 files/f01 files/f02 files/f06
}

kind_mapped() {
	job mapped verified mapped --filename=files/f04 --size="$(file_size)" --ioengine=mmap
	job pins nice pinwriter files/f03 pin-source "$seconds" "$seed"
	job drop drop_caches
	job runs runs mapped files/f04 files/f04
	storm mapped 1 20 files/f03 files/f04
}

# A few donors for all: two files that get each other's blocks, from three processes.
kind_donors() {
	job aio verified aio --filename=files/f01 --size="$(file_size)" --ioengine=libaio \
		--direct=1 --iodepth=16 --bs=64k
	job buffered verified buffered --filename=files/f02 --size="$(file_size)" \
		--ioengine=libaio --iodepth=8 --bs=64k
	storm donors 3 0 files/f01 files/f02 files/f07 files/f12
}

# Each move with a donor of its own: blocks are allocated and freed as fast as it goes.
kind_inplace() {
	job aio verified aio --filename=files/f01 --size="$(file_size)" --ioengine=libaio \
		--direct=1 --iodepth=32 --bs=64k
	job writers nice verifywriter work "$seconds" "$seed"
	storm inplace 3 100 files/f01 files/f08
}

kind_bytes() {
	bytes_job bytes1
	bytes_job bytes2
	job runs runs_on_new bytes work work/bytes1 work/bytes2
	storm bytes 2 30 work/bytes1 work/bytes2
}

# Names, links, modes, truncates and holes of many small files, by stress-ng.
kind_names() {
	mkdir work/names
	job names nice stress-ng --timeout "$seconds" --temp-path work/names --oomable \
		--dir 1 --rename 1 --link 1 --symlink 1 --chattr 1 --chmod 1 --filename 1 \
		--fpunch 1 --fallocate 1 --hdd 1 --hdd-bytes 4m --verify
	job writers nice verifywriter work "$seconds" "$seed" files/f03
	job runs runs names . files/f03 files/f05
	storm names 1 30 files/f03 files/f06
}

# Everything but the data of one file changes while it moves: owner, mode, flags, names, links.
changing() {
	local file=$1 count=0 name
	cp "$file" /tmp/changing
	name=$file
	while ((SECONDS < end)); do
		chattr +i "$name"
		chattr -i "$name"
		mv "$name" "$file.$count"
		name=$file.$count
		ln "$name" work/link
		chmod $((600 + count % 2)) "$name"
		chown $((count % 3)):$((count % 5)) "$name"
		setfattr -n user.count -v "$count" "$name" 2>/dev/null || true
		rm work/link
		cmp "$name" /tmp/changing || return 1
		mv "$name" "$file"
		name=$file
		count=$((count + 1))
	done
	echo "changed $count times"
}

kind_changes() {
	cp files/f05 work/changing
	job changing changing work/changing
	job victims victims work
	# it is immutable for moments
	export SCATTER_IMMUTABLE=yes
	job runs runs_on_new changes work work/changing
	storm changes 1 30 work/changing files/f05
}

kind_quota() {
	mkdir work/many
	chown 1000:1001 files/f01
	job fio verified quota --filename=files/f01 --size="$(file_size)" --ioengine=psync
	job writers nice verifywriter work "$seconds" "$seed" files/f02
	bytes_job bytes1
	chown 2000:2001 work/bytes1
	job victims victims work
	job runs runs quota . files/f02 work/bytes1
	storm quota 2 50 files/f01 files/f02 work/bytes1
}

freezes() {
	local count=0
	while ((SECONDS < end)); do
		fsfreeze -f . || return 1
		sleep 0.$((RANDOM % 4))
		fsfreeze -u . || return 1
		sleep 0.$((RANDOM % 9 + 1))
		count=$((count + 1))
	done
	echo "frozen $count times"
}

kind_freeze() {
	job freezes freezes
	job fio verified freeze --filename=files/f01 --size="$(file_size)" --ioengine=libaio \
		--direct=1 --iodepth=8
	job writers nice verifywriter work "$seconds" "$seed" files/f03
	job runs runs freeze files/f03 files/f03
	storm freeze 2 30 files/f01 files/f03 files/f09
}

# Read-only and back, while files move and others are written in between. It is refused as long as
# a donor or another file is open for writing, and must not be for ever: a machine that is so busy
# that each try meets one has as long again, in which the others end.
remounts() {
	local count=0 busy=0
	while ((SECONDS < end || (count == 0 && SECONDS < end + seconds))); do
		if mount -o remount,ro . 2>/dev/null; then
			count=$((count + 1))
			sleep 0.$((RANDOM % 3))
			mount -o remount,rw . || return 1
		else
			busy=$((busy + 1))
		fi
		sleep 0.0$((RANDOM % 9 + 1))
	done
	echo "$count times read-only, $busy times busy"
	((count > 0))
}

# Like runs, where each step may find a filesystem that can't be written to.
moves_at_times() {
	local count=0 status moved=0
	while ((SECONDS < end)); do
		status=0
		scatter . "$meta" files/f05 "$RANDOM" 16 >>"$logs/scatters" 2>&1 || status=$?
		((status <= 3)) || return 1
		status=0
		e3defrag -v files/f05 >"$logs/moves.run" 2>&1 || status=$?
		((status <= 3 || status == 6)) || return 1
		! grep -q ' -> ' "$logs/moves.run" || moved=$((moved + 1))
		count=$((count + 1))
		sleep 0.1
	done
	echo "$count runs, $moved of them moved something"
	((moved > 0))
}

writes_at_times() {
	local count=0 refused=0
	while ((SECONDS < end)); do
		cp files/f05 work/copy 2>/dev/null || refused=$((refused + 1))
		if cp files/f05 work/copy 2>/dev/null && sync work/copy; then
			count=$((count + 1))
			cmp files/f05 work/copy || return 1
		fi
		sleep 0.3
	done
	echo "$count copies, $refused refused"
}

kind_remount() {
	job remounts remounts
	job moves moves_at_times
	job writes writes_at_times
}

# Two tools at once on everything, on their own mounts of ext3meta.
kind_tools() {
	job runs1 runs one . files/f03 files/f08
	job runs2 runs two . files/f04 files/f05
	job writers nice verifywriter work "$seconds" "$seed" files/f03
	job fio verified tools --filename=files/f04 --size="$(file_size)" --ioengine=psync
}

# kills NAME COMMAND [ARG]...: starts it again and again, and ends it at a random moment, one time
# with SIGKILL and one with SIGTERM. It must be gone in 30 seconds.
kills() {
	local name=$1 count=0 pid tries signal
	shift
	while ((count == 0 || SECONDS < end)); do
		"$@" >"$logs/killed.$name" 2>&1 &
		pid=$!
		sleep 0.$((RANDOM % 10))$((RANDOM % 10))
		signal=KILL
		((count % 2)) || signal=TERM
		kill -"$signal" "$pid" 2>/dev/null || true
		for ((tries = 0; tries < 300; tries++)); do
			kill -0 "$pid" 2>/dev/null || break
			sleep 0.1
		done
		if kill -0 "$pid" 2>/dev/null; then
			echo "$* is still there 30 s after SIG$signal"
			cat "/proc/$pid/stack" "/proc/$pid/wchan" || true
			return 1
		fi
		wait "$pid" || true
		count=$((count + 1))
	done
	echo "$count times killed"
	((count > 0))
}

kind_killed() {
	job kills kills tool e3defrag -v files
	job kills_scatter kills scatter scatter . "$meta" files/f12 "$seed" 4
	job fio verified killed --filename=files/f01 --size="$(file_size)" --ioengine=libaio \
		--direct=1 --iodepth=8
	job writers nice verifywriter work "$seconds" "$seed" files/f03
}

# All of it in a group that has little memory, beside programs that take the rest.
kind_memory() {
	mkdir -p /tmp/cgroup
	mountpoint -q /tmp/cgroup || mount -t cgroup2 none /tmp/cgroup
	echo +memory >/tmp/cgroup/cgroup.subtree_control
	mkdir -p /tmp/cgroup/small
	if ! echo 48M >/tmp/cgroup/small/memory.max; then
		echo "this kernel has no memory groups: nothing but the pressure of others"
	fi
	job pressure nice stress-ng --timeout "$seconds" --vm 1 --vm-bytes 60% --vm-keep --oomable
	job drop drop_caches
	echo "$BASHPID" >/tmp/cgroup/small/cgroup.procs
	job mapped verified memory --filename=files/f04 --size="$(file_size)" --ioengine=mmap
	bytes_job bytes1
	job runs runs memory files/f04 files/f04 work/bytes1
	storm memory 2 50 files/f04 work/bytes1
	echo "$BASHPID" >/tmp/cgroup/cgroup.procs
}

# Until nothing of the filesystem is left in the kernel.
gone() {
	local tries
	for ((tries = 0; tries < 100; tries++)); do
		[ -e "/sys/fs/ext4/${device##*/}" ] || return 0
		sleep 0.1
	done
	echo "$device is in use 10 s after all was unmounted"
	return 1
}

# One round: the host, or ext3meta, is unmounted lazily under what moves files. It must go on or
# end by itself, and then all of it is gone from the kernel, and the filesystem is whole.
lazy_round() {
	local number=$1 pids=()
	mount -t "$type" -o "$options" "$device" "$mnt" || return 1
	mount -t ext3meta "$mnt" "$meta" || return 1
	# what they stand on and hold open is theirs, whatever becomes of the paths
	cd "$mnt" || return 1
	rm -f work/verifywriter.*
	exec 3<"$meta"
	e3defrag -v files/f03 files/f06 >"$logs/lazy.tool" 2>&1 &
	pids+=($!)
	swapstorm . /proc/self/fd/3 1 $((seed + number)) 1 30 files/f03 files/f05 \
		>"$logs/lazy.storm" 2>&1 &
	pids+=($!)
	verifywriter work 1 $((seed + number)) files/f03 >"$logs/lazy.writers" 2>&1 &
	pids+=($!)
	exec 3<&-
	cd / || return 1
	sleep 0.$((RANDOM % 10))
	((number % 3 == 1)) || umount -l "$meta" || return 1
	((number % 3 == 0)) || umount -l "$mnt" || return 1
	# the tool may not have found its way in any more, and say so
	wait "${pids[0]}" || (($? <= 3 || $? == 6)) || { cat "$logs/lazy.tool"; return 1; }
	wait "${pids[1]}" || { cat "$logs/lazy.storm"; return 1; }
	wait "${pids[2]}" || { cat "$logs/lazy.writers"; return 1; }
	! mountpoint -q "$meta" || umount "$meta" || return 1
	! mountpoint -q "$mnt" || umount "$mnt" || return 1
	gone || return 1
	e2fsck -fn "$device" >"$logs/lazy.fsck" 2>&1 || { cat "$logs/lazy.fsck"; return 1; }
}

kind_lazy() {
	local number=0
	cd /
	umount "$meta"
	umount "$mnt"
	while ((SECONDS < end)); do
		if ! lazy_round "$number"; then
			echo "in round $number" >"$logs/lazy"
			echo 1 >"$logs/lazy.status"
			return 1
		fi
		rm -f "$logs"/lazy.*
		number=$((number + 1))
	done
	echo "$number rounds" >"$logs/lazy"
	echo 0 >"$logs/lazy.status"
	mount -t "$type" -o "$options" "$device" "$mnt"
	mount -t ext3meta "$mnt" "$meta"
	cd "$mnt" || return 1
}

# A little of most of it at once, and few enough that each of them gets on.
kind_mixed() {
	job aio verified aio --filename=files/f01 --size="$(file_size)" --ioengine=libaio \
		--direct=1 --iodepth=16 --bs=64k
	bytes_job bytes1
	bytes_job bytes2
	job freezes freezes
	job kills kills tool e3defrag -v files
	storm mixed 2 30 files/f01 files/f05 work/bytes1 work/bytes2
}
