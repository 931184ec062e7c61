# SPDX-License-Identifier: GPL-2.0-only
# e3defrag: the kernel module ext3meta, the tool e3defrag, and their tests. "make help" lists all.

PREFIX ?= /usr/local
SBINDIR ?= $(PREFIX)/sbin
DATADIR ?= $(PREFIX)/share
MANDIR ?= $(PREFIX)/share/man
LIBEXECDIR ?= $(PREFIX)/libexec
UNITDIR ?= $(PREFIX)/lib/systemd/system
SYSCONFDIR ?= /etc
MODULESDIR ?= /lib/modules
DKMSDIR ?= /usr/src
INSTALL ?= install

# The test kernel of check and demo.
KERNEL ?= 6.1
export KERNEL
export SEED

RUNNING := $(shell uname -r)
# The kernel that ext3meta.ko is for: the running one, or the test kernel where its headers aren't.
ifneq ($(wildcard /lib/modules/$(RUNNING)/build/Makefile),)
KDIR ?= /lib/modules/$(RUNNING)/build
KROOT ?= /
endif

all: module defrag

help:
	@echo 'all            module and defrag (the default)'
	@echo 'module         module/ext3meta.ko for KDIR (the running kernel'"'"'s headers)'
	@echo 'module-NAME    build/module-NAME/ext3meta.ko for a test kernel: 6.1, 6.12 or debug'
	@echo 'defrag         defrag/e3defrag'
	@echo 'appliance      build/appliance-$(KERNEL), the virtual machine of e3defrag --vm'
	@echo 'install-appliance   the same, in PREFIX/lib/e3defrag, where --vm looks for it'
	@echo 'install        what all has built, and all else; DESTDIR, PREFIX ($(PREFIX))'
	@echo 'install-tool   the same without the module; install-module: nothing else'
	@echo 'install-dkms   the module as sources for dkms, in $(DKMSDIR)'
	@echo 'deb            Debian packages of both, in build/deb'
	@echo 'uninstall      removes what install has installed, but not changed settings'
	@echo 'demo           defragments an aged filesystem in a virtual machine; IMAGE=FILE'
	@echo 'check          the tests; KERNEL=NAME (6.1), SEED=N, TESTS="FILE..." for some'
	@echo 'check-crash    judges what crashes leave behind, POINTS=10000 of them; SEED=1'
	@echo 'check-powercut kills the VM at random moments, KILLS=100 times; SEED=1'
	@echo 'check-stress   moves files while all else happens to them, MINUTES=30; SEED=1'
	@echo 'check-fuzz     hostile input: RUNS=200 images, SECONDS=300 of libFuzzer; SEED=1'
	@echo 'check-static   what sparse, cppcheck and clang find without running anything'
	@echo 'check-faults   makes each I/O of a relocation fail, one by one; SEED=1, STRIDE=1'
	@echo 'check-packages the Debian packages installed, used and purged in a clean system'
	@echo 'check-debug    the interface, faults and stress on a kernel with all its checkers'
	@echo 'bench          times beside those of cp, dd, e4defrag...; REPEAT=5, SECTIONS="..."'
	@echo 'check-mutants  breaks the code in known ways, each of which a test must find'
	@echo 'style          the style of the sources, scripts and man pages'
	@echo 'clean          removes what was built, but not the fetched kernels'
	@echo 'distclean      removes them as well'

ifdef KDIR
module:
	$(MAKE) -C module KDIR=$(KDIR) $(if $(KROOT),KROOT=$(KROOT))
else
module: kernel-$(KERNEL)
	@echo "No headers of the running kernel $(RUNNING): building for the test kernel $(KERNEL)"
	$(MAKE) -C module $(call test_kernel,$(KERNEL))
endif

defrag:
	$(MAKE) -C defrag

# The headers and files of the test kernel $(1), as module/Makefile wants them.
kernels := $(CURDIR)/build/kernels
test_kernel = KROOT=$(kernels)/$(1) \
	KDIR=$(kernels)/$(1)/lib/modules/$$(cat $(kernels)/$(1)/release)/build

kernel-%:
	tests/vm/fetch $*

# In a copy of the sources, so that the modules of several kernels are there at once; the lock is
# for tests that build it at the same time.
module-%: kernel-%
	@mkdir -p $(addprefix build/module-$*/,host indirect abigen)
	flock build/module-$* $(MAKE) --no-print-directory locked-module-$*

locked-module-%:
	cp -pu module/*.[ch] module/Kbuild module/Makefile build/module-$*
	cp -pu module/host/*.[ch] build/module-$*/host
	cp -pu module/indirect/*.[ch] build/module-$*/indirect
	cp -pu module/abigen/*.[ch] module/abigen/Makefile build/module-$*/abigen
	rm -f build/module-$*/ext4_abi_generated.h.new
	$(MAKE) -C build/module-$* $(call test_kernel,$*)

# The judges, and the tool with ASan and UBSan in it.
test-tools:
	$(MAKE) -C defrag sanitized
	$(MAKE) -C tests/tools BIN=$(CURDIR)/build/tests/bin
	$(MAKE) -C tests/guest/tools BIN=$(CURDIR)/build/tests/bin
	$(MAKE) -C tests/faults BIN=$(CURDIR)/build/tests/bin
	$(MAKE) -C tests/bench

# $(call ready,GROUPS,TARGETS): installs the packages of the groups that are missing, and only then
# makes the targets. $(tested) are what is tested and what tests it.
tested = defrag module-$(KERNEL) test-tools
define ready
	tests/deps build vm $(1)
	+$(MAKE) --no-print-directory $(2)
endef

# The virtual machine of --vm, for the kernel KERNEL.
appliance:
	$(call ready,,defrag module-$(KERNEL))
	contrib/appliance/build $(KERNEL) build/appliance-$(KERNEL)

install-appliance: appliance
	$(INSTALL) -d "$(DESTDIR)$(PREFIX)/lib/e3defrag/appliance"
	$(INSTALL) -m 644 $(addprefix build/appliance-$(KERNEL)/,kernel initramfs version) \
		"$(DESTDIR)$(PREFIX)/lib/e3defrag/appliance"

install: install-module install-tool

install-module: module
	@release=$$(modinfo -F vermagic module/ext3meta.ko | cut -d ' ' -f 1); \
	echo "Installing ext3meta.ko for the kernel $$release"; \
	$(INSTALL) -D -m 644 module/ext3meta.ko \
		"$(DESTDIR)$(MODULESDIR)/$$release/updates/ext3meta.ko" && \
	{ [ -n "$(DESTDIR)" ] || depmod "$$release"; }

# What is installed beside tool and module: mode, file, where to. @SBINDIR@ and such in it become
# the folders.
define files
644 man/e3defrag.8 $(MANDIR)/man8/e3defrag.8
644 man/ext3meta.5 $(MANDIR)/man5/ext3meta.5
644 man/e3defrag-report.schema.json $(DATADIR)/e3defrag/e3defrag-report.schema.json
644 man/e3defrag-plan.schema.json $(DATADIR)/e3defrag/e3defrag-plan.schema.json
644 contrib/completion/e3defrag $(DATADIR)/bash-completion/completions/e3defrag
644 contrib/systemd/e3defrag.timer $(UNITDIR)/e3defrag.timer
644 contrib/systemd/e3defrag.service $(UNITDIR)/e3defrag.service
644 contrib/systemd/e3defrag-failure.service $(UNITDIR)/e3defrag-failure.service
755 contrib/systemd/tell-failure $(LIBEXECDIR)/e3defrag/tell-failure
755 contrib/cron/nightly $(LIBEXECDIR)/e3defrag/nightly
644 contrib/cron/e3defrag $(SYSCONFDIR)/cron.d/e3defrag
endef
install-tool uninstall: export files := $(files)
settings = $(DESTDIR)$(SYSCONFDIR)/default/e3defrag

# The administrator's own settings stay.
install-tool: defrag
	$(INSTALL) -D -m 755 defrag/e3defrag "$(DESTDIR)$(SBINDIR)/e3defrag"
	@set -e; echo "$$files" | while read -r mode file to; do \
		echo "$(DESTDIR)$$to"; \
		$(INSTALL) -D -m $$mode $$file "$(DESTDIR)$$to"; \
		sed -i -e 's|@SBINDIR@|$(SBINDIR)|g; s|@LIBEXECDIR@|$(LIBEXECDIR)|g' \
			-e 's|@SYSCONFDIR@|$(SYSCONFDIR)|g' "$(DESTDIR)$$to"; \
	done
	[ -e "$(settings)" ] || $(INSTALL) -D -m 644 contrib/e3defrag.default "$(settings)"

uninstall:
	rm -rf "$(DESTDIR)$(PREFIX)/lib/e3defrag/appliance"
	rm -f "$(DESTDIR)$(SBINDIR)/e3defrag" "$(DESTDIR)$(MODULESDIR)"/*/updates/ext3meta.ko
	@echo "$$files" | while read -r mode file to; do rm -f "$(DESTDIR)$$to"; done
	! cmp -s contrib/e3defrag.default "$(settings)" || rm "$(settings)"
	-rmdir "$(DESTDIR)$(LIBEXECDIR)/e3defrag" "$(DESTDIR)$(DATADIR)/e3defrag"
	[ -n "$(DESTDIR)" ] || depmod

# The one version of all; contrib/debian/changelog has it, too, since Debian reads it there.
VERSION := $(shell sed -n 's/^\#define E3DEFRAG_VERSION "\(.*\)"/\1/p' module/version.h)

# The module's sources, for dkms to build it for each kernel that is installed.
dkms_tree = $(DESTDIR)$(DKMSDIR)/e3defrag-$(VERSION)
install-dkms:
	$(INSTALL) -d $(patsubst %,"$(dkms_tree)/%",host indirect abigen)
	$(INSTALL) -m 644 $(filter-out %/ext4_abi_generated.h %.mod.c,$(wildcard module/*.[ch])) \
		module/Kbuild module/Makefile "$(dkms_tree)"
	$(INSTALL) -m 644 module/host/*.[ch] "$(dkms_tree)/host"
	$(INSTALL) -m 644 module/indirect/*.[ch] "$(dkms_tree)/indirect"
	$(INSTALL) -m 644 module/abigen/*.[ch] module/abigen/Makefile "$(dkms_tree)/abigen"
	sed 's/\#MODULE_VERSION\#/$(VERSION)/' contrib/dkms/dkms.conf >"$(dkms_tree)/dkms.conf"

# Debian packages: of what git tracks, with contrib/debian where Debian wants it. Who gives them to
# others says who that is, as Debian's tools have it: DEBFULLNAME, DEBEMAIL.
DEBS ?= build/deb
deb_tree = $(DEBS)/e3defrag-$(VERSION)
deb:
	tests/deps build packages
	rm -rf $(DEBS)
	mkdir -p $(deb_tree)
	git ls-files -z | xargs -0 cp --parents -t $(deb_tree)
	cp -r contrib/debian $(deb_tree)/debian
	[ -z "$$DEBEMAIL" ] || sed -i "s|e3defrag developers <.*>|$$DEBFULLNAME <$$DEBEMAIL>|" \
		$(deb_tree)/debian/control $(deb_tree)/debian/changelog
	cd $(deb_tree) && dpkg-buildpackage -us -uc
	rm -r $(deb_tree)
	@ls $(DEBS)/*.deb

demo:
	$(call ready,demo,$(tested) appliance)
	tests/demo $(if $(IMAGE),"$(IMAGE)")

check:
	$(call ready,check fuzz static packages,$(tested))
	tests/run --kernel $(KERNEL) $(TESTS)

# The long forms of what check does a few times: KILLS or POINTS, and SEED choose.
KILLS ?= 100
check-powercut:
	$(call ready,check,$(tested))
	tests/crash/powercut $(KILLS) $(or $(SEED),1)

# The same of the scenes in tests/stress. On another test kernel: KERNEL=NAME.
MINUTES ?= 30
check-stress:
	$(call ready,check,$(tested))
	tests/stress/stress $(MINUTES) $(or $(SEED),1)

POINTS ?= 10000
check-crash:
	$(call ready,check,$(tested))
	tests/crash/points $(POINTS) $(or $(SEED),1)

# Hostile input: texts, requests, filesystems. What fails doesn't keep the rest from being tried.
RUNS ?= 200
SECONDS ?= 300
check-fuzz:
	$(call ready,check fuzz,$(tested))
	status=0; \
	tests/fuzz/parsers $(SECONDS) $(or $(SEED),1) || status=1; \
	tests/fuzz/interface $$(($(RUNS) / 20 + 1)) $(or $(SEED),1) 10000 || status=1; \
	tests/fuzz/images $(RUNS) $(or $(SEED),1) || status=1; \
	exit $$status

check-static:
	$(call ready,static,module-$(KERNEL))
	tests/static

# The Debian packages installed in a clean system, used by cron and by systemd, and purged.
check-packages:
	$(call ready,check packages clean,defrag kernel-6.1 kernel-6.12 module-6.1 test-tools)
	$(MAKE) --no-print-directory deb
	tests/packages/check

# STRIDE=N makes each N-th I/O fail only.
STRIDE ?= 1
check-faults:
	$(call ready,check,$(tested))
	STRIDE=$(STRIDE) tests/faults/campaign $(or $(SEED),1)

# The debug kernel is built first, once; that takes long.
check-debug:
	$(call ready,check debug,defrag kernel-6.1 module-debug test-tools)
	status=0; \
	tests/run --kernel debug $(or $(TESTS),tests/debug/*.bats tests/guest/*.bats \
		tests/system/64-faults.bats) || status=1; \
	KERNEL=debug tests/stress/stress $(MINUTES) $(or $(SEED),1) || status=1; \
	exit $$status

# Ratios, each to another program in the same guest; SECTIONS="move report..." for some.
bench:
	$(call ready,check,$(tested))
	tests/bench/run $(SECTIONS)

# Does each test find what it is there for? MUTANTS="tests/mutations/NAME.patch..." for some.
check-mutants:
	$(call ready,check static mutants,kernel-$(KERNEL))
	tests/mutants $(MUTANTS)

# The tool is built for its --help.
style:
	tests/deps build style
	tests/style

clean:
	$(MAKE) -C module/abigen clean
	$(MAKE) -C defrag clean
	rm -rf module/*.o module/*.ko module/*.mod module/*.mod.c module/.*.cmd module/host/*.o \
		module/host/.*.cmd module/indirect/*.o module/indirect/.*.cmd module/modules.order \
		module/Module.symvers module/.tmp_versions module/ext4_abi_generated.h \
		module/ext4_abi_generated.h.new
	rm -rf build/module-* build/appliance-* build/tests build/vm build/defrag build/static \
		build/deb build/sanitized build/mutants

distclean: clean
	rm -rf build

.PHONY: all help module defrag test-tools appliance install install-appliance install-tool \
	install-module install-dkms deb uninstall demo check check-crash bench check-powercut \
	check-stress check-faults check-fuzz check-static check-packages check-debug check-mutants \
	style clean distclean
