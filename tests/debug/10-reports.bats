#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# A report of any of the debug kernel's checkers is an end with 125: a module does each thing they
# are there to find. Without this the other tests on this kernel would prove nothing.

setup_file() {
	cd "$BATS_TEST_DIRNAME/../.." || return 1
	mkdir -p build/tests
	SCRATCH=$(mktemp -d "$PWD/build/tests/debug.XXXXXX")
	export SCRATCH KERNEL=debug
	cat >"$SCRATCH/wrong.c" <<-'END'
	#include <linux/delay.h>
	#include <linux/module.h>
	#include <linux/mutex.h>
	#include <linux/rcupdate.h>
	#include <linux/slab.h>
	#include <linux/spinlock.h>

	static char *what = "";
	module_param(what, charp, 0);

	static DEFINE_MUTEX(one);
	static DEFINE_MUTEX(two);
	static DEFINE_SPINLOCK(spin);
	static int __rcu *pointer;
	static volatile int forty = 40;

	static void order(struct mutex *a, struct mutex *b)
	{
		mutex_lock(a);
		mutex_lock(b);
		mutex_unlock(b);
		mutex_unlock(a);
	}

	static int __init wrong_init(void)
	{
		volatile char *bytes = kmalloc(24, GFP_KERNEL);

		if (!bytes)
			return -ENOMEM;
		if (!strcmp(what, "leak"))
			return 0;
		if (!strcmp(what, "lock order")) {
			order(&one, &two);
			order(&two, &one);
		} else if (!strcmp(what, "lock twice")) {
			spin_lock(&spin);
			lock_acquire(&spin.dep_map, 0, 0, 0, 1, NULL, _THIS_IP_);
		} else if (!strcmp(what, "lock kept")) {
			mutex_lock(&one);
		} else if (!strcmp(what, "rcu")) {
			pr_info("%p\n", rcu_dereference(pointer));
		} else if (!strcmp(what, "sleep")) {
			spin_lock(&spin);
			msleep(1);
			spin_unlock(&spin);
		} else if (!strcmp(what, "beyond")) {
			bytes[24 + forty - 40] = 1;
		} else if (!strcmp(what, "freed")) {
			kfree((void *)bytes);
			bytes[3] = 1;
		} else if (!strcmp(what, "shift")) {
			pr_info("%d\n", 1 << forty);
		}
		if (strcmp(what, "freed"))
			kfree((void *)bytes);
		return 0;
	}
	module_init(wrong_init);

	static void __exit wrong_exit(void)
	{
	}
	module_exit(wrong_exit);
	MODULE_LICENSE("GPL");
	END
	echo 'obj-m := wrong.o' >"$SCRATCH/Kbuild"
	tests/vm/fetch debug
	make -C "$(echo "$PWD"/build/kernels/debug/lib/modules/*/build)" M="$SCRATCH" modules
}

teardown_file() {
	rm -rf "$SCRATCH"
}

# report WHAT TEXT: doing WHAT is reported with TEXT, and is 125.
report() {
	run tests/vm/run --cpus 1 --timeout 120 -- \
		sh -c "insmod $SCRATCH/wrong.ko what='\"$1\"'; rmmod wrong; sleep 1; echo done"
	echo "$output"
	[ "$status" = 125 ]
	[[ $output == *"$2"* ]]
}

@test "a module that does nothing wrong is none" {
	run tests/vm/run --cpus 1 --timeout 120 -- \
		sh -c "insmod $SCRATCH/wrong.ko; rmmod wrong; sleep 1; echo done"
	echo "$output"
	[ "$status" = 0 ]
	[ "$output" = "done" ]
}

@test "lockdep: locks in two orders" {
	report "lock order" "possible circular locking dependency"
}

@test "lockdep: a lock taken twice" {
	report "lock twice" "possible recursive locking"
}

@test "lockdep: a lock kept" {
	report "lock kept" "lock held when returning to user space"
}

@test "RCU: a pointer read without a lock" {
	report "rcu" "suspicious RCU usage"
}

@test "a sleep under a spinlock" {
	report "sleep" "BUG: "
}

@test "KASAN: a byte beyond its object" {
	report "beyond" "BUG: KASAN: slab-out-of-bounds"
}

@test "KASAN: a byte of a freed object" {
	report "freed" "BUG: KASAN: "*"use-after-free"
}

@test "UBSAN: a shift that is too far" {
	report "shift" "UBSAN: shift-out-of-bounds"
}

@test "kmemleak: memory that nobody knows any more" {
	report "leak" "unreferenced object"
}
