#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# What analyzers find in the sources; tests/static says which.

load common

setup() {
	cd "$PROJECT" || return 1
}

@test "sparse, cppcheck and clang's analyzer find nothing in the tool and in the module" {
	run tests/static
	echo "$output"
	[ "$status" -eq 0 ]
	[ "${lines[-1]}" = "3 checks, 0 bad" ]
}

# A small tree of the same shape, with one error in each half.
@test "each of them finds what it is there for" {
	tree=$BATS_TEST_TMPDIR
	mkdir -p "$tree"/{tests,defrag/plan,build,module/host,module/indirect,module/abigen}
	ln -s "$PWD/build/kernels" "$tree/build/kernels"
	cp tests/static "$tree/tests/static"
	# shellcheck disable=SC2016 # make's variables
	printf '%s\n' 'all:' '	$(MAKE) -C $(KDIR) M=$(CURDIR) $(KFLAGS) modules' \
		>"$tree/module/Makefile"
	echo 'obj-m := bad.o' >"$tree/module/Kbuild"
	echo 'typedef int nothing;' | tee "$tree"/module/{host,indirect,abigen}/nothing.{c,h} \
		>"$tree/module/nothing.h"
	cp module/abigen/Makefile "$tree/module/abigen"
	cat >"$tree/module/bad.c" <<-'END'
	#include <linux/module.h>

	static __le32 on_disk;
	static u32 value(void)
	{
		return on_disk;
	}
	static int __init bad_init(void)
	{
		return value();
	}
	module_init(bad_init);
	MODULE_LICENSE("GPL");
	END
	cat >"$tree/defrag/plan/bad.c" <<-'END'
	#include <stdlib.h>

	int main(int argc, char **argv)
	{
		char *first = argv[0], *p = NULL;

		if (argc > 1)
			first += *p;
		return first == NULL;
	}
	END
	run "$tree/tests/static" sparse_module
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *bad.c*"incorrect type in return expression"* ]]
	run "$tree/tests/static" cppcheck_both
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *defrag/plan/bad.c*"Null pointer dereference"* ]]
	run "$tree/tests/static" clang_tool
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *defrag/plan/bad.c*"ereference of null pointer"* ]]
}
