# SPDX-License-Identifier: GPL-2.0-only
# Users of files and movers of them, to run side by side in a guest: what the load test and the
# stress campaign share. To be sourced after guest.bash, with $seconds and $seed set and the
# filesystem's root as the working directory. Most functions are called by name, through job().
# shellcheck shell=bash disable=SC2154,SC2317

logs=/tmp/logs
rm -rf "$logs"
mkdir -p "$logs"
RANDOM=$seed
# Statuses of e3defrag that are no failure: a file that grew or was busy is passed over.
tolerated=1

# From now on the clock of all jobs runs.
start_clock() {
	end=$((SECONDS + seconds))
}

# job NAME COMMAND [ARG]...: in the background; what it says goes to a log, and what came of it to
# NAME.status.
job() {
	local name=$1
	shift
	(
		status=0
		"$@" >"$logs/$name" 2>&1 || status=$?
		echo "$status" >"$logs/$name.status"
	) &
}

# Waits for all jobs and prints what came of them; the status is by it.
judge_jobs() {
	local name bad=0
	wait
	for name in "$logs"/*.status; do
		name=$(basename "$name" .status)
		if [ "$(cat "$logs/$name.status")" = 0 ]; then
			echo "ok $name: $(tail -n 1 "$logs/$name")"
		else
			bad=1
			echo "FAILED $name"
			tail -n 40 "$logs/$name"
		fi
	done
	return "$bad"
}

fio_job() {
	local name=$1
	shift
	nice fio --name="$name" --output="$logs/fio.$name" --eta=never --thread --fallocate=none \
		--max-jobs=4 --verify_state_save=0 --randseed="$((seed + end))" "$@"
}

# verified NAME FIO-OPTION...: writes a file at random and reads it back, pass after pass.
verified() {
	local name=$1 passes=0
	shift
	while ((passes == 0 || SECONDS < end)); do
		fio_job "$name" --rw=randwrite --bs=4k --verify=crc32c --verify_fatal=1 \
			--verify_dump=0 --do_verify=1 --verify_backlog=256 "$@" || return
		passes=$((passes + 1))
	done
	echo "fio $name: $passes passes verified"
}

# scattered FILE...: undoes what e3defrag did for them.
scattered() {
	local file
	for file; do
		((SECONDS < end)) || break
		[ -e "$file" ] || continue
		scatter . "$meta" "$file" "$RANDOM" 16 || (($? == 3)) || return 1
	done
}

# runs NAME TARGET [FILE]...: runs of the tool on TARGET; after each, the FILEs are scattered.
# What else runs is nice, or there would be few of these.
runs() {
	local name=$1 target=$2 count=0 moved=0 status blocks log
	shift 2
	while ((count == 0 || SECONDS < end)); do
		log=$logs/run.$name.$count
		status=0
		e3defrag -v "$target" >"$log" 2>&1 || status=$?
		tail -n 3 "$log"
		if ((status > tolerated && status != 6)); then
			echo "e3defrag ended with $status"
			cat "$log"
			return "$status"
		fi
		count=$((count + 1))
		blocks=$(sed -n 's/^Blocks moved: \([0-9]*\).*/\1/p' "$log")
		moved=$((moved + ${blocks:-0}))
		rm -f "$log"
		scattered "$@" || return 1
	done
	echo "$count runs of e3defrag moved $moved blocks"
	((count > 0 && moved > 0))
}

# The same for FILEs that are new, and not in pieces of themselves.
runs_on_new() {
	sleep 1
	scattered "${@:3}" || return 1
	runs "$@"
}

# victims DIR: files of DIR that are truncated, punched and removed while they are moved.
victims() {
	local dir=$1 number=0 bytes run
	while ((SECONDS < end)); do
		number=$((number + 1))
		fill "$dir/victim$number" $((1 << 20)) "$number"
		cp "$dir/victim$number" /tmp/victim
		sync -f .
		scatter . "$meta" "$dir/victim$number" "$number" 4 || return 1
		e3defrag -v "$dir/victim$number" >"$logs/victim.run" 2>&1 &
		run=$!
		sleep 0.$((RANDOM % 4))$((RANDOM % 10))
		case $((number % 3)) in
		0) rm "$dir/victim$number" ;;
		1)
			bytes=$((RANDOM * 32))
			truncate -s "$bytes" "$dir/victim$number"
			cmp -n "$bytes" "$dir/victim$number" /tmp/victim || return 1
			;;
		2)
			fallocate -p -o $((RANDOM * 16)) -l $((RANDOM * 8 + 1)) \
				"$dir/victim$number"
			truncate -s 0 "$dir/victim$number"
			truncate -s 100000 "$dir/victim$number"
			cmp -n 100000 "$dir/victim$number" /dev/zero || return 1
			;;
		esac
		wait "$run" || (($? <= 3 || $? == 6)) || return 1
		rm -f "$dir/victim$number"
	done
	echo "$number victims"
}
